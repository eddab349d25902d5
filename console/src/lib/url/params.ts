/** Small helpers for the modules that turn a screen's state into its address and back. */

export function pick<T extends string>(value: string | null, choices: readonly T[], fallback: T): T {
	return choices.includes(value as T) ? (value as T) : fallback;
}

export function maybe<T extends string>(value: string | null, choices: readonly T[]): T | undefined {
	return choices.includes(value as T) ? (value as T) : undefined;
}

export function pickList<T extends string>(value: string | null, choices: readonly T[]): T[] {
	const wanted = (value ?? '').split(',');
	return choices.filter((choice) => wanted.includes(choice));
}

/** Writes only what differs from the default, in the given order, so that an address stays short and stable. */
export function compose(path: string, pairs: readonly (readonly [string, string | undefined])[]): string {
	const search = new URLSearchParams();
	for (const [key, value] of pairs) if (value !== undefined && value !== '') search.set(key, value);
	const text = search.toString();
	return text === '' ? path : `${path}?${text}`;
}

export const unless = (value: string, fallback: string): string | undefined => (value === fallback ? undefined : value);
