import { isAbort, toProblem } from '../api/problem';
import type { Problem } from '../api/types';

/**
 * Something that is fetched: keeps its old data while it is fetched again, ends an older request when a newer
 * one begins, and knows its age.
 */
export class Resource<T> {
	data = $state.raw<T>();
	problem = $state.raw<Problem>();
	loading = $state(false);
	/** When `data` came (ms). */
	at = $state<number>();
	#request: AbortController | undefined;

	/** `keep: false` forgets the data of another object first. */
	async load(fetcher: (signal: AbortSignal) => Promise<T>, keep = true): Promise<void> {
		this.#request?.abort();
		const request = new AbortController();
		this.#request = request;
		if (!keep) {
			this.data = undefined;
			this.at = undefined;
		}
		this.loading = true;
		try {
			const data = await fetcher(request.signal);
			if (this.#request !== request) return;
			this.data = data;
			this.problem = undefined;
			this.at = Date.now();
		} catch (error) {
			if (isAbort(error) || this.#request !== request) return;
			this.problem = toProblem(error);
		} finally {
			if (this.#request === request) this.loading = false;
		}
	}

	set(data: T): void {
		this.data = data;
		this.at = Date.now();
		this.problem = undefined;
	}

	abort(): void {
		this.#request?.abort();
		this.#request = undefined;
		this.loading = false;
	}
}
