/** Which rows of a list with one row height are to be in the document. */
export interface Range {
	start: number;
	/** Exclusive. */
	end: number;
}

export const MOST_NODES = 60;

export function visibleRange(top: number, height: number, row: number, count: number, overscan = 6): Range {
	if (count === 0 || row <= 0) return { start: 0, end: 0 };
	const first = Math.max(0, Math.min(count - 1, Math.floor(top / row)));
	const shown = Math.ceil(height / row) + 1;
	const spare = Math.max(0, Math.min(overscan, Math.floor((MOST_NODES - shown) / 2)));
	const start = Math.max(0, first - spare);
	return { start, end: Math.min(count, start + Math.min(MOST_NODES, shown + 2 * spare)) };
}

/** The scroll position that brings a row into view; the present one if it is in view. */
export function scrollFor(index: number, top: number, height: number, row: number): number {
	const start = index * row;
	if (start < top) return start;
	if (start + row > top + height) return start + row - height;
	return top;
}
