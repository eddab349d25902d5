import { expect, it } from 'vitest';
import { useSite } from './browser';

const site = useSite();
const rows = () => site.page.locator('[data-rows] [role=row][aria-selected]');
const query = () => site.page.getByRole('combobox', { name: /query/i });
/** Waits until the search that runs has ended. */
const settled = async (): Promise<void> => {
	await site.page.getByRole('button', { name: /^run/i }).waitFor();
	await site.page.locator('.status b, .empty, [data-rows]').first().waitFor();
};
const total = async (): Promise<number> => Number((await site.page.locator('.status b').innerText()).replace(/\D/g, ''));

it('shows events, a histogram and facets, and few nodes for many rows', async () => {
	await site.open('/search?from=-90d', 'search');
	await settled();
	expect(await total()).toBeGreaterThan(0);
	await rows().first().waitFor();
	expect(await rows().count()).toBeLessThanOrEqual(60);
	await site.page.locator('[data-histogram] canvas').waitFor();
	await site.page.getByRole('complementary', { name: /fields/i }).getByRole('heading', { name: 'source', exact: true }).waitFor();
	const grid = site.page.getByRole('grid');
	const span = await grid.evaluate((element) => element.scrollHeight - element.clientHeight);
	await site.keys('End');
	await expect.poll(() => grid.evaluate((element) => element.scrollTop)).toBeGreaterThanOrEqual(Math.max(0, span - 2));
	await expect.poll(async () => (await rows().last().innerText()).trim().length).toBeGreaterThan(0);
	expect(await rows().count()).toBeLessThanOrEqual(60);
});

it('the brush by keyboard and the brush by mouse choose the same', async () => {
	await site.open('/search?from=-7d', 'search');
	await settled();
	await site.page.locator('[data-histogram] canvas').waitFor();
	// An absolute range, so that both choose from the same buckets.
	await site.keys('<', '>');
	await settled();
	const address = site.page.url();
	await site.keys('b', 'Home', ...Array<string>(10).fill('ArrowRight'), ...Array<string>(5).fill('Shift+ArrowRight'), 'Enter');
	await expect.poll(() => site.page.url()).not.toBe(address);
	const byKeyboard = new URL(site.page.url()).searchParams;
	await site.page.goto(address);
	await site.ready('search');
	await settled();
	const over = site.page.locator('[data-histogram] .u-over');
	const box = await over.boundingBox();
	if (!box) throw new Error('the chart has no area');
	const x = (bucket: number): number => box.x + (box.width * (bucket + 0.5)) / 60;
	await site.page.mouse.move(x(10), box.y + 20);
	await site.page.mouse.down();
	await site.page.mouse.move(x(13), box.y + 20, { steps: 4 });
	await site.page.mouse.move(x(15), box.y + 20, { steps: 4 });
	await site.page.mouse.up();
	await expect.poll(() => site.page.url()).not.toBe(address);
	const byMouse = new URL(site.page.url()).searchParams;
	expect([byMouse.get('from'), byMouse.get('to')]).toEqual([byKeyboard.get('from'), byKeyboard.get('to')]);
});

it('a facet and a cell edit the query', async () => {
	await site.open('/search?from=-90d&cols=host.name', 'search');
	await settled();
	const all = await total();
	const section = site.page.locator('aside section').filter({ has: site.page.getByRole('heading', { name: 'source', exact: true }) });
	await section.getByRole('listitem').first().getByRole('button').first().click();
	await expect.poll(() => site.page.url()).toContain('q=source');
	await settled();
	expect(await query().inputValue()).toMatch(/^source:/);
	const one = await total();
	expect(one).toBeLessThanOrEqual(all);
	// The same value from the cell, left out: what remains is the rest.
	await site.page.goto(`${new URL(site.page.url()).origin}/search?from=-90d`);
	await site.ready('search');
	await settled();
	await rows().first().getByRole('gridcell').nth(1).click();
	await site.keys('Escape');
	await site.keys('-');
	await expect.poll(() => query().inputValue()).toMatch(/^NOT source:/);
	await settled();
	expect(await total()).toBeLessThan(all);
});

it('an event opens beside its row, parsed and raw, and its surroundings mark it', async () => {
	await site.open('/search?from=-90d', 'search');
	await settled();
	await site.page.getByRole('grid').focus();
	await site.keys('j', 'j', ' ');
	const panel = site.page.getByRole('complementary', { name: /event/i });
	await panel.waitFor();
	const id = new URL(site.page.url()).searchParams.get('at');
	expect(id).toBeTruthy();
	await panel.getByRole('button', { name: 'Raw' }).click();
	await panel.locator('pre').waitFor();
	await expect.poll(() => site.page.url()).toContain('panel=raw');
	await site.page.reload();
	await site.ready('search');
	await panel.locator('pre').waitFor();
	await site.keys('o');
	await expect.poll(() => site.page.url()).toContain('around=60');
	const marked = site.page.locator('[role=row].marked');
	await marked.waitFor();
	expect(await marked.evaluate((element) => {
		const own = element.getBoundingClientRect();
		const grid = element.closest('[role=grid]')?.getBoundingClientRect();
		return grid !== undefined && own.top >= grid.top && own.bottom <= grid.bottom;
	})).toBe(true);
});

it('a wrong query is underlined where it is wrong, and nothing is lost', async () => {
	await site.open('/search?from=-90d', 'search');
	await settled();
	await query().fill('user.name:(root');
	await site.page.locator('.under .error').waitFor();
	expect(await query().getAttribute('aria-invalid')).toBe('true');
	await site.keys('Enter');
	await site.page.locator('.problems .error').waitFor();
	await query().fill('');
	await site.keys('Enter');
	await settled();
	await rows().first().waitFor();
});

it('fields are completed', async () => {
	await site.open('/search', 'search');
	await query().click();
	await site.page.keyboard.type('user.na');
	const option = site.page.getByRole('option', { name: /user\.name/ }).first();
	await option.waitFor();
	await site.keys('ArrowDown', 'Enter');
	await expect.poll(() => query().inputValue()).toMatch(/^user\.name:/);
});

it('values of a field are completed with what the chosen time holds', async () => {
	await site.open('/search?from=-90d', 'search');
	await settled();
	await query().click();
	await site.page.keyboard.type('source:');
	const option = site.page.getByRole('option').first();
	await option.waitFor();
	const value = await option.locator('code').innerText();
	await site.page.keyboard.type(value.slice(0, 2));
	await site.page.getByRole('option').filter({ hasText: value }).first().waitFor();
	await site.keys('ArrowDown', 'Enter');
	await expect.poll(() => query().inputValue()).toMatch(/^source:\S+ $/);
	await site.keys('Enter');
	await expect.poll(() => site.page.url()).toContain('q=source');
	await settled();
	expect(await total()).toBeGreaterThan(0);
});

it('an event without a message is told by its fields, also beside chosen columns', async () => {
	await site.open(`/search?from=-90d&cols=user.name&q=${encodeURIComponent('source:winlogbeat')}`, 'search');
	await settled();
	await rows().first().waitFor();
	const lines = await rows().evaluateAll((all) => all.map((row) => row.querySelector('[role=gridcell]:last-child')?.textContent?.trim() ?? ''));
	expect(lines.length).toBeGreaterThan(5);
	for (const line of lines) expect(line).not.toMatch(/^[{<]|^user\.name=\S+$/);
});

it('a question for figures is answered with a table', async () => {
	await site.open(`/search?from=-90d&q=${encodeURIComponent('* | stats count by source')}`, 'search');
	await site.page.getByRole('columnheader', { name: 'source' }).waitFor();
	expect(await site.page.locator('.figures tbody tr').count()).toBeGreaterThan(0);
});

it('nothing found says which part removes everything', async () => {
	await site.open(`/search?from=-90d&q=${encodeURIComponent('_exists_:nosuchfieldatall OR qqqzzzqqq')}`, 'search');
	await site.page.getByText(/no event matches/i).waitFor();
	await site.open(`/search?from=-90d&q=${encodeURIComponent('source:* AND qqqzzzqqq')}`, 'search');
	await site.page.getByText('Without “qqqzzzqqq” there are').waitFor();
	await site.page.getByRole('button', { name: /leave it out/i }).first().click();
	await settled();
	await rows().first().waitFor();
});

it('a running search can be ended, and its rows stay', async () => {
	await site.open('/search?from=-90d', 'search');
	await settled();
	await rows().first().waitFor();
	// The answer does not come before the search was ended.
	let release = (): void => {};
	const ended = new Promise<void>((resolve) => (release = resolve));
	await site.page.route('**/api/v1/search', async (route) => {
		await ended;
		await route.continue().catch(() => {});
	});
	await query().fill('a');
	await site.keys('Enter');
	await site.page.getByRole('button', { name: /^cancel/i }).click();
	await site.page.getByText(/^cancelled/i).waitFor();
	await rows().first().waitFor();
	release();
});

it('a search is saved with its whole address', async () => {
	const name = `journey ${Date.now()}`;
	await site.open('/search?q=source%3A*&from=-7d&cols=user.name', 'search');
	await site.page.getByRole('button', { name: /saved searches/i }).click();
	await site.page.getByRole('menuitem', { name: /save this search/i }).click();
	await site.page.getByRole('textbox', { name: 'Name' }).fill(name);
	await site.keys('Enter');
	await expect.poll(() => site.page.getByRole('dialog').count()).toBe(0);
	await site.open('/search', 'search');
	await site.page.getByRole('button', { name: /saved searches/i }).click();
	await site.page.getByRole('menuitem', { name }).click();
	await expect.poll(() => site.page.url()).toContain('cols=user.name');
	const saved = await site.api<{ items: { id: string; name: string }[] }>('GET', '/saved-searches');
	for (const entry of saved.items.filter((one) => one.name === name)) await site.api('DELETE', `/saved-searches/${entry.id}`);
});

it('live events come by themselves', async () => {
	await site.open('/search', 'search');
	await settled();
	await site.page.getByRole('grid').focus().catch(() => {});
	await site.page.getByRole('button', { name: /^live/i }).click();
	await expect.poll(() => site.page.url()).toContain('live=1');
	await site.page.getByText(/^Live:/).waitFor();
});
