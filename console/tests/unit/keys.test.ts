import { describe, expect, it } from 'vitest';
import { BINDINGS, type BindingId, type Scope } from '../../src/lib/keys/bindings';
import { isSingleKey, keyName, Keys, type KeyLike } from '../../src/lib/keys/registry';
import { showKey } from '../../src/lib/keys/show';

const press = (key: string, more: Partial<KeyLike> = {}): KeyLike => ({
	key,
	ctrlKey: false,
	metaKey: false,
	altKey: false,
	shiftKey: false,
	target: null,
	...more
});
const input = { tagName: 'INPUT', type: 'text' } as unknown as EventTarget;
const button = { tagName: 'BUTTON' } as unknown as EventTarget;

/** How a key is produced on a layout: what `event.key` says and whether Shift or AltGr is down. */
const GERMAN: Record<string, Partial<KeyLike>> = { '?': { shiftKey: true }, '/': { shiftKey: true }, '+': {}, '-': {}, '<': {}, '>': { shiftKey: true } };
const AMERICAN: Record<string, Partial<KeyLike>> = { '?': { shiftKey: true }, '/': {}, '+': { shiftKey: true }, '-': {}, '<': { shiftKey: true }, '>': { shiftKey: true } };

describe('names', () => {
	it('goes by the character that is produced', () => {
		expect(keyName(press('j'))).toBe('j');
		expect(keyName(press('J', { shiftKey: true }))).toBe('Shift+J');
		expect(keyName(press('K', { ctrlKey: true }))).toBe('Mod+k');
		expect(keyName(press('k', { metaKey: true }))).toBe('Mod+k');
		expect(keyName(press('Enter', { ctrlKey: true }))).toBe('Mod+Enter');
		expect(keyName(press('C', { ctrlKey: true, shiftKey: true }))).toBeUndefined();
		expect(keyName(press('Shift', { shiftKey: true }))).toBeUndefined();
	});
	it.each(Object.keys(GERMAN))('%s has one name on German and American keyboards', (key) => {
		expect(keyName(press(key, GERMAN[key]))).toBe(key);
		expect(keyName(press(key, AMERICAN[key]))).toBe(key);
	});
	it('takes AltGr for what it types', () => {
		expect(keyName(press('@', { ctrlKey: true, altKey: true }))).toBe('@');
	});
	it('knows what can be switched off', () => {
		expect(['a', '?', 'Shift+J', 'g h', '+'].every(isSingleKey)).toBe(true);
		expect(['Mod+k', 'Escape', 'ArrowDown', 'Enter', ' ', 'Home'].some(isSingleKey)).toBe(false);
	});
	it('shows them as people write them', () => {
		expect(showKey('Mod+k', false)).toBe('Ctrl+K');
		expect(showKey('Mod+k', true)).toBe('⌘K');
		expect(showKey('g h', false)).toBe('G H');
		expect(showKey('+', false)).toBe('+');
		expect(showKey('Shift+J', false)).toBe('Shift+J');
	});
});

describe('the list', () => {
	/** Scopes that are bound at the same time. */
	const TOGETHER: Scope[][] = [
		['global', 'list', 'queue'],
		['global', 'case'],
		['global', 'list', 'search'],
		['global', 'list', 'sources'],
		['global', 'list', 'rules'],
		['global', 'list', 'runs']
	];
	it.each(TOGETHER.map((scopes) => [scopes.join(' and '), scopes] as const))('has no key twice in %s', (_name, scopes) => {
		const seen = new Map<string, string>();
		for (const binding of BINDINGS.filter((entry) => scopes.includes(entry.scope))) {
			for (const key of binding.keys) {
				expect(seen.get(key), `${key} of ${binding.id}`).toBeUndefined();
				seen.set(key, binding.id);
			}
		}
		// A key that begins a sequence can't act by itself.
		const first = [...seen.keys()].filter((key) => key.includes(' ') && key !== ' ').map((key) => key.split(' ')[0] ?? '');
		for (const key of first) expect(seen.has(key), key).toBe(false);
	});
	it('names every id once', () => {
		expect(new Set(BINDINGS.map((binding) => binding.id)).size).toBe(BINDINGS.length);
	});
	it('takes none of the browser’s own keys', () => {
		const browser = ['Mod+c', 'Mod+v', 'Mod+x', 'Mod+a', 'Mod+f', 'Mod+r', 'Mod+t', 'Mod+w', 'Mod+n', 'Mod+p', 'Mod+l', 'Mod+d', 'F5', 'F11', 'F12', 'Tab'];
		for (const binding of BINDINGS) for (const key of binding.keys) expect(browser).not.toContain(key);
	});
	it('needs no bracket, which German keyboards type with AltGr', () => {
		for (const binding of BINDINGS) for (const key of binding.keys) expect(key).not.toMatch(/[[\]{}\\|~@]/);
	});
	it('the same letter means the same thing on every screen', () => {
		const pairs: [BindingId, BindingId][] = [
			['queue.take', 'case.take'],
			['queue.verdict', 'case.verdict'],
			['queue.escalate', 'case.escalate'],
			['queue.priority', 'case.priority'],
			['queue.merge', 'case.merge'],
			['queue.snooze', 'case.snooze']
		];
		const keys = (id: BindingId): readonly string[] => BINDINGS.find((binding) => binding.id === id)?.keys ?? [];
		for (const [a, b] of pairs) expect(keys(a)).toEqual(keys(b));
	});
});

describe('the registry', () => {
	function made(): { keys: Keys; ran: string[]; clock: { now: number } } {
		const clock = { now: 0 };
		const ran: string[] = [];
		const keys = new Keys(() => clock.now);
		keys.add('global', { help: () => ran.push('help'), palette: () => ran.push('palette'), 'go.home': () => ran.push('home'), close: () => ran.push('close') });
		keys.add('list', { 'list.open': () => ran.push('open'), 'list.peek': () => ran.push('peek'), 'list.next': () => ran.push('next') });
		return { keys, ran, clock };
	}
	it('runs every bound key of every screen', () => {
		for (const binding of BINDINGS) {
			const ran: string[] = [];
			const keys = new Keys(() => 0);
			keys.add(binding.scope, { [binding.id]: () => ran.push(binding.id) });
			for (const key of binding.keys) {
				const parts = key === ' ' ? [' '] : key.split(' ');
				for (const part of parts) {
					const name = part.replace(/^(Mod|Shift)\+(?=.)/, '');
					keys.handle(press(name, { ctrlKey: part.startsWith('Mod+'), shiftKey: part.startsWith('Shift+') }));
				}
			}
			expect(ran, binding.id).toEqual(binding.keys.map(() => binding.id));
		}
	});
	it('waits for the second key of a sequence, but not for ever', () => {
		const { keys, ran, clock } = made();
		expect(keys.handle(press('g'))).toBe(true);
		keys.handle(press('h'));
		expect(ran).toEqual(['home']);
		keys.handle(press('g'));
		clock.now = 5000;
		keys.handle(press('h'));
		expect(ran).toEqual(['home']);
	});
	it('leaves typing alone', () => {
		const { keys, ran } = made();
		expect(keys.handle(press('?', { target: input }))).toBe(false);
		expect(keys.handle(press('j', { target: input }))).toBe(false);
		keys.handle(press('k', { ctrlKey: true, target: input }));
		keys.handle(press('Escape', { target: input }));
		expect(ran).toEqual(['palette', 'close']);
		expect(keys.handle(press('j', { isComposing: true }))).toBe(false);
	});
	it('leaves Enter and Space to the control that has the focus', () => {
		const { keys, ran } = made();
		keys.handle(press('Enter', { target: button }));
		keys.handle(press(' ', { target: button }));
		expect(ran).toEqual([]);
		keys.handle(press('Enter'));
		keys.handle(press(' '));
		expect(ran).toEqual(['open', 'peek']);
	});
	it('single keys can be switched off', () => {
		const { keys, ran } = made();
		keys.singleKeys = false;
		for (const key of ['?', 'j', 'g', 'h']) keys.handle(press(key));
		expect(ran).toEqual([]);
		keys.handle(press('ArrowDown'));
		keys.handle(press('k', { ctrlKey: true }));
		expect(ran).toEqual(['next', 'palette']);
	});
	it('a dialog has the keyboard to itself, and gives it back', () => {
		const { keys, ran } = made();
		const resume = keys.suspend();
		keys.handle(press('?'));
		expect(ran).toEqual([]);
		resume();
		resume();
		keys.handle(press('?'));
		expect(ran).toEqual(['help']);
	});
	it('the newest layer wins, and what is taken away is gone', () => {
		const { keys, ran } = made();
		const drop = keys.add('queue', { close: () => ran.push('inner') });
		keys.handle(press('Escape'));
		drop();
		keys.handle(press('Escape'));
		expect(ran).toEqual(['inner', 'close']);
		expect(keys.active().filter((entry) => entry.id === 'close')).toHaveLength(1);
	});
});
