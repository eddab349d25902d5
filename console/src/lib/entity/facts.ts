import type { Api } from '../api/endpoints';
import type { Bucket, CaseHead, Entity, EventRow, Facet, SearchBody } from '../api/types';
import { BESIDE, entityQuery } from './entity';

export const DAYS = 30;
const DAY = 86_400_000;
/** How far back the first event is looked for: longer than a site keeps events. */
const EVER = 400 * DAY;
const MOST_CASES = 100;

export interface Facts {
	/** Events of the last 30 days. */
	total: number;
	/** The count stopped before the end. */
	partial: boolean;
	days: Bucket[];
	beside: Facet[];
	first?: string;
	last?: string;
	open: CaseHead[];
	past: CaseHead[];
}

/** All that a site knows about a host, user, address or file, from its events and cases. */
export async function lookUp(api: Api, entity: Entity, now: number, signal: AbortSignal): Promise<Facts> {
	const query = entityQuery(entity);
	const iso = (time: number): string => new Date(time).toISOString();
	const [recent, oldest, list] = await Promise.all([
		ask(api, { query, from: iso(now - DAYS * DAY), to: iso(now), limit: 1, order: 'desc', columns: ['host.name'], histogram: { buckets: DAYS }, facets: [...BESIDE[entity.kind]] }, signal),
		ask(api, { query, from: iso(now - EVER), to: iso(now), limit: 1, order: 'asc', columns: ['host.name'] }, signal),
		api.cases({ view: 'all', q: entity.name, sort: '-updated', limit: MOST_CASES }, signal)
	]);
	let last = recent.row?.time;
	// Nothing of late, but something once: when was it last?
	if (last === undefined && oldest.row) {
		last = (await ask(api, { query, from: iso(now - EVER), to: iso(now), limit: 1, order: 'desc', columns: ['host.name'] }, signal)).row?.time;
	}
	const own = list.items.filter((head) => concerns(head, entity));
	const ended = (head: CaseHead): boolean => head.state === 'closed' || head.state === 'merged';
	return {
		total: recent.total,
		partial: recent.partial,
		days: recent.days,
		beside: recent.beside.filter((facet) => facet.values.length > 0),
		...(oldest.row ? { first: oldest.row.time } : {}),
		...(last === undefined ? {} : { last }),
		open: own.filter((head) => !ended(head)),
		past: own.filter(ended)
	};
}

/** A case found by the name is about the entity only when it names it as one. */
export function concerns(head: CaseHead, entity: Entity): boolean {
	const name = entity.name.toLowerCase();
	return head.entities.some((other) => other.kind === entity.kind && other.name.toLowerCase() === name);
}

interface Answer {
	total: number;
	partial: boolean;
	row?: EventRow;
	days: Bucket[];
	beside: Facet[];
}

async function ask(api: Api, body: SearchBody, signal: AbortSignal): Promise<Answer> {
	const answer: Answer = { total: 0, partial: false, days: [], beside: [] };
	await api.search(body, signal, (line) => {
		if (line.kind === 'rows') answer.row ??= line.rows[0];
		else if (line.kind === 'histogram') answer.days = line.buckets;
		else if (line.kind === 'facets') answer.beside = line.facets;
		else if (line.kind === 'done') {
			answer.total = line.total;
			answer.partial = line.limited;
		} else if (line.kind === 'error') answer.partial = true;
	});
	return answer;
}
