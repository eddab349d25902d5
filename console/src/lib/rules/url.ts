import type { Level, RuleState } from '../api/types';
import { compose, maybe } from '../url/params';

export const STATES = ['active', 'off', 'unfed', 'error', 'needs values'] as const satisfies readonly RuleState[];
export const LEVELS = ['critical', 'high', 'medium', 'low', 'informational'] as const satisfies readonly Level[];
export const STATUSES = ['stable', 'test', 'experimental', 'deprecated', 'unsupported'] as const;

export interface RulesState {
	q: string;
	level?: Level;
	status?: (typeof STATUSES)[number];
	state?: RuleState;
	tag: string;
}

export function readRules(params: URLSearchParams): RulesState {
	return {
		q: params.get('q') ?? '',
		level: maybe(params.get('level'), LEVELS),
		status: maybe(params.get('status'), STATUSES),
		state: maybe(params.get('state'), STATES),
		tag: params.get('tag') ?? ''
	};
}

export function writeRules(state: RulesState): string {
	return compose('/rules', [
		['q', state.q],
		['level', state.level],
		['status', state.status],
		['state', state.state],
		['tag', state.tag]
	]);
}
