import { readSettings } from '$lib/settings/url';

export const load = ({ url }: { url: URL }) => ({ state: readSettings(url.searchParams) });
