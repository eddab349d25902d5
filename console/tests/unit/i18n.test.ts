import { parse, TYPE, type MessageFormatElement } from '@formatjs/icu-messageformat-parser';
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { IntlMessageFormat } from 'intl-messageformat';
import de from '../../src/lib/i18n/de.json';
import en from '../../src/lib/i18n/en.json';
import { pseudo, pseudoMessage } from '../../src/lib/i18n/pseudo';
import { BINDINGS, LOCAL_KEYS } from '../../src/lib/keys/bindings';

const CATALOGUES: Record<string, Record<string, string>> = { en, de };

/** Names and kinds of the values that a message takes, also inside its branches. */
function values(elements: MessageFormatElement[], found = new Set<string>()): Set<string> {
	for (const element of elements) {
		if (element.type === TYPE.literal || element.type === TYPE.pound) continue;
		if (element.type === TYPE.plural || element.type === TYPE.select) {
			found.add(`${element.value}:${TYPE[element.type]}`);
			for (const option of Object.values(element.options)) values(option.value, found);
		} else if ('value' in element) found.add(`${element.value}:${TYPE[element.type]}`);
	}
	return found;
}
const sorted = (set: Set<string>): string[] => [...set].sort();

it('German has the keys of English', () => {
	expect(Object.keys(de).sort()).toEqual(Object.keys(en).sort());
});

it('every message takes the same values in both languages', () => {
	for (const [key, message] of Object.entries(en)) {
		const german = (de as Record<string, string>)[key] ?? '';
		expect(sorted(values(parse(german))), key).toEqual(sorted(values(parse(message))));
	}
});

it('no message is empty, and every one can be formatted', () => {
	for (const [language, catalogue] of Object.entries(CATALOGUES)) {
		for (const [key, message] of Object.entries(catalogue)) {
			expect(message.trim(), `${language} ${key}`).not.toBe('');
			const given = Object.fromEntries([...values(parse(message))].map((value) => [value.split(':')[0] ?? '', 3]));
			expect(String(new IntlMessageFormat(message, language).format(given)), `${language} ${key}`).not.toContain('{');
		}
	}
});

it('German speaks to people with Sie', () => {
	const familiar = /(^|[^\p{L}])(du|dich|dir|dein|deine|deinen|deinem|deiner)(?=$|[^\p{L}])/iu;
	for (const [key, message] of Object.entries(de)) expect(message, key).not.toMatch(familiar);
});

it('German keeps the fixed words', () => {
	const fixed: [keyof typeof en, string][] = [
		['col.case', 'Vorgang'],
		['nav.queue', 'Eingang'],
		['entry.detection', 'Hinweis'],
		['col.source', 'Quelle'],
		['verdict', 'Bewertung']
	];
	for (const [key, word] of fixed) expect((de as Record<string, string>)[key]).toBe(word);
});

it('every key has its words for the sheet', () => {
	for (const { id } of LOCAL_KEYS) expect(Object.keys(en), id).toContain(`keys.local.${id}`);
	for (const { id, scope } of BINDINGS) {
		expect(Object.keys(en), id).toContain(`keys.${id}`);
		expect(Object.keys(en), scope).toContain(`keys.scope.${scope}`);
	}
});

const ROOT = new URL('../../src', import.meta.url).pathname;
const files = (folder: string): string[] =>
	readdirSync(folder).flatMap((name) => {
		const path = join(folder, name);
		return statSync(path).isDirectory() ? files(path) : [path];
	});
const sources = files(ROOT).filter((path) => /\.(svelte|ts)$/.test(path));

it('every key of the catalogue is used', () => {
	const text = sources.map((path) => readFileSync(path, 'utf8')).join('\n');
	// Keys put together in code, by the part that stands before `${`.
	const built = [...text.matchAll(/`([a-z0-9.-]+\.)\$\{/gi)].map((match) => match[1] ?? '');
	const unused = Object.keys(en).filter((key) => !text.includes(`'${key}'`) && !text.includes(`"${key}"`) && !built.some((prefix) => key.startsWith(prefix)));
	expect(unused).toEqual([]);
});

it('no screen holds a style attribute, which the policy forbids', () => {
	for (const path of sources.filter((file) => file.endsWith('.svelte'))) {
		expect(readFileSync(path, 'utf8'), path).not.toMatch(/<[a-z][^>]*\sstyle="/);
	}
});

it('the made-up language is longer, and keeps its values', () => {
	expect(pseudoMessage('Open the case now').length).toBeGreaterThanOrEqual('Open the case now'.length * 1.4);
	for (const [key, message] of Object.entries(pseudo(en))) {
		expect(sorted(values(parse(message))), key).toEqual(sorted(values(parse((en as Record<string, string>)[key] ?? ''))));
	}
});
