// Made-up data for looking at the console without a site. Never used by journeys or acceptance tests.
export const NOW = Date.now();
const MIN = 60_000;
const HOUR = 60 * MIN;
export const iso = (ms) => new Date(ms).toISOString();
let seed = 7;
export const random = () => ((seed = (seed * 1103515245 + 12345) & 0x7fffffff), seed / 0x7fffffff);
export const pick = (list) => list[Math.floor(random() * list.length)];

const HOSTS = ['SRV-DC1', 'SRV-FILE02', 'WS-0147', 'WS-0212', 'web-01', 'mail-01', 'fw-edge', 'db-02', 'WS-0031'];
const USERS = ['m.huber', 'j.keller', 'svc-backup', 'administrator', 'root', 'a.schmidt', 'deploy'];
const ADDRESSES = ['203.0.113.44', '198.51.100.7', '10.0.5.21', '10.0.5.88', '192.0.2.130'];

export const RULES = [
	['lsass-read', 'Memory of LSASS read by an unusual program', 'high', 'windows/process_access', 'active', 'the process that was opened ends in \\lsass.exe and the right asked for is 0x1010 or 0x1410'],
	['ssh-guess', 'Many failed SSH sign-ins, then one that worked', 'critical', 'linux/sshd', 'active', 'the message says that a password was accepted after at least ten refusals'],
	['ps-encoded', 'PowerShell started with an encoded command', 'high', 'windows/process_creation', 'active', 'the command line contains one of -enc, -EncodedCommand'],
	['sched-task', 'Scheduled task made from a writable folder', 'medium', 'windows/process_creation', 'active', 'the program is schtasks.exe and the command line contains /create and a path below C:\\Users'],
	['sudo-shell', 'Root shell by sudo', 'medium', 'linux/sudo', 'active', 'the command that was run with sudo is a shell'],
	['fw-deny-burst', 'One address refused by the firewall on many ports', 'low', 'fortigate/traffic', 'active', 'the action is deny and the destination port changes'],
	['web-traversal', 'Path traversal in a web request', 'high', 'webserver/access', 'active', 'the request contains ../ or its encoded form'],
	['m365-forward', 'Mailbox rule forwards outside', 'high', 'm365/exchange', 'unfed', 'the operation is New-InboxRule and ForwardTo is set'],
	['ct-root', 'AWS root account used', 'critical', 'aws/cloudtrail', 'unfed', 'the identity type is Root'],
	['dns-long', 'Very long DNS names', 'low', 'zeek/dns', 'off', 'the query is longer than 120 characters'],
	['cred-tool', 'Credential dumping tool by its words', 'critical', 'windows/powershell', 'active', 'the script block contains a word of a known tool'],
	['svc-install', 'Service installed with a suspicious path', 'high', 'windows/system', 'active', 'a service was installed whose program lies in a temporary folder'],
	['broken-one', 'Rule with a condition that names nothing', 'medium', 'windows/security', 'error', ''],
	['needs-list', 'Sign-in from a country that is not expected', 'medium', 'entra/signin', 'needs values', '']
].map(([id, title, level, log_source, state, in_words], index) => ({
	id: `7d3f${(index + 10).toString(16)}00-5b1e-4a52-9c11-00000000${(1000 + index).toString(16)}`,
	slug: id,
	title,
	level,
	status: index % 3 === 0 ? 'stable' : index % 3 === 1 ? 'test' : 'experimental',
	author: 'Tandem',
	log_source,
	tags: ['attack.credential-access', `attack.t10${10 + index}`],
	enabled: state !== 'off',
	state,
	reason:
		state === 'unfed'
			? `no source delivers ${log_source}`
			: state === 'error'
				? "line 14: the condition names 'selection_x', which is not defined"
				: state === 'needs values'
					? 'the placeholder %expected_countries% has no values'
					: state === 'off'
						? 'too many matches on the resolver, 12 Nov, m.huber'
						: undefined,
	hits_24h: state === 'active' ? Math.floor(random() * 40) : 0,
	hits_30d: state === 'active' ? Math.floor(random() * 900) : 0,
	file: `rules/${log_source.split('/')[0]}/${id}.yml`,
	in_words,
	description: `Looks for this: ${title.toLowerCase()}. Attackers do it to get further; administrators seldom do.`,
	references: ['https://attack.mitre.org/techniques/T1003/001/'],
	license: 'Apache-2.0',
	falsepositives: ['Backup software', 'Endpoint protection that reads memory'],
	fields: ['CommandLine', 'Image', 'TargetImage'],
	text: `title: ${title}\nid: 7d3f0000-5b1e-4a52-9c11-000000001000\nstatus: stable\nlevel: ${level}\nlogsource:\n    product: ${log_source.split('/')[0]}\n    category: ${log_source.split('/')[1]}\ndetection:\n    selection:\n        # what an attacker would type\n        CommandLine|contains:\n            - ' -enc '\n            - ' -EncodedCommand '\n        Image|endswith: '\\powershell.exe'\n    filter_backup:\n        User: 'svc-backup'\n    condition: selection and not filter_backup\nfalsepositives:\n    - Backup software\ntags:\n    - attack.execution\n    - attack.t1059.001\n`
}));

const COMMANDS = [
	['Image', 'C:\\Windows\\System32\\WindowsPowerShell\\v1.0\\powershell.exe', 'powershell.exe'],
	['CommandLine', 'powershell.exe -nop -w hidden -EncodedCommand SQBFAFgAIAAoAE4AZQB3AC0ATwBiAGoA', '-EncodedCommand'],
	['TargetImage', 'C:\\Windows\\System32\\lsass.exe', '\\lsass.exe'],
	['process.command_line', 'sudo /bin/bash -i', '/bin/bash'],
	['url.original', '/cgi-bin/.%2e/.%2e/.%2e/etc/passwd', '/.%2e/.%2e'],
	['message', 'Accepted password for root from 203.0.113.44 port 51514 ssh2', 'Accepted password']
];
const match = ([field, value, part]) => {
	const at = value.indexOf(part);
	return { field, value, span: [at, at + part.length] };
};

const STATES = ['new', 'new', 'new', 'triage', 'triage', 'analysis', 'response', 'closed', 'closed'];
const VERDICTS = ['benign_true_positive', 'false_positive', 'true_positive', 'test'];
const OWNERS = [undefined, undefined, { id: 'u1', name: 'Miriam Huber' }, { id: 'u2', name: 'Jonas Keller' }];
const PRIORITY = { critical: 'P1', high: 'P2', medium: 'P3', low: 'P4', informational: 'P4' };

export function makeCase(number) {
	const rule = RULES[number % 7] ?? RULES[0];
	const state = number <= 3 ? 'new' : pick(STATES);
	const ended = state === 'closed';
	const opened = NOW - number * 41 * MIN - Math.floor(random() * 20) * MIN;
	const count = 1 + Math.floor(random() * random() * 14);
	const host = pick(HOSTS);
	const user = pick(USERS);
	const entities = [{ kind: 'host', name: host }, { kind: 'user', name: user }];
	if (random() > 0.5) entities.push({ kind: 'address', name: pick(ADDRESSES) });
	if (random() > 0.7) entities.push({ kind: 'file', name: 'C:\\Users\\Public\\update_helper_x64.exe' });
	const owner = state === 'new' ? undefined : ended ? OWNERS[2] : pick(OWNERS);
	const fired = Array.from({ length: Math.min(count, 5) }, (_, index) => {
		const own = index === 0 ? rule : pick(RULES.slice(0, 7));
		return {
			detection_id: `d${number}-${index}`,
			rule_id: own.id,
			rule_title: own.title,
			rule_author: own.author,
			level: own.level,
			time: iso(opened - index * 3 * MIN),
			count: index === 0 ? Math.max(1, count - 4) : 1,
			in_words: `It fired because ${own.in_words || 'the condition of the rule was met'}.`,
			matches: [match(COMMANDS[(number + index) % COMMANDS.length]), match(COMMANDS[(number + index + 1) % COMMANDS.length])]
		};
	});
	const timeline = [
		{ at: iso(opened - 14 * MIN), kind: 'event', title: `${user} signed in on ${host}`, event_id: `e${number}-0`, decisive: false },
		...fired.map((entry, index) => ({
			at: entry.time,
			known_at: iso(Date.parse(entry.time) + (index === 1 ? 8 * MIN : 900)),
			kind: 'detection',
			title: entry.rule_title,
			detail: entry.matches[0].value,
			detection_id: entry.detection_id,
			event_id: `e${number}-${index + 1}`,
			decisive: index === 0
		})),
		{ at: iso(opened), kind: 'act', title: 'Case opened', detail: `${PRIORITY[rule.level]} by the alert policy`, decisive: false }
	];
	if (owner) timeline.push({ at: iso(opened + 4 * MIN), kind: 'act', title: 'Took the case', actor: owner.name, decisive: false });
	if (number % 4 === 0) {
		timeline.push({ at: iso(opened + 9 * MIN), kind: 'note', title: 'Note', actor: 'Miriam Huber', detail: 'Called the file server team: no change was planned tonight.\nAsked for the backup schedule.', decisive: false });
	}
	if (ended) timeline.push({ at: iso(opened + 31 * MIN), kind: 'act', title: 'Closed', actor: 'Miriam Huber', detail: 'Known administrator activity', decisive: false });
	return {
		id: `C-${1042 - number}`,
		kind: number === 5 ? 'source' : number === 9 ? 'content' : 'security',
		title: number === 5 ? 'Source fw-edge is silent' : number === 2 ? `${rule.title} on ${host}, and a rather long remark that does not fit into one line of the table` : `${rule.title} on ${host}`,
		priority: PRIORITY[rule.level],
		priority_reason: rule.level === 'critical' ? `rule level critical and ${host} is a crown jewel` : `rule level ${rule.level}, status ${rule.status}`,
		state,
		verdict: ended ? pick(VERDICTS) : undefined,
		owner,
		opened: iso(opened),
		updated: iso(opened + (ended ? 31 : 5) * MIN),
		first_event: iso(opened - 14 * MIN),
		last_event: iso(opened - 1 * MIN),
		detections: count,
		entities,
		why: `${count} detections in ${count + 3} min · ${pick(['first seen for this user', 'tool not on the allow-list', 'never on this host before', 'outside working hours'])}`,
		similar: number % 3 === 0 ? { count: 8, benign: 7 } : { count: 0, benign: 0 },
		version: 3,
		grouping: [
			{ key: 'host.name', value: host, reason: 'same host within 24 h' },
			{ key: 'rule.id', value: rule.slug, reason: 'same rule and same primary entity' }
		],
		why_it_fired: fired,
		timeline,
		linked: [],
		pinned: [],
		incident: state === 'response'
	};
}

export const CASES = Array.from({ length: 46 }, (_, index) => makeCase(index + 1));
for (const entry of CASES.slice(0, 12)) entry.linked = CASES.filter((other) => other !== entry && other.entities[0].name === entry.entities[0].name).slice(0, 3).map(head);

export function head(entry) {
	const { grouping, why_it_fired, timeline, linked, pinned, incident, ...rest } = entry;
	return rest;
}

const spark = (level, health) => Array.from({ length: 48 }, (_, index) => (health === 'silent' && index > 43 ? 0 : Math.round(level * (0.7 + 0.3 * Math.sin(index / 6) + random() * 0.25))));
export const SOURCES = [
	['s1', 'SRV-DC1', 'HTTP (Winlogbeat)', ['windows/security', 'windows/process_creation', 'windows/system'], 4200, 'ok', 'events every 2 s, as usual'],
	['s2', 'web-01', 'syslog TCP', ['webserver/access', 'linux/sshd'], 9100, 'ok', 'events every second, as usual'],
	['s3', 'fw-edge', 'syslog UDP', ['fortigate/traffic'], 31000, 'silent', 'no event for 1 h 50 min; usual gap is 4 s'],
	['s4', 'mail-01', 'syslog TLS', ['linux/postfix'], 640, 'failing', '38 % of records are not understood since 14:20'],
	['s5', 'WS-0147', 'HEC', ['windows/sysmon'], 810, 'ok', 'events every 9 s, as usual'],
	['s6', '10.0.5.88', 'syslog UDP', [], 12, 'new', 'first seen 6 min ago; nobody has named it'],
	['s7', 'zeek', 'file', ['zeek/conn', 'zeek/dns'], 15200, 'ok', 'events every second, as usual']
].map(([id, name, transport, log_types, rate, health, health_reason]) => ({
	id,
	name,
	transport,
	first_seen: iso(NOW - 30 * 24 * HOUR),
	last_event: iso(NOW - (health === 'silent' ? 110 * MIN : health === 'new' ? 40_000 : 2000)),
	records: rate * 2000,
	events: rate * 1990,
	parse_errors: health === 'failing' ? 9120 : 3,
	generic: health === 'new' ? 70 : 12,
	bytes: rate * 2000 * 480,
	rate_per_min: health === 'silent' ? 0 : rate / 60,
	spark: spark(rate / 2, health),
	health,
	health_reason,
	owner: health === 'new' ? undefined : 'IT operations',
	log_types
}));

export const RUNS = [
	{ id: 'r1', started: iso(NOW - 3 * HOUR), title: 'evidence-2026-11-20.zip', files: 14, records: 82_410, detections: 61 },
	{ id: 'r2', started: iso(NOW - 50 * HOUR), title: 'dc1-security.evtx', files: 1, records: 12_004, detections: 0 }
].map((run, index) => ({
	...run,
	groups: index
		? []
		: RULES.slice(0, 5).map((rule, at) => ({
				key: `g${at}`,
				title: `${rule.title} on ${HOSTS[at]}`,
				level: rule.level,
				detections: 20 - at * 4,
				first_event: iso(NOW - 80 * HOUR),
				last_event: iso(NOW - (79 - at) * HOUR),
				entities: [{ kind: 'host', name: HOSTS[at] }, { kind: 'user', name: USERS[at] }],
				promoted_case: at === 2 ? 'C-1036' : undefined
			}))
}));

export const FIELDS = [
	['host.name', 'string', 'common', 'Name of the host that the event is about'],
	['user.name', 'string', 'common', 'Name of the user, without the domain', 'person'],
	['source.ip', 'ip', 'common', 'Address that it came from', 'person'],
	['destination.port', 'long', 'common', 'Port that it went to'],
	['event.action', 'string', 'common', 'What was done'],
	['event.outcome', 'string', 'common', 'Whether it worked'],
	['process.command_line', 'string', 'common', 'The whole command line'],
	['log_types', 'strings', 'common', 'Log types of the event'],
	['EventID', 'long', 'vendor', 'Number of the Windows event'],
	['TargetUserName', 'string', 'vendor', 'Account that was signed in to', 'person'],
	['Image', 'string', 'vendor', 'Path of the program']
].map(([name, type, layer, description, privacy]) => ({ name, type, layer, description, privacy }));

const KINDS = [
	(i, host, user, ip) => ({ action: 'logon-failed', outcome: 'failure', raw: `<38>${new Date(NOW).toUTCString().slice(5, 22)} ${host} sshd[${1000 + (i % 9000)}]: Failed password for ${user} from ${ip} port ${30000 + (i % 30000)} ssh2`, type: 'linux/sshd', parser: 'sshd' }),
	(i, host, user, ip) => ({ action: 'logged-in', outcome: 'success', raw: `<38>${host} sshd[${1000 + (i % 9000)}]: Accepted publickey for ${user} from ${ip} port ${30000 + (i % 30000)} ssh2: ED25519 SHA256:k3yQ7d0xw`, type: 'linux/sshd', parser: 'sshd' }),
	(i, host, user) => ({ action: 'process-started', outcome: 'success', raw: `{"EventID":4688,"Computer":"${host}","SubjectUserName":"${user}","NewProcessName":"C:\\\\Windows\\\\System32\\\\cmd.exe","CommandLine":"cmd.exe /c whoami /all","ProcessId":"0x${(i % 65536).toString(16)}"}`, type: 'windows/process_creation', parser: 'windows_security', event_id: 4688 }),
	(i, host, user, ip) => ({ action: 'http-request', outcome: 'success', raw: `${ip} - - [25/Nov/2026:03:12:09 +0000] "GET /static/app.${i % 97}.js HTTP/1.1" 200 ${500 + (i % 9000)} "-" "Mozilla/5.0"`, type: 'webserver/access', parser: 'nginx' }),
	(i, host, user, ip) => ({ action: 'denied', outcome: 'failure', raw: `date=2026-11-25 time=03:12:09 devname="fw-edge" type="traffic" action="deny" srcip=${ip} dstport=${1 + (i % 1024)} policyid=${i % 40}`, type: 'fortigate/traffic', parser: 'fortigate' })
];
const DAY = 24 * HOUR;
export const EVENT_COUNT = 128_000;
/** Event `i` of the last day, newest first. */
export function eventAt(i) {
	const h = (i * 2654435761) >>> 0;
	const host = HOSTS[h % HOSTS.length];
	const user = USERS[(h >>> 4) % USERS.length];
	const ip = ADDRESSES[(h >>> 8) % ADDRESSES.length];
	const share = i / EVENT_COUNT;
	const time = NOW - DAY * (share + 0.02 * Math.sin(share * 37)) - (h % 1000);
	const kind = KINDS[(h >>> 11) % KINDS.length](i, host, user, ip);
	return {
		id: `ev-${i}`,
		time: iso(time),
		received: iso(time + 800),
		source: host,
		parser: kind.parser,
		log_types: [kind.type],
		raw: kind.raw,
		truncated: false,
		fields: {
			'host.name': host,
			'user.name': user,
			'source.ip': ip,
			'event.action': kind.action,
			'event.outcome': kind.outcome,
			...(kind.event_id ? { EventID: kind.event_id, TargetUserName: user, 'process.command_line': 'cmd.exe /c whoami /all' } : {})
		}
	};
}
