import { isAbort, toProblem } from '../api/problem';
import type { Bucket, EventRow, Facet, FieldValue, Problem, SearchBody, SearchLine } from '../api/types';
import type { App } from '../state/app.svelte';
import { locate } from './locate';
import { absolute, resolveRange, type Span } from './range';
import { MOST_ROWS, RowStore } from './rows.svelte';
import type { SearchState } from './url';

const FIRST = 200;
const PAGE = 500;
export const BUCKETS = 60;

export interface Progress {
	files_done: number;
	files: number;
	rows: number;
	bytes: number;
	scanned_from?: string | null;
	scanned_to?: string | null;
}

interface Chain {
	next: number;
	cursor: string;
	body: SearchBody;
}

/** One search: its request, its rows as they come, and the way to any further row. */
export class SearchModel {
	rows = new RowStore();
	buckets = $state.raw<Bucket[]>();
	facets = $state.raw<Facet[]>();
	table = $state.raw<{ columns: string[]; rows: FieldValue[][] }>();
	progress = $state.raw<Progress>();
	problem = $state.raw<Problem>();
	running = $state(false);
	/** The last request was ended by the person. */
	cancelled = $state(false);
	done = $state.raw<{ total: number; limited: boolean; because?: string | null; duration_ms: number }>();
	span = $state.raw<Span>();
	#request: AbortController | undefined;
	#paging: AbortController | undefined;
	#chains: Chain[] = [];
	#body: SearchBody | undefined;
	#wanted = -1;

	constructor(private app: App) {}

	/** True when there is something to look at. */
	get shown(): boolean {
		return this.done !== undefined || this.rows.total > 0 || this.table !== undefined;
	}

	async run(state: SearchState, facets: readonly string[]): Promise<void> {
		this.stop();
		const span = resolveRange(state, Date.now());
		if (!span) {
			this.problem = { type: 'tandem:range', title: this.app.t('range.bad'), status: 400 };
			return;
		}
		const request = new AbortController();
		this.#request = request;
		const body: SearchBody = {
			query: state.q,
			...absolute(span),
			limit: FIRST,
			histogram: { buckets: BUCKETS },
			facets: [...facets],
			// All fields: the line of the message and the panel beside the row are made of them.
			columns: [],
			order: state.order
		};
		this.#body = body;
		this.#chains = [];
		this.span = span;
		this.running = true;
		this.cancelled = false;
		this.progress = undefined;
		// Old rows stay until the first part of the new answer is here.
		let fresh = false;
		let at = 0;
		const begin = (): void => {
			if (fresh) return;
			fresh = true;
			this.rows.clear();
			this.table = undefined;
			this.done = undefined;
			this.problem = undefined;
		};
		try {
			await this.app.api.search(body, request.signal, (line: SearchLine) => {
				if (this.#request !== request) return;
				switch (line.kind) {
					case 'progress':
						this.progress = line;
						break;
					case 'rows':
						begin();
						this.rows.put(at, line.rows);
						at += line.rows.length;
						this.rows.total = Math.max(this.rows.total, at);
						break;
					case 'histogram':
						begin();
						this.buckets = line.buckets;
						break;
					case 'facets':
						begin();
						this.facets = line.facets;
						break;
					case 'table':
						begin();
						this.table = line;
						break;
					case 'done':
						begin();
						this.done = line;
						this.rows.total = Math.max(line.total, at);
						if (line.next_cursor) this.#chains.push({ next: at, cursor: line.next_cursor, body });
						break;
					case 'error':
						begin();
						this.problem = line.problem;
						break;
				}
			});
		} catch (error) {
			if (isAbort(error) || this.#request !== request) return;
			this.problem = toProblem(error);
		} finally {
			if (this.#request === request) {
				this.running = false;
				this.#request = undefined;
			}
		}
	}

	/** Ends what runs; rows that came stay. */
	cancel(): void {
		if (!this.running) return;
		this.stop();
		this.cancelled = true;
	}

	stop(): void {
		this.#request?.abort();
		this.#request = undefined;
		this.#paging?.abort();
		this.#paging = undefined;
		this.#wanted = -1;
		this.running = false;
	}

	/** Sees to it that the rows of a range get here. Only the newest wish counts. */
	need(start: number, end: number): void {
		const index = this.rows.missing(start, end);
		if (index === undefined || this.running || !this.#body || this.#wanted === index) return;
		this.#wanted = index;
		this.#paging?.abort();
		const request = new AbortController();
		this.#paging = request;
		this.#fetch(index, end, request)
			.catch((error: unknown) => {
				if (!isAbort(error)) this.app.toasts.say(this.app.t('search.page-failed', { text: toProblem(error).title }), { tone: 'bad' });
			})
			.finally(() => {
				if (this.#paging !== request) return;
				this.#paging = undefined;
				this.#wanted = -1;
				this.rows.trim(index);
			});
	}

	async #fetch(index: number, end: number, request: AbortController): Promise<void> {
		const body = this.#body;
		if (!body) return;
		const total = this.rows.total;
		if (total <= MOST_ROWS && total - index <= FIRST) {
			// The end of the result is the beginning of the same result in the other order.
			const page = await this.#page({ ...body, order: body.order === 'desc' ? 'asc' : 'desc', limit: FIRST }, request);
			const rows = page.rows.reverse();
			this.rows.put(total - rows.length, rows);
			return;
		}
		let chain = this.#chains.find((candidate) => candidate.next <= index && index - candidate.next <= PAGE * 2);
		if (!chain) chain = await this.#jump(index, body, this.buckets ?? [], 0, request);
		while (chain && chain.next < end && !request.signal.aborted) {
			const page: { rows: EventRow[]; next: string | undefined } = await this.#page(
				{ ...chain.body, limit: PAGE, cursor: chain.cursor === '' ? undefined : chain.cursor },
				request
			);
			this.rows.put(chain.next, page.rows);
			const old = chain;
			this.#chains = this.#chains.filter((other) => other !== old);
			if (!page.next || page.rows.length === 0) return;
			chain = { next: old.next + page.rows.length, cursor: page.next, body: old.body };
			this.#chains.push(chain);
		}
	}

	/** Finds the moment of a row by the histogram; a crowded bucket is cut into finer ones first. */
	async #jump(index: number, body: SearchBody, buckets: readonly Bucket[], base: number, request: AbortController): Promise<Chain | undefined> {
		const place = locate(index - base, buckets, body.order);
		if (!place) return undefined;
		const start = base + place.start;
		const width = Date.parse(place.bucket.to) - Date.parse(place.bucket.from);
		if (index - start > PAGE * 4 && width > BUCKETS) {
			const finer = await this.#histogram({ ...body, from: place.bucket.from, to: place.bucket.to }, request);
			const found = await this.#jump(index, body, finer, start, request);
			if (found) return found;
		}
		return { next: start, cursor: '', body: body.order === 'desc' ? { ...body, to: place.bound } : { ...body, from: place.bound } };
	}

	async #page(body: SearchBody, request: AbortController): Promise<{ rows: EventRow[]; next: string | undefined }> {
		const rows: EventRow[] = [];
		let next: string | undefined;
		await this.app.api.search({ ...body, histogram: undefined, facets: undefined }, request.signal, (line) => {
			if (line.kind === 'rows') rows.push(...line.rows);
			else if (line.kind === 'done') next = line.next_cursor ?? undefined;
		});
		return { rows, next };
	}

	async #histogram(body: SearchBody, request: AbortController): Promise<Bucket[]> {
		let buckets: Bucket[] = [];
		await this.app.api.search({ ...body, limit: 1, histogram: { buckets: BUCKETS }, facets: undefined }, request.signal, (line) => {
			if (line.kind === 'histogram') buckets = line.buckets;
		});
		return buckets;
	}
}
