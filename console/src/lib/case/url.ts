import { compose, pick, unless } from '../url/params';

export const LENSES = ['analyst', 'plain'] as const;
/** In the order of the keys 1 to 8. */
export const TABS = ['timeline', 'detections', 'entities', 'evidence', 'linked', 'notes', 'grouping', 'log'] as const;
export type Lens = (typeof LENSES)[number];
export type CaseTab = (typeof TABS)[number];

export interface CasePageState {
	lens: Lens;
	tab: CaseTab;
	/** The timeline entry or event that is shown, by its id. */
	at?: string;
}

export function readCase(params: URLSearchParams): CasePageState {
	return {
		lens: pick(params.get('lens'), LENSES, 'analyst'),
		tab: pick(params.get('tab'), TABS, 'timeline'),
		at: params.get('at') || undefined
	};
}

export function writeCase(id: string, state: CasePageState): string {
	return compose(`/cases/${encodeURIComponent(id)}`, [
		['lens', unless(state.lens, 'analyst')],
		['tab', unless(state.tab, 'timeline')],
		['at', state.at]
	]);
}
