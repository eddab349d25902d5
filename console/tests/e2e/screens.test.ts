import { describe, expect, it } from 'vitest';
import { useSite, type ScreenName } from './browser';

const site = useSite();
const first = async (path: string): Promise<string> => (await site.api<{ items: { id: string }[] }>('GET', path)).items[0]?.id ?? '';

const SCREENS: [ScreenName, () => Promise<string>][] = [
	['home', async () => '/'],
	['queue', async () => '/queue?view=all&panel=1'],
	['case', async () => `/cases/${await first('/cases?view=all&limit=1')}`],
	['case', async () => `/cases/${await first('/cases?view=all&limit=1')}?lens=plain`],
	['search', async () => '/search?from=-90d&cols=user.name'],
	['sources', async () => '/sources'],
	['sources', async () => '/sources?tab=connect'],
	['source', async () => `/sources/${encodeURIComponent(await first('/sources'))}`],
	['rules', async () => '/rules'],
	['rule', async () => `/rules/${encodeURIComponent(await first('/rules'))}`],
	['runs', async () => '/runs'],
	['settings', async () => '/settings'],
	['settings', async () => '/settings?tab=users'],
	['settings', async () => '/settings?tab=config'],
	['log', async () => '/log']
];

describe.each(['light', 'dark'] as const)('in the %s theme', (theme) => {
	it.each(SCREENS.map(([screen, path], index) => [`${screen} ${index}`, screen, path] as const))('%s has no fault that axe knows', async (_name, screen, path) => {
		const address = await path();
		await site.page.emulateMedia({ colorScheme: theme });
		await site.page.addInitScript((wanted) => localStorage.setItem('tandem.theme', wanted), theme);
		await site.open(address, screen);
		await site.page.evaluate((wanted) => (document.documentElement.dataset.theme = wanted), theme);
		await site.page.waitForLoadState('domcontentloaded');
		expect(await site.axe()).toEqual([]);
	});
});

describe('on a phone of 360 px', () => {
	it.each(SCREENS.map(([screen, path], index) => [`${screen} ${index}`, screen, path] as const))('%s does not scroll sideways', async (_name, screen, path) => {
		const address = await path();
		await site.page.setViewportSize({ width: 360, height: 740 });
		await site.open(address, screen);
		const { wide, room } = await site.page.evaluate(() => ({ wide: document.querySelector('main')?.scrollWidth ?? 0, room: document.querySelector('main')?.clientWidth ?? 0 }));
		expect(wide).toBeLessThanOrEqual(room + 1);
	});
});

describe('in every language', () => {
	it.each(SCREENS.map(([screen, path], index) => [`${screen} ${index}`, screen, path] as const))('%s takes all its texts from the catalogue', async (_name, screen, path) => {
		const address = await path();
		await site.open(`${address}${address.includes('?') ? '&' : '?'}lang=pseudo`, screen);
		// Headings and buttons are the console's own words; every one of them shows the marks of the made-up language.
		const texts = await site.page.locator('h1, h2, th, [role=columnheader], nav a .text').allInnerTexts();
		const own = texts.map((text) => text.trim()).filter((text) => text.startsWith('['));
		expect(own.length).toBeGreaterThan(4);
	});
});
