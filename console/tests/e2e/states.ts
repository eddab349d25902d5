import type { Page } from 'playwright-core';
import type { ScreenName } from './browser';

/** What a screen is shown with: what the site has, nothing at all, or a failed request. */
export type State = 'full' | 'empty' | 'error';

type Api = <T>(method: string, path: string, body?: unknown) => Promise<T>;
export interface Screen {
	name: string;
	ready: ScreenName;
	path: (api: Api) => Promise<string>;
	/** The requests below /api/v1 on which the screen stands, and what they answer when there is nothing. */
	stands?: Record<string, unknown>;
	/** Where nothing is something else than an empty list. */
	bare?: (api: Api) => Promise<string>;
}

interface Listed {
	items: { id: string; detections?: number }[];
}
const first = async (api: Api, path: string): Promise<string> => encodeURIComponent((await api<Listed>('GET', path)).items[0]?.id ?? '');
/** The case with most to show. */
const fullest = async (api: Api): Promise<string> => {
	const { items } = await api<Listed>('GET', '/cases?view=all&limit=100');
	return [...items].sort((a, b) => (b.detections ?? 0) - (a.detections ?? 0))[0]?.id ?? '';
};
/** A case that a person has just opened: nothing has fired. */
const bareCase = async (api: Api): Promise<string> =>
	(await api<{ id: string }>('POST', '/cases', { title: 'A caller reports a strange window', kind: 'security', priority: 'P3', text: 'Opened by a journey.' })).id;

const NO_COUNTS = { mine: 0, unowned: 0, open: 0, closed: 0 };
const NO_HOME = {
	status: { cases_mine: 0, cases_unowned: 0, sources_unhealthy: 0, sources: 0, detections_24h: 0, events_24h: 0 },
	my_tasks: [],
	unowned: [],
	unhealthy_sources: [],
	strip: [],
	detections: []
};

export const SCREENS: Screen[] = [
	{ name: 'home', ready: 'home', path: async () => '/', stands: { 'home': NO_HOME } },
	{ name: 'queue', ready: 'queue', path: async () => '/queue?view=all&panel=1', stands: { 'cases?*': { items: [], counts: NO_COUNTS } } },
	{
		name: 'case for analysts',
		ready: 'case',
		path: async (api) => `/cases/${await fullest(api)}`,
		bare: async (api) => `/cases/${await bareCase(api)}`,
		stands: { 'cases/*': undefined }
	},
	{ name: 'case in plain words', ready: 'case', path: async (api) => `/cases/${await fullest(api)}?lens=plain`, bare: async (api) => `/cases/${await bareCase(api)}?lens=plain` },
	{
		name: 'search',
		ready: 'search',
		path: async () => '/search?from=-7d&cols=user.name',
		bare: async () => '/search?from=-7d&q=user.name%3Aroot%20AND%20qqqzzzqqq',
		stands: { 'search': undefined }
	},
	{
		name: 'entity',
		ready: 'entity',
		path: async (api) => {
			const { items } = await api<{ items: { entities: { kind: string; name: string }[] }[] }>('GET', '/cases?view=all&limit=100');
			const host = items.flatMap((head) => head.entities).find((entity) => entity.kind === 'host');
			return `/entities/host/${encodeURIComponent(host?.name ?? '')}`;
		},
		bare: async () => '/entities/user/nobody-of-that-name',
		stands: { 'search': undefined }
	},
	{ name: 'sources', ready: 'sources', path: async () => '/sources', stands: { 'sources': { items: [] } } },
	{ name: 'connecting a source', ready: 'sources', path: async () => '/sources?tab=connect', stands: { 'receivers': { items: [], snippets: [] } } },
	{ name: 'tokens', ready: 'sources', path: async () => '/sources?tab=tokens', stands: { 'ingest-tokens': { items: [] } } },
	{ name: 'source', ready: 'source', path: async (api) => `/sources/${await first(api, '/sources')}`, stands: { 'sources/*': undefined } },
	{ name: 'rules', ready: 'rules', path: async () => '/rules', stands: { 'rules*': { items: [], counts: { active: 0, off: 0, unfed: 0, error: 0 } } } },
	{ name: 'rule', ready: 'rule', path: async (api) => `/rules/${await first(api, '/rules?state=active')}`, stands: { 'rules/*': undefined } },
	{ name: 'runs', ready: 'runs', path: async () => '/runs', stands: { 'runs': { items: [] } } },
	{ name: 'profile', ready: 'settings', path: async () => '/settings' },
	{ name: 'security', ready: 'settings', path: async () => '/settings?tab=security' },
	{ name: 'API tokens', ready: 'settings', path: async () => '/settings?tab=tokens', stands: { 'api-tokens': { items: [] } } },
	{ name: 'people', ready: 'settings', path: async () => '/settings?tab=users', stands: { 'users': { items: [] } } },
	{ name: 'health', ready: 'settings', path: async () => '/settings?tab=health', stands: { 'health': undefined } },
	{ name: 'configuration', ready: 'settings', path: async () => '/settings?tab=config', stands: { 'settings': undefined } },
	{ name: 'log', ready: 'log', path: async () => '/log', stands: { 'log*': { items: [] } } }
];

export const statesOf = (screen: Screen): State[] => {
	const answers = Object.values(screen.stands ?? {});
	const empty = screen.bare !== undefined || answers.some((answer) => answer !== undefined);
	return ['full', ...(empty ? (['empty'] as const) : []), ...(answers.length > 0 ? (['error'] as const) : [])];
};

/** Makes the site answer as the state wants it, and says the address that shows the screen so. */
export async function arrange(page: Page, api: Api, screen: Screen, state: State): Promise<string> {
	const path = state === 'empty' && screen.bare ? await screen.bare(api) : await screen.path(api);
	for (const [request, nothing] of Object.entries(screen.stands ?? {})) {
		if (state === 'error') {
			const problem = { type: 'internal', title: 'The site could not answer', status: 500, detail: 'The database is locked.', reference: 'ref-4711' };
			await page.route(`**/api/v1/${request}`, (route) => route.fulfill({ status: 500, contentType: 'application/problem+json', body: JSON.stringify(problem) }));
		} else if (state === 'empty' && nothing !== undefined) {
			await page.route(`**/api/v1/${request}`, (route) => route.fulfill({ status: 200, contentType: 'application/json', body: JSON.stringify(nothing) }));
		}
	}
	return path;
}
