/** Marks a screen as shown with its data (or its error), for tests and measurements. */
export function ready(screen: string): void {
	const root = document.documentElement;
	if (root.dataset.ready === screen) return;
	root.dataset.ready = screen;
	performance.mark(`tandem:${screen}`);
}

export function unready(): void {
	delete document.documentElement.dataset.ready;
}
