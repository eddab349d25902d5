/**
 * The one list of keys. A key is written as the character that it produces (`event.key`), so that it is the
 * same on every layout; `Mod` is Control, or Command on a Mac. Two keys after one another are parted by a space.
 */
export type Scope = 'global' | 'list' | 'queue' | 'case' | 'search' | 'sources' | 'rules' | 'runs' | 'dialog';

export interface Binding {
	id: string;
	scope: Scope;
	keys: readonly string[];
}

const bind = <I extends string>(scope: Scope, id: I, ...keys: string[]) => ({ id, scope, keys }) as const;

export const BINDINGS = [
	bind('global', 'help', '?'),
	bind('global', 'palette', 'Mod+k'),
	bind('global', 'filter', '/'),
	bind('global', 'go.home', 'g h'),
	bind('global', 'go.queue', 'g q'),
	bind('global', 'go.search', 'g s'),
	bind('global', 'go.sources', 'g d'),
	bind('global', 'go.rules', 'g u'),
	bind('global', 'go.runs', 'g i'),
	bind('global', 'go.settings', 'g p'),
	bind('global', 'go.log', 'g a'),
	bind('global', 'zone', 'z'),
	bind('global', 'copy-link', 'y'),
	bind('global', 'undo', 'Mod+z'),
	bind('global', 'close', 'Escape'),

	bind('list', 'list.next', 'j', 'ArrowDown'),
	bind('list', 'list.previous', 'k', 'ArrowUp'),
	bind('list', 'list.first', 'Home'),
	bind('list', 'list.last', 'End'),
	bind('list', 'list.open', 'Enter'),
	bind('list', 'list.peek', ' '),
	bind('list', 'list.select', 'x'),
	bind('list', 'list.range', 'Shift+X'),

	bind('queue', 'queue.take', 'a'),
	bind('queue', 'queue.verdict', 'v'),
	bind('queue', 'queue.escalate', 'e'),
	bind('queue', 'queue.priority', 's'),
	bind('queue', 'queue.merge', 'm'),
	bind('queue', 'queue.unowned', 'u'),
	bind('queue', 'queue.snooze', 'h'),
	bind('queue', 'queue.new', 'n'),
	bind('queue', 'queue.arrivals', 'r'),

	bind('case', 'case.tab.1', '1'),
	bind('case', 'case.tab.2', '2'),
	bind('case', 'case.tab.3', '3'),
	bind('case', 'case.tab.4', '4'),
	bind('case', 'case.tab.5', '5'),
	bind('case', 'case.tab.6', '6'),
	bind('case', 'case.tab.7', '7'),
	bind('case', 'case.tab.8', '8'),
	bind('case', 'case.take', 'a'),
	bind('case', 'case.verdict', 'v'),
	bind('case', 'case.escalate', 'e'),
	bind('case', 'case.priority', 's'),
	bind('case', 'case.merge', 'm'),
	bind('case', 'case.snooze', 'h'),
	bind('case', 'case.note', 'n'),
	bind('case', 'case.pin', 'p'),
	bind('case', 'case.lens', 'l'),
	bind('case', 'case.more', '.'),
	bind('case', 'case.next', 'Shift+J'),
	bind('case', 'case.previous', 'Shift+K'),

	bind('search', 'search.run', 'Mod+Enter'),
	bind('search', 'search.live', 'l'),
	bind('search', 'search.fields', 'f'),
	bind('search', 'search.filter-in', '+'),
	bind('search', 'search.filter-out', '-', '−'),
	bind('search', 'search.around', 'o'),
	bind('search', 'search.to-case', 'c'),
	bind('search', 'search.wrap', 'w'),
	bind('search', 'search.time', 't'),
	bind('search', 'search.earlier', '<'),
	bind('search', 'search.later', '>'),
	bind('search', 'search.brush', 'b'),

	bind('sources', 'sources.new', 'n'),
	bind('rules', 'rules.switch', 'e'),
	bind('runs', 'runs.promote', 'p')
] as const;

export type BindingId = (typeof BINDINGS)[number]['id'];

export const BINDING_BY_ID = new Map<BindingId, Binding>(BINDINGS.map((binding) => [binding.id, binding]));

/** Keys that a part of a screen takes while it has the focus; the sheet shows them where that part is on the page. */
export interface LocalKeys {
	id: string;
	keys: readonly string[];
	/** The part, as a selector. */
	where: string;
}

const local = <I extends string>(id: I, where: string, ...keys: string[]) => ({ id, where, keys }) as const;

export const LOCAL_KEYS = [
	local('query.accept', '[role=combobox][data-filter]', 'Tab', 'ArrowDown'),
	local('query.run', '[role=combobox][data-filter]', 'Enter'),
	local('histogram.move', '[data-histogram]', 'ArrowLeft', 'ArrowRight'),
	local('histogram.part', '[data-histogram]', 'Shift+ArrowRight'),
	local('histogram.zoom', '[data-histogram]', 'Enter'),
	local('table.cell', '[data-rows]', 'ArrowLeft', 'ArrowRight'),
	local('table.page', '[data-rows]', 'PageDown', 'PageUp'),
	local('tabs.move', '[role=tablist]', 'ArrowLeft', 'ArrowRight'),
	local('split.size', '[role=separator]', 'ArrowLeft', 'ArrowRight'),
	local('note.send', '[data-note]', 'Mod+Enter')
] as const satisfies readonly LocalKeys[];
