import { readQueue } from '$lib/queue/url';

export const load = ({ url }: { url: URL }) => ({ state: readQueue(url.searchParams) });
