import { error } from '@sveltejs/kit';
import { ENTITY_KINDS } from '$lib/entity/entity';

export const load = ({ params }: { params: { kind: string; name: string } }) => {
	const kind = ENTITY_KINDS.find((known) => known === params.kind);
	if (!kind) error(404, 'not found');
	return { entity: { kind, name: params.name } };
};
