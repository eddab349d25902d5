import type { TimelineEntry } from '../api/types';

export interface TimelineGroup {
	/** The minute, RFC 3339 to the minute. */
	minute: string;
	entries: TimelineEntry[];
}

/** The word of an act as the server names it, and whether it was taken back. */
export function actOf(title: string): { word: string; undone: boolean } {
	const undone = / \(taken back\)$/.test(title);
	return { word: title.replace(/ \(taken back\)$/, '').trim().toLowerCase().replaceAll(' ', '_'), undone };
}

export const CLUSTER_ABOVE = 1000;

export function sorted(entries: readonly TimelineEntry[]): TimelineEntry[] {
	return [...entries].sort((a, b) => (a.at < b.at ? -1 : a.at > b.at ? 1 : 0));
}

/** Entries by minute, in order of time: what a long timeline shows instead of a thousand lines. */
export function byMinute(entries: readonly TimelineEntry[]): TimelineGroup[] {
	const groups: TimelineGroup[] = [];
	for (const entry of sorted(entries)) {
		const minute = entry.at.slice(0, 16);
		const last = groups[groups.length - 1];
		if (last && last.minute === minute) last.entries.push(entry);
		else groups.push({ minute, entries: [entry] });
	}
	return groups;
}

/** Known only later than it happened, by enough to matter (seconds of transport do not). */
export function knownLate(entry: TimelineEntry): boolean {
	if (!entry.known_at) return false;
	return Date.parse(entry.known_at) - Date.parse(entry.at) > 60_000;
}
