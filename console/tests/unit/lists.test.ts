import { describe, expect, it } from 'vitest';
import { lastActId } from '../../src/lib/acts/acts.svelte';
import { snoozeUntil } from '../../src/lib/acts/snooze';
import { VERDICTS } from '../../src/lib/acts/verdicts';
import type { Case, CaseHead, TimelineEntry } from '../../src/lib/api/types';
import { mergeMatches } from '../../src/lib/case/matches';
import { byKind, mainActs, ruleCounts, STEPS, stepOf } from '../../src/lib/case/plain';
import { byMinute, knownLate, sorted } from '../../src/lib/case/timeline';
import { statusParts } from '../../src/lib/home/status';
import en from '../../src/lib/i18n/en.json';
import { concerns } from '../../src/lib/entity/facts';
import { entityPath, entityQuery } from '../../src/lib/entity/entity';
import { entriesOf, groupRows, whatHappened } from '../../src/lib/queue/groups';
import { asRows, mergeInPlace, neighbour } from '../../src/lib/queue/merge';
import { lineOf, yamlTokens } from '../../src/lib/rules/yaml';
import { configLines } from '../../src/lib/settings/config';
import { currentDestination, DESTINATIONS } from '../../src/lib/shell/nav';
import { rank, readJump } from '../../src/lib/shell/palette';
import { chosen, understood } from '../../src/lib/sources/url';
import { nextZone, readPreferences, zoneName } from '../../src/lib/state/preferences';
import { between, moveCursor } from '../../src/lib/ui/cursor';
import { sparkOf } from '../../src/lib/ui/spark';
import { MOST_NODES, scrollFor, visibleRange } from '../../src/lib/ui/window';

const head = (id: string, more: Partial<CaseHead> = {}): CaseHead => ({
	id,
	kind: 'security',
	title: id,
	priority: 'P3',
	priority_reason: '',
	state: 'new',
	opened: '',
	updated: '',
	detections: 1,
	entities: [],
	why: '',
	similar: { count: 0, benign: 0 },
	version: 1,
	...more
});

describe('the queue', () => {
	const shown = asRows([head('C-1'), head('C-2'), head('C-3')]);
	it('changes rows in their place and keeps arrivals waiting', () => {
		const { rows, arrivals } = mergeInPlace(shown, [head('C-9'), head('C-3', { version: 4 }), head('C-1')]);
		expect(rows.map((row) => [row.head.id, row.head.version, row.gone])).toEqual([
			['C-1', 1, false],
			['C-2', 1, true],
			['C-3', 4, false]
		]);
		expect(arrivals.map((entry) => entry.id)).toEqual(['C-9']);
	});
	it('takes back a row that fits again', () => {
		const gone = mergeInPlace(shown, [head('C-1')]).rows;
		expect(mergeInPlace(gone, [head('C-1'), head('C-2'), head('C-3')]).rows.some((row) => row.gone)).toBe(false);
	});
	it('hands the cursor to the next row that stays', () => {
		const rows = mergeInPlace(shown, [head('C-1'), head('C-3')]).rows;
		expect(neighbour(rows, 'C-1')).toBe('C-3');
		expect(neighbour(rows, 'C-3')).toBe('C-1');
		expect(neighbour([], 'C-1')).toBeUndefined();
	});
});

describe('a cursor', () => {
	const ids = ['a', 'b', 'c'];
	it('moves and stops at the ends', () => {
		expect(moveCursor(ids, 'a', 1)).toBe('b');
		expect(moveCursor(ids, 'c', 1)).toBe('c');
		expect(moveCursor(ids, undefined, 1)).toBe('a');
		expect(moveCursor(ids, 'gone', -1)).toBe('c');
		expect(moveCursor(ids, 'b', 'last')).toBe('c');
		expect(moveCursor([], 'b', 1)).toBeUndefined();
	});
	it('spans a range in either direction', () => {
		expect(between(ids, 'c', 'a')).toEqual(ids);
		expect(between(ids, undefined, 'b')).toEqual(['b']);
	});
});

describe('a long list', () => {
	it('never has more nodes than allowed', () => {
		for (const height of [0, 300, 900, 4000]) {
			for (const top of [0, 1, 31_999, 3_199_000, 99_999_999]) {
				const { start, end } = visibleRange(top, height, 32, 100_000);
				expect(end - start).toBeLessThanOrEqual(MOST_NODES);
				expect(end).toBeLessThanOrEqual(100_000);
				expect(start).toBeGreaterThanOrEqual(0);
			}
		}
		expect(visibleRange(0, 500, 32, 0)).toEqual({ start: 0, end: 0 });
	});
	it('shows every row that can be seen', () => {
		const { start, end } = visibleRange(1000, 640, 32, 500);
		expect(start * 32).toBeLessThanOrEqual(1000);
		expect(end * 32).toBeGreaterThanOrEqual(1640);
	});
	it('scrolls only as far as it must', () => {
		expect(scrollFor(5, 0, 640, 32)).toBe(0);
		expect(scrollFor(20, 0, 640, 32)).toBe(32);
		expect(scrollFor(1, 320, 640, 32)).toBe(32);
	});
});

describe('a case', () => {
	it('shows what may not be done where it matters', () => {
		const entry = (act: 'take' | 'close' | 'escalate' | 'respond' | 'reopen', allowed: boolean) => ({ act, allowed, because: 'x' });
		const list = [entry('close', false), entry('respond', false), entry('take', true), entry('escalate', false), entry('reopen', false)];
		expect(mainActs(list, false).map((one) => one.act)).toEqual(['take', 'escalate', 'close']);
		expect(mainActs(list, true).map((one) => one.act)).toEqual(['take']);
	});
	it('shows a value once, with every part that met it', () => {
		const span = (a: number, b: number): [number, number] => [a, b];
		expect(mergeMatches([{ field: 'a', value: 'x y', span: span(0, 1) }, { field: 'b', value: 'x y', span: null }, { field: 'a', value: 'x y', span: span(2, 3) }, { field: 'a', value: 'x y', span: span(0, 1) }])).toEqual([
			{ field: 'a', value: 'x y', spans: [[0, 1], [2, 3]] },
			{ field: 'b', value: 'x y', spans: [] }
		]);
	});
	it('stands at a step of its way', () => {
		expect((['new', 'triage', 'analysis', 'response', 'recovered', 'closed', 'merged'] as const).map(stepOf)).toEqual([0, 1, 2, 3, 3, 4, 4]);
		expect(STEPS).toHaveLength(5);
	});
	it('is told in plain words', () => {
		expect([...byKind([{ kind: 'host', name: 'a' }, { kind: 'user', name: 'b' }, { kind: 'host', name: 'a' }])]).toEqual([
			['host', ['a']],
			['user', ['b']]
		]);
		const fired = (rule_title: string, count?: number) => ({ detection_id: '', rule_id: '', rule_title, level: 'high' as const, time: '', in_words: '', matches: [], count });
		expect(ruleCounts({ why_it_fired: [fired('A', 4), fired('B'), fired('A')] })).toEqual([
			{ title: 'A', count: 5 },
			{ title: 'B', count: 1 }
		]);
	});
	const entry = (at: string, more: Partial<TimelineEntry> = {}): TimelineEntry => ({ at, kind: 'event', title: at, decisive: false, ...more });
	it('has its timeline in order, and by minute when it is long', () => {
		const entries = [entry('2026-01-01T00:01:30Z'), entry('2026-01-01T00:00:10Z'), entry('2026-01-01T00:01:05Z')];
		expect(sorted(entries).map((one) => one.at.slice(14, 19))).toEqual(['00:10', '01:05', '01:30']);
		expect(byMinute(entries).map((group) => [group.minute.slice(14), group.entries.length])).toEqual([
			['00', 1],
			['01', 2]
		]);
	});
	it('says what became known only later', () => {
		expect(knownLate(entry('2026-01-01T00:00:00Z', { known_at: '2026-01-01T00:00:02Z' }))).toBe(false);
		expect(knownLate(entry('2026-01-01T00:00:00Z', { known_at: '2026-01-01T00:08:00Z' }))).toBe(true);
	});
	it('offers to undo the newest act that still can be', () => {
		const later = new Date(Date.now() + 50_000).toISOString();
		const answer = { timeline: [entry('2', { kind: 'act', act_id: 'b', undo_until: later }), entry('1', { kind: 'act', act_id: 'a', undo_until: later }), entry('3', { kind: 'act', act_id: 'c', undo_until: '2020-01-01T00:00:00Z' })] } as Case;
		expect(lastActId(answer)).toBe('b');
		expect(lastActId({ timeline: [entry('1', { kind: 'act' })] } as Case)).toBeUndefined();
	});
	it('has six verdicts with letters and reasons', () => {
		expect(new Set(VERDICTS.map((one) => one.letter)).size).toBe(6);
		for (const { verdict, reasons } of VERDICTS) {
			for (let index = 1; index <= reasons; index += 1) expect(Object.keys(en)).toContain(`reason.${verdict}.${index}`);
		}
	});
	it('comes back from a snooze in the morning', () => {
		const friday = new Date(2026, 10, 27, 15, 0);
		expect(snoozeUntil('2h', friday).getTime() - friday.getTime()).toBe(7_200_000);
		expect(snoozeUntil('tomorrow', friday).toString()).toBe(new Date(2026, 10, 28, 8).toString());
		expect(snoozeUntil('monday', friday).toString()).toBe(new Date(2026, 10, 30, 8).toString());
		expect(snoozeUntil('monday', new Date(2026, 10, 30, 9)).toString()).toBe(new Date(2026, 11, 7, 8).toString());
	});
});

describe('home', () => {
	const status = { cases_mine: 0, cases_unowned: 0, sources_unhealthy: 0, sources: 4, detections_24h: 3, events_24h: 9 };
	it('says what needs the person, or that nothing does', () => {
		expect(statusParts({ status }).map((part) => part.key)).toEqual(['home.status.calm', 'home.status.events']);
		expect(statusParts({ status: { ...status, cases_mine: 2, sources_unhealthy: 1, events_24h: 0 } }).map((part) => part.key)).toEqual(['home.status.mine', 'home.status.sources', 'home.status.no-events']);
	});
});

describe('sources', () => {
	const source = (name: string, health: 'ok' | 'silent' | 'failing' | 'new', rate: number) => ({ id: name, name, transport: 'syslog', first_seen: '', last_event: '', records: 100, events: 100, parse_errors: 2, generic: 3, bytes: 0, rate_per_min: rate, spark: [], health, health_reason: '', log_types: ['linux/sshd'] });
	const all = [source('b', 'ok', 5), source('a', 'ok', 9), source('c', 'silent', 0)];
	it('stand worst first, or as wished', () => {
		expect(chosen(all, { tab: 'list', q: '', sort: 'health' }).map((one) => one.id)).toEqual(['c', 'a', 'b']);
		expect(chosen(all, { tab: 'list', q: '', sort: 'rate' }).map((one) => one.id)).toEqual(['a', 'b', 'c']);
		expect(chosen(all, { tab: 'list', q: 'SSHD', sort: 'name', health: 'silent' }).map((one) => one.id)).toEqual(['c']);
	});
	it('say what share is understood', () => {
		expect(understood(source('a', 'ok', 1))).toBeCloseTo(0.95);
		expect(understood({ records: 0, parse_errors: 0, generic: 0 })).toBeUndefined();
	});
	it('are drawn with their gaps', () => {
		const spark = sparkOf([4, 4, 0, 0, 8], 96, 20);
		expect(spark.gaps).toHaveLength(1);
		expect(spark.path.startsWith('M0 ')).toBe(true);
		expect(sparkOf([0, 0, 3], 96, 20).gaps).toEqual([]);
		expect(sparkOf([], 96, 20).last).toBe(0);
	});
});

describe('rules', () => {
	it('are coloured without losing a letter', () => {
		for (const line of ["    Image|endswith: '\\powershell.exe'  # shell", '# comment', '- a: "b # c"', 'condition: 1 of selection_*', '', '  - plain: x#y', "'quoted key': 1"]) {
			expect(yamlTokens(line).map((token) => token.text).join('')).toBe(line);
		}
		expect(yamlTokens("  User: 'x' # why").map((token) => token.tone)).toEqual(['plain', 'key', 'string', 'comment']);
	});
	it('name the line of an error', () => {
		expect(lineOf("line 14: the condition names 'x'")).toBe(14);
		expect(lineOf('no data')).toBeUndefined();
	});
});

describe('the shell', () => {
	it('knows where it is', () => {
		expect(currentDestination('/cases/C-1')?.id).toBe('queue');
		expect(currentDestination('/rules/x')?.id).toBe('rules');
		expect(currentDestination('/')?.id).toBe('home');
		expect(currentDestination('/nowhere')).toBeUndefined();
		expect(DESTINATIONS.map((one) => one.id)).toEqual(['home', 'queue', 'search', 'sources', 'rules', 'runs', 'settings', 'log']);
	});
	it('reads wishes', () => {
		expect(readJump('c-1042')).toEqual({ kind: 'case', id: 'C-1042' });
		expect(readJump('#12')).toEqual({ kind: 'case', id: 'C-12' });
		expect(readJump('203.0.113.44')).toEqual({ kind: 'entity', field: 'source.ip', value: '203.0.113.44' });
		expect(readJump('fe80::1')).toEqual({ kind: 'entity', field: 'source.ip', value: 'fe80::1' });
		expect(readJump('lsass')).toEqual({ kind: 'words', text: 'lsass' });
		expect(readJump('  ')).toBeUndefined();
	});
	it('ranks beginnings before middles', () => {
		expect(rank('que', 'Queue')).toBe(0);
		expect(rank('case take', 'Take the case')).toBe(1);
		expect(rank('xyz', 'Queue')).toBeUndefined();
	});
	it('shows the configuration in lines, and hides what is masked', () => {
		expect(configLines({ a: { b: 1, c: ['x'] }, mail: { password: '***' } })).toEqual([
			{ path: 'a.b', value: '1', masked: false },
			{ path: 'a.c', value: '["x"]', masked: false },
			{ path: 'mail.password', value: '"***"', masked: true }
		]);
	});
});

describe('preferences', () => {
	it('keep what is known and default the rest', () => {
		expect(readPreferences({ theme: 'dark', density: 'huge', single_keys: 'no', zone: 'utc' })).toEqual({ theme: 'dark', language: 'en', zone: 'utc', density: 'normal', single_keys: true });
		expect(readPreferences(undefined, 'de-AT').language).toBe('de');
	});
	it('go through the zones', () => {
		expect(nextZone('site', 'Asia/Tokyo', 'Europe/Berlin')).toBe('utc');
		expect(nextZone('utc', 'Asia/Tokyo', 'Europe/Berlin')).toBe('mine');
		expect(nextZone('mine', 'Asia/Tokyo', 'Europe/Berlin')).toBe('site');
		expect(nextZone('mine', undefined, 'Europe/Berlin')).toBe('utc');
		expect(nextZone('utc', 'Europe/Berlin', 'Europe/Berlin')).toBe('mine');
		expect(zoneName('site', undefined, 'Europe/Berlin')).toBe('Europe/Berlin');
		expect(zoneName('utc', 'Asia/Tokyo', 'Europe/Berlin')).toBe('UTC');
	});
});

describe('groups of the queue', () => {
	const on = (id: string, name: string, more: Partial<CaseHead> = {}): CaseHead => head(id, { title: `Log Cleared on ${name}`, entities: [{ kind: 'user', name: 'x' }, { kind: 'host', name }], ...more });
	it('are called after what happened, without to whom', () => {
		expect(whatHappened(on('C-1', 'srv1'))).toBe('Log Cleared');
		expect(whatHappened(head('C-2', { title: 'Service Stopped on Purpose' }))).toBe('Service Stopped on Purpose');
	});
	it('stand with the most urgent first, of those the largest; a single case needs none', () => {
		const rows = asRows([on('C-1', 'a'), on('C-2', 'b', { owner: { id: 'u', name: 'U' }, updated: '2' }), head('C-3', { title: 'One', priority: 'P1' }), head('C-4', { title: 'Pair', priority: 'P3' }), head('C-5', { title: 'Pair', priority: 'P2' })]);
		const groups = groupRows(rows);
		expect(groups.map((group) => [group.title, group.priority, group.rows.length, group.unowned])).toEqual([
			['One', 'P1', 1, 1],
			['Pair', 'P2', 2, 2],
			['Log Cleared', 'P3', 2, 1]
		]);
		const shown = (open: string[]) => entriesOf(groups, new Set(open)).map((entry) => entry.group?.title ?? entry.row?.head.id);
		expect(shown([])).toEqual(['C-3', 'Pair', 'Log Cleared']);
		expect(shown([groups[1]?.id ?? ''])).toEqual(['C-3', 'Pair', 'C-4', 'C-5', 'Log Cleared']);
	});
	it('keep kinds of cases apart', () => {
		expect(groupRows(asRows([head('C-1', { title: 'T' }), head('C-2', { title: 'T', kind: 'source' })]))).toHaveLength(2);
	});
});

describe('an entity', () => {
	it('is looked for in every field of its kind, a domain apart from its user', () => {
		expect(entityQuery({ kind: 'host', name: 'srv-1.example' })).toBe('host.name:srv-1.example');
		expect(entityQuery({ kind: 'user', name: 'NORDWIND\\a.keller' })).toBe('(user.name:a.keller OR user.target.name:a.keller) AND user.domain:NORDWIND');
		expect(entityQuery({ kind: 'user', name: 'root' })).toBe('(user.name:root OR user.target.name:root)');
		expect(entityQuery({ kind: 'address', name: '2001:db8::1' })).toContain('source.ip:"2001:db8::1" OR destination.ip:"2001:db8::1"');
	});
	it('has an address of its own', () => {
		expect(entityPath({ kind: 'file', name: 'C:\\a b\\c/d' })).toBe('/entities/file/C%3A%5Ca%20b%5Cc%2Fd');
	});
	it('is concerned only by cases that name it', () => {
		const one = head('C-1', { entities: [{ kind: 'host', name: 'SRV-1' }] });
		expect(concerns(one, { kind: 'host', name: 'srv-1' })).toBe(true);
		expect(concerns(one, { kind: 'user', name: 'srv-1' })).toBe(false);
		expect(concerns(one, { kind: 'host', name: 'srv-10' })).toBe(false);
	});
});
