import { compose, pick, unless } from '../url/params';
import { DEFAULT_RANGE, resolveMoment } from './range';

export interface SearchState {
	q: string;
	/** Relative or absolute, see range.ts. */
	from: string;
	to: string;
	order: 'desc' | 'asc';
	/** Columns besides time, source and message. */
	cols: string[];
	/** The event that is open. */
	at?: string;
	/** Seconds around that event which are shown instead of the search. */
	around?: number;
	panel: 'parsed' | 'raw';
	live: boolean;
	wrap: boolean;
	/** The histogram as a table. */
	table: boolean;
}

const SAFE = /^-(\d{1,6})[smhd]$|^now$|^\d{4}-\d{2}-\d{2}T/;

export function readSearch(params: URLSearchParams): SearchState {
	const moment = (name: 'from' | 'to'): string => {
		const text = params.get(name) ?? '';
		return SAFE.test(text) && resolveMoment(text, 0) !== undefined ? text : DEFAULT_RANGE[name];
	};
	const around = Number(params.get('around'));
	return {
		q: params.get('q') ?? '',
		from: moment('from'),
		to: moment('to'),
		order: pick(params.get('sort'), ['desc', 'asc'], 'desc'),
		cols: [...new Set((params.get('cols') ?? '').split(',').filter((name) => name !== ''))],
		at: params.get('at') || undefined,
		around: Number.isInteger(around) && around > 0 && around <= 86_400 && params.get('at') ? around : undefined,
		panel: pick(params.get('panel'), ['parsed', 'raw'], 'parsed'),
		live: params.get('live') === '1',
		wrap: params.get('wrap') === '1',
		table: params.get('view') === 'table'
	};
}

export function writeSearch(state: SearchState): string {
	return compose('/search', [
		['q', state.q],
		['from', unless(state.from, DEFAULT_RANGE.from)],
		['to', unless(state.to, DEFAULT_RANGE.to)],
		['sort', unless(state.order, 'desc')],
		['cols', state.cols.join(',')],
		['at', state.at],
		['around', state.around === undefined ? undefined : String(state.around)],
		['panel', unless(state.panel, 'parsed')],
		['live', state.live ? '1' : undefined],
		['wrap', state.wrap ? '1' : undefined],
		['view', state.table ? 'table' : undefined]
	]);
}

/** What makes a new request necessary; the rest only changes what is shown. */
export function searchKey(state: SearchState): string {
	return state.around === undefined
		? JSON.stringify([state.q, state.from, state.to, state.order, state.live])
		: JSON.stringify([state.at, state.around]);
}
