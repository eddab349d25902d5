import type { Completion, Facet, SearchBody, SearchLine } from '../api/types';
import { literal } from './query';
import type { Range } from './range';

/** The word that the caret stands in: where it begins, and what of it is before the caret. */
export function wordAt(query: string, caret: number): { start: number; text: string } {
	const before = query.slice(0, caret);
	const match = /[^\s()|,:]*$/.exec(before);
	const text = match?.[0] ?? '';
	return { start: caret - text.length, text };
}

/** The query with a completion in place of the word, and where the caret goes. */
export function applyCompletion(query: string, caret: number, item: Completion): { query: string; caret: number } {
	const { start } = wordAt(query, caret);
	const before = query.slice(0, start);
	const after = query.slice(caret);
	let text = item.text;
	if (item.kind === 'field' && !text.endsWith(':') && !before.endsWith(':') && !before.includes('|')) text += ':';
	else if (item.kind === 'value') text = literal(text);
	if (item.kind !== 'field' && after === '') text += ' ';
	return { query: before + text + after, caret: start + text.length };
}

/** How many bytes of UTF-8 come before the caret: what the server counts in. */
export function byteOffset(query: string, caret: number): number {
	return new TextEncoder().encode(query.slice(0, caret)).length;
}

/** The field whose value is being written, and what of the value is before the caret; undefined elsewhere. */
export function valueWanted(query: string, caret: number): { field: string; prefix: string } | undefined {
	const before = query.slice(0, caret);
	if (before.includes('|')) return undefined;
	const match = /(?:^|[\s(!-])([\p{L}_@][\w.@-]*):"?([^\s()":<>=/[\]*?]*)$/u.exec(before);
	const [, field, prefix] = match ?? [];
	return field === undefined || prefix === undefined || field.startsWith('_') ? undefined : { field, prefix };
}

type Search = (body: SearchBody, signal: AbortSignal, each: (line: SearchLine) => void) => Promise<void>;
const MOST_VALUES = 10;
const KEPT_FIELDS = 50;

/** The most frequent values of a field in a time range; asked for once a field, then filtered here as long as that is exact. */
export class Values {
	#kept = new Map<string, Facet>();

	constructor(private search: Search) {}

	async of(wanted: { field: string; prefix: string }, range: Range, signal: AbortSignal): Promise<{ value: string; count: number }[]> {
		const begins = wanted.prefix.toLowerCase();
		const chosen = (facet: Facet | undefined) => (facet?.values ?? []).filter(({ value }) => value !== '' && value.toLowerCase().startsWith(begins)).slice(0, MOST_VALUES);
		// The end of a relative range moves on; values of a minute ago are good enough to be proposed.
		const key = [wanted.field, range.from.slice(0, 16), range.to.slice(0, 16)].join(' ');
		let facet = this.#kept.get(key);
		if (!facet) {
			facet = await this.#ask('*', wanted.field, range, signal);
			if (!facet) return [];
			if (this.#kept.size >= KEPT_FIELDS) this.#kept.clear();
			this.#kept.set(key, facet);
		}
		const known = chosen(facet);
		const complete = facet.distinct <= facet.values.length;
		if (complete || begins === '' || known.length > 0 || !/^[\w.-]+$/.test(wanted.prefix)) return known;
		return chosen(await this.#ask(`${wanted.field}:${wanted.prefix}*`, wanted.field, range, signal));
	}

	async #ask(query: string, field: string, range: Range, signal: AbortSignal): Promise<Facet | undefined> {
		let facet: Facet | undefined;
		await this.search({ query, ...range, limit: 1, facets: [field], columns: [field], order: 'desc' }, signal, (line) => {
			if (line.kind === 'facets') facet = line.facets.find((one) => one.field === field);
		});
		return facet;
	}
}
