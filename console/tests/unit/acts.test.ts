import { beforeEach, describe, expect, it, vi } from 'vitest';
import { CaseActs } from '../../src/lib/acts/acts.svelte';
import { ApiError } from '../../src/lib/api/problem';
import type { ActBody, Case, CaseHead } from '../../src/lib/api/types';
import type { App } from '../../src/lib/state/app.svelte';

const head = (version = 1, state: CaseHead['state'] = 'new'): CaseHead => ({ id: 'C-1', kind: 'security', title: 'x', priority: 'P3', priority_reason: '', state, opened: '', updated: '', detections: 0, entities: [], why: '', similar: { count: 0, benign: 0 }, version });

interface Sent {
	id: string;
	version: number;
	body: ActBody;
	answer: (version: number, state?: CaseHead['state']) => void;
	refuse: (status: number) => void;
}
let sent: Sent[];
let said: string[];
let acts: CaseActs;

beforeEach(() => {
	sent = [];
	said = [];
	const api = {
		act: (id: string, version: number, body: ActBody) =>
			new Promise<Case>((resolve, reject) => {
				sent.push({
					id,
					version,
					body,
					answer: (next, state = 'triage') => resolve({ ...head(next, state), grouping: [], why_it_fired: [], timeline: [], linked: [], allowed: [], pinned: [], incident: false }),
					refuse: (status) => reject(new ApiError({ type: 'x', title: 'refused', status, detail: 'L1 took it 3 s ago' }))
				});
			})
	};
	const t = (key: string, values: object = {}): string => `${key} ${JSON.stringify(values)}`;
	acts = new CaseActs({ api, i18n: { t, maybe: t }, t, toasts: { say: (text: string) => said.push(text) } } as unknown as App);
});
const settle = (): Promise<void> => new Promise((resolve) => setTimeout(resolve));

describe('acts', () => {
	it('by fast fingers go one after the other, each on the version that the one before made', async () => {
		acts.begin('take', [head(1)]);
		acts.begin('close', [head(1)]);
		await settle();
		const verdict = acts.run(acts.ask?.heads ?? [], { act: 'close', verdict: 'test', reason: 'r' });
		await settle();
		expect(sent.map((one) => one.body.act)).toEqual(['take']);
		expect(acts.ask?.kind).toBe('verdict');
		sent[0]?.answer(2);
		await settle();
		expect(acts.ask?.kind).toBe('verdict');
		expect(sent[1]).toMatchObject({ version: 2, body: { act: 'close' } });
		sent[1]?.answer(3, 'closed');
		expect(await verdict).toBe(true);
		expect(acts.ask).toBeUndefined();
	});
	it('are sent once, however often the dialog is confirmed', async () => {
		acts.begin('set_priority', [head(1)]);
		void acts.run([head(1)], { act: 'set_priority', priority: 'P1', reason: 'r' });
		expect(await acts.run([head(1)], { act: 'set_priority', priority: 'P1', reason: 'r' })).toBe(false);
		await settle();
		expect(sent).toHaveLength(1);
	});
	it('of others are met with the version that was seen, and told by name', async () => {
		const stale = vi.fn();
		acts.onStale = stale;
		acts.begin('take', [head(1)]);
		await settle();
		sent[0]?.refuse(409);
		await settle();
		expect(said[0]).toContain('L1 took it 3 s ago');
		expect(stale).toHaveBeenCalledWith('C-1');
	});
	it('that the server refuses for a missing word leave the dialog open', async () => {
		acts.begin('escalate', [head(2, 'triage')]);
		void acts.run([head(2, 'triage')], { act: 'escalate', checked: 'x', reason: 'y' });
		await settle();
		sent[0]?.refuse(422);
		await settle();
		expect(acts.ask?.kind).toBe('escalate');
		expect(acts.busy).toBe(false);
	});
});
