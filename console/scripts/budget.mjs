// Sizes of the built console against its budgets (kB of 1000 bytes, gzip -9); exits 1 beyond any of them.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';

const BUILD = new URL('../build/', import.meta.url).pathname;
const CLIENT = new URL('../.svelte-kit/output/client/', import.meta.url).pathname;
const manifest = JSON.parse(readFileSync(join(CLIENT, '.vite/manifest.json'), 'utf8'));
const sizes = new Map();
const size = (file) => {
	if (!sizes.has(file)) sizes.set(file, gzipSync(readFileSync(join(BUILD, file)), { level: 9 }).length);
	return sizes.get(file);
};

/** Every file that loads with the given entries, followed through static imports. */
function closure(keys) {
	const seen = new Set();
	const js = new Set();
	const css = new Set();
	const visit = (key) => {
		if (seen.has(key)) return;
		seen.add(key);
		const chunk = manifest[key];
		if (!chunk) return;
		if (chunk.file.endsWith('.js')) js.add(chunk.file);
		for (const sheet of chunk.css ?? []) css.add(sheet);
		for (const next of chunk.imports ?? []) visit(next);
	};
	keys.forEach(visit);
	return { js, css };
}

const sum = (files) => [...files].reduce((total, file) => total + size(file), 0);
const entries = Object.entries(manifest).filter(([, chunk]) => chunk.isEntry);
const find = (pattern) => Object.keys(manifest).filter((key) => pattern.test(key));
const nodes = find(/generated\/client-optimized\/nodes\/\d+\.js$/);
const app = entries.map(([key]) => key).filter((key) => !/nodes\/\d+\.js$/.test(key));

/** Which route a node belongs to is written in the generated app; here the page's own source name is enough. */
const routeOf = (key) => {
	const text = readFileSync(new URL(`../${key}`, import.meta.url), 'utf8');
	return /routes\/(.*)\+page\.svelte"/.exec(text)?.[1]?.replace(/\/$/, '') ?? (/\+layout\.svelte/.test(text) ? 'layout' : /error/.test(text) ? 'error' : '?');
};
const byRoute = new Map(nodes.map((key) => [routeOf(key), key]));
const layout = byRoute.get('layout');
const catalogue = find(/i18n\/en\.json$/);
const base = closure([...app, layout, ...catalogue].filter(Boolean));
const queue = closure([...app, layout, ...catalogue, byRoute.get('queue')].filter(Boolean));

const rows = [];
let failed = false;
const check = (name, bytes, limit) => {
	const over = bytes > limit * 1000;
	failed ||= over;
	rows.push(`${over ? '✗' : '✓'} ${name.padEnd(34)} ${(bytes / 1000).toFixed(1).padStart(7)} kB  of ${limit}`);
};
check('JS, first load (queue)', sum(queue.js), 200);
for (const [route, key] of [...byRoute].sort()) {
	if (['layout', 'error', '?'].includes(route)) continue;
	const own = [...closure([key]).js].filter((file) => !base.js.has(file));
	check(`JS, route /${route}`, sum(own), 60);
}
const lazy = Object.values(manifest)
	.filter((chunk) => chunk.isDynamicEntry && chunk.file.endsWith('.js') && !/nodes\//.test(chunk.src ?? ''))
	.filter((chunk) => !base.js.has(chunk.file));
for (const chunk of lazy) check(`JS, lazy ${chunk.src?.split('/').slice(-1)[0] ?? chunk.file}`, size(chunk.file), 165);
const css = new Set(Object.values(manifest).flatMap((chunk) => [...(chunk.css ?? []), ...(chunk.file.endsWith('.css') ? [chunk.file] : [])]));
check('CSS, everything', sum(css), 30);
console.log(rows.join('\n'));
if (failed) {
	console.error('budget: beyond a limit');
	process.exit(1);
}
