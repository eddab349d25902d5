import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { useSite, type Site } from './browser';
import { arrange, SCREENS, statesOf, type Screen, type State } from './states';

const site = useSite({ shared: true });
/** `TANDEM_SHOTS=FOLDER` (`npm run shots`) keeps a picture of everything that is looked at here. */
const shots = process.env.TANDEM_SHOTS ?? '';
if (shots !== '') mkdirSync(shots, { recursive: true });

async function picture(screen: Screen, ...marks: string[]): Promise<void> {
	if (shots === '') return;
	const name = [screen.name.replaceAll(' ', '-'), ...marks].join('-');
	await site.page.screenshot({ path: join(shots, `${name}.png`), animations: 'disabled' });
}
/** What waits for data beyond the first is there: no skeleton, no bar that moves. */
async function settled(): Promise<void> {
	await expect.poll(() => site.page.locator('main .skeleton').count()).toBe(0);
}
/** How far the screen reaches beyond its width, in px. */
const beyond = (page: Site['page']): Promise<number> =>
	page.evaluate(() => {
		const main = document.querySelector('main');
		return main ? main.scrollWidth - main.clientWidth : Infinity;
	});

const EACH = SCREENS.flatMap((screen) => statesOf(screen).map((state): [string, State, Screen] => [screen.name, state, screen]));

it.each(EACH)('%s, %s: fits a phone of 360 px, and axe finds no fault in either theme', async (_name, state, screen) => {
	const { page } = site;
	const address = await arrange(page, site.api, screen, state);
	await page.emulateMedia({ colorScheme: 'light', reducedMotion: 'reduce' });
	await page.setViewportSize({ width: 360, height: 740 });
	await site.open(address, screen.ready);
	await settled();
	await expect.poll(() => beyond(page)).toBeLessThanOrEqual(1);
	await picture(screen, state, 'phone');
	await page.setViewportSize({ width: 1440, height: 900 });
	for (const theme of ['light', 'dark'] as const) {
		await page.emulateMedia({ colorScheme: theme });
		await page.evaluate((wanted) => (document.documentElement.dataset.theme = wanted), theme);
		await settled();
		await picture(screen, state, theme);
		expect(await site.axe(), theme).toEqual([]);
	}
	if (state === 'error') {
		const alert = page.getByRole('alert').first();
		await alert.waitFor();
		expect(await alert.innerText()).toContain('ref-4711');
	}
});

it.each(SCREENS.map((screen): [string, Screen] => [screen.name, screen]))('%s takes all its texts from the catalogue', async (_name, screen) => {
	const address = await screen.path(site.api);
	await site.open(`${address}${address.includes('?') ? '&' : '?'}lang=pseudo`, screen.ready);
	await settled();
	// Headings and buttons are the console's own words; every one of them shows the marks of the made-up language.
	const texts = await site.page.locator('h1, h2, th, [role=columnheader], nav a .text').allInnerTexts();
	const own = texts.map((text) => text.trim()).filter((text) => text.startsWith('['));
	expect(own.length).toBeGreaterThan(4);
	// Words a third longer still fit a phone.
	await site.page.setViewportSize({ width: 360, height: 740 });
	await expect.poll(() => beyond(site.page)).toBeLessThanOrEqual(1);
	await picture(screen, 'pseudo-phone');
	if (shots !== '') {
		await site.page.setViewportSize({ width: 1440, height: 900 });
		await site.open(`${address}${address.includes('?') ? '&' : '?'}lang=de`, screen.ready);
		await settled();
		await picture(screen, 'full-light-de');
	}
});
