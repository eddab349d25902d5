export type Tone = 'key' | 'comment' | 'string' | 'plain';
export interface Token {
	text: string;
	tone: Tone;
}

/** A line of YAML in pieces to be coloured. It reads the line for the eye only and is no parser. */
export function yamlTokens(line: string): Token[] {
	const tokens: Token[] = [];
	const push = (text: string, tone: Tone): void => {
		if (text !== '') tokens.push({ text, tone });
	};
	const indent = /^\s*(?:- +)*/.exec(line)?.[0] ?? '';
	push(indent, 'plain');
	let rest = line.slice(indent.length);
	if (rest.startsWith('#')) {
		push(rest, 'comment');
		return tokens;
	}
	const key = /^(?:[\w.|*%$ -]+|'[^']*'|"[^"]*"):(?=\s|$)/.exec(rest);
	if (key) {
		push(key[0], 'key');
		rest = rest.slice(key[0].length);
	}
	const comment = /\s#.*$/.exec(rest.replace(/'[^']*'|"(?:[^"\\]|\\.)*"/g, (text) => ' '.repeat(text.length)));
	const value = comment ? rest.slice(0, comment.index) : rest;
	push(value, /^\s*['"]/.test(value) ? 'string' : 'plain');
	if (comment) push(rest.slice(comment.index), 'comment');
	return tokens;
}

/** The line that an error names, counted from 1. */
export function lineOf(reason: string | null | undefined): number | undefined {
	const match = /\bline (\d+)/i.exec(reason ?? '');
	return match ? Number(match[1]) : undefined;
}
