import { expect, it } from 'vitest';
import { useSite, type ScreenName } from './browser';

const site = useSite();
const first = async (path: string): Promise<string> => (await site.api<{ items: { id: string }[] }>('GET', path)).items[0]?.id ?? '';

const SCREENS: [name: string, screen: ScreenName, path: () => Promise<string>][] = [
	['home', 'home', async () => '/'],
	['queue', 'queue', async () => '/queue?view=all&panel=1'],
	['case for analysts', 'case', async () => `/cases/${await first('/cases?view=all&limit=1')}`],
	['case in plain words', 'case', async () => `/cases/${await first('/cases?view=all&limit=1')}?lens=plain`],
	['search', 'search', async () => '/search?from=-90d&cols=user.name'],
	['sources', 'sources', async () => '/sources'],
	['connecting a source', 'sources', async () => '/sources?tab=connect'],
	['source', 'source', async () => `/sources/${encodeURIComponent(await first('/sources'))}`],
	['rules', 'rules', async () => '/rules'],
	['rule', 'rule', async () => `/rules/${encodeURIComponent(await first('/rules'))}`],
	['runs', 'runs', async () => '/runs'],
	['profile', 'settings', async () => '/settings'],
	['people', 'settings', async () => '/settings?tab=users'],
	['configuration', 'settings', async () => '/settings?tab=config'],
	['log', 'log', async () => '/log']
];

it.each(SCREENS)('%s fits a phone of 360 px, and axe finds no fault in either theme', async (_name, screen, path) => {
	const address = await path();
	const { page } = site;
	await page.emulateMedia({ colorScheme: 'light', reducedMotion: 'reduce' });
	await page.setViewportSize({ width: 360, height: 740 });
	await site.open(address, screen);
	const beyond = () => page.evaluate(() => {
		const main = document.querySelector('main');
		return main ? main.scrollWidth - main.clientWidth : Infinity;
	});
	await expect.poll(beyond).toBeLessThanOrEqual(1);
	await page.setViewportSize({ width: 1440, height: 900 });
	for (const theme of ['light', 'dark'] as const) {
		await page.emulateMedia({ colorScheme: theme });
		await page.evaluate((wanted) => (document.documentElement.dataset.theme = wanted), theme);
		expect(await site.axe(), theme).toEqual([]);
	}
});

it.each(SCREENS)('%s takes all its texts from the catalogue', async (_name, screen, path) => {
	const address = await path();
	await site.open(`${address}${address.includes('?') ? '&' : '?'}lang=pseudo`, screen);
	// Headings and buttons are the console's own words; every one of them shows the marks of the made-up language.
	const texts = await site.page.locator('h1, h2, th, [role=columnheader], nav a .text').allInnerTexts();
	const own = texts.map((text) => text.trim()).filter((text) => text.startsWith('['));
	expect(own.length).toBeGreaterThan(4);
});
