/** Every date, duration, size and number that the console shows passes through here. */

export const NONE = '–';

export type Moment = string | number | Date | null | undefined;

export function instant(value: Moment): number | undefined {
	if (value === null || value === undefined || value === '') return undefined;
	const time = value instanceof Date ? value.getTime() : typeof value === 'number' ? value : Date.parse(value);
	return Number.isFinite(time) ? time : undefined;
}

const pad = (value: number, width = 2): string => String(value).padStart(width, '0');

interface Parts {
	year: string;
	month: string;
	day: string;
	hour: string;
	minute: string;
	second: string;
}

export class Format {
	readonly locale: string;
	/** An IANA name; "UTC" for UTC. */
	readonly zone: string;
	#table: Intl.DateTimeFormat;
	#whole: Intl.NumberFormat;
	#month: Intl.DateTimeFormat;
	#short: Intl.DateTimeFormat;
	#offset: Intl.DateTimeFormat;

	constructor(locale: string, zone: string) {
		this.locale = locale;
		this.zone = zone;
		const digits = {
			timeZone: zone,
			year: 'numeric',
			month: '2-digit',
			day: '2-digit',
			hour: '2-digit',
			minute: '2-digit',
			second: '2-digit',
			hourCycle: 'h23'
		} as const;
		this.#table = new Intl.DateTimeFormat('en-GB', digits);
		this.#whole = new Intl.NumberFormat(locale);
		this.#month = new Intl.DateTimeFormat('en-GB', { timeZone: zone, month: 'short' });
		this.#short = new Intl.DateTimeFormat('en-GB', { timeZone: zone, timeZoneName: 'short' });
		this.#offset = new Intl.DateTimeFormat('en-GB', { timeZone: zone, timeZoneName: 'shortOffset' });
	}

	#parts(time: number): Parts {
		const parts = { year: '', month: '', day: '', hour: '', minute: '', second: '' };
		for (const part of this.#table.formatToParts(time)) {
			if (part.type in parts) parts[part.type as keyof Parts] = part.value;
		}
		return parts;
	}

	#named(formatter: Intl.DateTimeFormat, time: number, type: string): string {
		return formatter.formatToParts(time).find((part) => part.type === type)?.value ?? '';
	}

	/** For tables: `2026-11-25 03:12:09.481` in the chosen zone. */
	stamp(value: Moment, precision: 'ms' | 's' | 'min' = 'ms'): string {
		const time = instant(value);
		if (time === undefined) return NONE;
		const p = this.#parts(time);
		const minutes = `${p.year}-${p.month}-${p.day} ${p.hour}:${p.minute}`;
		if (precision === 'min') return minutes;
		const seconds = `${minutes}:${p.second}`;
		return precision === 's' ? seconds : `${seconds}.${pad(((time % 1000) + 1000) % 1000, 3)}`;
	}

	/** `03:12:09` or `03:12`. */
	clock(value: Moment, seconds = false): string {
		const time = instant(value);
		if (time === undefined) return NONE;
		const p = this.#parts(time);
		return seconds ? `${p.hour}:${p.minute}:${p.second}` : `${p.hour}:${p.minute}`;
	}

	/** `2026-11-25`. */
	day(value: Moment): string {
		const time = instant(value);
		if (time === undefined) return NONE;
		const p = this.#parts(time);
		return `${p.year}-${p.month}-${p.day}`;
	}

	/** For prose: `25 Nov 2026, 03:12 CET`; in German `25.11.2026, 03:12 Uhr`. */
	prose(value: Moment): string {
		const time = instant(value);
		if (time === undefined) return NONE;
		const p = this.#parts(time);
		if (this.locale.startsWith('de')) return `${p.day}.${p.month}.${p.year}, ${p.hour}:${p.minute} Uhr`;
		const month = this.#named(this.#month, time, 'month');
		return `${Number(p.day)} ${month} ${p.year}, ${p.hour}:${p.minute} ${this.zoneName(time)}`;
	}

	/** `CET`, `UTC` or `GMT-3`: what stands in the head of a time column. */
	zoneName(value: Moment = Date.now()): string {
		if (this.zone === 'UTC') return 'UTC';
		return this.#named(this.#short, instant(value) ?? Date.now(), 'timeZoneName') || this.zone;
	}

	/** `UTC+1`: what stands in the bar. */
	zoneOffset(value: Moment = Date.now()): string {
		if (this.zone === 'UTC') return 'UTC';
		const name = this.#named(this.#offset, instant(value) ?? Date.now(), 'timeZoneName');
		return name === 'GMT' ? 'UTC+0' : name.replace('GMT', 'UTC');
	}

	number(value: number | null | undefined): string {
		return value === null || value === undefined || !Number.isFinite(value) ? NONE : this.#whole.format(value);
	}

	/** `1.28 M`: three digits that matter. */
	compact(value: number | null | undefined): string {
		if (value === null || value === undefined || !Number.isFinite(value)) return NONE;
		return this.#scaled(value, 1000, ['', 'k', 'M', 'G', 'T']);
	}

	/** Decimal units, as disks and networks count: `3.1 GB`. */
	bytes(value: number | null | undefined): string {
		if (value === null || value === undefined || !Number.isFinite(value)) return NONE;
		return this.#scaled(value, 1000, ['B', 'kB', 'MB', 'GB', 'TB', 'PB']);
	}

	#scaled(value: number, base: number, units: string[]): string {
		let step = 0;
		let rest = Math.abs(value);
		while (rest >= base && step < units.length - 1) {
			rest /= base;
			step += 1;
		}
		let digits = step === 0 ? 0 : rest >= 100 ? 0 : rest >= 10 ? 1 : 2;
		if (step > 0 && Number(rest.toFixed(digits)) >= base && step < units.length - 1) {
			rest /= base;
			step += 1;
			digits = 2;
		}
		const number = new Intl.NumberFormat(this.locale, { maximumFractionDigits: digits }).format(
			value < 0 ? -rest : rest
		);
		const unit = units[step] ?? '';
		return unit === '' ? number : `${number} ${unit}`;
	}

	percent(part: number, whole: number): string {
		if (whole <= 0) return NONE;
		const share = part / whole;
		return new Intl.NumberFormat(this.locale, {
			style: 'percent',
			maximumFractionDigits: share > 0 && share < 0.1 ? 1 : 0
		}).format(share);
	}

	/** `4 min ago` below 24 h, otherwise the day; the absolute time belongs in the title. */
	ago(value: Moment, now: number = Date.now()): string {
		const time = instant(value);
		if (time === undefined) return NONE;
		// Clocks differ by moments; what has just happened is not in the future.
		const apart = Math.round((now - time) / 1000);
		const seconds = apart < 0 && apart > -120 ? 0 : apart;
		if (Math.abs(seconds) >= 86_400) return this.day(time);
		const words = new Intl.RelativeTimeFormat(this.locale, { numeric: 'auto', style: 'short' });
		if (Math.abs(seconds) < 60) return words.format(-seconds, 'second');
		if (Math.abs(seconds) < 3600) return words.format(-Math.trunc(seconds / 60), 'minute');
		return words.format(-Math.trunc(seconds / 3600), 'hour');
	}
}

/** `412 ms`, `2.4 s`, `6 min 40 s`, `1 h 23 min`, `3 d 4 h`. */
export function duration(ms: number | null | undefined, decimal = '.'): string {
	if (ms === null || ms === undefined || !Number.isFinite(ms)) return NONE;
	const sign = ms < 0 ? '−' : '';
	const size = Math.abs(ms);
	if (size < 1000) return `${sign}${Math.round(size)} ms`;
	if (size < 10_000) return `${sign}${(size / 1000).toFixed(1).replace('.', decimal)} s`;
	const seconds = Math.round(size / 1000);
	if (seconds < 60) return `${sign}${seconds} s`;
	const minutes = Math.floor(seconds / 60);
	if (minutes < 60) return join(sign, minutes, 'min', seconds % 60, 's');
	const hours = Math.floor(minutes / 60);
	if (hours < 24) return join(sign, hours, 'h', minutes % 60, 'min');
	return join(sign, Math.floor(hours / 24), 'd', hours % 24, 'h');
}

function join(sign: string, big: number, unit: string, small: number, smallUnit: string): string {
	return small === 0 ? `${sign}${big} ${unit}` : `${sign}${big} ${unit} ${small} ${smallUnit}`;
}

/** Keeps both ends of a long value: a path's file and its root, a hash's head and tail. */
export function middleCut(value: string, width: number): string {
	if (value.length <= width) return value;
	const keep = Math.max(2, width - 1);
	const head = Math.ceil(keep / 2);
	return `${value.slice(0, head)}…${value.slice(value.length - (keep - head))}`;
}

/** A field's value as one line of text. */
export function plain(value: unknown): string {
	if (value === null || value === undefined) return '';
	if (typeof value === 'string') return value;
	if (Array.isArray(value)) return value.map(plain).join(', ');
	if (typeof value === 'object') return JSON.stringify(value);
	return String(value);
}

export interface Piece {
	text: string;
	marked: boolean;
}

export type Span = readonly [number, number];

/** Cuts a value at spans of byte offsets into its UTF-8 form. A span that does not fit marks nothing. */
export function marked(value: string, spans: readonly Span[]): Piece[] {
	const pieces: Piece[] = [];
	let at = 0;
	for (const span of [...spans].sort((a, b) => a[0] - b[0])) {
		const start = Math.max(at, utf16Index(value, span[0]) ?? value.length);
		const end = utf16Index(value, span[1]);
		if (end === undefined || end <= start) continue;
		pieces.push({ text: value.slice(at, start), marked: false }, { text: value.slice(start, end), marked: true });
		at = end;
	}
	pieces.push({ text: value.slice(at), marked: false });
	const kept = pieces.filter((piece) => piece.text !== '');
	return kept.length === 0 ? [{ text: value, marked: false }] : kept;
}

/** The UTF-16 index at which `bytes` bytes of UTF-8 have passed; undefined beyond the end. */
export function utf16Index(value: string, bytes: number): number | undefined {
	if (bytes < 0) return undefined;
	let seen = 0;
	let index = 0;
	for (const letter of value) {
		if (seen >= bytes) return index;
		const code = letter.codePointAt(0) ?? 0;
		seen += code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
		index += letter.length;
	}
	return seen >= bytes ? index : undefined;
}

/** Several remarks of the server as sentences: each with a capital and a full stop. */
export function sentences(...parts: (string | null | undefined)[]): string {
	return parts
		.map((part) => part?.trim() ?? '')
		.filter((part) => part !== '')
		.map((part) => part.charAt(0).toUpperCase() + part.slice(1) + (/[.!?…]$/.test(part) ? '' : '.'))
		.join(' ');
}
