import type { CaseKind, CaseState, CaseView, Priority } from '../api/types';
import { compose, maybe, pick, pickList, unless } from '../url/params';

export const VIEWS = ['mine', 'unowned', 'open', 'closed', 'all'] as const satisfies readonly CaseView[];
export const KINDS = ['security', 'source', 'platform', 'content', 'service'] as const satisfies readonly CaseKind[];
export const STATES = ['new', 'triage', 'analysis', 'response', 'recovered', 'closed', 'merged'] as const satisfies readonly CaseState[];
export const SORTS = ['-priority', '-opened', '-updated'] as const;
const PRIORITIES = ['P1', 'P2', 'P3', 'P4'] as const satisfies readonly Priority[];

export interface QueueState {
	view: CaseView;
	priorities: Priority[];
	kind?: CaseKind;
	state?: CaseState;
	q: string;
	sort: (typeof SORTS)[number];
	/** The row that has the cursor. */
	sel?: string;
	/** The peek panel is open. */
	panel: boolean;
	/** One by one also where there are enough for groups. */
	flat: boolean;
}

export function readQueue(params: URLSearchParams): QueueState {
	const sel = params.get('sel');
	return {
		view: pick(params.get('view'), VIEWS, 'open'),
		priorities: pickList(params.get('priority'), PRIORITIES),
		kind: maybe(params.get('kind'), KINDS),
		state: maybe(params.get('state'), STATES),
		q: params.get('q') ?? '',
		sort: pick(params.get('sort'), SORTS, '-priority'),
		sel: sel === null || sel === '' ? undefined : sel,
		panel: params.get('panel') === '1',
		flat: params.get('flat') === '1'
	};
}

export function writeQueue(state: QueueState): string {
	return compose('/queue', [
		['view', unless(state.view, 'open')],
		['priority', state.priorities.join(',')],
		['kind', state.kind],
		['state', state.state],
		['q', state.q],
		['sort', unless(state.sort, '-priority')],
		['sel', state.sel],
		['panel', state.panel ? '1' : undefined],
		['flat', state.flat ? '1' : undefined]
	]);
}

/** What the server is asked for. */
export function queueQuery(state: QueueState) {
	return {
		view: state.view,
		priority: state.priorities.join(','),
		kind: state.kind,
		state: state.state,
		q: state.q.trim(),
		sort: state.sort
	};
}

export const isFiltered = (state: QueueState): boolean =>
	state.priorities.length > 0 || state.kind !== undefined || state.state !== undefined || state.q.trim() !== '';
