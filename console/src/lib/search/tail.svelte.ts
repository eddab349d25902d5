import type { EventRow } from '../api/types';
import { Connection } from '../live/connection';
import type { App } from '../state/app.svelte';

const KEPT = 2000;

/** Events as they come, newest first. While the person looks further down, new ones wait. */
export class Tail {
	rows = $state.raw<EventRow[]>([]);
	/** Bumped whenever the rows change. */
	version = $state(0);
	waiting = $state(0);
	live = $state(false);
	hold = false;
	#pending: EventRow[] = [];
	#connection: Connection | undefined;
	#frame: ReturnType<typeof setTimeout> | undefined;

	constructor(private app: App) {}

	start(query: string): void {
		this.stop();
		this.rows = [];
		this.#connection = new Connection(
			this.app.client,
			{ topics: 'tail', q: query },
			{
				message: (message) => {
					if (message.event !== 'event') return;
					try {
						this.#pending.push(JSON.parse(message.data) as EventRow);
					} catch {
						return;
					}
					if (this.#pending.length > KEPT) this.#pending.splice(0, this.#pending.length - KEPT);
					this.#frame ??= setTimeout(() => this.#paint(), 100);
				},
				state: (live) => (this.live = live)
			}
		);
	}

	stop(): void {
		this.#connection?.close();
		this.#connection = undefined;
		clearTimeout(this.#frame);
		this.#frame = undefined;
		this.#pending = [];
		this.waiting = 0;
		this.live = false;
	}

	/** Lets the waiting rows in. */
	release(): void {
		this.hold = false;
		this.#paint();
	}

	#paint(): void {
		this.#frame = undefined;
		if (this.hold) {
			this.waiting = this.#pending.length;
			return;
		}
		this.rows = [...this.#pending.reverse(), ...this.rows].slice(0, KEPT);
		this.#pending = [];
		this.waiting = 0;
		this.version += 1;
	}
}
