import type { Allowed, ActName, Case, CaseState, Entity, EntityKind } from '../api/types';

/** The way of a case, for the row of steps; a case that was merged or closed early still shows where it stood. */
export const STEPS: readonly CaseState[] = ['new', 'triage', 'analysis', 'response', 'closed'];

export function stepOf(state: CaseState): number {
	if (state === 'recovered') return 3;
	if (state === 'merged') return 4;
	return STEPS.indexOf(state);
}

export function mayAct(allowed: readonly Allowed[], act: ActName): Allowed | undefined {
	return allowed.find((entry) => entry.act === act);
}

/** The acts that move a case on, most useful first; what isn't allowed stays in view with its reason. */
const MAIN: readonly ActName[] = ['take', 'start_triage', 'escalate', 'respond', 'recover', 'close', 'reopen'];
const ALWAYS: readonly ActName[] = ['escalate', 'close'];

export function mainActs(allowed: readonly Allowed[], ended: boolean): Allowed[] {
	return MAIN.flatMap((act) => {
		const entry = mayAct(allowed, act);
		if (!entry) return [];
		return entry.allowed || (!ended && ALWAYS.includes(act)) ? [entry] : [];
	});
}

/** Everything said about who a case concerns, by kind, each name once. */
export function byKind(entities: readonly Entity[]): Map<EntityKind, string[]> {
	const map = new Map<EntityKind, string[]>();
	for (const { kind, name } of entities) {
		const names = map.get(kind) ?? [];
		if (!names.includes(name)) names.push(name);
		map.set(kind, names);
	}
	return map;
}

/** The rules behind a case, each once with its count, the gravest first as the server ordered them. */
export function ruleCounts(entry: Pick<Case, 'why_it_fired'>): { title: string; count: number }[] {
	const counts = new Map<string, number>();
	for (const fired of entry.why_it_fired) counts.set(fired.rule_title, (counts.get(fired.rule_title) ?? 0) + (fired.count ?? 1));
	return [...counts].map(([title, count]) => ({ title, count }));
}
