export interface StreamMessage {
	id: string;
	event: string;
	data: string;
}

/** The text/event-stream format: fields by line, a message by an empty line, comments (heartbeats) by a colon. */
export class SseDecoder {
	lastId = '';
	#rest = '';
	#event = '';
	#data: string[] = [];
	#text = new TextDecoder();

	push(bytes: Uint8Array): StreamMessage[] {
		const text = this.#rest + this.#text.decode(bytes, { stream: true });
		// A CR at the very end may be half of a CRLF: it waits for the next bytes.
		const held = text.endsWith('\r') ? 1 : 0;
		const lines = text.slice(0, text.length - held).split(/\r\n|\r|\n/);
		this.#rest = (lines.pop() ?? '') + (held ? '\r' : '');
		const messages: StreamMessage[] = [];
		for (const line of lines) {
			const message = this.#line(line);
			if (message) messages.push(message);
		}
		return messages;
	}

	#line(line: string): StreamMessage | undefined {
		if (line === '') {
			const data = this.#data;
			const event = this.#event;
			this.#data = [];
			this.#event = '';
			if (data.length === 0) return undefined;
			return { id: this.lastId, event: event === '' ? 'message' : event, data: data.join('\n') };
		}
		if (line.startsWith(':')) return undefined;
		const colon = line.indexOf(':');
		const field = colon < 0 ? line : line.slice(0, colon);
		let value = colon < 0 ? '' : line.slice(colon + 1);
		if (value.startsWith(' ')) value = value.slice(1);
		if (field === 'data') this.#data.push(value);
		else if (field === 'event') this.#event = value;
		else if (field === 'id' && !value.includes('\0')) this.lastId = value;
		return undefined;
	}
}

/** How long to wait before the next attempt: doubles up to half a minute, never all at once. */
export function retryDelay(attempt: number, random: () => number = Math.random): number {
	const base = Math.min(30_000, 500 * 2 ** Math.min(attempt, 6));
	return Math.round(base * (0.75 + random() * 0.5));
}
