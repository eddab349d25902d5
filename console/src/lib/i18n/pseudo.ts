import type { Catalogue } from './i18n.svelte';

const LETTERS: Record<string, string> = {
	a: 'á', e: 'é', i: 'í', o: 'ó', u: 'ú', A: 'Á', E: 'É', I: 'Í', O: 'Ó', U: 'Ú', n: 'ñ', c: 'ç', s: 'š', y: 'ý'
};

/** A made-up language, 40 % longer, that shows texts which are cut and texts which are not in the catalogue. */
export function pseudo(catalogue: Catalogue): Catalogue {
	return Object.fromEntries(
		Object.entries(catalogue).map(([key, message]) => [key, pseudoMessage(message)])
	) as Catalogue;
}

export function pseudoMessage(message: string): string {
	let depth = 0;
	let out = '';
	let letters = 0;
	for (const letter of message) {
		if (letter === '{') depth += 1;
		if (letter === '}') depth -= 1;
		if (depth === 0) letters += 1;
		out += depth === 0 ? (LETTERS[letter] ?? letter) : letter;
	}
	// In pieces as long as words: a longer text wraps where words end.
	const more = '~'.repeat(Math.ceil(letters * 0.4)).replaceAll(/~{8}(?=~)/g, '~~~~~~~~ ');
	return `[${out}${more}]`;
}
