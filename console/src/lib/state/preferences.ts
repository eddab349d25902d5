import type { Preferences } from '../api/types';

export const DEFAULTS: Preferences = {
	theme: 'system',
	language: 'en',
	zone: 'mine',
	density: 'normal',
	single_keys: true
};

const CHOICES = {
	theme: ['system', 'light', 'dark'],
	language: ['en', 'de'],
	zone: ['site', 'utc', 'mine'],
	density: ['compact', 'normal', 'comfortable']
} as const;

/** What the server stored, with a default for whatever is missing or unknown. */
export function readPreferences(stored: Partial<Record<keyof Preferences, unknown>> | undefined, language = 'en'): Preferences {
	const result: Preferences = { ...DEFAULTS, language: language.startsWith('de') ? 'de' : 'en' };
	for (const [name, choices] of Object.entries(CHOICES)) {
		const value = stored?.[name as keyof Preferences];
		if ((choices as readonly unknown[]).includes(value)) Object.assign(result, { [name]: value });
	}
	if (typeof stored?.single_keys === 'boolean') result.single_keys = stored.single_keys;
	return result;
}

export function zoneName(choice: Preferences['zone'], site: string | undefined, mine: string): string {
	if (choice === 'utc') return 'UTC';
	return choice === 'site' ? (site ?? mine) : mine;
}

/** Site → UTC → mine; a site that names no zone is left out, and a step that changes nothing too. */
export function nextZone(choice: Preferences['zone'], site: string | undefined, mine: string): Preferences['zone'] {
	const ring: Preferences['zone'][] = site === undefined || site === mine ? ['utc', 'mine'] : ['site', 'utc', 'mine'];
	return ring[(ring.indexOf(choice) + 1) % ring.length] ?? 'utc';
}
