/** Cuts a stream of UTF-8 bytes into lines of JSON, however the bytes were cut on the way. */
export class NdjsonDecoder {
	#rest = '';
	#text = new TextDecoder();

	push(bytes: Uint8Array): unknown[] {
		return this.#take(this.#text.decode(bytes, { stream: true }), false);
	}

	/** What the last line held, if it had no line feed. */
	end(): unknown[] {
		return this.#take(this.#text.decode(), true);
	}

	#take(text: string, last: boolean): unknown[] {
		const lines = (this.#rest + text).split('\n');
		this.#rest = last ? '' : (lines.pop() ?? '');
		const values: unknown[] = [];
		for (const line of lines) {
			const trimmed = line.trim();
			if (trimmed !== '') values.push(JSON.parse(trimmed));
		}
		return values;
	}
}

/** Calls `each` for every line of the body, in order. Stops when the reader is aborted. */
export async function readNdjson(
	body: ReadableStream<Uint8Array>,
	each: (line: unknown) => void
): Promise<void> {
	const decoder = new NdjsonDecoder();
	const reader = body.getReader();
	try {
		for (;;) {
			const { done, value } = await reader.read();
			if (done) break;
			for (const line of decoder.push(value)) each(line);
		}
		for (const line of decoder.end()) each(line);
	} finally {
		reader.releaseLock();
	}
}
