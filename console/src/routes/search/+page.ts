import { readSearch } from '$lib/search/url';

export const load = ({ url }: { url: URL }) => ({ state: readSearch(url.searchParams) });
