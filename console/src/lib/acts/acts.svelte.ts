import { ApiError, toProblem } from '../api/problem';
import type { ActBody, ActName, Case, CaseHead } from '../api/types';
import { sentences } from '../format/format';
import type { App } from '../state/app.svelte';

export type DialogKind = 'verdict' | 'escalate' | 'priority' | 'merge' | 'snooze' | 'reason';

export interface Ask {
	kind: DialogKind;
	act: ActName;
	heads: CaseHead[];
	/** Other cases that a merge may go into. */
	suggestions: CaseHead[];
}

export interface Outcome {
	done: CaseHead[];
	notDone: { id: string; because: string }[];
}

/** The acts that ask something first. */
const DIALOG: Partial<Record<ActName, DialogKind>> = {
	close: 'verdict',
	escalate: 'escalate',
	set_priority: 'priority',
	merge: 'merge',
	snooze: 'snooze',
	respond: 'reason',
	recover: 'reason',
	go_back: 'reason',
	reopen: 'reason'
};

/** Does acts on one case or on several, says what came of it, and offers to take it back. */
export class CaseActs {
	ask = $state.raw<Ask>();
	/** The open dialog's act is on its way: it must not be sent twice. */
	busy = $state(false);
	outcome = $state.raw<Outcome>();
	/** Called with every case as the server answered it. */
	onChanged: (changed: CaseHead, act: ActName) => void = () => {};
	/** Called when the server knows better than the row that was shown. */
	onStale: (id: string) => void = () => {};

	/** Acts go one after the other, so that fast fingers never meet a version of their own making. */
	#before: Promise<unknown> = Promise.resolve();
	/** Versions that came from this person's own acts. */
	#own = new Map<string, { version: number; state: CaseHead['state'] }>();

	constructor(private app: App) {}

	/** Starts an act: at once, or by the dialog that it needs. */
	begin(act: ActName, heads: CaseHead[], suggestions: CaseHead[] = []): void {
		if (heads.length === 0) return;
		const kind = DIALOG[act];
		if (kind) this.ask = { kind, act, heads, suggestions };
		else void this.run(heads, { act });
	}

	cancel(): void {
		this.ask = undefined;
	}

	/** True when everything was done. */
	async run(heads: CaseHead[], body: ActBody): Promise<boolean> {
		const asked = this.ask;
		if (asked) {
			if (this.busy) return false;
			this.busy = true;
		}
		const turn = this.#before.then(() => (heads.length === 1 && heads[0] ? this.#one(this.#newest(heads[0]), body, asked) : this.#many(heads, body, asked)));
		this.#before = turn;
		try {
			return await turn;
		} finally {
			if (asked) this.busy = false;
		}
	}

	/** A row may have been read before the person's own last act was answered. */
	#newest(head: CaseHead): CaseHead {
		const own = this.#own.get(head.id);
		return own && own.version > head.version ? { ...head, ...own } : head;
	}

	#changed(answer: CaseHead, act: ActName): void {
		this.#own.set(answer.id, { version: answer.version, state: answer.state });
		this.onChanged(answer, act);
	}

	/** Only the dialog that sent the act is closed by its answer: meanwhile another may have been opened. */
	#close(asked: Ask | undefined): void {
		if (asked && this.ask === asked) this.ask = undefined;
	}

	async #one(head: CaseHead, body: ActBody, asked: Ask | undefined): Promise<boolean> {
		const { app } = this;
		try {
			const version = body.act === 'close' ? await this.#readyToClose(head) : head.version;
			const answer = await app.api.act(head.id, version, body);
			this.#close(asked);
			this.#changed(answer, body.act);
			const actId = lastActId(answer);
			app.toasts.say(this.#said(answer, body), actId ? { undo: () => void this.undo(answer, actId) } : {});
			return true;
		} catch (error) {
			this.#failed(head, error, asked);
			return false;
		}
	}

	/** A case that nobody has looked at goes through triage on its way to a verdict, where the server allows it. */
	async #readyToClose(head: CaseHead): Promise<number> {
		if (head.state !== 'new') return head.version;
		const full = await this.app.api.case(head.id);
		const may = (act: ActName): boolean => full.allowed.some((entry) => entry.act === act && entry.allowed);
		if (full.version !== head.version || may('close') || !may('start_triage')) return head.version;
		return (await this.app.api.act(head.id, full.version, { act: 'start_triage' })).version;
	}

	async #many(heads: CaseHead[], body: ActBody, asked: Ask | undefined): Promise<boolean> {
		try {
			const result = await this.app.api.bulk(
				heads.map((head) => head.id),
				body
			);
			const done = heads.filter((head) => result.done.includes(head.id));
			this.#close(asked);
			for (const head of done) this.onStale(head.id);
			if (result.not_done.length > 0) this.outcome = { done, notDone: result.not_done };
			this.app.toasts.say(this.app.t('acts.bulk', { done: done.length, not: result.not_done.length }), {
				tone: result.not_done.length > 0 ? 'bad' : 'info'
			});
			return result.not_done.length === 0;
		} catch (error) {
			this.#failed(undefined, error, asked);
			return false;
		}
	}

	async undo(head: CaseHead, actId: string): Promise<void> {
		try {
			const answer = await this.app.api.undo(head.id, actId);
			this.#changed(answer, 'reopen');
			this.app.toasts.say(this.app.t('acts.undone', { id: head.id }));
		} catch (error) {
			this.#failed(head, error);
		}
	}

	#said(head: CaseHead, body: ActBody): string {
		const { t, maybe } = this.app.i18n;
		const values = {
			id: head.id,
			verdict: body.verdict ? t(`verdict.${body.verdict}`) : '',
			priority: head.priority,
			into: body.into ?? ''
		};
		return maybe(`acts.did.${body.act}`, values) ?? t('acts.did', { id: head.id });
	}

	#failed(head: CaseHead | undefined, error: unknown, asked?: Ask): void {
		const problem = toProblem(error);
		const stale = error instanceof ApiError && (error.status === 409 || error.status === 412);
		const text = sentences(problem.detail ?? problem.title, problem.because, problem.hint);
		this.app.toasts.say(head ? this.app.t('acts.failed', { id: head.id, text }) : text, { tone: 'bad' });
		if (stale) this.#close(asked);
		// Whatever the server refuses, it knows something that this row does not show yet.
		if (head && error instanceof ApiError && error.status >= 400 && error.status < 500) this.onStale(head.id);
	}
}

/** The act that an undo would name: the newest of the timeline that can still be undone. */
export function lastActId(answer: Case): string | undefined {
	const acts = (answer.timeline ?? []).filter((entry) => entry.act_id && (!entry.undo_until || Date.parse(entry.undo_until) > Date.now()));
	return acts.reduce<(typeof acts)[number] | undefined>((a, b) => (!a || b.at >= a.at ? b : a), undefined)?.act_id ?? undefined;
}
