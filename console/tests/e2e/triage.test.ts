import { expect, it } from 'vitest';
import { useSite } from './browser';

interface Head {
	id: string;
	title: string;
	state: string;
	version: number;
	verdict?: string | null;
	owner?: { name: string } | null;
}
const site = useSite();
const cases = async (view: string): Promise<Head[]> => (await site.api<{ items: Head[] }>('GET', `/cases?view=${view}&limit=100`)).items;
let made = 0;
/** A case of its own for a test, so that journeys do not eat each other's. */
const make = async (title: string): Promise<Head> =>
	site.api<Head>('POST', '/cases', { title: `${title} ${Date.now()}-${(made += 1)}`, kind: 'security', priority: 'P1', text: 'Opened by a journey.' });
const row = (id: string) => site.page.locator(`[role=row][data-id="${id}"]`);

it('a benign case is closed from the queue in five keys, and the next row has the cursor', async () => {
	const own = await make('Benign journey');
	await site.open(`/queue?sel=${own.id}`, 'queue');
	await expect.poll(() => row(own.id).evaluate((element) => element === document.activeElement)).toBe(true);
	const next = await row(own.id).evaluate((element) => (element.nextElementSibling ?? element.previousElementSibling)?.getAttribute('data-id'));
	// As fast as fingers go: nothing waits for the server between taking and judging.
	let presses = await site.keys('a', 'v');
	await site.page.getByRole('dialog').waitFor();
	presses += await site.keys('b', '1', 'Enter');
	expect(presses).toBeLessThanOrEqual(5);
	await expect.poll(async () => (await cases('all')).find((head) => head.id === own.id)?.verdict).toBe('benign_true_positive');
	await expect.poll(() => site.page.evaluate(() => document.activeElement?.getAttribute('data-id'))).toBe(next);
});

it('a verdict can be taken back within its minute', async () => {
	const own = await make('Undo journey');
	await site.open(`/queue?sel=${own.id}`, 'queue');
	await site.keys('a');
	await expect.poll(async () => (await cases('mine')).some((head) => head.id === own.id)).toBe(true);
	await site.keys('v');
	await site.page.getByRole('dialog').waitFor();
	await site.keys('f', '1', 'Enter');
	await expect.poll(async () => (await cases('closed')).some((head) => head.id === own.id)).toBe(true);
	await site.page.getByText(`${own.id} closed: `).waitFor();
	await site.keys('Control+z');
	await expect.poll(async () => (await cases('open')).some((head) => head.id === own.id)).toBe(true);
});

it('a verdict without a reason is not given', async () => {
	const own = await make('Reason journey');
	await site.open(`/queue?sel=${own.id}`, 'queue');
	await site.keys('v');
	await site.page.getByRole('dialog').waitFor();
	await site.keys('t', 'Enter');
	await expect.poll(() => site.page.getByRole('alert').filter({ hasText: /reason/i }).count()).toBeGreaterThan(0);
	expect((await cases('open')).some((head) => head.id === own.id)).toBe(true);
	await site.keys('Escape');
	await expect.poll(() => site.page.getByRole('dialog').count()).toBe(0);
});

it('arriving cases wait behind a button and move neither rows nor cursor', async () => {
	const own = await make('Calm journey');
	await site.open(`/queue?sel=${own.id}`, 'queue');
	await row(own.id).waitFor();
	const before = await site.page.locator('[role=row][data-id]').evaluateAll((rows) => rows.map((element) => element.getAttribute('data-id')));
	const place = await row(own.id).boundingBox();
	await make('Arriving journey');
	await make('Arriving journey');
	const button = site.page.getByRole('button', { name: /^\d+ new/ });
	await button.waitFor();
	expect(await site.page.locator('[role=row][data-id]').evaluateAll((rows) => rows.map((element) => element.getAttribute('data-id')))).toEqual(before);
	expect((await row(own.id).boundingBox())?.y).toBe(place?.y);
	expect(await site.page.evaluate(() => document.activeElement?.getAttribute('data-id'))).toBe(own.id);
	await site.keys('r');
	await expect.poll(() => site.page.locator('[role=row][data-id]').count()).toBeGreaterThan(before.length);
});

it('of two who take the same case, the second is told who has it', async () => {
	const own = await make('Race journey');
	const name = `racer${Date.now()}`;
	const password = 'a sentence that nobody guesses';
	const { id: racer } = await site.api<{ id: string }>('POST', '/users', { name, display_name: 'Fast Colleague', roles: ['analyst_l2'], password });
	try {
		// This page hears nothing of what others do meanwhile.
		await site.page.route('**/api/v1/stream**', (route) => route.abort());
		await site.open(`/queue?sel=${own.id}`, 'queue');
		await row(own.id).waitFor();
		const other = await site.fresh({ signedIn: false });
		const origin = new URL(site.page.url()).origin;
		const headers = { 'x-tandem-csrf': '1' };
		const session = await other.request.post(`${origin}/api/v1/session`, { headers, data: { name, password } });
		expect(session.ok(), await session.text()).toBe(true);
		const taken = await other.request.post(`${origin}/api/v1/cases/${own.id}/acts`, { headers: { ...headers, 'if-match': `"${own.version}"` }, data: { act: 'take' } });
		expect(taken.ok(), await taken.text()).toBe(true);
		await site.keys('a');
		await site.page.getByRole('status').filter({ hasText: 'Fast Colleague' }).waitFor();
		expect((await cases('mine')).some((head) => head.id === own.id)).toBe(false);
		// The row is brought up to date, so that it says it, too.
		await row(own.id).getByText('Fast Colleague').waitFor();
	} finally {
		await site.api('PATCH', `/users/${racer}`, { enabled: false });
	}
});

it('several cases are handled at once', async () => {
	const [first, second] = [await make('Bulk journey'), await make('Bulk journey')];
	await site.open(`/queue?q=${encodeURIComponent('Bulk journey')}&sort=-opened`, 'queue');
	await row(second.id).waitFor();
	for (const { id } of [first, second]) await row(id).getByRole('checkbox').click();
	await site.page.getByText('2 selected').waitFor();
	await site.page.getByRole('button', { name: /^take$/i }).click();
	await expect.poll(async () => (await cases('mine')).filter((head) => [first.id, second.id].includes(head.id)).length).toBe(2);
});

it('the view is in the address: a second browser opens the same', async () => {
	// Cases of its own, so that what arrives meanwhile belongs to neither view.
	for (let count = 0; count < 3; count += 1) await make('Address journey');
	await site.open(`/queue?q=${encodeURIComponent('Address journey')}`, 'queue');
	await site.page.getByRole('group', { name: /view/i }).getByRole('button', { name: /all/i }).click();
	await site.page.getByRole('group', { name: /priority/i }).getByRole('button', { name: 'P1' }).click();
	await expect.poll(() => site.page.url()).toContain('priority=P1');
	await site.keys('j', 'j', ' ');
	await expect.poll(() => site.page.url()).toContain('panel=1');
	const address = site.page.url();
	const shown = await site.page.locator('[role=row][data-id]').evaluateAll((rows) => rows.map((element) => element.getAttribute('data-id')));
	const other = await site.fresh({ viewport: { width: 1440, height: 900 } });
	await other.goto(address);
	await other.locator('html[data-ready=queue]').waitFor();
	await other.getByRole('complementary').waitFor();
	expect(shown.length).toBeGreaterThanOrEqual(3);
	expect(await other.locator('[role=row][data-id]').evaluateAll((rows) => rows.map((element) => element.getAttribute('data-id')))).toEqual(shown);
});

it('a case says why it fired, and the plain words hold no field names', async () => {
	const fired = (await cases('all')).find((head) => (head as Head & { detections: number }).detections > 0);
	expect(fired, 'the site has a case with a detection').toBeDefined();
	await site.open(`/cases/${fired?.id}`, 'case');
	await site.page.getByRole('heading', { name: /why it fired/i }).first().waitFor();
	expect(await site.page.locator('article mark, article dd').count()).toBeGreaterThan(0);
	await site.keys('l');
	for (const name of [/what happened/i, /how bad/i, /what you must do/i, /who is on it/i]) await site.page.getByRole('heading', { name }).waitFor();
	const text = (await site.page.locator('main').innerText()).replace(/https?:\S+/g, '');
	expect(text).not.toMatch(/\b(host|user|source|destination|process|event|file|url|winlog)\.(name|ip|action|outcome|path|original|command_line|port)\b/);
});

it('every tab of a case has its digit, and the address keeps it', async () => {
	const own = await make('Tabs journey');
	await site.open(`/cases/${own.id}`, 'case');
	const tabs = ['timeline', 'detections', 'entities', 'evidence', 'linked', 'notes', 'grouping', 'log'];
	for (const [index, tab] of tabs.entries()) {
		await site.keys(String(index + 1));
		await expect.poll(() => site.page.locator(`#case-panel-${tab}`).getAttribute('aria-selected')).toBe('true');
	}
	await expect.poll(() => site.page.url()).toContain('tab=log');
	await site.page.reload();
	await site.ready('case');
	expect(await site.page.locator('#case-panel-log').getAttribute('aria-selected')).toBe('true');
});

it('a note that was being written is there in the next browser', async () => {
	const own = await make('Draft journey');
	await site.open(`/cases/${own.id}`, 'case');
	await site.keys('n');
	const field = site.page.getByRole('textbox', { name: /write a note/i });
	await expect.poll(() => field.evaluate((element) => element === document.activeElement)).toBe(true);
	await site.page.keyboard.type('Called the user, no answer yet');
	await site.page.getByText(/draft saved/i).waitFor();
	const other = await site.fresh({ viewport: { width: 1440, height: 900 } });
	await other.goto(`${new URL(site.page.url()).origin}/cases/${own.id}?tab=notes`);
	await expect.poll(() => other.getByRole('textbox', { name: /write a note/i }).inputValue()).toBe('Called the user, no answer yet');
	await other.getByRole('button', { name: /add the note/i }).click();
	await other.getByRole('article').filter({ hasText: 'Called the user, no answer yet' }).waitFor();
});

it('escalation asks what was checked, and why it goes up', async () => {
	const own = await make('Gate journey');
	await site.open(`/cases/${own.id}`, 'case');
	await site.keys('a');
	await expect.poll(async () => (await cases('mine')).some((head) => head.id === own.id)).toBe(true);
	if ((await cases('mine')).find((head) => head.id === own.id)?.state === 'new') await site.page.getByRole('button', { name: /start triage/i }).click();
	await expect.poll(async () => (await cases('mine')).find((head) => head.id === own.id)?.state).toBe('triage');
	await expect.poll(() => site.page.getByRole('button', { name: /^escalate/i }).getAttribute('aria-disabled')).not.toBe('true');
	await site.keys('e');
	await site.page.getByRole('dialog').waitFor();
	await site.keys('Control+Enter');
	await site.page.getByText(/say what was checked/i).waitFor();
	await site.page.keyboard.type('Allow-list read, user called');
	await site.keys('Control+Enter');
	await site.page.getByText(/say why it goes up/i).waitFor();
	await site.page.keyboard.type('The tool is on no list');
	await site.keys('Control+Enter');
	await expect.poll(async () => (await cases('mine')).find((head) => head.id === own.id)?.state).toBe('analysis');
});

it('what may not be done says why', async () => {
	const own = await make('Refusal journey');
	await site.open(`/cases/${own.id}`, 'case');
	await site.keys('.');
	const refused = site.page.getByRole('menuitem', { disabled: true }).first();
	await refused.waitFor();
	expect((await refused.locator('small').innerText()).length).toBeGreaterThan(5);
	await site.keys('Escape');
	await expect.poll(() => site.page.evaluate(() => document.activeElement?.getAttribute('aria-haspopup'))).toBe('menu');
});

it('more than 500 cases are read in groups, which open and are selected by key', async () => {
	const head = (no: number, title: string) => ({
		id: `C-${no}`, kind: 'security', title: `${title} on host-${no}`, priority: 'P3', priority_reason: 'made up', state: 'new', opened: '2026-11-25T10:00:00Z', updated: '2026-11-25T10:00:00Z',
		detections: 1, entities: [{ kind: 'host', name: `host-${no}` }], why: 'made up', similar: { count: 0, benign: 0 }, version: 1
	});
	const all = Array.from({ length: 620 }, (_, index) => head(1000 + index, index % 3 === 0 ? 'Log cleared' : 'Task made'));
	await site.page.route('**/api/v1/cases?*', (route) => {
		const params = new URL(route.request().url()).searchParams;
		const [from, limit] = [Number(params.get('cursor') ?? 0), Number(params.get('limit') ?? 50)];
		const next = from + limit < all.length ? { next_cursor: String(from + limit) } : {};
		return route.fulfill({ json: { items: all.slice(from, from + limit), counts: { mine: 0, unowned: all.length, open: all.length, closed: 0 }, ...next } });
	});
	await site.open('/queue', 'queue');
	const groups = site.page.locator('[role=row][data-id^="group:"]');
	await expect.poll(() => groups.count()).toBe(2);
	expect(await groups.first().innerText()).toMatch(/Task made[\s\S]*413 cases/);
	expect(await site.page.locator('[role=row][data-id^="C-"]').count()).toBe(0);
	expect(await site.axe()).toEqual([]);
	await site.keys('x');
	await site.page.getByText('413 selected').waitFor();
	await site.keys('Escape', 'j', 'Enter');
	await expect.poll(() => site.page.locator('[role=row][data-id^="C-"]').count()).toBe(207);
	await site.keys('j');
	await expect.poll(() => site.page.evaluate(() => document.activeElement?.getAttribute('data-id'))).toBe('C-1000');
	await site.page.getByRole('button', { name: 'Show one by one' }).click();
	await expect.poll(() => site.page.url()).toContain('flat=1');
	await expect.poll(() => groups.count()).toBe(0);
	await site.page.getByRole('button', { name: 'Group them' }).waitFor();
});

it('who a case concerns opens as a card with what is known, and has an address', async () => {
	const fired = (await site.api<{ items: (Head & { entities: { kind: string; name: string }[] })[] }>('GET', '/cases?view=all&limit=100')).items.find((head) => head.entities.some((entity) => entity.kind === 'host'));
	const host = fired?.entities.find((entity) => entity.kind === 'host')?.name ?? '';
	await site.open(`/cases/${fired?.id}`, 'case');
	const link = site.page.getByRole('link', { name: host }).first();
	await link.focus();
	await site.keys('Enter');
	const card = site.page.getByRole('dialog', { name: host });
	await card.getByText('First seen').waitFor();
	await card.getByRole('link', { name: new RegExp(`^${fired?.id} `) }).waitFor();
	expect(await card.locator('dd').nth(2).innerText()).toMatch(/[1-9]/);
	expect(await site.axe()).toEqual([]);
	await site.keys('Escape');
	await expect.poll(() => card.count()).toBe(0);
	await expect.poll(() => link.evaluate((element) => element === document.activeElement)).toBe(true);
	await site.keys('Enter');
	await card.getByRole('link', { name: 'Open as a page' }).click();
	await site.ready('entity');
	expect(site.page.url()).toContain(`/entities/host/${encodeURIComponent(host)}`);
	await site.page.getByRole('link', { name: 'Search its events' }).click();
	await site.ready('search');
	await expect.poll(() => site.page.locator('[data-rows] [role=row][aria-selected]').count()).toBeGreaterThan(0);
});
