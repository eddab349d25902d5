import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { chromium, type Browser, type BrowserContext, type BrowserContextOptions, type Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, expect, inject } from 'vitest';

const ARGS = [
	'--headless',
	'--no-sandbox',
	'--disable-gpu',
	'--disable-quic',
	'--no-first-run',
	'--disable-background-networking',
	'--disable-component-update',
	'--disable-sync'
];
const AXE = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
/** How long a thing may take that comes at once on an idle machine, in ms. Only failures ever wait for it. */
export const PATIENCE = 120_000;
export const RULES = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa'];

export const launch = (): Promise<Browser> => chromium.launch({ executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium', args: ARGS });

export const skipped = (): boolean => inject('url') === '' || inject('storage') === '';

export type ScreenName = 'home' | 'queue' | 'case' | 'search' | 'sources' | 'source' | 'rules' | 'rule' | 'runs' | 'run' | 'settings' | 'log' | 'entity';

export interface Site {
	page: Page;
	/** Goes to an address and waits until its screen says that it is shown. */
	open: (path: string, screen: ScreenName) => Promise<void>;
	ready: (screen: ScreenName) => Promise<void>;
	/** Presses keys one after the other and counts them. */
	keys: (...keys: string[]) => Promise<number>;
	/** Calls the site's API as the signed-in person. */
	api: <T>(method: string, path: string, body?: unknown, headers?: Record<string, string>) => Promise<T>;
	axe: () => Promise<string[]>;
	fresh: (options?: BrowserContextOptions & { signedIn?: boolean }) => Promise<Page>;
}

/**
 * A browser for the tests of a file, a page for each test. After each test the console must have been silent
 * and no request may have left the site.
 */
export function useSite({ shared = false }: { shared?: boolean } = {}): Site {
	let browser: Browser;
	/** With `shared`, the tests of the file share one context, and with it what the browser keeps of the site. */
	let common: BrowserContext | undefined;
	let page: Page;
	let complaints: string[] = [];
	const url = inject('url');

	function watch(target: Page): void {
		target.on('console', (message) => {
			const text = message.text();
			// A refused request is told by the browser itself; the screens that it concerns are tested for what they say.
			if (message.type() === 'error' && !text.startsWith('Failed to load resource')) complaints.push(text);
		});
		target.on('pageerror', (error) => complaints.push(String(error)));
		target.on('request', (request) => {
			if (!request.url().startsWith(url) && !/^(data|blob):/.test(request.url())) complaints.push(`foreign request: ${request.url()}`);
		});
	}
	const site: Site = {
		get page() {
			return page;
		},
		open: async (path, screen) => {
			await page.goto(url + path);
			await site.ready(screen);
		},
		ready: async (screen) => {
			await page.locator(`html[data-ready=${screen}]`).waitFor();
		},
		keys: async (...keys) => {
			for (const key of keys) await page.keyboard.press(key);
			return keys.length;
		},
		api: async <T>(method: string, path: string, body?: unknown, headers: Record<string, string> = {}): Promise<T> => {
			const answer = await page.context().request.fetch(`${url}/api/v1${path}`, {
				method,
				headers: { 'x-tandem-csrf': '1', ...headers },
				...(body === undefined ? {} : { data: body as object })
			});
			if (!answer.ok()) throw new Error(`${method} ${path}: ${answer.status()} ${await answer.text()}`);
			const text = await answer.text();
			return (text === '' ? undefined : JSON.parse(text)) as T;
		},
		axe: async () => {
			await page.evaluate(AXE);
			const violations = await page.evaluate(async (rules) => {
				const { axe } = globalThis as unknown as { axe: { run: (node: Document, options: object) => Promise<{ violations: { id: string; help: string; nodes: { target: string[] }[] }[] }> } };
				return (await axe.run(document, { runOnly: rules })).violations;
			}, RULES);
			return violations.map((violation) => `${violation.id}: ${violation.help} (${violation.nodes.map((node) => node.target.join(' ')).slice(0, 3).join('; ')})`);
		},
		fresh: async (options = {}) => {
			const { signedIn = true, ...rest } = options;
			const reused = shared && Object.keys(rest).length === 0 ? common : undefined;
			const context = reused ?? await browser.newContext({ locale: 'en-GB', timezoneId: 'Europe/Berlin', ...(signedIn ? { storageState: inject('storage') } : {}), ...rest });
			context.setDefaultTimeout(PATIENCE);
			if (shared) common ??= context;
			const made = await context.newPage();
			watch(made);
			return made;
		}
	};

	beforeAll(async () => {
		if (!skipped()) browser = await launch();
	});
	afterAll(async () => {
		await browser?.close();
	});
	beforeEach(async (context) => {
		if (skipped()) context.skip('no running site');
		complaints = [];
		page = await site.fresh();
		await page.setViewportSize({ width: 1440, height: 900 });
	});
	afterEach(async (context) => {
		if (skipped()) return;
		const heard = complaints;
		for (const open of browser.contexts()) {
			if (open !== common) await open.close();
			else for (const one of open.pages()) await one.close();
		}
		if (context.task.result?.state !== 'fail') expect(heard).toEqual([]);
	});
	return site;
}
