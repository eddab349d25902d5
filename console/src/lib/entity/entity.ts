import type { Entity, EntityKind } from '../api/types';
import { condition } from '../search/query';

export const ENTITY_KINDS = ['host', 'user', 'address', 'file'] as const satisfies readonly EntityKind[];

/** The fields in which an entity of a kind stands. */
const FIELDS: Record<EntityKind, readonly string[]> = {
	host: ['host.name'],
	user: ['user.name', 'user.target.name'],
	address: ['source.ip', 'destination.ip', 'host.ip'],
	file: ['file.path', 'file.name', 'process.executable']
};
/** What goes together with an entity of a kind: the fields whose values are counted beside it. */
export const BESIDE: Record<EntityKind, readonly string[]> = {
	host: ['log_types', 'event.action', 'user.name', 'source.ip'],
	user: ['log_types', 'event.action', 'host.name', 'source.ip'],
	address: ['log_types', 'event.action', 'host.name', 'user.name'],
	file: ['log_types', 'event.action', 'host.name', 'user.name']
};

/** A user of a domain as its domain and its name: `NORDWIND\\a.keller`; events keep the two apart. */
export function partsOfUser(name: string): { domain?: string; name: string } {
	const at = name.lastIndexOf('\\');
	return at > 0 && at < name.length - 1 ? { domain: name.slice(0, at), name: name.slice(at + 1) } : { name };
}

/** The query for all events that name it. */
export function entityQuery(entity: Entity): string {
	const { domain, name } = entity.kind === 'user' ? partsOfUser(entity.name) : { domain: undefined, name: entity.name };
	const any = FIELDS[entity.kind].map((field) => condition(field, name)).join(' OR ');
	const one = FIELDS[entity.kind].length > 1 ? `(${any})` : any;
	return domain === undefined ? one : `${one} AND ${condition('user.domain', domain)}`;
}

export const entityPath = (entity: Entity): string => `/entities/${entity.kind}/${encodeURIComponent(entity.name)}`;

export const searchPath = (entity: Entity, from = '-30d'): string => `/search?q=${encodeURIComponent(entityQuery(entity))}&from=${from}`;
