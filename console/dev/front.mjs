// The built console in front of a running site: serves build/ with the policy of the page and hands /api to the site,
// so that a change of the console is seen on real data without building the program again.
//   TANDEM_SITE=http://localhost:8843 PORT=4180 node dev/front.mjs
import { existsSync, readFileSync } from 'node:fs';
import { createServer, request } from 'node:http';
import { extname, join } from 'node:path';

const SITE = new URL(process.env.TANDEM_SITE ?? 'http://localhost:8843');
const PORT = Number(process.env.PORT ?? 4180);
const BUILD = new URL('../build/', import.meta.url).pathname;
const TYPES = { '.html': 'text/html; charset=utf-8', '.js': 'text/javascript', '.css': 'text/css', '.svg': 'image/svg+xml', '.json': 'application/json' };

function forward(req, res) {
	const headers = { ...req.headers, host: SITE.host };
	// To the site the request comes from its own page.
	if (headers.origin) headers.origin = SITE.origin;
	const up = request({ host: SITE.hostname, port: SITE.port, path: req.url, method: req.method, headers }, (answer) => {
		res.writeHead(answer.statusCode, answer.headers);
		answer.pipe(res);
	});
	up.on('error', () => res.headersSent || res.writeHead(502).end());
	res.on('close', () => up.destroy());
	req.pipe(up);
}

createServer((req, res) => {
	const { pathname } = new URL(req.url, 'http://front');
	if (pathname.startsWith('/api/')) return forward(req, res);
	const index = join(BUILD, 'index.html');
	const file = extname(pathname) && existsSync(join(BUILD, pathname)) ? join(BUILD, pathname) : index;
	const hashes = [...readFileSync(index, 'utf8').matchAll(/'sha256-[^']+'/g)].map(([hash]) => hash).join(' ');
	const policy = `default-src 'self'; script-src 'self' ${hashes}; style-src 'self'; img-src 'self' data:; object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'`;
	res.writeHead(200, { 'content-type': TYPES[extname(file)] ?? 'text/plain', 'content-security-policy': policy });
	res.end(readFileSync(file));
}).listen(PORT, '127.0.0.1', () => console.log(`http://localhost:${PORT}`));
