import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestProject } from 'vitest/node';
import { launch } from './browser';

declare module 'vitest' {
	export interface ProvidedContext {
		/** The site's address; empty when the journeys are skipped. */
		url: string;
		link: string;
		/** File with the cookies of the signed-in person. */
		storage: string;
	}
}

/** Signs in once by the one-time link: the first journey, on which all others stand. */
export default async function setup(project: TestProject): Promise<(() => void) | undefined> {
	const url = (process.env.TANDEM_URL ?? '').replace(/\/$/, '');
	const given = process.env.TANDEM_LINK ?? '';
	project.provide('url', url);
	if (url === '' || given === '') {
		console.log('journeys skipped: TANDEM_URL and TANDEM_LINK name no running site');
		project.provide('link', '');
		project.provide('storage', '');
		return undefined;
	}
	const link = given.startsWith('http') ? given : `${url}/link?token=${encodeURIComponent(given)}`;
	const folder = mkdtempSync(join(tmpdir(), 'tandem-e2e-'));
	const storage = join(folder, 'storage.json');
	const browser = await launch();
	try {
		const context = await browser.newContext();
		const page = await context.newPage();
		await page.goto(link);
		await page.locator('html[data-ready=link]').waitFor();
		await page.getByRole('button', { name: /sign in|anmelden/i }).click();
		await page.locator('html[data-ready=home]').waitFor({ timeout: 20_000 });
		await context.storageState({ path: storage });
	} finally {
		await browser.close();
	}
	project.provide('link', link);
	project.provide('storage', storage);
	return () => rmSync(folder, { recursive: true, force: true });
}
