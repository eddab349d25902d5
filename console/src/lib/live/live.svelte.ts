import type { Client } from '../api/client';
import { Connection } from './connection';
import type { StreamMessage } from './sse';

export type Topic = 'case' | 'detection' | 'source' | 'health' | 'resync';
type Listener = (data: unknown) => void;
type Shared = { kind: 'message'; message: StreamMessage } | { kind: 'state'; live: boolean } | { kind: 'ask' };

const TOPICS = 'cases,detections,sources,health';

/**
 * The site's live messages. One tab of a browser holds the connection (it holds the lock); the others hear
 * them through a channel, because a browser opens only about six connections to one server.
 */
export class Live {
	connected = $state(false);
	/** When the line was cut (ms); undefined while it is live. */
	staleSince = $state<number | undefined>(undefined);
	/** False until the first attempt has ended, so that nothing claims to be stale at start. */
	known = $state(false);
	#listeners = new Map<Topic, Set<Listener>>();
	#connection: Connection | undefined;
	#channel: BroadcastChannel | undefined;
	#release: (() => void) | undefined;
	#queue: StreamMessage[] = [];
	#frame = 0;

	constructor(private client: Client) {}

	start(): void {
		if (this.#channel) return;
		this.#channel = new BroadcastChannel('tandem.live');
		this.#channel.onmessage = (event: MessageEvent<Shared>) => this.#heard(event.data);
		if (!('locks' in navigator)) {
			this.#lead();
			return;
		}
		void navigator.locks.request('tandem.live', () => {
			if (!this.#channel) return Promise.resolve();
			this.#lead();
			return new Promise<void>((resolve) => (this.#release = resolve));
		});
		this.#channel.postMessage({ kind: 'ask' } satisfies Shared);
	}

	stop(): void {
		this.#connection?.close();
		this.#connection = undefined;
		this.#channel?.close();
		this.#channel = undefined;
		this.#release?.();
		this.#release = undefined;
		cancelAnimationFrame(this.#frame);
		this.#frame = 0;
		this.connected = false;
		this.known = false;
		this.staleSince = undefined;
	}

	on(topic: Topic, listener: Listener): () => void {
		const set = this.#listeners.get(topic) ?? new Set();
		set.add(listener);
		this.#listeners.set(topic, set);
		return () => set.delete(listener);
	}

	#lead(): void {
		this.#connection = new Connection(
			this.client,
			{ topics: TOPICS },
			{
				message: (message) => {
					this.#tell({ kind: 'message', message });
					this.#enqueue(message);
				},
				state: (live) => {
					this.#tell({ kind: 'state', live });
					this.#state(live);
				},
				resumed: () => this.#emit('resync', undefined)
			}
		);
	}

	#tell(shared: Shared): void {
		this.#channel?.postMessage(shared);
	}

	#heard(shared: Shared): void {
		if (shared.kind === 'ask') {
			if (this.#connection && this.known) this.#tell({ kind: 'state', live: this.connected });
		} else if (shared.kind === 'state') this.#state(shared.live);
		else this.#enqueue(shared.message);
	}

	#state(live: boolean): void {
		this.known = true;
		if (live) this.staleSince = undefined;
		else if (this.connected || this.staleSince === undefined) this.staleSince = Date.now();
		this.connected = live;
	}

	/** Messages are handed out once per frame, so that a burst is one change of the page. */
	#enqueue(message: StreamMessage): void {
		this.#queue.push(message);
		// A hidden tab gets no frames; it still has to drain.
		if (document.hidden) this.#flush();
		else if (this.#frame === 0) this.#frame = requestAnimationFrame(() => this.#flush());
	}

	#flush(): void {
		cancelAnimationFrame(this.#frame);
		this.#frame = 0;
		for (const message of this.#queue.splice(0)) {
			let data: unknown;
			try {
				data = JSON.parse(message.data);
			} catch {
				continue;
			}
			this.#emit(message.event as Topic, data);
		}
	}

	#emit(topic: Topic, data: unknown): void {
		for (const listener of this.#listeners.get(topic) ?? []) listener(data);
	}
}
