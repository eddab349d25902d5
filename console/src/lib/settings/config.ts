import type { FieldValue } from '../api/types';

export interface ConfigLine {
	path: string;
	value: string;
	/** The server does not send what is secret. */
	masked: boolean;
}

/** The effective configuration as lines, in the order of the file: `syslog.udp = "0.0.0.0:5514"`. */
export function configLines(value: FieldValue, path = ''): ConfigLine[] {
	if (value !== null && typeof value === 'object' && !Array.isArray(value)) {
		return Object.entries(value).flatMap(([name, inner]) => configLines(inner, path === '' ? name : `${path}.${name}`));
	}
	return [{ path, value: JSON.stringify(value), masked: typeof value === 'string' && /^\*+$/.test(value) }];
}
