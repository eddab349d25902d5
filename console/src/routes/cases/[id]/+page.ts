import { readCase } from '$lib/case/url';

export const load = ({ url, params }: { url: URL; params: { id: string } }) => ({
	id: params.id,
	state: readCase(url.searchParams)
});
