import type { CaseHead, Priority } from '../api/types';
import type { QueueRow } from './merge';

/** Beyond so many cases the queue is read by groups. */
export const GROUP_ABOVE = 500;
/** So many cases are read for the groups; the note above them says what is left out. */
export const GROUP_MOST = 2000;
const PREFIX = 'group:';

export interface Group {
	/** The cursor's name for it. */
	id: string;
	title: string;
	rows: QueueRow[];
	/** The most urgent in it. */
	priority: Priority;
	unowned: number;
	/** The last change of any of them. */
	updated: string;
}
export type Entry = { group: Group; row?: undefined } | { row: QueueRow; group?: undefined };

export const isGroupId = (id: string | undefined): boolean => id?.startsWith(PREFIX) ?? false;

/** What happened, without to whom: a case is called after its first rule and the one it is about. */
export function whatHappened(head: CaseHead): string {
	for (const entity of head.entities) {
		const end = ` on ${entity.name}`;
		if (entity.name !== '' && head.title.length > end.length && head.title.endsWith(end)) return head.title.slice(0, -end.length);
	}
	return head.title;
}

/** Groups of like cases: the most urgent first, of those the largest. */
export function groupRows(rows: readonly QueueRow[]): Group[] {
	const groups = new Map<string, Group>();
	for (const row of rows) {
		const { head } = row;
		const title = whatHappened(head);
		const id = `${PREFIX}${head.kind}:${title}`;
		const group = groups.get(id) ?? { id, title, rows: [], priority: head.priority, unowned: 0, updated: head.updated };
		group.rows.push(row);
		if (head.priority < group.priority) group.priority = head.priority;
		if (head.updated > group.updated) group.updated = head.updated;
		if (!head.owner && head.state !== 'closed' && head.state !== 'merged') group.unowned += 1;
		groups.set(id, group);
	}
	return [...groups.values()].sort((a, b) => a.priority.localeCompare(b.priority) || b.rows.length - a.rows.length || a.title.localeCompare(b.title));
}

/** What is shown, in order: a group's line, and its rows where it is open. A single case needs no group. */
export function entriesOf(groups: readonly Group[], open: ReadonlySet<string>): Entry[] {
	return groups.flatMap((group): Entry[] => {
		const rows = group.rows.map((row): Entry => ({ row }));
		if (group.rows.length === 1) return rows;
		return open.has(group.id) ? [{ group }, ...rows] : [{ group }];
	});
}
