import type { EventRow } from '../api/types';
import { plain } from '../format/format';

/** What says most about an event, in the order in which it is told. */
const TELLING = [
	'rule.name',
	'user.name',
	'user.target.name',
	'group.name',
	'source.ip',
	'destination.ip',
	'destination.port',
	'process.command_line',
	'process.executable',
	'process.parent.executable',
	'file.path',
	'registry.path',
	'dns.question.name',
	'url.original',
	'http.response.status_code',
	'service.name',
	'email.subject'
] as const;
const MOST = 6;
const LONG = 300;

/** One line for a table: the message where the log has one, else its telling fields, else the text as it came. */
export function summary(row: Pick<EventRow, 'raw' | 'fields'>): string {
	const message = row.fields['message'];
	if (typeof message === 'string' && message.trim() !== '' && !/^[{<]/.test(message)) return message;
	if (!/^\s*([{<]|type=)/.test(row.raw)) return row.raw;
	const parts: string[] = [];
	for (const name of TELLING) {
		if (name === 'process.executable' && parts.some((part) => part.startsWith('process.command_line'))) continue;
		const value = row.fields[name];
		if (value !== undefined && value !== null && value !== '') parts.push(`${name}=${plain(value).slice(0, LONG)}`);
		if (parts.length === MOST) break;
	}
	if (parts.length === 0) return row.raw;
	const action = row.fields['event.action'];
	const failed = row.fields['event.outcome'] === 'failure' ? ' (failure)' : '';
	return [action ? plain(action) + failed : undefined, ...parts].filter(Boolean).join(' · ');
}
