import type { Client } from '../api/client';
import { isAbort } from '../api/problem';
import { retryDelay, SseDecoder, type StreamMessage } from './sse';

/** Silence longer than this means a dead line: the server's heartbeat comes every 15 s. */
const SILENCE_MS = 40_000;

export interface ConnectionEvents {
	message: (message: StreamMessage) => void;
	state: (live: boolean) => void;
	/** After a cut that the server may not have bridged. */
	resumed?: () => void;
}

/** One event stream that comes back after a cut with the id of the last message it saw. */
export class Connection {
	#client: Client;
	#query: Record<string, string>;
	#events: ConnectionEvents;
	#stop = new AbortController();
	#lastId = '';
	#attempt = 0;

	constructor(client: Client, query: Record<string, string>, events: ConnectionEvents) {
		this.#client = client;
		this.#query = query;
		this.#events = events;
		void this.#run();
	}

	close(): void {
		this.#stop.abort();
	}

	async #run(): Promise<void> {
		let first = true;
		while (!this.#stop.signal.aborted) {
			try {
				await this.#once(first);
				first = false;
			} catch (error) {
				if (isAbort(error) && this.#stop.signal.aborted) return;
			}
			if (this.#stop.signal.aborted) return;
			this.#events.state(false);
			await sleep(retryDelay(this.#attempt), this.#stop.signal);
			this.#attempt += 1;
		}
	}

	async #once(first: boolean): Promise<void> {
		const headers: Record<string, string> = { accept: 'text/event-stream' };
		if (this.#lastId !== '') headers['last-event-id'] = this.#lastId;
		const request = new AbortController();
		const stop = (): void => request.abort();
		this.#stop.signal.addEventListener('abort', stop);
		let watchdog = setTimeout(stop, SILENCE_MS);
		try {
			const response = await this.#client.open('GET', '/stream', {
				query: this.#query,
				headers,
				signal: request.signal
			});
			if (!response.body) return;
			this.#events.state(true);
			if (!first) this.#events.resumed?.();
			this.#attempt = 0;
			const decoder = new SseDecoder();
			decoder.lastId = this.#lastId;
			const reader = response.body.getReader();
			for (;;) {
				const { done, value } = await reader.read();
				if (done) return;
				clearTimeout(watchdog);
				watchdog = setTimeout(stop, SILENCE_MS);
				for (const message of decoder.push(value)) {
					this.#lastId = message.id;
					this.#events.message(message);
				}
			}
		} finally {
			clearTimeout(watchdog);
			this.#stop.signal.removeEventListener('abort', stop);
		}
	}
}

function sleep(ms: number, signal: AbortSignal): Promise<void> {
	return new Promise((resolve) => {
		const timer = setTimeout(resolve, ms);
		signal.addEventListener('abort', () => {
			clearTimeout(timer);
			resolve();
		});
	});
}
