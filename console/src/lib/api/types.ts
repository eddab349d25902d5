/**
 * The wire types of /api/v1, written after the contract. They are replaced by types generated from
 * openapi.json (schema.ts); nothing else in the console declares the shape of an answer.
 * Times are RFC 3339 in UTC; counts are whole numbers; `bytes` are bytes.
 */

export type Theme = 'system' | 'light' | 'dark';
export type Language = 'en' | 'de';
export type Density = 'compact' | 'normal' | 'comfortable';
export type ZoneChoice = 'site' | 'utc' | 'mine';

export interface Preferences {
	theme: Theme;
	language: Language;
	zone: ZoneChoice;
	density: Density;
	single_keys: boolean;
}

export interface User {
	id: string;
	name: string;
	display_name: string;
	roles: string[];
	party: 'provider' | 'customer';
	second_factor?: boolean;
}

export interface Session {
	user: User;
	site: { name: string; demo: boolean; version: string; zone?: string };
	expires: string;
	preferences: Partial<Preferences>;
}

/** RFC 9457, with the console's additions. */
export interface Problem {
	type: string;
	title: string;
	status: number;
	detail?: string;
	hint?: string;
	because?: string;
	how_to_get_access?: string;
	reference?: string;
	problems?: QueryProblem[];
}

export type Level = 'critical' | 'high' | 'medium' | 'low' | 'informational';
export type Priority = 'P1' | 'P2' | 'P3' | 'P4';
export type CaseKind = 'security' | 'source' | 'platform' | 'content' | 'service';
export type CaseState = 'new' | 'triage' | 'analysis' | 'response' | 'recovered' | 'closed' | 'merged';
export type Verdict =
	| 'true_positive'
	| 'benign_true_positive'
	| 'false_positive'
	| 'duplicate'
	| 'test'
	| 'undetermined';
export type EntityKind = 'host' | 'user' | 'address' | 'file';

export interface Entity {
	kind: EntityKind;
	name: string;
}

export interface CaseHead {
	id: string;
	kind: CaseKind;
	title: string;
	priority: Priority;
	priority_reason: string;
	state: CaseState;
	verdict?: Verdict | null;
	owner?: { id: string; name: string } | null;
	opened: string;
	updated: string;
	first_event?: string | null;
	last_event?: string | null;
	detections: number;
	entities: Entity[];
	why: string;
	similar: { count: number; benign: number };
	snoozed_until?: string | null;
	version: number;
}

export interface Match {
	/** Absent for a word that was looked for in the whole text. */
	field?: string | null;
	value: string;
	/** Byte offsets into the UTF-8 form of `value`, end exclusive. */
	span: [number, number] | null;
}

export interface Fired {
	detection_id: string;
	rule_id: string;
	rule_title: string;
	rule_author?: string | null;
	level: Level;
	time: string;
	/** How many detections of this rule the case holds; this is the newest. */
	count?: number;
	in_words: string;
	matches: Match[];
}

export interface TimelineEntry {
	at: string;
	known_at?: string | null;
	kind: 'detection' | 'event' | 'act' | 'note';
	title: string;
	actor?: string | null;
	detail?: string | null;
	detection_id?: string | null;
	event_id?: string | null;
	/** Present on acts that can still be undone. */
	act_id?: string | null;
	/** Until when (RFC 3339). */
	undo_until?: string | null;
	decisive: boolean;
}

export type ActName =
	| 'take'
	| 'release'
	| 'start_triage'
	| 'escalate'
	| 'respond'
	| 'recover'
	| 'go_back'
	| 'close'
	| 'reopen'
	| 'set_priority'
	| 'note'
	| 'merge'
	| 'snooze'
	| 'pin';

export interface Allowed {
	act: ActName;
	allowed: boolean;
	because: string;
	how_to_get_access?: string | null;
}

export interface Case extends CaseHead {
	grouping: { key: string; value: string; reason: string }[];
	why_it_fired: Fired[];
	timeline: TimelineEntry[];
	linked: CaseHead[];
	allowed: Allowed[];
	/** Ids of pinned events. */
	pinned?: string[];
	incident: boolean;
	/** The last act of this answer, for undo. */
	act_id?: string | null;
}

export interface ActBody {
	act: ActName;
	reason?: string;
	text?: string;
	checked?: string;
	verdict?: Verdict;
	priority?: Priority;
	into?: string;
	until?: string;
	event_id?: string;
}

export type CaseView = 'mine' | 'unowned' | 'open' | 'closed' | 'all';
export type CaseCounts = { mine: number; unowned: number; open: number; closed: number };

export interface CaseList {
	items: CaseHead[];
	next_cursor?: string | null;
	counts: CaseCounts;
}

export interface BulkResult {
	done: string[];
	not_done: { id: string; because: string }[];
}

export type FieldValue = string | number | boolean | null | FieldValue[] | { [key: string]: FieldValue };

export interface EventRow {
	id: string;
	time: string;
	received: string;
	source: string;
	parser: string;
	log_types: string[];
	raw: string;
	truncated: boolean;
	fields: Record<string, FieldValue>;
}

export interface EventFull {
	id: string;
	time: string;
	received: string;
	source: string;
	parser: string;
	log_types: string[];
	raw: string;
	common: Record<string, FieldValue>;
	vendor: Record<string, FieldValue>;
	error?: string | null;
}

export interface DetectionRow {
	id: string;
	kind?: string;
	rule_id: string;
	rule_title: string;
	rule_author?: string | null;
	level: Level;
	time: string;
	detected?: string;
	source?: string | null;
	event_id?: string | null;
	entities?: Entity[];
	case?: string | null;
	matches?: Match[];
}

export interface SourceHead {
	id: string;
	name: string;
	transport: string;
	first_seen: string;
	last_event?: string | null;
	records: number;
	events: number;
	parse_errors: number;
	generic: number;
	bytes: number;
	rate_per_min: number;
	spark: number[];
	health: 'ok' | 'silent' | 'failing' | 'new';
	health_reason: string;
	owner?: string | null;
	note?: string | null;
	log_types: string[];
}

export interface Source extends SourceHead {
	parse_failures: { at: string; raw: string; error: string }[];
	rules_fed: number;
	/** How its sender is set up, ready to copy. */
	snippet?: string | null;
	diagnosis: { stage: 'network' | 'tls' | 'format' | 'time' | 'parse'; ok: boolean; text: string }[];
}

export interface Receivers {
	items: {
		kind: string;
		address: string;
		records: number;
		errors: { name: string; count: number }[];
		last_peer?: string | null;
		last_error?: string | null;
	}[];
	snippets: { title: string; kind: string; text: string }[];
}

export interface IngestToken {
	id: string;
	name: string;
	created?: string;
	last_used?: string | null;
	/** Only in the answer that made it. */
	token?: string;
}

export interface Home {
	status: {
		cases_mine: number;
		cases_unowned: number;
		sources_unhealthy: number;
		sources?: number;
		detections_24h: number;
		events_24h: number;
	};
	my_tasks: CaseHead[];
	unowned: CaseHead[];
	unhealthy_sources: SourceHead[];
	strip: { from: string; events: number; detections: number; cases: number }[];
	/** The newest ones. */
	detections?: DetectionRow[];
}

export type RuleState = 'active' | 'off' | 'unfed' | 'error' | 'needs values';

export interface RuleHead {
	id: string;
	title: string;
	level: Level;
	status: string;
	author?: string | null;
	log_source: string;
	tags: string[];
	enabled: boolean;
	state: RuleState;
	reason?: string | null;
	hits_24h: number;
	hits_30d: number;
	file: string;
}

export interface Rule extends RuleHead {
	text: string;
	description?: string | null;
	in_words?: string | null;
	references: string[];
	license?: string | null;
	falsepositives: string[];
	/** The fields that the rule looks at. */
	fields?: string[];
	missing_fields?: string[];
	matches: DetectionRow[];
}

export interface RuleList {
	items: RuleHead[];
	next_cursor?: string | null;
	counts: { active: number; off: number; unfed: number; error: number };
}

export interface RunGroup {
	key: string;
	title: string;
	level: Level;
	detections: number;
	first_event?: string;
	last_event?: string;
	entities?: Entity[];
	promoted_case?: string | null;
}

export interface Run {
	id: string;
	started: string;
	title?: string;
	files: number;
	records: number;
	detections: number;
	groups?: RunGroup[];
}

export interface QueryProblem {
	start: number;
	end: number;
	message: string;
	hint?: string | null;
	severity?: 'error' | 'warning';
}

export interface SearchBody {
	query: string;
	from: string;
	to: string;
	limit: number;
	cursor?: string;
	histogram?: { buckets: number };
	facets?: string[];
	columns?: string[];
	order: 'desc' | 'asc';
}

export interface Bucket {
	from: string;
	to: string;
	count: number;
	by_level?: Partial<Record<Level, number>> | null;
}

export interface Facet {
	field: string;
	values: { value: string; count: number }[];
	distinct: number;
	missing: number;
}

export type SearchLine =
	| {
			kind: 'progress';
			scanned_from?: string | null;
			scanned_to?: string | null;
			files_done: number;
			files: number;
			rows: number;
			bytes: number;
	  }
	| { kind: 'rows'; rows: EventRow[] }
	| { kind: 'histogram'; buckets: Bucket[] }
	| { kind: 'facets'; facets: Facet[] }
	| { kind: 'table'; columns: string[]; rows: FieldValue[][] }
	| {
			kind: 'done';
			total: number;
			limited: boolean;
			because?: string | null;
			duration_ms: number;
			next_cursor?: string | null;
	  }
	| { kind: 'error'; problem: Problem };

export interface FieldInfo {
	name: string;
	type: string;
	layer: 'common' | 'vendor';
	description: string;
	privacy?: string | null;
}

export interface Completion {
	text: string;
	kind: 'field' | 'value' | 'operator';
	detail: string;
}

export interface SavedSearch {
	id: string;
	name: string;
	url: string;
}

export interface Act {
	seq: number;
	at: string;
	actor: string;
	verb: string;
	object: string;
	detail: FieldValue;
	/** The hash that the entry is committed by. */
	commitment?: string;
}

export interface UserRow {
	id: string;
	name: string;
	display_name: string;
	roles: string[];
	party?: string;
	enabled: boolean;
	second_factor?: boolean;
	last_sign_in?: string | null;
}

export interface ApiToken {
	id: string;
	name: string;
	created?: string;
	last_used?: string | null;
	token?: string;
}

export interface Settings {
	config: FieldValue;
	warnings: string[];
}

export interface Health {
	ready: boolean;
	checks: { name: string; ok: boolean; text: string }[];
	spool: { lag_records: number; size_bytes: number };
	store: { events: number; files: number; bytes: number; unsealed?: number; last_seal?: string | null };
	detect: { rules: number; events_per_s: number; lag_ms: number };
}

export interface CaseChange {
	id: string;
	version: number;
	change: string;
}
