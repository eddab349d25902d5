import { describe, expect, it } from 'vitest';
import type { Bucket } from '../../src/lib/api/types';
import { applyCompletion, byteOffset, Values, valueWanted, wordAt } from '../../src/lib/search/complete';
import { brushed, locate, totalOf } from '../../src/lib/search/locate';
import { addCondition, conjuncts, filterBy, literal, quoted, removeCondition, splitPipe } from '../../src/lib/search/query';
import { absolute, isRelative, resolveRange, shift, wider } from '../../src/lib/search/range';
import { summary } from '../../src/lib/search/summary';
import { RowStore } from '../../src/lib/search/rows.svelte';

describe('queries', () => {
	it('are split at the pipe that is one', () => {
		expect(splitPipe('a AND b | stats count')).toEqual({ where: 'a AND b', pipe: '| stats count' });
		expect(splitPipe('m:/a|b/ "x|y" (p | q)')).toEqual({ where: 'm:/a|b/ "x|y" (p | q)', pipe: '' });
	});
	it('are taken apart only where all must hold', () => {
		expect(conjuncts('a AND NOT b:"x y" c:[1 TO 5]')).toEqual(['a', 'NOT b:"x y"', 'c:[1 TO 5]']);
		expect(conjuncts('(a OR b) AND c')).toEqual(['(a OR b)', 'c']);
		expect(conjuncts('a OR b')).toBeUndefined();
		expect(conjuncts('')).toEqual([]);
	});
	it('gain a condition', () => {
		expect(addCondition('', 'user.name:root')).toBe('user.name:root');
		expect(addCondition('a', 'b')).toBe('a AND b');
		expect(addCondition('a OR b', 'c')).toBe('(a OR b) AND c');
		expect(addCondition('a | stats count', 'b')).toBe('a AND b | stats count');
		expect(addCondition('| stats count', 'b')).toBe('b | stats count');
	});
	it('gain it once, and lose its opposite', () => {
		expect(addCondition('a AND b', 'b')).toBe('a AND b');
		expect(addCondition('a AND b', 'b', true)).toBe('a AND NOT b');
		expect(addCondition('a AND NOT b', 'b')).toBe('a AND b');
	});
	it('quote what has to be quoted', () => {
		expect(literal('web-01')).toBe('web-01');
		expect(literal('C:\\Windows\\x.exe')).toBe('"C:\\Windows\\x.exe"');
		expect(literal('say "hi"')).toBe('"say \\"hi\\""');
		expect(literal('*')).toBe('"*"');
		expect(literal('AND')).toBe('"AND"');
		expect(literal('')).toBe('""');
		expect(quoted('a')).toBe('"a"');
	});
	it('filter by value, also by a missing one', () => {
		expect(filterBy('', 'user.name', 'm.huber', false)).toBe('user.name:m.huber');
		expect(filterBy('x', 'user.name', 'm.huber', true)).toBe('x AND NOT user.name:m.huber');
		expect(filterBy('', 'user.name', undefined, false)).toBe('NOT _exists_:user.name');
		expect(filterBy('', 'user.name', '', true)).toBe('_exists_:user.name');
	});
	it('lose a condition', () => {
		expect(removeCondition('a AND NOT b AND c | stats count', 'NOT b')).toBe('a AND c | stats count');
		expect(removeCondition('a', 'a')).toBe('');
	});
});

describe('completion', () => {
	it('takes the place of the word', () => {
		expect(wordAt('a AND use', 9)).toEqual({ start: 6, text: 'use' });
		expect(applyCompletion('a AND use', 9, { text: 'user.name', kind: 'field', detail: '' })).toEqual({ query: 'a AND user.name:', caret: 16 });
		expect(applyCompletion('user.name:ro AND b', 12, { text: 'root', kind: 'value', detail: '' })).toEqual({ query: 'user.name:root AND b', caret: 14 });
		expect(applyCompletion('user.name:', 10, { text: 'a b', kind: 'value', detail: '' })).toEqual({ query: 'user.name:"a b" ', caret: 16 });
		expect(applyCompletion('_exists_:us', 11, { text: 'user.name', kind: 'field', detail: '' }).query).toBe('_exists_:user.name');
		expect(applyCompletion('* | stats sum(ht', 16, { text: 'http.bytes', kind: 'field', detail: '' }).query).toBe('* | stats sum(http.bytes');
	});
	it('counts in bytes', () => {
		expect(byteOffset('Büro', 2)).toBe(3);
	});
});

describe('time ranges', () => {
	const now = Date.parse('2026-11-25T12:00:00Z');
	it('are resolved when they are asked', () => {
		expect(resolveRange({ from: '-24h', to: 'now' }, now)).toEqual({ from: now - 86_400_000, to: now });
		expect(resolveRange({ from: '2026-11-25T00:00:00Z', to: '2026-11-25T01:00:00Z' }, now)).toEqual({ from: Date.parse('2026-11-25T00:00:00Z'), to: Date.parse('2026-11-25T01:00:00Z') });
	});
	it('that make no sense are none', () => {
		for (const range of [{ from: 'now', to: '-1h' }, { from: 'x', to: 'now' }, { from: '-0h', to: 'now' }]) expect(resolveRange(range, now)).toBeUndefined();
	});
	it('move by their own length, and not beyond now', () => {
		const span = { from: now - 7_200_000, to: now - 3_600_000 };
		expect(shift(span, -1, now)).toEqual({ from: now - 10_800_000, to: now - 7_200_000 });
		expect(shift(span, 1, now)).toEqual({ from: now - 3_600_000, to: now });
		expect(shift({ from: now - 1000, to: now }, 1, now)).toEqual({ from: now - 1000, to: now });
	});
	it('can be widened step by step', () => {
		expect(wider({ from: '-24h', to: 'now' }, now)).toEqual({ from: '-7d', to: 'now' });
		expect(wider({ from: '-90d', to: 'now' }, now)).toBeUndefined();
		expect(isRelative({ from: '-7d', to: 'now' })).toBe(true);
		expect(isRelative(absolute({ from: 0, to: 1 }))).toBe(false);
	});
});

describe('places in a result', () => {
	const bucket = (minute: number, count: number): Bucket => ({ from: `2026-11-25T00:0${minute}:00Z`, to: `2026-11-25T00:0${minute + 1}:00Z`, count });
	const buckets = [bucket(0, 10), bucket(1, 0), bucket(2, 5), bucket(3, 20)];
	it('are found by counting, newest first or oldest first', () => {
		expect(locate(0, buckets, 'desc')).toMatchObject({ bound: '2026-11-25T00:04:00Z', start: 0 });
		expect(locate(19, buckets, 'desc')).toMatchObject({ start: 0 });
		expect(locate(20, buckets, 'desc')).toMatchObject({ bound: '2026-11-25T00:03:00Z', start: 20 });
		expect(locate(25, buckets, 'desc')).toMatchObject({ bound: '2026-11-25T00:01:00Z', start: 25 });
		expect(locate(35, buckets, 'desc')).toBeUndefined();
		expect(locate(12, buckets, 'asc')).toMatchObject({ bound: '2026-11-25T00:02:00Z', start: 10 });
		expect(totalOf(buckets)).toBe(35);
	});
	it('under a brush are one span, whichever end came first', () => {
		expect(brushed(buckets, 2, 0)).toEqual(brushed(buckets, 0, 2));
		expect(brushed(buckets, 0, 2)).toEqual({ from: '2026-11-25T00:00:00Z', to: '2026-11-25T00:03:00Z', count: 15 });
		expect(brushed(buckets, 0, 9)).toBeUndefined();
	});
});

describe('rows', () => {
	const row = (id: number) => ({ id: String(id), time: '', received: '', source: '', parser: '', log_types: [], raw: '', truncated: false, fields: {} });
	it('span the whole result, held or not', () => {
		const rows = new RowStore();
		rows.total = 4_200_000;
		expect(rows.count).toBe(100_000);
		rows.put(50_000, [row(1), row(2)]);
		expect(rows.at(50_001)?.id).toBe('2');
		expect(rows.missing(49_999, 50_010)).toBe(49_999);
		expect(rows.missing(50_000, 50_002)).toBeUndefined();
		expect(rows.indexOf('2')).toBe(50_001);
	});
	it('far from the eye are let go', () => {
		const rows = new RowStore();
		rows.total = 100_000;
		for (let start = 0; start < 40_000; start += 1000) rows.put(start, Array.from({ length: 1000 }, (_, index) => row(start + index)));
		rows.trim(39_000);
		expect(rows.at(0)).toBeUndefined();
		expect(rows.at(39_999)?.id).toBe('39999');
	});
});

describe('values', () => {
	it('are wanted behind a field and its colon', () => {
		const at = (query: string) => valueWanted(query, query.length);
		expect(at('user.name:ro')).toEqual({ field: 'user.name', prefix: 'ro' });
		expect(at('a AND NOT host.name:')).toEqual({ field: 'host.name', prefix: '' });
		expect(at('(source:"web')).toEqual({ field: 'source', prefix: 'web' });
		expect(at('-source:w')).toEqual({ field: 'source', prefix: 'w' });
		for (const query of ['user.na', 'user.name:root ', 'bytes:>10', '_exists_:user', '* | stats count by x:', 'path:/etc', 'host:a*']) expect(at(query), query).toBeUndefined();
	});
	it('are put in quotes where they need it', () => {
		const put = (text: string) => applyCompletion('user.name:', 10, { text, kind: 'value', detail: '' }).query;
		expect(put('root')).toBe('user.name:root ');
		expect(put('NT AUTHORITY')).toBe('user.name:"NT AUTHORITY" ');
		expect(put('C:\\Temp')).toBe('user.name:"C:\\Temp" ');
		expect(applyCompletion('user.name:"NT', 13, { text: 'NT AUTHORITY', kind: 'value', detail: '' }).query).toBe('user.name:"NT AUTHORITY" ');
	});
	const range = { from: '2026-11-24T00:00:00Z', to: '2026-11-25T00:00:00Z' };
	const answers = (all: string[], most: number) => {
		const asked: string[] = [];
		const values = new Values(async (body, _signal, each) => {
			asked.push(body.query);
			const begins = /:(.*)\*$/.exec(body.query)?.[1] ?? '';
			const found = all.filter((value) => value.startsWith(begins));
			each({ kind: 'facets', facets: [{ field: 'user.name', values: found.slice(0, most).map((value) => ({ value, count: 1 })), distinct: found.length, missing: 0 }] });
		});
		return { asked, of: async (prefix: string) => (await values.of({ field: 'user.name', prefix }, range, new AbortController().signal)).map((one) => one.value) };
	};
	it('are asked for once a field where the answer is all of them', async () => {
		const { asked, of } = answers(['root', 'ralf', 'mara'], 10);
		expect(await of('')).toEqual(['root', 'ralf', 'mara']);
		expect(await of('R')).toEqual(['root', 'ralf']);
		expect(await of('x')).toEqual([]);
		expect(asked).toEqual(['*']);
	});
	it('beyond the most frequent are looked for by their beginning', async () => {
		const { asked, of } = answers(['a1', 'a2', 'a3', 'zoe'], 3);
		expect(await of('a')).toEqual(['a1', 'a2', 'a3']);
		expect(await of('zo')).toEqual(['zoe']);
		expect(asked).toEqual(['*', 'user.name:zo*']);
	});
});

describe('an event in one line', () => {
	const line = (raw: string, fields: Record<string, string | number> = {}): string => summary({ raw, fields });
	it('is its message, or the text as it came', () => {
		expect(line('<38>Nov 25 web1 sshd[1]: Failed password', { message: 'Failed password' })).toBe('Failed password');
		expect(line('<38>Nov 25 web1 sshd[1]: Failed password')).toBe('<38>Nov 25 web1 sshd[1]: Failed password');
	});
	it('is what tells most, where the text is for machines', () => {
		expect(line('{"a":1}', { message: '', 'event.action': 'logged-in', 'event.outcome': 'failure', 'source.ip': '10.0.0.1', 'user.name': 'root' })).toBe('logged-in (failure) · user.name=root · source.ip=10.0.0.1');
		expect(line('<Event/>', { 'process.command_line': 'cmd /c x', 'process.executable': 'cmd' })).toBe('process.command_line=cmd /c x');
	});
	it('of Windows is made of the sender’s own fields where it left the message empty', () => {
		const raw = '{"@timestamp":"2026-11-25T22:15:28.334Z","message":"","event":{"code":"5001"}}';
		const record = { EventID: 5001, Provider_Name: 'Microsoft-Windows-Windows Defender', Channel: 'Operational', Computer: 'SRV', Level: 4, EventRecordID: 9, ProductName: 'Microsoft Defender Antivirus', Path: '', ErrorCode: '0x00000000', 'event.action': 'realtime-protection-disabled', 'agent.type': 'winlogbeat' };
		expect(line(raw, record)).toBe('realtime-protection-disabled · ProductName=Microsoft Defender Antivirus');
		// What a common name has said is not said again.
		expect(line(raw, { 'event.action': 'service-installed', 'service.name': 'PSEXESVC', ServiceName: 'PSEXESVC', StartType: 'demand start' })).toBe('service-installed · service.name=PSEXESVC · StartType=demand start');
		expect(line(raw, { ScriptBlockText: 'IEX\n\t(New-Object Net.WebClient)', ScriptBlockId: 'd4bb', LogonGuid: '{00000000-0000-0000-0000-000000000000}' })).toBe('ScriptBlockText=IEX (New-Object Net.WebClient) · ScriptBlockId=d4bb');
	});
	it('is the text itself where nothing tells', () => {
		expect(line('{"a":1}', { 'event.action': 'x' })).toBe('{"a":1}');
		expect(line('type=CWD msg=audit(1): cwd="/"', { 'event.action': 'cwd' })).toBe('type=CWD msg=audit(1): cwd="/"');
	});
});
