/** Edits a query as text: enough of the search language to add and remove a condition without breaking the rest. */

/** A phrase: a backslash is literal in quotes, except before a quote. */
export function quoted(text: string): string {
	return `"${text.replaceAll('"', '\\"')}"`;
}

export function literal(value: string): string {
	return /^[\p{L}\p{N}][\p{L}\p{N}_.@$-]*$/u.test(value) && !/^(AND|OR|NOT|TO)$/.test(value) ? value : quoted(value);
}

export function condition(field: string, value: string): string {
	return `${field}:${literal(value)}`;
}

/** Where the characters of a query are plain text: not in quotes, a regex, brackets or parentheses. */
function* plainPlaces(query: string): Generator<number> {
	let depth = 0;
	let inside = '';
	for (let index = 0; index < query.length; index += 1) {
		const letter = query[index] ?? '';
		if (inside !== '') {
			if (letter === '\\') index += 1;
			else if (letter === inside) inside = '';
			continue;
		}
		if (letter === '"') inside = '"';
		else if (letter === '/' && query[index - 1] === ':') inside = '/';
		else if (letter === '(' || letter === '[') depth += 1;
		else if (letter === ')' || letter === ']') depth = Math.max(0, depth - 1);
		else if (depth === 0) yield index;
	}
}

/** The condition and what follows the first pipe. */
export function splitPipe(query: string): { where: string; pipe: string } {
	for (const index of plainPlaces(query)) {
		if (query[index] === '|') return { where: query.slice(0, index).trim(), pipe: query.slice(index).trim() };
	}
	return { where: query.trim(), pipe: '' };
}

/** The conditions that must all hold, as they were written; undefined when the query is not only that. */
export function conjuncts(where: string): string[] | undefined {
	const plain = new Set(plainPlaces(where));
	const words: { text: string; start: number }[] = [];
	let start = -1;
	for (let index = 0; index <= where.length; index += 1) {
		const gap = index === where.length || (plain.has(index) && /\s/.test(where[index] ?? ''));
		if (gap && start >= 0) {
			words.push({ text: where.slice(start, index), start });
			start = -1;
		} else if (!gap && start < 0) start = index;
	}
	const parts: string[] = [];
	let not = '';
	for (const { text } of words) {
		if (text === 'OR') return undefined;
		if (text === 'AND') continue;
		if (text === 'NOT') {
			not += 'NOT ';
			continue;
		}
		parts.push(not + text);
		not = '';
	}
	return not === '' ? parts : undefined;
}

/** Adds a condition; its opposite goes, and one that is there already is not added twice. */
export function addCondition(query: string, wanted: string, negate = false): string {
	const { where, pipe } = splitPipe(query);
	const own = negate ? `NOT ${wanted}` : wanted;
	const opposite = negate ? wanted : `NOT ${wanted}`;
	const parts = conjuncts(where);
	let next: string;
	if (parts === undefined) next = `(${where}) AND ${own}`;
	else {
		const kept = parts.filter((part) => part !== opposite);
		next = (kept.includes(own) ? kept : [...kept, own]).join(' AND ');
	}
	return pipe === '' ? next : `${next} ${pipe}`.trim();
}

/** Filters in or out by one value of a field; an absent value means that the field exists, or does not. */
export function filterBy(query: string, field: string, value: string | undefined, negate: boolean): string {
	return value === undefined || value === ''
		? addCondition(query, `_exists_:${field}`, !negate)
		: addCondition(query, condition(field, value), negate);
}

export function removeCondition(query: string, part: string): string {
	const { where, pipe } = splitPipe(query);
	const next = (conjuncts(where) ?? [where]).filter((other) => other !== part).join(' AND ');
	return [next, pipe].filter(Boolean).join(' ');
}
