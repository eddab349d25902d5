/** Gives the focus to an element as soon as it is there; a screen that has just been asked for takes some frames. */
export function focusSoon(selector: string, frames = 30): void {
	const element = document.querySelector<HTMLElement>(selector);
	if (element) element.focus();
	else if (frames > 0) requestAnimationFrame(() => focusSoon(selector, frames - 1));
}
