import { readNdjson } from './ndjson';
import { ApiError, isAbort, isProblem, localProblem } from './problem';
import type { Problem } from './types';

export const BASE = '/api/v1';

export type QueryArgs = Record<string, string | number | boolean | undefined | null>;

export interface CallOptions {
	query?: QueryArgs;
	body?: unknown;
	headers?: Record<string, string>;
	signal?: AbortSignal;
}

export interface Answer<T> {
	data: T;
	etag: string | null;
}

export function queryString(args: QueryArgs | undefined): string {
	if (!args) return '';
	const search = new URLSearchParams();
	for (const [key, value] of Object.entries(args)) {
		if (value !== undefined && value !== null && value !== '') search.set(key, String(value));
	}
	const text = search.toString();
	return text === '' ? '' : `?${text}`;
}

/** The only place that talks to the server. `onSignedOut` is called once per answer 401. */
export class Client {
	#fetch: typeof fetch;
	onSignedOut: () => void = () => {};

	constructor(fetcher: typeof fetch = (...args) => fetch(...args)) {
		this.#fetch = fetcher;
	}

	async get<T>(path: string, query?: QueryArgs, signal?: AbortSignal): Promise<T> {
		return (await this.call<T>('GET', path, { query, signal })).data;
	}

	async send<T>(method: 'POST' | 'PUT' | 'PATCH' | 'DELETE', path: string, body?: unknown): Promise<T> {
		return (await this.call<T>(method, path, { body })).data;
	}

	async call<T>(method: string, path: string, options: CallOptions = {}): Promise<Answer<T>> {
		const response = await this.open(method, path, options);
		const etag = response.headers.get('etag');
		if (response.status === 204) return { data: undefined as T, etag };
		const text = await response.text();
		if (text === '') return { data: undefined as T, etag };
		try {
			return { data: JSON.parse(text) as T, etag };
		} catch {
			throw new ApiError(localProblem('unreadable', `${method} ${path}`));
		}
	}

	/** A request whose answer is a stream of lines. Aborting ends the request at the server, too. */
	async lines(path: string, body: unknown, signal: AbortSignal, each: (line: unknown) => void): Promise<void> {
		const response = await this.open('POST', path, { body, signal });
		if (!response.body) throw new ApiError(localProblem('unreadable', path));
		try {
			await readNdjson(response.body, each);
		} catch (error) {
			if (isAbort(error) || error instanceof ApiError) throw error;
			throw new ApiError(localProblem(error instanceof SyntaxError ? 'unreadable' : 'offline', path));
		}
	}

	/** An answer whose headers have come; a refused one is thrown as its problem. */
	async open(method: string, path: string, options: CallOptions = {}): Promise<Response> {
		const headers: Record<string, string> = { accept: 'application/json', ...options.headers };
		if (method !== 'GET') headers['x-tandem-csrf'] = '1';
		let body: string | undefined;
		if (options.body !== undefined) {
			headers['content-type'] = 'application/json';
			body = JSON.stringify(options.body);
		}
		let response: Response;
		try {
			response = await this.#fetch(BASE + path + queryString(options.query), {
				method,
				headers,
				body,
				signal: options.signal,
				credentials: 'same-origin',
				cache: 'no-store'
			});
		} catch (error) {
			if (isAbort(error)) throw error;
			throw new ApiError(localProblem('offline', `${method} ${path}`));
		}
		if (response.ok) return response;
		const problem = await readProblem(response);
		if (response.status === 401 && path !== '/session' && path !== '/session/link') this.onSignedOut();
		throw new ApiError(problem);
	}
}

async function readProblem(response: Response): Promise<Problem> {
	const reference = response.headers.get('x-request-id') ?? undefined;
	try {
		const value: unknown = await response.json();
		if (isProblem(value)) return { ...value, reference: value.reference ?? reference };
	} catch {
		/* not JSON: the status is all there is */
	}
	return { type: 'about:blank', title: response.statusText, status: response.status, reference };
}
