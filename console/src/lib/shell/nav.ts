import type { BindingId } from '../keys/bindings';
import type { MessageKey } from '../i18n/i18n.svelte';

export interface Destination {
	id: 'home' | 'queue' | 'search' | 'sources' | 'rules' | 'runs' | 'settings' | 'log';
	path: string;
	text: MessageKey;
	binding: BindingId;
}

/** The order is fixed. Paths are what is shared between people, so they do not change. */
export const DESTINATIONS: readonly Destination[] = [
	{ id: 'home', path: '/', text: 'nav.home', binding: 'go.home' },
	{ id: 'queue', path: '/queue', text: 'nav.queue', binding: 'go.queue' },
	{ id: 'search', path: '/search', text: 'nav.search', binding: 'go.search' },
	{ id: 'sources', path: '/sources', text: 'nav.sources', binding: 'go.sources' },
	{ id: 'rules', path: '/rules', text: 'nav.rules', binding: 'go.rules' },
	{ id: 'runs', path: '/runs', text: 'nav.runs', binding: 'go.runs' },
	{ id: 'settings', path: '/settings', text: 'nav.settings', binding: 'go.settings' },
	{ id: 'log', path: '/log', text: 'nav.log', binding: 'go.log' }
];

export function currentDestination(pathname: string): Destination | undefined {
	if (pathname.startsWith('/cases')) return DESTINATIONS.find((destination) => destination.id === 'queue');
	return DESTINATIONS.find((destination) =>
		destination.path === '/' ? pathname === '/' : pathname === destination.path || pathname.startsWith(`${destination.path}/`)
	);
}
