import type { CaseCounts, CaseHead } from '../api/types';
import { toProblem } from '../api/problem';
import type { App } from '../state/app.svelte';
import { Resource } from '../state/resource.svelte';
import { GROUP_ABOVE, GROUP_MOST, groupRows, type Group } from './groups';
import { asRows, mergeInPlace, type QueueRow } from './merge';
import { queueQuery, type QueueState } from './url';

const PAGE = 100;
/** The largest page that the server gives. */
const LARGE = 500;

interface Loaded {
	rows: QueueRow[];
	counts: CaseCounts;
	next: string | undefined;
}

/** The rows of the queue: loaded by view, brought up to date in place, never moved under the person's hands. */
export class QueueModel {
	list = new Resource<Loaded>();
	arrivals = $state.raw<CaseHead[]>([]);
	moreBusy = $state(false);
	#grouped = $state(false);
	/** Like cases together, where there are too many to be read one by one. */
	groups = $derived<Group[] | undefined>(this.#grouped ? groupRows(this.rows) : undefined);
	#state: QueueState | undefined;
	#timer: ReturnType<typeof setTimeout> | undefined;

	constructor(private app: App) {}

	get rows(): QueueRow[] {
		return this.list.data?.rows ?? [];
	}

	async load(state: QueueState, keep: boolean): Promise<void> {
		this.#state = state;
		await this.list.load(async (signal) => {
			const { items, counts, next } = await this.#read(state, signal);
			return { rows: asRows(items), counts, next };
		}, keep);
		if (this.#state !== state) return;
		this.#grouped = !state.flat && this.rows.length > GROUP_ABOVE;
		this.arrivals = [];
		if (this.list.data) this.app.queueCount = this.list.data.counts.open;
	}

	/** A page; where a view holds too many for one list, enough of them to be grouped. */
	async #read(state: QueueState, signal: AbortSignal): Promise<{ items: CaseHead[]; counts: CaseCounts; next: string | undefined }> {
		const query = queueQuery(state);
		const first = await this.app.api.cases({ ...query, limit: PAGE }, signal);
		const { counts } = first;
		const whole = state.view === 'all' ? counts.open + counts.closed : counts[state.view];
		let items = first.items;
		let next = first.next_cursor ?? undefined;
		while (!state.flat && whole > GROUP_ABOVE && next !== undefined && items.length < GROUP_MOST) {
			const page = await this.app.api.cases({ ...query, limit: LARGE, cursor: next }, signal);
			const known = new Set(items.map((head) => head.id));
			items = [...items, ...page.items.filter((head) => !known.has(head.id))];
			next = page.next_cursor ?? undefined;
		}
		return { items, counts, next };
	}

	async more(): Promise<void> {
		const { data } = this.list;
		if (!data?.next || !this.#state || this.moreBusy) return;
		this.moreBusy = true;
		try {
			const answer = await this.app.api.cases({ ...queueQuery(this.#state), limit: PAGE, cursor: data.next });
			const known = new Set(data.rows.map((row) => row.head.id));
			const rows = [...data.rows, ...asRows(answer.items.filter((head) => !known.has(head.id)))];
			this.list.set({ rows, counts: answer.counts, next: answer.next_cursor ?? undefined });
		} catch (error) {
			this.app.toasts.say(toProblem(error).title, { tone: 'bad' });
		} finally {
			this.moreBusy = false;
		}
	}

	/** Something changed on the server: look again soon, once for a burst. */
	touch(): void {
		this.#timer ??= setTimeout(() => {
			this.#timer = undefined;
			void this.refresh();
		}, 400);
	}

	async refresh(): Promise<void> {
		const state = this.#state;
		const before = this.list.data;
		if (!state || !before) return;
		try {
			const limit = Math.min(LARGE, Math.max(PAGE, before.rows.length + this.arrivals.length));
			const answer = await this.app.api.cases({ ...queueQuery(state), limit });
			if (state !== this.#state || !this.list.data) return;
			const { rows, arrivals } = mergeInPlace(this.list.data.rows, answer.items);
			// Beyond the first page a missing row may only be further down.
			const settled = answer.next_cursor ? rows.map((row) => ({ ...row, gone: false })) : rows;
			this.list.set({ rows: settled, counts: answer.counts, next: answer.next_cursor ?? this.list.data.next });
			this.app.queueCount = answer.counts.open;
			if (arrivals.length > this.arrivals.length) {
				this.app.announce(this.app.t('queue.announce', { count: arrivals.length - this.arrivals.length }));
			}
			this.arrivals = arrivals;
		} catch {
			/* the live indicator says that the line is down; the rows keep their age */
		}
	}

	/** Takes the server's answer for one case into its row. */
	patch(head: CaseHead): void {
		const { data } = this.list;
		if (!data) return;
		const rows = data.rows.map((row) => (row.head.id === head.id ? { head, gone: row.gone || this.#leaves(head) } : row));
		this.list.set({ ...data, rows });
	}

	/** The rows that were only kept for calm leave now. */
	sweep(): void {
		const { data } = this.list;
		if (data?.rows.some((row) => row.gone)) this.list.set({ ...data, rows: data.rows.filter((row) => !row.gone) });
	}

	showArrivals(): void {
		if (this.#state) void this.load(this.#state, true);
	}

	#leaves(head: CaseHead): boolean {
		const ended = head.state === 'closed' || head.state === 'merged';
		const view = this.#state?.view;
		if (view === 'closed') return !ended;
		if (view === 'all') return false;
		if (view === 'mine') return ended || head.owner?.id !== this.app.session?.user.id;
		if (view === 'unowned') return ended || Boolean(head.owner);
		return ended;
	}
}
