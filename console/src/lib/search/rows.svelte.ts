import type { EventRow } from '../api/types';

/** Most rows of one result that the table spans. */
export const MOST_ROWS = 100_000;
/** Most rows that are held; the ones farthest from the eye go first. */
const HELD = 30_000;

/** The rows of a result by their index; what is not held is undefined. */
export class RowStore {
	/** Bumped with each change: the rows themselves are plain. */
	version = $state(0);
	/** How many rows the result has, as far as is known. */
	total = $state(0);
	#rows: (EventRow | undefined)[] = [];
	#held = 0;

	get count(): number {
		return Math.min(this.total, MOST_ROWS);
	}

	at(index: number): EventRow | undefined {
		return this.#rows[index];
	}

	clear(): void {
		this.#rows = [];
		this.#held = 0;
		this.total = 0;
		this.version += 1;
	}

	put(start: number, rows: readonly EventRow[]): void {
		for (const [offset, row] of rows.entries()) {
			const index = start + offset;
			if (index >= MOST_ROWS) break;
			if (this.#rows[index] === undefined) this.#held += 1;
			this.#rows[index] = row;
		}
		this.version += 1;
	}

	/** The first index in the range that is not held. */
	missing(start: number, end: number): number | undefined {
		for (let index = start; index < Math.min(end, this.count); index += 1) {
			if (this.#rows[index] === undefined) return index;
		}
		return undefined;
	}

	indexOf(id: string): number {
		return this.#rows.findIndex((row) => row?.id === id);
	}

	/** Lets go of rows far from `centre`. */
	trim(centre: number): void {
		if (this.#held <= HELD) return;
		const keep = HELD / 2;
		this.#rows.forEach((row, index) => {
			if (row !== undefined && Math.abs(index - centre) > keep) {
				this.#rows[index] = undefined;
				this.#held -= 1;
			}
		});
		this.version += 1;
	}
}
