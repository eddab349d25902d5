import type { Match } from '../api/types';
import type { Span } from '../format/format';

export interface MergedMatch {
	field: string | undefined;
	value: string;
	spans: Span[];
}

/** Several parts of a rule may meet the same value: it is shown once, with every part marked. */
export function mergeMatches(matches: readonly Match[]): MergedMatch[] {
	const merged: MergedMatch[] = [];
	for (const { field, value, span } of matches) {
		const known = merged.find((other) => other.field === (field ?? undefined) && other.value === value);
		const entry = known ?? { field: field ?? undefined, value, spans: [] };
		if (!known) merged.push(entry);
		if (span && !entry.spans.some((other) => other[0] === span[0] && other[1] === span[1])) entry.spans.push(span);
	}
	return merged;
}
