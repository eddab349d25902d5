import { ApiError } from '../api/problem';
import type { Api } from '../api/endpoints';

/**
 * A text that is kept on the server while it is written, with a copy in this browser for the seconds in between
 * and for a cut line.
 */
export class Draft {
	text = $state('');
	status = $state<'loading' | 'clean' | 'dirty' | 'saving' | 'saved' | 'local'>('loading');
	#timer: ReturnType<typeof setTimeout> | undefined;

	constructor(
		private api: Api,
		readonly key: string
	) {}

	async load(): Promise<void> {
		const local = this.#local();
		try {
			const { text } = await this.api.draft(this.key);
			this.text = local ?? text;
		} catch (error) {
			if (!(error instanceof ApiError && error.status === 404) && local === undefined) {
				this.status = 'clean';
				return;
			}
			this.text = local ?? '';
		}
		this.status = 'clean';
		if (local !== undefined) this.#later(0);
	}

	/** Called with each change. */
	write(text: string): void {
		this.text = text;
		this.status = 'dirty';
		this.#keep(text);
		this.#later(800);
	}

	/** The text has become what it was a draft of. */
	async drop(): Promise<void> {
		clearTimeout(this.#timer);
		this.text = '';
		this.status = 'clean';
		this.#forget();
		await this.api.dropDraft(this.key).catch(() => {});
	}

	/** Saves what is not saved yet; for leaving the page. */
	flush(): void {
		if (this.status === 'dirty') void this.#save();
	}

	#later(ms: number): void {
		clearTimeout(this.#timer);
		this.#timer = setTimeout(() => void this.#save(), ms);
	}

	async #save(): Promise<void> {
		clearTimeout(this.#timer);
		const text = this.text;
		this.status = 'saving';
		try {
			await (text === '' ? this.api.dropDraft(this.key) : this.api.saveDraft(this.key, text));
			if (this.text === text) {
				this.status = 'saved';
				this.#forget();
			}
		} catch {
			this.status = 'local';
			this.#later(10_000);
		}
	}

	#local(): string | undefined {
		try {
			return localStorage.getItem(`tandem.draft.${this.key}`) ?? undefined;
		} catch {
			return undefined;
		}
	}
	#keep(text: string): void {
		try {
			localStorage.setItem(`tandem.draft.${this.key}`, text);
		} catch {
			/* only the server has it, then */
		}
	}
	#forget(): void {
		try {
			localStorage.removeItem(`tandem.draft.${this.key}`);
		} catch {
			/* nothing was kept */
		}
	}
}
