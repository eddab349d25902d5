import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Page } from 'playwright-core';
import type { TestProject } from 'vitest/node';
import { launch, PATIENCE } from './browser';

declare module 'vitest' {
	export interface ProvidedContext {
		/** The site's address; empty when the journeys are skipped. */
		url: string;
		link: string;
		/** File with the cookies of the signed-in person. */
		storage: string;
	}
}

/** Waits until the site has what the journeys look at: a source, events, and a case that a rule opened. */
async function playing(page: Page, url: string): Promise<void> {
	const read = async <T>(path: string): Promise<T> => {
		const answer = await page.context().request.get(`${url}/api/v1${path}`);
		if (!answer.ok()) throw new Error(`GET ${path}: ${answer.status()} ${await answer.text()}`);
		return (await answer.json()) as T;
	};
	const until = Date.now() + 3 * PATIENCE;
	let missing: string[] = [];
	do {
		const [cases, sources, home] = await Promise.all([
			read<{ items: { detections: number }[] }>('/cases?view=all&limit=100'),
			read<{ items: { events: number }[] }>('/sources'),
			read<{ status: { events_24h: number } }>('/home')
		]);
		missing = [
			...(cases.items.some((head) => head.detections > 0) ? [] : ['a case with a detection']),
			...(sources.items.some((source) => source.events > 0) ? [] : ['a source with events']),
			...(home.status.events_24h > 0 ? [] : ['an event of today'])
		];
		if (missing.length === 0) return;
		await new Promise((resolve) => setTimeout(resolve, 250));
	} while (Date.now() < until);
	throw new Error(`the site has not got ${missing.join(' and ')}: the journeys need logs that fire rules, as \`tandem demo\` plays them`);
}

/** Signs in once by the one-time link: the first journey, on which all others stand. */
export default async function setup(project: TestProject): Promise<(() => void) | undefined> {
	const url = (process.env.TANDEM_URL ?? '').replace(/\/$/, '');
	const given = process.env.TANDEM_LINK ?? '';
	project.provide('url', url);
	if (url === '' || given === '') {
		// Whoever asked for the journeys by name takes no silence for an answer.
		if (process.env.TANDEM_JOURNEYS === 'required') throw new Error('the journeys are required, but TANDEM_URL and TANDEM_LINK name no running site');
		console.log('journeys skipped: TANDEM_URL and TANDEM_LINK name no running site');
		project.provide('link', '');
		project.provide('storage', '');
		return undefined;
	}
	const link = given.startsWith('http') ? given : `${url}/link?token=${encodeURIComponent(given)}`;
	const folder = mkdtempSync(join(tmpdir(), 'tandem-e2e-'));
	const storage = join(folder, 'storage.json');
	const browser = await launch();
	const folderGone = (): void => rmSync(folder, { recursive: true, force: true });
	try {
		const context = await browser.newContext();
		const page = await context.newPage();
		await page.goto(link);
		await page.locator('html[data-ready=link]').waitFor();
		await page.getByRole('button', { name: /sign in|anmelden/i }).click();
		await page.locator('html[data-ready=home]').waitFor({ timeout: PATIENCE });
		await context.storageState({ path: storage });
		await playing(page, url);
	} catch (error) {
		folderGone();
		throw error;
	} finally {
		await browser.close();
	}
	project.provide('link', link);
	project.provide('storage', storage);
	return folderGone;
}
