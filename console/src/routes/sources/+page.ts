import { readSources } from '$lib/sources/url';

export const load = ({ url }: { url: URL }) => ({ state: readSources(url.searchParams) });
