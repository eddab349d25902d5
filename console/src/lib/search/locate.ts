import type { Bucket } from '../api/types';

export interface Place {
	/** The bound from which rows have to be read, RFC 3339: the end of the time range when newest come first. */
	bound: string;
	/** The index of the first row beyond that bound. */
	start: number;
	bucket: Bucket;
}

/**
 * Where row `index` of a result lies in time, by the counts of its histogram: so that jumping into the middle
 * needs no offset.
 */
export function locate(index: number, buckets: readonly Bucket[], order: 'desc' | 'asc'): Place | undefined {
	const ordered = order === 'desc' ? [...buckets].reverse() : buckets;
	let start = 0;
	for (const bucket of ordered) {
		if (index < start + bucket.count) return { bound: order === 'desc' ? bucket.to : bucket.from, start, bucket };
		start += bucket.count;
	}
	return undefined;
}

export const totalOf = (buckets: readonly Bucket[]): number => buckets.reduce((sum, bucket) => sum + bucket.count, 0);

/** Buckets under a brush, as one span; either end may be dragged first. */
export function brushed(buckets: readonly Bucket[], a: number, b: number): { from: string; to: string; count: number } | undefined {
	const first = buckets[Math.min(a, b)];
	const last = buckets[Math.max(a, b)];
	if (!first || !last) return undefined;
	const count = buckets.slice(Math.min(a, b), Math.max(a, b) + 1).reduce((sum, bucket) => sum + bucket.count, 0);
	return { from: first.from, to: last.to, count };
}
