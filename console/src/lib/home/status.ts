import type { Home } from '../api/types';
import type { MessageKey, MessageValues } from '../i18n/i18n.svelte';

/** The one sentence of the home screen, part by part: what needs you first, and calm only when nothing does. */
export function statusParts({ status }: Pick<Home, 'status'>): { key: MessageKey; values: MessageValues }[] {
	const parts: { key: MessageKey; values: MessageValues }[] = [];
	if (status.cases_mine > 0) parts.push({ key: 'home.status.mine', values: { count: status.cases_mine } });
	if (status.cases_unowned > 0) parts.push({ key: 'home.status.unowned', values: { count: status.cases_unowned } });
	if (status.sources_unhealthy > 0) parts.push({ key: 'home.status.sources', values: { count: status.sources_unhealthy } });
	if (parts.length === 0) parts.push({ key: 'home.status.calm', values: {} });
	parts.push(
		status.events_24h === 0
			? { key: 'home.status.no-events', values: {} }
			: { key: 'home.status.events', values: { events: status.events_24h, detections: status.detections_24h } }
	);
	return parts;
}
