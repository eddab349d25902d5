// After `vite build`: checks that the built page obeys the policy that it declares (the server takes the hashes of
// its header from it) and adds a Brotli form beside each text file.
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { brotliCompressSync, constants } from 'node:zlib';

const ROOT = new URL('../build/', import.meta.url).pathname;
const files = (folder) =>
	readdirSync(folder).flatMap((name) => {
		const path = join(folder, name);
		return statSync(path).isDirectory() ? files(path) : [path];
	});
const fail = (text) => {
	console.error(`after-build: ${text}`);
	process.exit(1);
};

const page = readFileSync(join(ROOT, 'index.html'), 'utf8');
const meta = /<meta http-equiv="content-security-policy" content="([^"]*)">/i.exec(page);
if (!meta) fail('index.html declares no content security policy');
const policy = meta[1].replaceAll('&quot;', '"');
if (/unsafe-(inline|eval)/.test(policy)) fail(`the policy allows what it must not: ${policy}`);

for (const [, attributes, body] of page.matchAll(/<script([^>]*)>([\s\S]*?)<\/script>/g)) {
	if (/\ssrc=/.test(attributes)) continue;
	const hash = `'sha256-${createHash('sha256').update(body).digest('base64')}'`;
	if (!policy.includes(hash)) fail(`an inline script is not covered by the policy: ${hash}`);
}
if (/\sstyle="/.test(page) || /<style/.test(page)) fail('index.html holds an inline style');
if (/(src|href)="(https?:)?\/\//.test(page)) fail('index.html refers to another host');

let saved = 0;
for (const path of files(ROOT)) {
	if (!/\.(js|css|html|svg|json|txt)$/.test(path)) continue;
	const plain = readFileSync(path);
	if (plain.length < 1024) continue;
	const small = brotliCompressSync(plain, { params: { [constants.BROTLI_PARAM_QUALITY]: 11 } });
	if (small.length < plain.length * 0.9) {
		writeFileSync(`${path}.br`, small);
		saved += 1;
	}
}
console.log(`after-build: policy checked, ${saved} files compressed`);
