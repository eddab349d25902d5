import { describe, expect, it } from 'vitest';
import { duration, Format, marked, middleCut, NONE, plain, utf16Index, sentences } from '../../src/lib/format/format';
import { parseWall, zoneOffsetMs } from '../../src/lib/format/zone';

const en = new Format('en-GB', 'Europe/Berlin');
const de = new Format('de-DE', 'Europe/Berlin');
const utc = new Format('en-GB', 'UTC');
const AT = '2026-11-25T02:12:09.481Z';

describe('moments', () => {
	it('stand in tables in the chosen zone', () => {
		expect(en.stamp(AT)).toBe('2026-11-25 03:12:09.481');
		expect(utc.stamp(AT)).toBe('2026-11-25 02:12:09.481');
		expect(en.stamp(AT, 's')).toBe('2026-11-25 03:12:09');
		expect(en.stamp('1969-12-31T23:59:59.250Z')).toBe('1970-01-01 00:59:59.250');
	});
	it('stand in prose as each language writes them', () => {
		expect(en.prose(AT)).toBe('25 Nov 2026, 03:12 CET');
		expect(de.prose(AT)).toBe('25.11.2026, 03:12 Uhr');
		expect(utc.prose(AT)).toBe('25 Nov 2026, 02:12 UTC');
	});
	it('name their zone', () => {
		expect(en.zoneName(AT)).toBe('CET');
		expect(en.zoneName('2026-07-01T00:00:00Z')).toBe('CEST');
		expect(en.zoneOffset(AT)).toBe('UTC+1');
		expect(utc.zoneOffset(AT)).toBe('UTC');
	});
	it('are relative only below a day', () => {
		const now = Date.parse(AT);
		expect(en.ago(now - 240_000, now)).toBe('4 min ago');
		expect(en.ago(now - 3 * 3_600_000, now)).toMatch(/^3 hr?\.? ago$/);
		expect(en.ago(now - 2 * 86_400_000, now)).toBe('2026-11-23');
		expect(en.ago(now + 20_000, now)).toBe('now');
	});
	it('that are missing are a dash, never nought', () => {
		for (const missing of [null, undefined, '', 'soon']) {
			expect(en.stamp(missing)).toBe(NONE);
			expect(en.ago(missing)).toBe(NONE);
		}
		expect(en.number(undefined)).toBe(NONE);
		expect(en.bytes(null)).toBe(NONE);
		expect(en.percent(1, 0)).toBe(NONE);
		expect(duration(undefined)).toBe(NONE);
	});
});

describe('wall clocks', () => {
	it('are read in a zone', () => {
		expect(parseWall('2026-11-25 03:12', 'Europe/Berlin')).toBe(Date.parse('2026-11-25T02:12:00Z'));
		expect(parseWall('2026-11-25 03:12:09.48', 'UTC')).toBe(Date.parse('2026-11-25T03:12:09.480Z'));
		expect(parseWall('2026-11-25', 'Europe/Berlin')).toBe(Date.parse('2026-11-24T23:00:00Z'));
		expect(parseWall('2026-11-25T03:12:00Z', 'Europe/Berlin')).toBe(Date.parse('2026-11-25T03:12:00Z'));
	});
	it('come back from every stamp, also in the night when clocks change', () => {
		for (const zone of ['Europe/Berlin', 'America/New_York', 'Asia/Kathmandu', 'UTC']) {
			const format = new Format('en-GB', zone);
			for (const day of ['2026-03-28', '2026-10-24', '2026-11-25']) {
				for (let hour = 0; hour < 48; hour += 1) {
					const time = Date.parse(`${day}T00:30:00Z`) + hour * 3_600_000;
					const back = parseWall(format.stamp(time, 's'), zone) ?? 0;
					// Of the hour that comes twice, the first is meant.
					expect([time, time - 3_600_000], `${zone} ${format.stamp(time)}`).toContain(back);
					expect(format.stamp(back, 's')).toBe(format.stamp(time, 's'));
				}
			}
		}
	});
	it('that make no sense are refused', () => {
		for (const text of ['', 'yesterday', '2026-02-30', '2026-11-25 25:00', '2026-11-25 03:61', '25.11.2026']) {
			expect(parseWall(text, 'UTC'), text).toBeUndefined();
		}
	});
	it('knows offsets', () => {
		expect(zoneOffsetMs('Europe/Berlin', Date.parse('2026-07-01T00:00:00Z'))).toBe(7_200_000);
		expect(zoneOffsetMs('UTC', 0)).toBe(0);
	});
});

describe('numbers', () => {
	it('follow the language', () => {
		expect(en.number(1_284_112)).toBe('1,284,112');
		expect(de.number(1_284_112)).toBe('1.284.112');
	});
	it('keep three digits that matter', () => {
		expect(en.compact(999)).toBe('999');
		expect(en.compact(1_284_112)).toBe('1.28 M');
		expect(en.compact(12_840)).toBe('12.8 k');
		expect(en.compact(999_999)).toBe('1 M');
		expect(de.compact(1_284_112)).toBe('1,28 M');
	});
	it('count bytes in thousands', () => {
		expect(en.bytes(0)).toBe('0 B');
		expect(en.bytes(3_100_000_000)).toBe('3.1 GB');
		expect(en.bytes(999_950)).toBe('1 MB');
	});
	it('say shares', () => {
		expect(en.percent(1, 3)).toBe('33%');
		expect(en.percent(1, 300)).toBe('0.3%');
	});
	it('say durations', () => {
		expect([412, 2400, 42_000, 400_000, 4_980_000, 273_600_000, 60_000].map((ms) => duration(ms))).toEqual(['412 ms', '2.4 s', '42 s', '6 min 40 s', '1 h 23 min', '3 d 4 h', '1 min']);
	});
});

describe('texts', () => {
	it('are cut in the middle', () => {
		expect(middleCut('C:\\Windows\\System32\\cmd.exe', 12)).toBe('C:\\Win…d.exe');
		expect(middleCut('short', 12)).toBe('short');
	});
	it('are one line', () => {
		expect(plain(['a', 1, null])).toBe('a, 1, ');
		expect(plain({ a: 1 })).toBe('{"a":1}');
	});
	it('are marked at bytes of UTF-8', () => {
		expect(marked('C:\\lsass.exe', [[2, 8]])).toEqual([
			{ text: 'C:', marked: false },
			{ text: '\\lsass', marked: true },
			{ text: '.exe', marked: false }
		]);
		expect(marked('Büro 😀 x', [[6, 10]]).find((piece) => piece.marked)?.text).toBe('😀');
		expect(marked('Büro', [[0, 3]])[0]).toEqual({ text: 'Bü', marked: true });
		expect(utf16Index('é', 2)).toBe(1);
	});
	it('are left whole where the span does not fit', () => {
		expect(marked('abc', [])).toEqual([{ text: 'abc', marked: false }]);
		for (const span of [[4, 2], [0, 99], [9, 9]] as const) expect(marked('abc', [span])).toEqual([{ text: 'abc', marked: false }]);
		expect(marked('', [[0, 0]])).toEqual([{ text: '', marked: false }]);
	});
	it('are marked in several places, which may overlap', () => {
		expect(marked('abcdef', [[3, 5], [0, 1]]).map((piece) => (piece.marked ? `<${piece.text}>` : piece.text)).join('')).toBe('<a>bc<de>f');
		expect(marked('abcdef', [[0, 3], [2, 4]]).map((piece) => (piece.marked ? `<${piece.text}>` : piece.text)).join('')).toBe('<abc><d>ef');
	});
});

describe('remarks of the server', () => {
	it('become sentences', () => {
		expect(sentences('there is no step from new to analysis', 'only a case in triage goes up; take it first')).toBe('There is no step from new to analysis. Only a case in triage goes up; take it first.');
		expect(sentences('Why?', null, undefined, '', 'C-1 is closed!')).toBe('Why? C-1 is closed!');
	});
});
