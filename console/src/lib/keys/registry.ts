import { BINDING_BY_ID, type BindingId, type Scope } from './bindings';

export type Handler = (event: KeyboardEvent) => void;
export type Handlers = Partial<Record<BindingId, Handler>>;

/** What the registry needs of a keyboard event; a real one fits. */
export interface KeyLike {
	key: string;
	ctrlKey: boolean;
	metaKey: boolean;
	altKey: boolean;
	shiftKey: boolean;
	repeat?: boolean;
	isComposing?: boolean;
	target: EventTarget | null;
}

const SEQUENCE_MS = 1500;

/** The name under which an event is looked up: `Mod+k`, `Shift+J`, `?`, `Escape`. Undefined: not ours. */
export function keyName(event: KeyLike): string | undefined {
	const { key } = event;
	if (key === 'Control' || key === 'Shift' || key === 'Alt' || key === 'Meta' || key === 'Dead') return undefined;
	const letter = key.length === 1;
	// AltGr arrives as Control+Alt and only produces the character; Alt alone is the browser's menu.
	const altGr = letter && event.ctrlKey && event.altKey;
	if (event.altKey && !altGr) return undefined;
	const mod = (event.ctrlKey || event.metaKey) && !altGr;
	if (mod) return event.shiftKey ? undefined : `Mod+${letter ? key.toLowerCase() : key}`;
	if (letter && /\p{L}/u.test(key)) {
		return event.shiftKey ? `Shift+${key.toUpperCase()}` : key.toLowerCase();
	}
	if (letter) return key;
	return event.shiftKey ? `Shift+${key}` : key;
}

/** One character without a modifier: what WCAG 2.1.4 lets people switch off. Arrows, Enter, Space stay. */
export function isSingleKey(name: string): boolean {
	const last = name.split(' ').pop() ?? name;
	return name !== ' ' && (name.includes(' ') || last.length === 1 || /^Shift\+.$/u.test(name));
}

export function isTyping(target: EventTarget | null): boolean {
	const element = target as (Partial<HTMLElement> & { type?: string; tagName?: string }) | null;
	if (!element || typeof element.tagName !== 'string') return false;
	if (element.isContentEditable) return true;
	const tag = element.tagName.toUpperCase();
	if (tag === 'TEXTAREA' || tag === 'SELECT') return true;
	return tag === 'INPUT' && !['checkbox', 'radio', 'button', 'submit', 'range'].includes(element.type ?? 'text');
}

/** Elements that act on Enter and Space by themselves. */
function isControl(target: EventTarget | null): boolean {
	const element = target as Partial<HTMLElement> | null;
	const tag = element?.tagName?.toUpperCase();
	return (
		tag === 'BUTTON' || tag === 'A' || tag === 'SUMMARY' || tag === 'INPUT' || tag === 'SELECT' || tag === 'TEXTAREA'
	);
}

interface Layer {
	scope: Scope;
	handlers: Handlers;
}

/** Which handler a key means: the newest layer first; a dialog hides everything under it. */
export class Keys {
	singleKeys = true;
	onChange: () => void = () => {};
	#layers: Layer[] = [];
	#modal = 0;
	#pending = '';
	#pendingSince = 0;
	#now: () => number;

	constructor(now: () => number = () => performance.now()) {
		this.#now = now;
	}

	/** Adds handlers and gives back the way to remove them. */
	add(scope: Scope, handlers: Handlers): () => void {
		const layer = { scope, handlers };
		this.#layers.push(layer);
		this.onChange();
		return () => {
			this.#layers = this.#layers.filter((other) => other !== layer);
			this.onChange();
		};
	}

	/** While a modal dialog is open, only its own keys work. */
	suspend(): () => void {
		this.#modal += 1;
		let open = true;
		return () => {
			if (open) this.#modal -= 1;
			open = false;
		};
	}

	/** What is bound now, for the sheet and the palette: newest scope first, every id once. */
	active(): { scope: Scope; id: BindingId; keys: readonly string[]; run: Handler }[] {
		const seen = new Set<BindingId>();
		const list = [];
		for (const layer of [...this.#layers].reverse()) {
			for (const [id, run] of Object.entries(layer.handlers) as [BindingId, Handler][]) {
				const binding = BINDING_BY_ID.get(id);
				if (!binding || seen.has(id)) continue;
				seen.add(id);
				list.push({ scope: binding.scope, id, keys: binding.keys, run });
			}
		}
		return list;
	}

	/** True when a handler ran, so that the caller prevents what the browser would do. */
	handle(event: KeyLike): boolean {
		if (event.isComposing || this.#modal > 0) return false;
		const name = keyName(event);
		if (name === undefined) return false;
		const typing = isTyping(event.target);
		if (typing && !name.startsWith('Mod+') && name !== 'Escape') return false;
		if (typing && name === 'Mod+z') return false;
		if ((name === 'Enter' || name === ' ') && isControl(event.target)) return false;

		const now = this.#now();
		const waiting = now - this.#pendingSince <= SEQUENCE_MS ? this.#pending : '';
		this.#pending = '';
		const names = waiting === '' ? [name] : [`${waiting} ${name}`, name];
		for (const candidate of names) {
			if (isSingleKey(candidate) && !this.singleKeys) continue;
			const run = this.#find(candidate);
			if (run) {
				run(event as KeyboardEvent);
				return true;
			}
		}
		if (this.singleKeys && this.#starts(name)) {
			this.#pending = name;
			this.#pendingSince = now;
			return true;
		}
		return false;
	}

	#find(name: string): Handler | undefined {
		for (let index = this.#layers.length - 1; index >= 0; index -= 1) {
			const handlers = this.#layers[index]?.handlers ?? {};
			for (const [id, run] of Object.entries(handlers) as [BindingId, Handler][]) {
				if (BINDING_BY_ID.get(id)?.keys.includes(name)) return run;
			}
		}
		return undefined;
	}

	#starts(name: string): boolean {
		return this.#layers.some((layer) =>
			(Object.keys(layer.handlers) as BindingId[]).some((id) =>
				BINDING_BY_ID.get(id)?.keys.some((key) => key.startsWith(`${name} `))
			)
		);
	}
}
