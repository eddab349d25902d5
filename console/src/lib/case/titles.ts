import type { TimelineEntry } from '../api/types';
import type { I18n } from '../i18n/i18n.svelte';
import { actOf } from './timeline';

/** What an entry says in the person's language: acts by their word, anything else as it is called. */
export function titleOf(entry: TimelineEntry, { t, maybe }: Pick<I18n, 't' | 'maybe'>): string {
	if (entry.kind !== 'act' && entry.kind !== 'note') return entry.title;
	const { word, undone } = actOf(entry.title);
	const said = maybe(`did.${word}`);
	if (said === undefined) return entry.title;
	return undone ? t('did.taken-back', { act: said }) : said;
}
