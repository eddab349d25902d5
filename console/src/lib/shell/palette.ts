/** What a person typed into the palette, read as a place to go. */
export type Jump =
	| { kind: 'case'; id: string }
	| { kind: 'entity'; field: string; value: string }
	| { kind: 'words'; text: string };

export function readJump(text: string): Jump | undefined {
	const trimmed = text.trim();
	if (trimmed === '') return undefined;
	const number = /^(?:c[- ]?|#)(\d+)$/i.exec(trimmed);
	if (number?.[1]) return { kind: 'case', id: `C-${Number(number[1])}` };
	if (/^(\d{1,3}\.){3}\d{1,3}$/.test(trimmed) || /^[0-9a-f]{0,4}(:[0-9a-f]{0,4}){2,7}$/i.test(trimmed)) {
		return { kind: 'entity', field: 'source.ip', value: trimmed };
	}
	return { kind: 'words', text: trimmed };
}

/** Ranks by where the words of the wish stand in the text; undefined when one is missing. */
export function rank(wish: string, text: string): number | undefined {
	const hay = text.toLowerCase();
	let score = 0;
	for (const word of wish.toLowerCase().split(/\s+/).filter(Boolean)) {
		const at = hay.indexOf(word);
		if (at < 0) return undefined;
		score += at === 0 ? 0 : /\W/.test(hay[at - 1] ?? '') ? 1 : 3;
	}
	return score;
}
