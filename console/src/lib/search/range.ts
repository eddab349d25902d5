/** A time range as it stands in an address: `-24h` and `now`, or instants (RFC 3339, UTC). */
export interface Range {
	from: string;
	to: string;
}

/** In ms since 1970. `from` is in it, `to` is not. */
export interface Span {
	from: number;
	to: number;
}

export const PRESETS = ['-15m', '-1h', '-4h', '-24h', '-7d', '-30d', '-90d'] as const;
export const DEFAULT_RANGE: Range = { from: '-24h', to: 'now' };

const UNIT: Record<string, number> = { s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 };

export function resolveMoment(text: string, now: number): number | undefined {
	if (text === 'now') return now;
	const relative = /^-(\d{1,6})([smhd])$/.exec(text);
	if (relative) return now - Number(relative[1]) * (UNIT[relative[2] ?? ''] ?? 0);
	if (!/^\d{4}-\d{2}-\d{2}T/.test(text)) return undefined;
	const time = Date.parse(text);
	return Number.isFinite(time) ? time : undefined;
}

/** Undefined when a bound can't be read or the range is empty or backwards. */
export function resolveRange(range: Range, now: number): Span | undefined {
	const from = resolveMoment(range.from, now);
	const to = resolveMoment(range.to, now);
	return from === undefined || to === undefined || from >= to ? undefined : { from, to };
}

export function absolute(span: Span): Range {
	return { from: new Date(span.from).toISOString(), to: new Date(span.to).toISOString() };
}

export const isRelative = (range: Range): boolean => range.to === 'now' && range.from.startsWith('-');

/** The range of the same length just before (-1) or after (+1); never beyond now. */
export function shift(span: Span, direction: -1 | 1, now: number): Span {
	const length = span.to - span.from;
	const to = direction < 0 ? span.from : Math.min(span.to + length, Math.max(now, span.to));
	return { from: to - length, to };
}

/** The next wider preset that still ends now; undefined when there is none. */
export function wider(range: Range, now: number): Range | undefined {
	const span = resolveRange(range, now);
	if (!span) return undefined;
	const length = now - span.from;
	const next = PRESETS.find((preset) => now - (resolveMoment(preset, now) ?? now) > length + 60_000);
	return next ? { from: next, to: 'now' } : undefined;
}
