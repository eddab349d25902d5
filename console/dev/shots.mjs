// Screenshots of the console on the stand-in server: node dev/shots.mjs OUT [name…]. Prints what axe and the console find.
import { mkdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { chromium } from 'playwright-core';

const [out = 'shots', ...wanted] = process.argv.slice(2);
const BASE = process.env.BASE ?? 'http://127.0.0.1:4174';
const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
mkdirSync(out, { recursive: true });

const dev = (body) => fetch(`${BASE}/__dev`, { method: 'POST', body: JSON.stringify(body) });
const browser = await chromium.launch({
	executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
	args: ['--headless', '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync']
});
const { SCENES } = await import('./scenes.mjs');
let bad = 0;
for (const scene of SCENES) {
	if (wanted.length && !wanted.some((name) => scene.name.startsWith(name))) continue;
	for (const theme of scene.themes ?? ['light', 'dark']) {
		await dev({ faults: scene.faults ?? [], empty: scene.empty ?? false, signedIn: scene.signedIn ?? true, preferences: { theme, language: scene.language ?? 'en', density: scene.density ?? 'normal' } });
		const context = await browser.newContext({ viewport: scene.viewport ?? { width: 1440, height: 900 }, locale: 'en-GB', timezoneId: 'Europe/Berlin', colorScheme: theme, bypassCSP: false });
		const page = await context.newPage();
		const said = [];
		page.on('console', (message) => ['error', 'warning'].includes(message.type()) && said.push(message.text()));
		page.on('pageerror', (error) => said.push(String(error)));
		page.on('request', (request) => !request.url().startsWith(BASE) && !request.url().startsWith('data:') && said.push(`foreign request ${request.url()}`));
		try {
			await page.goto(BASE + scene.path);
			if (scene.ready !== false) await page.waitForSelector(`html[data-ready="${scene.ready ?? scene.name.split('-')[0]}"]`, { timeout: 8000 });
			await page.waitForTimeout(300);
			await scene.act?.(page, dev);
			await page.waitForTimeout(scene.wait ?? 250);
			await page.screenshot({ path: `${out}/${scene.name}-${theme}.png` });
			// The page's policy forbids injected scripts, so axe comes through the debugger.
			await page.evaluate(axe);
			const result = await page.evaluate(() => globalThis.axe.run(document, { runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa'] }));
			const expected = /Failed to load resource/;
			const noise = said.filter((text) => !expected.test(text));
			for (const violation of result.violations) {
				bad += 1;
				console.log(`  axe ${scene.name} ${theme}: ${violation.id} ${violation.help}`);
				for (const node of violation.nodes.slice(0, 4)) console.log(`      ${node.target.join(' ')} ${node.failureSummary?.split('\n')[1] ?? ''}`);
			}
			for (const text of noise) {
				bad += 1;
				console.log(`  console ${scene.name} ${theme}: ${text.slice(0, 400)}`);
			}
			console.log(`${scene.name} ${theme}: ${result.violations.length} violations`);
		} catch (error) {
			bad += 1;
			console.log(`${scene.name} ${theme}: FAILED ${String(error).split('\n')[0]}`, said.slice(0, 5));
			await page.screenshot({ path: `${out}/${scene.name}-${theme}-failed.png` }).catch(() => {});
		}
		await context.close();
	}
}
await browser.close();
process.exit(bad ? 1 : 0);
