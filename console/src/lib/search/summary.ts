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
/** A sender's own fields that tell nothing in a line: numbers of records, times, handles, what a column says already. */
const DULL =
	/^(EventID|EventRecordID|EventType|Provider.*|Channel|Computer|Level|Task|Opcode|Keywords|Version|RuleName|.*Time|Execution_.*|.*Guid|.*GUID|.*Sid|.*LogonId|.*ThreadI[dD]|.*ID|message|timestamp|@timestamp|tags|type|host|hostname|source|path|raw)$/;
const NOTHING = /^[-\s]*$|^0x0+$|^\{0+(-0+)+\}$|^%%\d+$/;
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
	// JSON and XML are for machines: the sender's own fields say more, even where no common name fits them.
	if (parts.length < 3 && /^\s*[{<]/.test(row.raw)) parts.push(...own(row.fields, MOST - parts.length, parts));
	if (parts.length === 0) return row.raw;
	const action = row.fields['event.action'];
	const failed = row.fields['event.outcome'] === 'failure' ? ' (failure)' : '';
	return [action ? plain(action) + failed : undefined, ...parts].filter(Boolean).join(' · ');
}

/** Fields without a common name, in the sender's order, that say something new. */
function own(fields: EventRow['fields'], most: number, told: readonly string[]): string[] {
	const said = new Set(told.map((part) => part.slice(part.indexOf('=') + 1)));
	const parts: string[] = [];
	for (const [name, value] of Object.entries(fields)) {
		if (parts.length >= most) break;
		if (name.includes('.') || DULL.test(name) || value === null || typeof value === 'object') continue;
		const text = plain(value).replaceAll(/\s+/g, ' ').slice(0, LONG);
		if (NOTHING.test(text) || said.has(text)) continue;
		parts.push(`${name}=${text}`);
	}
	return parts;
}
