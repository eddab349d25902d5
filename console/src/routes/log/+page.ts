import { readLog } from '$lib/log/url';

export const load = ({ url }: { url: URL }) => ({ state: readLog(url.searchParams) });
