// A stand-in for a site, so that screens can be looked at while the console is built: serves build/ with the policy
// of the page and answers /api/v1 from made-up data. Not used by any test. Faults: POST /__dev {path,status,delay}.
import { createServer } from 'node:http';
import { existsSync, readFileSync } from 'node:fs';
import { extname, join } from 'node:path';
import * as data from './fixtures.mjs';

const PORT = Number(process.env.PORT ?? 4174);
const BUILD = new URL('../build/', import.meta.url).pathname;
const TYPES = { '.html': 'text/html; charset=utf-8', '.js': 'text/javascript', '.css': 'text/css', '.svg': 'image/svg+xml', '.json': 'application/json' };
const { iso, CASES, SOURCES, RULES, RUNS, head } = data;

let faults = [];
let empty = false;
let seq = 400;
let signedIn = true;
/** With sessions, as a site has them: a cookie by a one-time link. Otherwise everybody is signed in. */
let strict = false;
let linkUsed = false;
const drafts = new Map();
const streams = new Set();
const saved = [{ id: 'x1', name: 'Failed sign-ins, last day', url: '/search?q=event.outcome%3Afailure' }];
let preferences = { theme: 'system', language: 'en', zone: 'mine', density: 'normal', single_keys: true };
const tokens = [{ id: 't1', name: 'winlogbeat on SRV-DC1', created: iso(data.NOW - 9e8), last_used: iso(data.NOW - 4000) }];
const users = [
	{ id: 'u1', name: 'm.huber', display_name: 'Miriam Huber', roles: ['site_admin', 'analyst_l2'], party: 'customer', enabled: true, second_factor: true, last_sign_in: iso(data.NOW - 3e6) },
	{ id: 'u2', name: 'j.keller', display_name: 'Jonas Keller', roles: ['analyst_l1'], party: 'customer', enabled: true, second_factor: false, last_sign_in: iso(data.NOW - 9e7) },
	{ id: 'u3', name: 'temp', display_name: 'Former trainee', roles: ['viewer'], party: 'customer', enabled: false, second_factor: false }
];
const log = Array.from({ length: 120 }, (_, i) => ({
	seq: 120 - i,
	at: iso(data.NOW - i * 7.3e5),
	actor: ['m.huber', 'tandem', 'j.keller'][i % 3],
	verb: ['case.close', 'events.read', 'rule.switch', 'session.begin'][i % 4],
	object: [`case:C-${1040 - (i % 30)}`, 'events', 'rule:ps-encoded', 'user:m.huber'][i % 4],
	detail: i % 4 === 1 ? { query: 'event.outcome:failure', rows: 200 } : { reason: 'Known administrator activity' },
	commitment: (i * 7919 + 4096).toString(16).repeat(8).slice(0, 64)
}));

const ACTS = ['take', 'release', 'start_triage', 'escalate', 'respond', 'recover', 'go_back', 'close', 'reopen', 'set_priority', 'note', 'merge', 'snooze', 'pin'];
const FROM = {
	take: ['new', 'triage', 'analysis', 'response', 'recovered'],
	release: ['triage', 'analysis', 'response', 'recovered'],
	start_triage: ['new'],
	escalate: ['triage'],
	respond: ['analysis'],
	recover: ['response'],
	go_back: ['analysis', 'response', 'recovered'],
	close: ['triage', 'analysis', 'recovered'],
	reopen: ['closed'],
	set_priority: ['new', 'triage', 'analysis', 'response', 'recovered'],
	note: null,
	merge: ['new', 'triage', 'analysis', 'response', 'recovered'],
	snooze: ['new', 'triage', 'analysis', 'response', 'recovered'],
	pin: null
};
const allowed = (entry) =>
	ACTS.map((act) => {
		const from = FROM[act];
		const ok = from === null || from.includes(entry.state);
		return { act, allowed: ok && !(act === 'take' && entry.owner?.id === 'u1'), because: ok ? 'the customer does everything at this site' : `a case in state ${entry.state} can't be moved so; it must be in ${from.join(' or ')}`, how_to_get_access: ok ? undefined : 'Take the step before first.' };
	});
const full = (entry) => ({ ...entry, allowed: allowed(entry) });

function act(entry, body) {
	const was = JSON.stringify({ state: entry.state, owner: entry.owner, verdict: entry.verdict, priority: entry.priority });
	const say = { take: 'Took the case', release: 'Gave the case back', start_triage: 'Started triage', escalate: 'Escalated to analysis', respond: 'Started response', recover: 'Marked recovered', go_back: 'Went back', close: 'Closed', reopen: 'Reopened', set_priority: 'Set the priority', note: 'Note', merge: 'Merged', snooze: 'Snoozed', pin: 'Pinned evidence' };
	if (!allowed(entry).find((one) => one.act === body.act)?.allowed) throw { status: 422, type: 'not-now', title: `${body.act} is not possible`, detail: `The case is in state ${entry.state}.` };
	const next = { start_triage: 'triage', escalate: 'analysis', respond: 'response', recover: 'recovered', go_back: 'triage', close: 'closed', reopen: 'triage', merge: 'merged' }[body.act];
	if (next) entry.state = next;
	if (body.act === 'take') {
		entry.owner = { id: 'u1', name: 'Miriam Huber' };
		if (entry.state === 'new') entry.state = 'triage';
	}
	if (body.act === 'release') entry.owner = undefined;
	if (body.act === 'close') entry.verdict = body.verdict;
	if (body.act === 'set_priority') Object.assign(entry, { priority: body.priority, priority_reason: body.reason });
	if (body.act === 'pin') entry.pinned.push(body.event_id);
	entry.version += 1;
	entry.updated = iso(Date.now());
	const act_id = `a${(seq += 1)}`;
	entry.timeline.push({ at: entry.updated, kind: body.act === 'note' ? 'note' : 'act', title: say[body.act], actor: 'Miriam Huber', detail: body.text ?? body.reason ?? body.checked, event_id: body.event_id, decisive: false, act_id, undo_until: iso(Date.now() + 60_000), was });
	push('case', { id: entry.id, version: entry.version, change: body.act });
	return full(entry);
}

function push(event, value) {
	seq += 1;
	for (const stream of streams) if (event !== 'event' || stream.tail) stream.res.write(`id: ${seq}\nevent: ${event}\ndata: ${JSON.stringify(value)}\n\n`);
}

const term = (text) => {
	const not = /^NOT /.test(text);
	const bare = text.replace(/^NOT /, '');
	const field = /^([\w.]+):(?:"((?:[^"\\]|\\.)*)"|(\S+))$/.exec(bare);
	if (field?.[1] === '_exists_') return (e) => (e.fields[field[3]] !== undefined) !== not;
	if (field) {
		const want = (field[2] ?? field[3]).toLowerCase();
		const one = (v) => (want.includes('*') ? new RegExp(`^${want.replace(/[.+?^${}()|[\]\\]/g, '\\$&').replaceAll('*', '.*')}$`).test(v) : v === want);
		return (e) => one(String(field[1] === 'source' ? e.source : field[1] === 'log_types' ? e.log_types[0] : (e.fields[field[1]] ?? '')).toLowerCase()) !== not;
	}
	if (bare === '*') return () => true;
	const word = bare.replace(/^"|"$/g, '').toLowerCase();
	return (e) => e.raw.toLowerCase().includes(word) !== not;
};
function check(query) {
	const bad = /(\w+):(?=\s|$)/.exec(query);
	if (bad) return [{ start: bad.index, end: bad.index + bad[0].length, message: `'${bad[1]}:' has no value`, hint: `write ${bad[1]}:* for any value`, severity: 'error' }];
	if ((query.match(/"/g) ?? []).length % 2) return [{ start: query.lastIndexOf('"'), end: query.length, message: 'the quotation mark is not closed', hint: 'add a closing quotation mark', severity: 'error' }];
	if ((query.match(/\(/g) ?? []).length !== (query.match(/\)/g) ?? []).length) return [{ start: query.indexOf('('), end: query.length, message: 'the parenthesis is not closed', hint: 'add )', severity: 'error' }];
	const unknown = /\b(hostname|username):/.exec(query);
	if (unknown) return [{ start: unknown.index, end: unknown.index + unknown[1].length, message: `there is no field '${unknown[1]}'`, hint: `did you mean ${unknown[1].replace('name', '.name')}?`, severity: 'warning' }];
	return [];
}
const ALL = Array.from({ length: data.EVENT_COUNT }, (_, i) => data.eventAt(i)).sort((a, b) => (a.time < b.time ? 1 : -1));

async function search(body, res) {
	const problems = check(body.query).filter((problem) => problem.severity === 'error');
	if (problems.length) throw { status: 400, type: 'query-invalid', title: 'The query is not valid', detail: problems[0].message, hint: problems[0].hint, problems };
	res.writeHead(200, { 'content-type': 'application/x-ndjson' });
	const line = (value) => res.write(`${JSON.stringify(value)}\n`);
	const started = Date.now();
	const [where, ...pipes] = body.query.split('|').map((part) => part.trim());
	const terms = (where.match(/(?:NOT )?(?:[\w.]+:)?(?:"(?:[^"\\]|\\.)*"|\S+)/g) ?? []).filter((word) => word !== 'AND').map(term);
	const rows = empty ? [] : ALL.filter((e) => e.time >= body.from && e.time < body.to && terms.every((one) => one(e)));
	for (let step = 1; step <= 3; step += 1) {
		line({ kind: 'progress', files_done: step * 4, files: 14, rows: Math.round((rows.length * step) / 3), bytes: step * 1.03e9, scanned_from: body.from, scanned_to: body.to });
		await new Promise((resolve) => setTimeout(resolve, 40));
		if (res.destroyed) return;
	}
	if (pipes.length) {
		const by = /by (\S+)/.exec(pipes[0])?.[1] ?? 'host.name';
		const counts = new Map();
		for (const row of rows) counts.set(row.fields[by], (counts.get(row.fields[by]) ?? 0) + 1);
		line({ kind: 'table', columns: [by, 'count'], rows: [...counts].sort((a, b) => b[1] - a[1]) });
	}
	const ordered = body.order === 'asc' ? [...rows].reverse() : rows;
	const from = body.cursor ? Number(body.cursor) : 0;
	if (body.histogram) {
		const n = body.histogram.buckets;
		const a = Date.parse(body.from);
		const width = (Date.parse(body.to) - a) / n;
		const buckets = Array.from({ length: n }, (_, i) => ({ from: iso(a + i * width), to: iso(a + (i + 1) * width), count: 0 }));
		for (const row of rows) buckets[Math.min(n - 1, Math.floor((Date.parse(row.time) - a) / width))].count += 1;
		line({ kind: 'histogram', buckets });
	}
	if (body.facets?.length) {
		line({
			kind: 'facets',
			facets: body.facets.map((field) => {
				const counts = new Map();
				let missing = 0;
				for (const row of rows) {
					const value = field === 'source' ? row.source : field === 'log_types' ? row.log_types[0] : row.fields[field];
					if (value === undefined) missing += 1;
					else counts.set(String(value), (counts.get(String(value)) ?? 0) + 1);
				}
				return { field, values: [...counts].sort((x, y) => y[1] - x[1]).slice(0, 10).map(([value, count]) => ({ value, count })), distinct: counts.size, missing };
			})
		});
	}
	const page = ordered.slice(from, from + body.limit);
	for (let i = 0; i < page.length; i += 100) line({ kind: 'rows', rows: page.slice(i, i + 100) });
	line({ kind: 'done', total: rows.length, limited: false, duration_ms: Date.now() - started, next_cursor: from + body.limit < ordered.length ? String(from + body.limit) : undefined });
	res.end();
}

const counts = () => {
	const open = CASES.filter((entry) => !['closed', 'merged'].includes(entry.state));
	return { mine: open.filter((entry) => entry.owner?.id === 'u1').length, unowned: open.filter((entry) => !entry.owner).length, open: open.length, closed: CASES.length - open.length };
};
const notFound = (what) => ({ status: 404, type: 'not-found', title: `There is no such ${what}` });
const detections = (rule) =>
	CASES.flatMap((entry) => entry.why_it_fired.filter((fired) => !rule || fired.rule_id === rule).map((fired) => ({ id: fired.detection_id, kind: 'rule', rule_id: fired.rule_id, rule_title: fired.rule_title, level: fired.level, time: fired.time, detected: fired.time, source: entry.entities[0].name, event_id: 'ev-12', entities: entry.entities, case: entry.id, matches: fired.matches })));
const bareRule = ({ text, description, in_words, references, license, falsepositives, fields, slug, ...rest }) => rest;

const ROUTES = [
	['GET', /^\/session$/, () => session()],
	['POST', /^\/session$/, (m, body) => {
		if (body.password !== 'tandem') throw { status: 401, type: 'sign-in-failed', title: 'Sign-in failed' };
		if (!body.code) throw { status: 401, type: 'second-factor-required', title: 'A code is required' };
		signedIn = true;
		return session();
	}],
	['POST', /^\/session\/link$/, (m, body) => {
		if (body.token !== 'dev' || (strict && linkUsed)) throw { status: 401, type: 'sign-in-failed', title: 'The link is used or expired', detail: 'This link has been used or has expired.', hint: 'Print a new one with tandem site link.' };
		signedIn = true;
		linkUsed = true;
		return session();
	}],
	['DELETE', /^\/session$/, () => void (signedIn = false)],
	['PUT', /^\/preferences$/, (m, body) => void (preferences = body)],
	['GET', /^\/drafts\/(.+)$/, (m) => { const text = drafts.get(m[1]); if (text === undefined) throw notFound('draft'); return { text }; }],
	['PUT', /^\/drafts\/(.+)$/, (m, body) => void drafts.set(m[1], body.text)],
	['DELETE', /^\/drafts\/(.+)$/, (m) => void drafts.delete(m[1])],
	['PUT', /^\/presence$/, (m, body) => ({ others: body.object === 'case:C-1040' ? [{ name: 'Jonas Keller', since: iso(Date.now() - 60000) }] : [] })],
	['GET', /^\/home$/, () => empty ? { status: { cases_mine: 0, cases_unowned: 0, sources_unhealthy: 0, sources: 0, detections_24h: 0, events_24h: 0 }, my_tasks: [], unowned: [], unhealthy_sources: [], strip: [], detections: [] } : {
		status: { cases_mine: counts().mine, cases_unowned: counts().unowned, sources_unhealthy: 2, sources: 7, detections_24h: 214, events_24h: 1_284_112 },
		my_tasks: CASES.filter((entry) => entry.owner?.id === 'u1' && entry.state !== 'closed').slice(0, 7).map(head),
		unowned: CASES.filter((entry) => !entry.owner && entry.state !== 'closed').slice(0, 7).map(head),
		unhealthy_sources: SOURCES.filter((source) => source.health === 'silent' || source.health === 'failing'),
		strip: Array.from({ length: 24 }, (_, i) => ({ from: iso(Math.floor(data.NOW / 3.6e6) * 3.6e6 - (23 - i) * 3.6e6), events: Math.round(40_000 + 25_000 * Math.sin(i / 3)), detections: Math.round(8 + 7 * Math.sin(i / 2)), cases: i % 5 === 0 ? 2 : 0 })),
		detections: detections().slice(0, 7)
	}],
	['GET', /^\/cases$/, (m, body, q) => {
		const view = q.get('view') ?? 'open';
		const priorities = q.get('priority')?.split(',');
		const ended = (entry) => ['closed', 'merged'].includes(entry.state);
		let items = empty ? [] : CASES.filter((entry) => view === 'all' || (view === 'closed' ? ended(entry) : !ended(entry)) && (view !== 'mine' || entry.owner?.id === 'u1') && (view !== 'unowned' || !entry.owner));
		if (priorities) items = items.filter((entry) => priorities.includes(entry.priority));
		for (const key of ['state', 'kind']) if (q.get(key)) items = items.filter((entry) => entry[key] === q.get(key));
		if (q.get('q')) items = items.filter((entry) => JSON.stringify(head(entry)).toLowerCase().includes(q.get('q').toLowerCase()));
		const sort = q.get('sort') ?? '-priority';
		items = [...items].sort((a, b) => (sort === '-priority' ? a.priority.localeCompare(b.priority) || b.opened.localeCompare(a.opened) : b[sort.slice(1)].localeCompare(a[sort.slice(1)])));
		return { items: items.map(head), counts: empty ? { mine: 0, unowned: 0, open: 0, closed: 0 } : counts() };
	}],
	['POST', /^\/cases$/, (m, body) => {
		const entry = { ...data.makeCase(50), id: `C-${(seq += 1) + 700}`, title: body.title, kind: body.kind, priority: body.priority, priority_reason: 'set by Miriam Huber', state: 'new', owner: undefined, verdict: undefined, detections: 0, why: 'opened by a person', why_it_fired: [], grouping: [], entities: [], opened: iso(Date.now()), updated: iso(Date.now()) };
		CASES.unshift(entry);
		push('case', { id: entry.id, version: entry.version, change: 'opened' });
		return full(entry);
	}],
	['POST', /^\/cases\/bulk$/, (m, body) => {
		const done = [];
		const not_done = [];
		for (const id of body.ids) {
			const entry = CASES.find((one) => one.id === id);
			try { act(entry, body); done.push(id); } catch (error) { not_done.push({ id, because: error.detail }); }
		}
		return { done, not_done };
	}],
	['GET', /^\/cases\/([^/]+)$/, (m) => full(find(CASES, m[1], 'case'))],
	['POST', /^\/cases\/([^/]+)\/acts$/, (m, body, q, req) => {
		const entry = find(CASES, m[1], 'case');
		if (req.headers['if-match'] !== `"${entry.version}"`) throw { status: 409, type: 'changed', title: 'The case changed meanwhile', detail: 'Jonas Keller took it 3 s ago.' };
		return act(entry, body);
	}],
	['POST', /^\/cases\/([^/]+)\/undo$/, (m, body) => {
		const entry = find(CASES, m[1], 'case');
		const done = entry.timeline.find((one) => one.act_id === body.act_id);
		Object.assign(entry, { owner: undefined, verdict: undefined }, JSON.parse(done.was));
		entry.timeline = entry.timeline.filter((one) => one !== done);
		entry.version += 1;
		return full(entry);
	}],
	['GET', /^\/cases\/([^/]+)\/events$/, () => ({ items: ALL.slice(100, 108) })],
	['GET', /^\/detections$/, (m, body, q) => ({ items: detections(q.get('rule_id')) })],
	['GET', /^\/runs$/, () => ({ items: empty ? [] : RUNS.map(({ groups, ...run }) => run) })],
	['GET', /^\/runs\/([^/]+)$/, (m) => find(RUNS, m[1], 'run')],
	['POST', /^\/runs\/([^/]+)\/promote$/, (m, body) => { const group = find(RUNS, m[1], 'run').groups.find((one) => one.key === body.group); group.promoted_case = 'C-1041'; return full(CASES[0]); }],
	['GET', /^\/events\/([^/]+)$/, (m) => {
		const row = find(ALL, m[1], 'event');
		const common = Object.fromEntries(Object.entries(row.fields).filter(([name]) => name.includes('.')));
		const vendor = Object.fromEntries(Object.entries(row.fields).filter(([name]) => !name.includes('.')));
		return { ...row, fields: undefined, common: { ...common, 'event.kind': 'event', 'observer.vendor': 'made up' }, vendor: { Severity: 6, ...vendor } };
	}],
	['GET', /^\/events\/([^/]+)\/around$/, (m) => { const at = ALL.findIndex((row) => row.id === m[1]); return { items: ALL.slice(Math.max(0, at - 40), at + 41) }; }],
	['POST', /^\/search\/check$/, (m, body) => ({ problems: check(body.query), fields: [] })],
	['GET', /^\/search\/complete$/, (m, body, q) => {
		const before = q.get('q').slice(0, Number(q.get('at')));
		const value = /([\w.]+):"?([^\s"]*)$/.exec(before);
		if (value) {
			const seen = [...new Set(ALL.slice(0, 3000).map((row) => String(row.fields[value[1]] ?? '')))].filter((text) => text && text.toLowerCase().startsWith(value[2].toLowerCase()));
			return { items: seen.slice(0, 8).map((text) => ({ text, kind: 'value', detail: '' })) };
		}
		const word = /[\w.]*$/.exec(before)[0];
		return { items: word === '' ? [] : data.FIELDS.filter((field) => field.name.toLowerCase().includes(word.toLowerCase())).map((field) => ({ text: `${field.name}:`, kind: 'field', detail: field.description })) };
	}],
	['GET', /^\/fields$/, () => ({ items: data.FIELDS })],
	['GET', /^\/saved-searches$/, () => ({ items: saved })],
	['POST', /^\/saved-searches$/, (m, body) => { const one = { id: `x${(seq += 1)}`, ...body }; saved.push(one); return one; }],
	['DELETE', /^\/saved-searches\/(.+)$/, (m) => void saved.splice(saved.findIndex((one) => one.id === m[1]), 1)],
	['GET', /^\/sources$/, () => ({ items: empty ? [] : SOURCES })],
	['GET', /^\/sources\/([^/]+)$/, (m) => {
		const source = find(SOURCES, m[1], 'source');
		const bad = source.health === 'failing';
		return { ...source, rules_fed: 14, parse_failures: bad ? Array.from({ length: 4 }, (_, i) => ({ at: iso(data.NOW - i * 9e4), raw: `<22>Nov 25 03:1${i}:09 mail-01 postfix/smtpd[411]: NOQUEUE: reject: RCPT from unknown[203.0.113.9]: 554 5.7.1`, error: 'the header has no host name that is known; the message part was kept' })) : [], diagnosis: [
			{ stage: 'network', ok: source.health !== 'silent', text: source.health === 'silent' ? 'no packet from 10.0.5.1 for 1 h 50 min; before that one every 4 s' : 'packets arrive' },
			{ stage: 'tls', ok: true, text: 'not used' },
			{ stage: 'format', ok: !bad, text: bad ? 'header variant changed at 14:20' : 'syslog, RFC 3164' },
			{ stage: 'time', ok: true, text: 'clock differs by 0.4 s' },
			{ stage: 'parse', ok: !bad, text: bad ? '38 % of records are not understood; samples below' : '100 % understood' }
		] };
	}],
	['PATCH', /^\/sources\/([^/]+)$/, (m, body) => Object.assign(find(SOURCES, m[1], 'source'), body)],
	['GET', /^\/receivers$/, () => ({
		items: [
			{ kind: 'syslog-udp', address: '0.0.0.0:5514', records: 812_331, errors: [], last_peer: '10.0.5.1' },
			{ kind: 'syslog-tcp', address: '0.0.0.0:5514', records: 91_022, errors: [{ name: 'frame too long', count: 2 }], last_peer: '10.0.5.21', last_error: 'a line of 1.2 MB from 10.0.5.21 was cut at 1 MiB' },
			{ kind: 'http', address: '0.0.0.0:8088', records: 440_120, errors: [], last_peer: '10.0.5.30' }
		],
		snippets: [
			{ title: 'rsyslog', kind: 'syslog-tcp', text: '# /etc/rsyslog.d/60-tandem.conf\n*.* action(type="omfwd" target="tandem.example" port="5514" protocol="tcp"\n           action.resumeRetryCount="-1" queue.type="linkedList" queue.size="10000")\n' },
			{ title: 'Winlogbeat', kind: 'http', text: 'output.elasticsearch:\n  hosts: ["https://tandem.example:8088"]\n  api_key: "TOKEN"\n' },
			{ title: 'curl', kind: 'http', text: "curl -H 'Authorization: Bearer TOKEN' --data-binary @events.ndjson https://tandem.example:8088/ingest/ndjson\n" }
		]
	})],
	['GET', /^\/ingest-tokens$/, () => ({ items: tokens })],
	['POST', /^\/ingest-tokens$/, (m, body) => { const one = { id: `t${(seq += 1)}`, name: body.name, created: iso(Date.now()) }; tokens.push(one); return { ...one, token: 'tdi_8f3a1c0b7e5d49a2b6c1' }; }],
	['DELETE', /^\/ingest-tokens\/(.+)$/, (m) => void tokens.splice(tokens.findIndex((one) => one.id === m[1]), 1)],
	['GET', /^\/rules$/, (m, body, q) => {
		let items = empty ? [] : RULES;
		for (const key of ['level', 'status', 'state']) if (q.get(key)) items = items.filter((rule) => rule[key] === q.get(key));
		if (q.get('q')) items = items.filter((rule) => rule.title.toLowerCase().includes(q.get('q').toLowerCase()));
		const count = (state) => (empty ? 0 : RULES.filter((rule) => rule.state === state).length);
		return { items: items.map(bareRule), counts: { active: count('active'), off: count('off'), unfed: count('unfed'), error: count('error') + count('needs values') } };
	}],
	['GET', /^\/rules\/([^/]+)$/, (m) => { const rule = find(RULES, m[1], 'rule'); return { ...rule, matches: detections(rule.id).slice(0, 20) }; }],
	['PATCH', /^\/rules\/([^/]+)$/, (m, body) => { const rule = find(RULES, m[1], 'rule'); rule.enabled = body.enabled; rule.state = body.enabled ? 'active' : 'off'; rule.reason = body.reason; return { ...rule, matches: [] }; }],
	['GET', /^\/log$/, (m, body, q) => { const at = Number(q.get('cursor') ?? 0); const items = log.filter((one) => !q.get('q') || JSON.stringify(one).includes(q.get('q'))); return { items: empty ? [] : items.slice(at, at + 50), next_cursor: at + 50 < items.length ? String(at + 50) : undefined }; }],
	['GET', /^\/users$/, () => ({ items: users })],
	['POST', /^\/users$/, (m, body) => { const one = { id: `u${(seq += 1)}`, party: 'customer', enabled: true, second_factor: false, ...body, password: undefined }; users.push(one); return one; }],
	['PATCH', /^\/users\/(.+)$/, (m, body) => Object.assign(find(users, m[1], 'user'), body)],
	['GET', /^\/api-tokens$/, () => ({ items: [{ id: 'k1', name: 'nightly report', created: iso(data.NOW - 4e9), last_used: iso(data.NOW - 8e7) }] })],
	['POST', /^\/api-tokens$/, (m, body) => ({ id: `k${(seq += 1)}`, name: body.name, created: iso(Date.now()), token: 'tda_51c0ffee00aa' })],
	['DELETE', /^\/api-tokens\/(.+)$/, () => undefined],
	['POST', /^\/second-factor\/begin$/, () => ({ uri: 'otpauth://totp/Tandem:m.huber?secret=JBSWY3DPEHPK3PXP&issuer=Tandem', secret: 'JBSWY3DPEHPK3PXP' })],
	['POST', /^\/second-factor\/confirm$/, () => undefined],
	['POST', /^\/password$/, () => undefined],
	['GET', /^\/settings$/, () => ({ config: { console: { address: '127.0.0.1:8443', name: 'https://tandem.example' }, ingest: { address: '0.0.0.0:8088', max_record_bytes: 1_048_576 }, syslog: { udp: '0.0.0.0:5514', tcp: '0.0.0.0:5514' }, store: { retention_days: 90, url: 'file:///var/lib/tandem' }, mail: { host: 'mail.example', password: '***' } }, warnings: ['syslog.tls is off: senders outside this network can be read'] })],
	['GET', /^\/health$/, () => ({ ready: true, checks: [{ name: 'disk', ok: true, text: '412 GB free' }, { name: 'clock', ok: true, text: 'in step' }], spool: { lag_records: 12, size_bytes: 4.1e7 }, store: { events: 128_402_112, files: 812, bytes: 9.1e9, unsealed: 2210, last_seal: iso(data.NOW - 6e4) }, detect: { rules: 61, events_per_s: 812.4, lag_ms: 18 } })]
];
function find(list, id, what) {
	const entry = list.find((one) => one.id === id);
	if (!entry) throw notFound(what);
	return entry;
}
function session() {
	if (!signedIn) throw { status: 401, type: 'signed-out', title: 'Not signed in' };
	return { user: { id: 'u1', name: 'm.huber', display_name: 'Miriam Huber', roles: ['site_admin', 'analyst_l2'], party: 'customer', second_factor: false }, site: { name: 'Nordlicht Werke', demo: true, version: '0.1.0' }, expires: iso(Date.now() + 8.6e7), preferences };
}

createServer(async (req, res) => {
	const url = new URL(req.url, 'http://x');
	let text = '';
	for await (const chunk of req) text += chunk;
	const body = text ? JSON.parse(text) : {};
	const json = (status, value) => {
		if (value === undefined) return res.writeHead(204).end();
		res.writeHead(status, { ...(req.method === 'POST' && url.pathname === '/api/v1/session/link' && status < 400 ? { 'set-cookie': 'tandem_session=dev; HttpOnly; SameSite=Strict; Path=/' } : {}), 'content-type': status >= 400 ? 'application/problem+json' : 'application/json' }).end(JSON.stringify(value));
	};
	if (url.pathname === '/__dev') {
		if (body.faults) faults = body.faults;
		if (body.empty !== undefined) empty = body.empty;
		if (body.signedIn !== undefined) signedIn = body.signedIn;
		if (body.strict !== undefined) {
			strict = body.strict;
			linkUsed = false;
		}
		if (body.preferences) preferences = { ...preferences, ...body.preferences };
		if (body.arrive) for (let i = 0; i < body.arrive; i += 1) { const entry = data.makeCase(3); CASES.unshift({ ...entry, id: `C-${2000 + (seq += 1)}`, opened: iso(Date.now()), updated: iso(Date.now()) }); push('case', { id: CASES[0].id, version: 1, change: 'opened' }); }
		if (body.cut) for (const stream of streams) stream.res.destroy();
		return json(200, {});
	}
	if (url.pathname.startsWith('/api/v1')) {
		const path = url.pathname.slice(7);
		if (strict && !/tandem_session=dev/.test(req.headers.cookie ?? '') && !(path.startsWith('/session') && req.method === 'POST')) return json(401, { type: 'signed-out', title: 'Not signed in', status: 401 });
		const fault = faults.find((one) => new RegExp(one.path).test(`${req.method} ${path}`));
		if (fault?.delay) await new Promise((resolve) => setTimeout(resolve, fault.delay));
		if (fault?.status) return json(fault.status, { type: fault.type ?? 'internal', title: fault.title ?? 'Internal error', status: fault.status, reference: '7f3a-91c2', ...fault.body });
		if (path === '/stream') {
			res.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-store' });
			res.write(': hello\n\n');
			const stream = { res, tail: url.searchParams.get('topics')?.includes('tail') };
			streams.add(stream);
			res.on('close', () => streams.delete(stream));
			return;
		}
		try {
			if (path === '/search' && req.method === 'POST') return await search(body, res);
			for (const [method, pattern, handler] of ROUTES) {
				const match = method === req.method && pattern.exec(decodeURIComponent(path));
				if (match) return json(200, handler(match, body, url.searchParams, req));
			}
			throw notFound('address');
		} catch (problem) {
			if (!problem.status) console.error(problem);
			return json(problem.status ?? 500, { type: problem.type ?? 'internal', title: problem.title ?? String(problem), status: 500, ...problem });
		}
	}
	let file = join(BUILD, url.pathname);
	if (url.pathname === '/' || !existsSync(file) || !extname(file)) file = join(BUILD, 'index.html');
	const page = readFileSync(join(BUILD, 'index.html'), 'utf8');
	const hashes = [...page.matchAll(/'sha256-[^']+'/g)].map((match) => match[0]).join(' ');
	res.writeHead(200, { 'content-type': TYPES[extname(file)] ?? 'text/plain', 'content-security-policy': `default-src 'self'; script-src 'self' ${hashes}; style-src 'self'; img-src 'self' data:; object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'` });
	res.end(readFileSync(file));
}).listen(PORT, '127.0.0.1', () => console.log(`http://127.0.0.1:${PORT}`));
setInterval(() => { for (const stream of streams) stream.res.write(': beat\n\n'); }, 15_000).unref();
let tail = 0;
setInterval(() => { const row = data.eventAt((tail += 1)); push('event', { ...row, id: `tail-${tail}`, time: iso(Date.now()), received: iso(Date.now()) }); }, 700).unref();
