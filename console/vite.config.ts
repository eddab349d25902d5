import { sveltekit } from '@sveltejs/kit/vite';
import { defineConfig } from 'vitest/config';

export default defineConfig({
	plugins: [sveltekit()],
	build: { target: 'es2022', reportCompressedSize: false, assetsInlineLimit: 0 },
	server: { host: '127.0.0.1' },
	test: { include: ['tests/unit/**/*.test.ts'], environment: 'node' }
});
