import adapter from '@sveltejs/adapter-static';

/** @type {import('@sveltejs/kit').Config} */
export default {
	compilerOptions: { runes: true },
	kit: {
		adapter: adapter({ fallback: 'index.html', precompress: false, strict: true }),
		// The server derives its CSP header from the meta element that this writes (README, "Serving").
		csp: {
			mode: 'hash',
			directives: {
				'default-src': ['self'],
				'script-src': ['self'],
				'style-src': ['self'],
				'img-src': ['self', 'data:'],
				'font-src': ['self'],
				'connect-src': ['self'],
				'object-src': ['none'],
				'base-uri': ['none'],
				'form-action': ['self']
			}
		},
		paths: { relative: false },
		prerender: { entries: [] },
		version: { name: process.env.TANDEM_VERSION ?? '0.1.0' },
		output: { preloadStrategy: 'modulepreload' }
	}
};
