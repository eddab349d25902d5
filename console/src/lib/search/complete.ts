import type { Completion } from '../api/types';

/** The word that the caret stands in: where it begins, and what of it is before the caret. */
export function wordAt(query: string, caret: number): { start: number; text: string } {
	const before = query.slice(0, caret);
	const match = /[^\s()|,:]*$/.exec(before);
	const text = match?.[0] ?? '';
	return { start: caret - text.length, text };
}

/** The query with a completion in place of the word, and where the caret goes. */
export function applyCompletion(query: string, caret: number, item: Completion): { query: string; caret: number } {
	const { start } = wordAt(query, caret);
	const before = query.slice(0, start);
	const after = query.slice(caret);
	let text = item.text;
	if (item.kind === 'field' && !text.endsWith(':') && !before.endsWith(':') && !before.includes('|')) text += ':';
	else if (item.kind === 'value' && /[\s()|"]/.test(text) && !text.startsWith('"')) text = `"${text.replaceAll('"', '\\"')}"`;
	if (item.kind !== 'field' && after === '') text += ' ';
	return { query: before + text + after, caret: start + text.length };
}

/** How many bytes of UTF-8 come before the caret: what the server counts in. */
export function byteOffset(query: string, caret: number): number {
	return new TextEncoder().encode(query.slice(0, caret)).length;
}
