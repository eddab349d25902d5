export type SnoozeChoice = '30min' | '2h' | 'tomorrow' | 'monday';
export const SNOOZES: readonly SnoozeChoice[] = ['30min', '2h', 'tomorrow', 'monday'];

/** The end of a snooze; mornings begin at eight by the wall clock of the person. */
export function snoozeUntil(choice: SnoozeChoice, now: Date): Date {
	if (choice === '30min') return new Date(now.getTime() + 30 * 60_000);
	if (choice === '2h') return new Date(now.getTime() + 2 * 3_600_000);
	const days = choice === 'tomorrow' ? 1 : (8 - now.getDay()) % 7 || 7;
	return new Date(now.getFullYear(), now.getMonth(), now.getDate() + days, 8);
}
