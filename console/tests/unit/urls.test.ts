import { describe, expect, it } from 'vitest';
import { readCase, TABS, writeCase, type CasePageState } from '../../src/lib/case/url';
import { readLog, writeLog } from '../../src/lib/log/url';
import { queueQuery, readQueue, writeQueue, type QueueState } from '../../src/lib/queue/url';
import { readRules, writeRules, type RulesState } from '../../src/lib/rules/url';
import { readSearch, searchKey, writeSearch, type SearchState } from '../../src/lib/search/url';
import { readSettings, writeSettings } from '../../src/lib/settings/url';
import { readSources, writeSources, type SourcesState } from '../../src/lib/sources/url';

const params = (address: string): URLSearchParams => new URL(address, 'http://tandem').searchParams;

/** Every state comes back from its own address, and a second writing gives the same address. */
function roundTrip<T>(read: (params: URLSearchParams) => T, write: (state: T) => string, states: T[]): void {
	for (const state of states) {
		const address = write(state);
		expect(read(params(address)), address).toEqual(state);
		expect(write(read(params(address)))).toBe(address);
	}
}

const nasty = 'user.name:"a & b" AND x:/é+#?%/ | stats count by user.name';

describe('queue', () => {
	const plain: QueueState = { view: 'open', priorities: [], kind: undefined, state: undefined, q: '', sort: '-priority', sel: undefined, panel: false, flat: false };
	it('comes back from its address', () => {
		roundTrip(readQueue, writeQueue, [
			plain,
			{ ...plain, view: 'mine', priorities: ['P1', 'P3'], kind: 'source', state: 'triage', q: nasty, sort: '-opened', sel: 'C-12', panel: true },
			{ ...plain, view: 'closed', sort: '-updated' }
		]);
	});
	it('writes nothing for what is usual', () => {
		expect(writeQueue(plain)).toBe('/queue');
	});
	it('takes no word that it does not know', () => {
		expect(readQueue(params('/queue?view=x&priority=P9,P2,zz&kind=cat&state=dead&sort=up&panel=yes'))).toEqual({ ...plain, priorities: ['P2'] });
	});
	it('asks the server in the order of the priorities', () => {
		expect(queueQuery(readQueue(params('/queue?priority=P3,P1')))).toMatchObject({ priority: 'P1,P3', view: 'open' });
	});
});

describe('case', () => {
	it('comes back from its address', () => {
		const read = (search: URLSearchParams): CasePageState => readCase(search);
		roundTrip<CasePageState>(read, (state) => writeCase('C-1', state), [
			...TABS.map((tab): CasePageState => ({ lens: 'analyst', tab, at: undefined })),
			{ lens: 'plain', tab: 'timeline', at: 'd1-0 /?' }
		]);
	});
	it('has eight tabs, one a digit', () => {
		expect(TABS).toHaveLength(8);
	});
});

describe('search', () => {
	const plain: SearchState = { q: '', from: '-24h', to: 'now', order: 'desc', cols: [], at: undefined, around: undefined, panel: 'parsed', live: false, wrap: false, table: false };
	it('comes back from its address', () => {
		roundTrip(readSearch, writeSearch, [
			plain,
			{ ...plain, q: nasty, from: '2026-11-24T21:00:00.000Z', to: '2026-11-25T01:00:00.000Z', order: 'asc', cols: ['user.name', 'source.ip'], at: '9f/+:=3', panel: 'raw', wrap: true, table: true },
			{ ...plain, live: true, from: '-15m' },
			{ ...plain, at: 'e1', around: 60 }
		]);
	});
	it('takes no time that it cannot read', () => {
		expect(readSearch(params('/search?from=yesterday&to=2026-99-99T00:00:00Z'))).toMatchObject({ from: '-24h', to: 'now' });
		expect(readSearch(params('/search?around=60'))).toMatchObject({ around: undefined });
	});
	it('knows which changes ask anew', () => {
		expect(searchKey({ ...plain, at: 'e1', cols: ['a'], wrap: true, panel: 'raw', table: true })).toBe(searchKey(plain));
		expect(searchKey({ ...plain, q: 'x' })).not.toBe(searchKey(plain));
		expect(searchKey({ ...plain, at: 'e1', around: 60 })).not.toBe(searchKey({ ...plain, at: 'e1' }));
	});
});

describe('the other screens', () => {
	it('come back from their addresses', () => {
		const sources: SourcesState = { tab: 'list', health: undefined, q: '', sort: 'health' };
		roundTrip(readSources, writeSources, [sources, { ...sources, health: 'silent', q: 'fw & edge', sort: 'rate' }, { ...sources, tab: 'connect' }]);
		const rules: RulesState = { q: '', level: undefined, status: undefined, state: undefined, tag: '' };
		roundTrip(readRules, writeRules, [rules, { q: 'a b', level: 'high', status: 'test', state: 'needs values', tag: 'attack.t1003' }]);
		roundTrip(readLog, writeLog, [{ q: '' }, { q: 'case:C-12' }]);
		roundTrip(readSettings, writeSettings, [{ tab: 'profile' }, { tab: 'users' }]);
	});
});
