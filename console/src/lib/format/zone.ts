/** How far a zone is ahead of UTC at an instant (ms). */
export function zoneOffsetMs(zone: string, at: number): number {
	if (zone === 'UTC') return 0;
	const parts = new Intl.DateTimeFormat('en-GB', {
		timeZone: zone,
		year: 'numeric',
		month: 'numeric',
		day: 'numeric',
		hour: 'numeric',
		minute: 'numeric',
		second: 'numeric',
		hourCycle: 'h23'
	}).formatToParts(at);
	const get = (type: string): number => Number(parts.find((part) => part.type === type)?.value ?? 0);
	const wall = Date.UTC(get('year'), get('month') - 1, get('day'), get('hour'), get('minute'), get('second'));
	return wall - Math.floor(at / 1000) * 1000;
}

/**
 * A moment as a person writes it in a zone (`2026-11-25`, `2026-11-25 03:12`, `…:09.481`), in ms since 1970.
 * In the hour that a change of clocks repeats, the first is meant; in the one that it skips, the time after it.
 */
export function parseWall(text: string, zone: string): number | undefined {
	const match = /^\s*(\d{4})-(\d{1,2})-(\d{1,2})(?:[T ](\d{1,2}):(\d{2})(?::(\d{2})(?:\.(\d{1,3}))?)?)?\s*(Z)?\s*$/.exec(text);
	if (!match) return undefined;
	const [, year, month, day, hour = '0', minute = '0', second = '0', fraction = '0', utc] = match;
	const wall = Date.UTC(Number(year), Number(month) - 1, Number(day), Number(hour), Number(minute), Number(second), Number(fraction.padEnd(3, '0')));
	const check = new Date(wall);
	if (check.getUTCMonth() !== Number(month) - 1 || check.getUTCDate() !== Number(day)) return undefined;
	if (Number(hour) > 23 || Number(minute) > 59 || Number(second) > 59) return undefined;
	if (utc) return wall;
	const before = wall - zoneOffsetMs(zone, wall - 86_400_000);
	if (wall - zoneOffsetMs(zone, before) === before) return before;
	return wall - zoneOffsetMs(zone, wall - zoneOffsetMs(zone, wall));
}
