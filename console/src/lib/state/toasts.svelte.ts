export interface Toast {
	id: number;
	text: string;
	tone: 'info' | 'bad';
	at: number;
	undo?: () => void;
	until: number;
}

/** Short notices with their history. Nothing is only here: a toast repeats what the page shows, or offers undo. */
export class Toasts {
	shown = $state.raw<Toast[]>([]);
	history = $state.raw<Toast[]>([]);
	#next = 1;

	say(text: string, options: { tone?: 'info' | 'bad'; undo?: () => void } = {}): void {
		const at = Date.now();
		const life = options.undo ? 60_000 : options.tone === 'bad' ? 15_000 : 6_000;
		const toast: Toast = { id: this.#next, text, tone: options.tone ?? 'info', at, undo: options.undo, until: at + life };
		this.#next += 1;
		this.shown = [...this.shown.slice(-2), toast];
		this.history = [toast, ...this.history].slice(0, 50);
		setTimeout(() => this.drop(toast.id), life);
	}

	drop(id: number): void {
		this.shown = this.shown.filter((toast) => toast.id !== id);
	}

	/** Takes back the newest act that can still be taken back. */
	undoLast(): boolean {
		const toast = [...this.shown].reverse().find((candidate) => candidate.undo);
		if (!toast?.undo) return false;
		toast.undo();
		this.drop(toast.id);
		return true;
	}
}
