import type { Problem } from './types';

/** What every failed call throws: a server's problem, or one that the console made for a lost connection. */
export class ApiError extends Error {
	readonly problem: Problem;

	constructor(problem: Problem) {
		super(problem.detail ?? problem.title);
		this.name = 'ApiError';
		this.problem = problem;
	}

	get status(): number {
		return this.problem.status;
	}

	/** The last part of the type, which the catalogue and the screens go by. */
	get kind(): string {
		return problemKind(this.problem);
	}
}

export function problemKind(problem: Problem): string {
	const tail = problem.type.split(/[/:]/).pop() ?? '';
	return tail === 'blank' || tail === '' ? 'unknown' : tail;
}

/** A problem that began on this side of the wire. Status 0 means that no answer came. */
export function localProblem(kind: 'offline' | 'unreadable', detail = ''): Problem {
	return { type: `tandem:${kind}`, title: kind, status: 0, detail };
}

export function isProblem(value: unknown): value is Problem {
	return (
		typeof value === 'object' &&
		value !== null &&
		typeof (value as Problem).title === 'string' &&
		typeof (value as Problem).status === 'number'
	);
}

export function isAbort(error: unknown): boolean {
	return error instanceof DOMException && error.name === 'AbortError';
}

/** Whatever was thrown, as a problem that a screen can show. */
export function toProblem(error: unknown): Problem {
	if (error instanceof ApiError) return error.problem;
	return localProblem('unreadable', error instanceof Error ? error.message : String(error));
}
