import { readRules } from '$lib/rules/url';

export const load = ({ url }: { url: URL }) => ({ state: readRules(url.searchParams) });
