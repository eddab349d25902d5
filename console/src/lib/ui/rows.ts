import type { Handlers } from '../keys/registry';

/** Moves the focus among the `[data-row]` elements of a screen; Enter follows the row's first link or button. */
export function rowKeys(root: () => HTMLElement | undefined): Handlers {
	const rows = (): HTMLElement[] => [...(root()?.querySelectorAll<HTMLElement>('[data-row]') ?? [])];
	const current = (all: HTMLElement[]): number => all.findIndex((row) => row.contains(document.activeElement));
	const focus = (row: HTMLElement | undefined): void => {
		row?.focus();
		row?.scrollIntoView({ block: 'nearest' });
	};
	return {
		'list.next': () => {
			const all = rows();
			focus(all[Math.min(all.length - 1, current(all) + 1)]);
		},
		'list.previous': () => {
			const all = rows();
			focus(all[Math.max(0, current(all) - 1)]);
		},
		'list.first': () => focus(rows()[0]),
		'list.last': () => focus(rows().at(-1)),
		'list.open': () => {
			const all = rows();
			all[current(all)]?.querySelector<HTMLElement>('a, button')?.click();
		}
	};
}
