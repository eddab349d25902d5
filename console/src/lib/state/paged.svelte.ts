import { toProblem } from '../api/problem';
import type { Toasts } from './toasts.svelte';
import { Resource } from './resource.svelte';

interface Page {
	items: unknown[];
	next_cursor?: string | null;
}

/** A list that is read page by page. */
export class Paged<T extends Page> extends Resource<T> {
	moreBusy = $state(false);

	constructor(
		private fetcher: (cursor: string | undefined, signal?: AbortSignal) => Promise<T>,
		private toasts: Toasts
	) {
		super();
	}

	/** The first page anew. */
	begin(): void {
		void this.load((signal) => this.fetcher(undefined, signal));
	}

	/** The next page, behind the rows that are there; it belongs to nothing when the list began anew meanwhile. */
	async more(): Promise<void> {
		const { data } = this;
		if (!data?.next_cursor || this.moreBusy) return;
		this.moreBusy = true;
		try {
			const next = await this.fetcher(data.next_cursor);
			if (this.data === data) this.set({ ...next, items: [...data.items, ...next.items] });
		} catch (error) {
			this.toasts.say(toProblem(error).title, { tone: 'bad' });
		} finally {
			this.moreBusy = false;
		}
	}
}
