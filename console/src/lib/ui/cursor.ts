/** The keyboard cursor of a list, over ids, so that it stays on its row when rows come and go. */
export function moveCursor(ids: readonly string[], current: string | undefined, step: number | 'first' | 'last'): string | undefined {
	if (ids.length === 0) return undefined;
	if (step === 'first') return ids[0];
	if (step === 'last') return ids[ids.length - 1];
	const index = current === undefined ? -1 : ids.indexOf(current);
	if (index < 0) return step > 0 ? ids[0] : ids[ids.length - 1];
	return ids[Math.max(0, Math.min(ids.length - 1, index + step))];
}

/** The ids from one to another in list order, both included, whichever comes first. */
export function between(ids: readonly string[], from: string | undefined, to: string): string[] {
	const end = ids.indexOf(to);
	const start = from === undefined ? end : ids.indexOf(from);
	if (end < 0) return [];
	if (start < 0) return [to];
	return ids.slice(Math.min(start, end), Math.max(start, end) + 1);
}
