import type { CaseHead } from '../api/types';

export interface QueueRow {
	head: CaseHead;
	/** It no longer fits the view: it stays in its place, greyed, until the person acts next. */
	gone: boolean;
}

export interface Merged {
	rows: QueueRow[];
	/** Cases that came in meanwhile; they wait behind a button. */
	arrivals: CaseHead[];
}

/** Brings the shown rows up to date without moving any of them. */
export function mergeInPlace(shown: readonly QueueRow[], fresh: readonly CaseHead[]): Merged {
	const byId = new Map(fresh.map((head) => [head.id, head]));
	const rows = shown.map((row) => {
		const head = byId.get(row.head.id);
		return head ? { head, gone: false } : { ...row, gone: true };
	});
	const known = new Set(shown.map((row) => row.head.id));
	return { rows, arrivals: fresh.filter((head) => !known.has(head.id)) };
}

export const asRows = (heads: readonly CaseHead[]): QueueRow[] => heads.map((head) => ({ head, gone: false }));

/** The row that takes the cursor when `id` leaves: the next that stays, else the one before. */
export function neighbour(rows: readonly QueueRow[], id: string | undefined): string | undefined {
	const index = rows.findIndex((row) => row.head.id === id);
	if (index < 0) return rows.find((row) => !row.gone)?.head.id;
	const after = rows.slice(index + 1).find((row) => !row.gone);
	const before = rows.slice(0, index).reverse().find((row) => !row.gone);
	return (after ?? before)?.head.id;
}
