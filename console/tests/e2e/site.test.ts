import { createHmac } from 'node:crypto';
import { expect, inject, it } from 'vitest';
import { useSite } from './browser';

const site = useSite();

it('a used link signs nobody in, and says what to do', async () => {
	const page = await site.fresh({ signedIn: false });
	await page.goto(inject('link'));
	await page.getByRole('button', { name: /sign in/i }).click();
	await page.getByRole('alert').waitFor();
	expect(await page.getByRole('alert').innerText()).toMatch(/did not sign you in/i);
	expect(await page.getByRole('link', { name: /password/i }).count()).toBe(1);
});

it('a wrong password is refused, and the address is kept for after', async () => {
	const page = await site.fresh({ signedIn: false });
	await page.goto(`${inject('url')}/queue?view=all`);
	await page.locator('html[data-ready=sign-in]').waitFor();
	await page.getByLabel('User name').fill('nobody');
	await page.getByLabel('Password').fill('not the password');
	await page.keyboard.press('Enter');
	await page.getByText(/not right/i).waitFor();
	expect(page.url()).toContain('/queue?view=all');
});

/** RFC 6238 with the usual choices: SHA-1, 30 s, six digits. */
function totp(secret: string, at: number): string {
	const bits = [...secret.replace(/[=\s]/g, '').toUpperCase()].map((letter) => 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567'.indexOf(letter).toString(2).padStart(5, '0')).join('');
	const key = Buffer.from((bits.match(/.{8}/g) ?? []).map((byte) => parseInt(byte, 2)));
	const counter = Buffer.alloc(8);
	counter.writeBigUInt64BE(BigInt(Math.floor(at / 30_000)));
	const hash = createHmac('sha1', key).update(counter).digest();
	const offset = (hash.at(-1) ?? 0) & 15;
	return String((hash.readUInt32BE(offset) & 0x7fffffff) % 1_000_000).padStart(6, '0');
}

it('a password signs in; with a second factor its code is asked, too', async () => {
	const name = `factor${Date.now()}`;
	const password = 'a sentence that nobody guesses';
	const { id } = await site.api<{ id: string }>('POST', '/users', { name, display_name: 'Second Factor', roles: ['viewer'], password });
	try {
		const page = await site.fresh({ signedIn: false, viewport: { width: 1200, height: 900 } });
		await page.goto(`${inject('url')}/settings?tab=security`);
		await page.locator('html[data-ready=sign-in]').waitFor();
		await page.getByLabel('User name').fill(name);
		await page.getByLabel('Password').fill(password);
		await page.keyboard.press('Enter');
		await page.locator('html[data-ready=settings]').waitFor();
		expect(page.url()).toContain('tab=security');
		await page.getByRole('button', { name: /^set up/i }).click();
		const secret = await page.locator('code.secret').innerText();
		await page.getByLabel(/then the code/i).fill(totp(secret, Date.now()));
		await page.keyboard.press('Enter');
		await page.getByText('The second factor is on.').waitFor();
		await page.getByRole('button', { name: /account of/i }).click();
		await page.getByRole('menuitem', { name: /sign out/i }).click();
		await page.locator('html[data-ready=sign-in]').waitFor();
		await page.getByLabel('User name').fill(name);
		await page.getByLabel('Password').fill(password);
		await page.keyboard.press('Enter');
		const code = page.getByLabel('Code');
		await code.waitFor();
		await code.fill('000000');
		await page.keyboard.press('Enter');
		await page.getByText(/code is not right/i).waitFor();
		// A code that was used once is not taken twice; the next one is.
		await code.fill(totp(secret, Date.now() + 30_000));
		await page.keyboard.press('Enter');
		await page.locator('html[data-ready=settings]').waitFor();
	} finally {
		await site.api('PATCH', `/users/${id}`, { enabled: false });
	}
});

it('the palette opens a case by its number, and gives focus back', async () => {
	const first = (await site.api<{ items: { id: string }[] }>('GET', '/cases?view=all&limit=1')).items[0];
	expect(first, 'the site has a case').toBeDefined();
	await site.open('/rules', 'rules');
	const opener = site.page.getByRole('searchbox').first();
	await opener.focus();
	await site.keys('Control+k');
	await site.page.getByRole('dialog').waitFor();
	await site.keys('Escape');
	await expect.poll(() => opener.evaluate((element) => element === document.activeElement)).toBe(true);
	await site.keys('Control+k');
	await site.page.getByRole('dialog').waitFor();
	await site.page.keyboard.type(first?.id ?? '');
	await site.keys('Enter');
	await site.ready('case');
	expect(site.page.url()).toContain(`/cases/${first?.id}`);
});

it('every screen can be reached by two keys, and lists its keys', async () => {
	await site.open('/', 'home');
	for (const [key, screen] of [['q', 'queue'], ['s', 'search'], ['d', 'sources'], ['u', 'rules'], ['i', 'runs'], ['p', 'settings'], ['a', 'log'], ['h', 'home']] as const) {
		await site.page.evaluate(() => (document.activeElement as HTMLElement | null)?.blur());
		await site.keys('g', key);
		await site.ready(screen);
		await site.keys('?');
		await site.page.getByRole('dialog', { name: /keyboard/i }).waitFor();
		expect(await site.page.getByRole('dialog').locator('kbd').count()).toBeGreaterThan(10);
		// Also the keys of the parts that take some for themselves, where they are on the page.
		expect(await site.page.getByRole('dialog').getByText('Chart: choose a part').count()).toBe(screen === 'search' ? 1 : 0);
		await site.keys('Escape');
		await expect.poll(() => site.page.getByRole('dialog').count()).toBe(0);
	}
});

it('single-letter keys can be switched off', async () => {
	await site.open('/settings', 'settings');
	const box = site.page.getByRole('checkbox');
	try {
		await box.uncheck();
		await site.page.locator('main').focus();
		await site.keys('g', 'q', '?');
		expect(await site.page.getByRole('dialog').count()).toBe(0);
		expect(site.page.url()).toContain('/settings');
	} finally {
		await box.check();
	}
});

it('the home sentence says the numbers of the queue', async () => {
	await site.open('/', 'home');
	// Cases may arrive between the two looks.
	await expect
		.poll(async () => {
			const { counts } = await site.api<{ counts: { mine: number; unowned: number } }>('GET', '/cases?limit=1');
			const text = await site.page.locator('[data-status]').innerText();
			const unowned = counts.unowned === 0 || text.includes(`${counts.unowned} case`);
			const mine = counts.mine === 0 || new RegExp(`${counts.mine} cases? needs? you`).test(text);
			return unowned && mine ? 'the same' : `${text} / ${JSON.stringify(counts)}`;
		})
		.toBe('the same');
});

it('a source opens with its diagnosis', async () => {
	const { items } = await site.api<{ items: { id: string; name: string }[] }>('GET', '/sources');
	expect(items.length, 'the site has a source').toBeGreaterThan(0);
	await site.open('/sources', 'sources');
	await site.page.getByRole('link', { name: items[0]?.name ?? '', exact: true }).first().click();
	await site.ready('source');
	await site.page.getByRole('heading', { name: /diagnosis/i }).waitFor();
});

it('an ingest token is shown once', async () => {
	const name = `journey ${Date.now()}`;
	await site.open('/sources?tab=tokens', 'sources');
	await site.page.getByLabel('Name').fill(name);
	await site.keys('Enter');
	const secret = await site.page.locator('code.secret').innerText();
	expect(secret.length).toBeGreaterThan(12);
	await site.page.reload();
	await site.page.getByRole('cell', { name, exact: true }).waitFor();
	expect(await site.page.locator('main').innerText()).not.toContain(secret);
	await site.page.getByRole('row', { name }).getByRole('button').click();
	await site.page.getByRole('dialog').getByRole('button', { name: /^revoke/i }).click();
	await expect.poll(() => site.page.getByRole('cell', { name, exact: true }).count()).toBe(0);
});

it('a rule is switched off with a reason, and on again', async () => {
	const { items } = await site.api<{ items: { id: string; title: string; enabled: boolean }[] }>('GET', '/rules?state=active');
	const rule = items[0];
	expect(rule, 'the site has an active rule').toBeDefined();
	await site.open(`/rules/${encodeURIComponent(rule?.id ?? '')}`, 'rule');
	await site.page.getByRole('heading', { name: /in words/i }).waitFor();
	await site.keys('e');
	await site.page.getByRole('dialog').waitFor();
	await site.keys('Enter');
	await site.page.getByText(/give a reason/i).waitFor();
	await site.page.keyboard.type('journey: off for a moment');
	await site.keys('Enter');
	await expect.poll(async () => (await site.api<{ enabled: boolean }>('GET', `/rules/${encodeURIComponent(rule?.id ?? '')}`)).enabled).toBe(false);
	await site.page.getByRole('button', { name: /switch on/i }).click();
	await site.page.keyboard.type('journey: on again');
	await site.keys('Enter');
	await expect.poll(async () => (await site.api<{ enabled: boolean }>('GET', `/rules/${encodeURIComponent(rule?.id ?? '')}`)).enabled).toBe(true);
	await site.page.getByRole('button', { name: /switch off/i }).waitFor();
});

it('the log names what was just done', async () => {
	const name = `journey ${Date.now()}`;
	const { id } = await site.api<{ id: string }>('POST', '/ingest-tokens', { name });
	await site.open('/log', 'log');
	expect(await site.page.locator('tbody tr').count()).toBeGreaterThan(0);
	await site.api('DELETE', `/ingest-tokens/${id}`);
});

it('an error says what failed, what it means and what to do, with its reference', async () => {
	await site.page.route('**/api/v1/cases?**', (route) =>
		route.fulfill({ status: 500, contentType: 'application/problem+json', body: JSON.stringify({ type: 'internal', title: 'Internal error', status: 500, reference: 'ref-4711' }) })
	);
	await site.open('/queue', 'queue');
	const alert = site.page.getByRole('alert');
	await alert.waitFor();
	const lines = (await alert.locator('p').allInnerTexts()).filter((line) => line.trim() !== '');
	expect(lines).toHaveLength(3);
	expect(await alert.innerText()).toContain('ref-4711');
	await site.page.unroute('**/api/v1/cases?**');
	await alert.getByRole('button', { name: /retry/i }).click();
	await expect.poll(() => site.page.getByRole('alert').count()).toBe(0);
});

it('a refusal says why and how to get access', async () => {
	await site.page.route('**/api/v1/log**', (route) =>
		route.fulfill({ status: 403, contentType: 'application/problem+json', body: JSON.stringify({ type: 'refused', title: 'Refused', status: 403, because: 'Your role may not read this.', how_to_get_access: 'Ask an administrator for the role auditor.' }) })
	);
	await site.open('/log', 'log');
	const text = await site.page.getByRole('alert').innerText();
	expect(text).toContain('Your role may not read this.');
	expect(text).toContain('Ask an administrator for the role auditor.');
});

it('a cut line is said to be stale, and comes back', async () => {
	await site.page.route('**/api/v1/stream**', (route) => route.abort());
	await site.open('/queue', 'queue');
	await site.page.getByText(/^stale since \d\d:\d\d$/i).waitFor();
	expect(await site.page.locator('[role=row][data-id]').count()).toBeGreaterThan(0);
	await site.page.unroute('**/api/v1/stream**');
	await site.page.getByText(/^live$/).waitFor();
});
