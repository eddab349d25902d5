import { describe, expect, it } from 'vitest';
import { Client, queryString } from '../../src/lib/api/client';
import { NdjsonDecoder } from '../../src/lib/api/ndjson';
import { ApiError, problemKind, toProblem } from '../../src/lib/api/problem';
import { retryDelay, SseDecoder } from '../../src/lib/live/sse';

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
/** The text cut into pieces of every size, also within characters. */
function* cuts(text: string): Generator<Uint8Array[]> {
	const whole = bytes(text);
	for (let size = 1; size <= whole.length; size += 1) {
		const pieces = [];
		for (let at = 0; at < whole.length; at += size) pieces.push(whole.slice(at, at + size));
		yield pieces;
	}
}

describe('lines of JSON', () => {
	it('come whole, however they were cut', () => {
		const values = [{ kind: 'rows', rows: [{ raw: 'Zürich 😀\n"x"' }] }, { kind: 'done', total: 1 }];
		const text = values.map((value) => JSON.stringify(value)).join('\n');
		for (const end of ['', '\n', '\r\n\n']) {
			for (const pieces of cuts(text + end)) {
				const decoder = new NdjsonDecoder();
				expect([...pieces.flatMap((piece) => decoder.push(piece)), ...decoder.end()]).toEqual(values);
			}
		}
	});
	it('that are no JSON are an error', () => {
		expect(() => new NdjsonDecoder().push(bytes('{"a":\n'))).toThrow(SyntaxError);
	});
});

describe('the event stream', () => {
	const text = ': beat\n\nid: 7\nevent: case\ndata: {"id":"C-1",\ndata: "v":2}\n\nid:8\ndata:ü\n\nevent: x\n\n';
	it('gives messages, however they were cut', () => {
		for (const line of ['\n', '\r\n', '\r']) {
			for (const pieces of cuts(text.replaceAll('\n', line))) {
				const decoder = new SseDecoder();
				// What a carriage return at the very end leaves open is closed by the next bytes.
				const messages = [...pieces.flatMap((piece) => decoder.push(piece)), ...decoder.push(bytes(': more'))];
				expect(messages).toEqual([
					{ id: '7', event: 'case', data: '{"id":"C-1",\n"v":2}' },
					{ id: '8', event: 'message', data: 'ü' }
				]);
				expect(decoder.lastId).toBe('8');
			}
		}
	});
	it('is asked for again ever less often, and never all at once', () => {
		expect(retryDelay(0, () => 0)).toBe(375);
		expect(retryDelay(0, () => 1)).toBe(625);
		expect(retryDelay(50, () => 0.5)).toBe(30_000);
	});
});

describe('calls', () => {
	const answer = (status: number, body: unknown, headers: Record<string, string> = {}): typeof fetch => () =>
		Promise.resolve(new Response(body === undefined ? null : JSON.stringify(body), { status, headers }));

	it('carry the mark that a form of another site can not', async () => {
		const seen: RequestInit[] = [];
		const client = new Client((_url, init) => {
			seen.push(init ?? {});
			return Promise.resolve(new Response('{}'));
		});
		await client.get('/home');
		await client.send('POST', '/cases', { title: 'x' });
		expect(seen[0]?.headers).not.toHaveProperty('x-tandem-csrf');
		expect(seen[1]?.headers).toMatchObject({ 'x-tandem-csrf': '1', 'content-type': 'application/json' });
		expect(seen.every((init) => init.credentials === 'same-origin')).toBe(true);
	});
	it('give the version of what they read', async () => {
		const { etag } = await new Client(answer(200, {}, { etag: '"3"' })).call('GET', '/cases/C-1');
		expect(etag).toBe('"3"');
	});
	it('throw the server’s problem', async () => {
		const problem = { type: 'https://tandem/problems/taken', title: 'Taken', status: 409, detail: 'L1 took it 3 s ago', reference: 'r1' };
		const error = await new Client(answer(409, problem)).get('/x').catch((thrown: unknown) => thrown);
		expect(error).toBeInstanceOf(ApiError);
		expect((error as ApiError).kind).toBe('taken');
		expect(toProblem(error)).toEqual(problem);
	});
	it('make a problem of an answer without one, and of no answer', async () => {
		const bare = await new Client(() => Promise.resolve(new Response('<h1>', { status: 502, headers: { 'x-request-id': 'q9' } }))).get('/x').catch(toProblem);
		expect(bare).toMatchObject({ status: 502, reference: 'q9' });
		const lost = await new Client(() => Promise.reject(new TypeError('failed'))).get('/x').catch(toProblem);
		expect(problemKind(lost as never)).toBe('offline');
		const broken = await new Client(() => Promise.resolve(new Response('{'))).get('/x').catch(toProblem);
		expect(problemKind(broken as never)).toBe('unreadable');
	});
	it('say once that the session has ended, but not while signing in', async () => {
		let out = 0;
		const client = new Client(answer(401, { type: 'signed-out', title: 'x', status: 401 }));
		client.onSignedOut = () => (out += 1);
		await client.get('/session').catch(() => {});
		await client.send('POST', '/session', {}).catch(() => {});
		expect(out).toBe(0);
		await client.get('/cases').catch(() => {});
		expect(out).toBe(1);
	});
	it('leave out what is not asked', () => {
		expect(queryString({ a: undefined, b: '', c: 0, d: 'x y&' })).toBe('?c=0&d=x+y%26');
		expect(queryString({ a: null })).toBe('');
	});
});
