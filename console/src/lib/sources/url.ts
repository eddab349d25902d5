import type { SourceHead } from '../api/types';
import { compose, maybe, pick, unless } from '../url/params';

export const TABS = ['list', 'connect', 'tokens'] as const;
export const HEALTHS = ['silent', 'failing', 'new', 'ok'] as const satisfies readonly SourceHead['health'][];
export const SORTS = ['health', 'name', 'rate', 'last'] as const;

export interface SourcesState {
	tab: (typeof TABS)[number];
	health?: SourceHead['health'];
	q: string;
	sort: (typeof SORTS)[number];
}

export function readSources(params: URLSearchParams): SourcesState {
	return {
		tab: pick(params.get('tab'), TABS, 'list'),
		health: maybe(params.get('health'), HEALTHS),
		q: params.get('q') ?? '',
		sort: pick(params.get('sort'), SORTS, 'health')
	};
}

export function writeSources(state: SourcesState): string {
	return compose('/sources', [
		['tab', unless(state.tab, 'list')],
		['health', state.health],
		['q', state.q],
		['sort', unless(state.sort, 'health')]
	]);
}

/** The sources of a view, worst first by default; the server sends them all. */
export function chosen(sources: readonly SourceHead[], state: SourcesState): SourceHead[] {
	const wish = state.q.trim().toLowerCase();
	const fits = (source: SourceHead): boolean =>
		(state.health === undefined || source.health === state.health) &&
		(wish === '' || [source.name, source.transport, source.owner ?? '', ...source.log_types].some((text) => text.toLowerCase().includes(wish)));
	const byName = (a: SourceHead, b: SourceHead): number => a.name.localeCompare(b.name);
	const orders: Record<SourcesState['sort'], (a: SourceHead, b: SourceHead) => number> = {
		health: (a, b) => HEALTHS.indexOf(a.health) - HEALTHS.indexOf(b.health) || byName(a, b),
		name: byName,
		rate: (a, b) => b.rate_per_min - a.rate_per_min || byName(a, b),
		last: (a, b) => (b.last_event ?? '').localeCompare(a.last_event ?? '') || byName(a, b)
	};
	return sources.filter(fits).sort(orders[state.sort]);
}

/** Share of records that were understood (0 to 1); undefined before the first one. */
export function understood(source: Pick<SourceHead, 'records' | 'parse_errors' | 'generic'>): number | undefined {
	if (source.records <= 0) return undefined;
	return Math.max(0, 1 - (source.parse_errors + source.generic) / source.records);
}
