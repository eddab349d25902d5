/**
 * The wire types, as the console calls them. Their shape comes from schema.ts, which is generated from
 * openapi.json (`npm run api`); here strings are narrowed to the words that the contract lists.
 */
import type { components } from './schema';

type Wire = components['schemas'];
type Narrow<T, N> = Omit<T, keyof N> & N;

export type Theme = 'system' | 'light' | 'dark';
export type Language = 'en' | 'de';
export type Density = 'compact' | 'normal' | 'comfortable';
export type ZoneChoice = 'site' | 'utc' | 'mine';

/** What the console keeps in the person's preferences; to the server they are one object. */
export interface Preferences {
	theme: Theme;
	language: Language;
	zone: ZoneChoice;
	density: Density;
	single_keys: boolean;
}

export type Session = Narrow<
	Wire['Session'],
	{
		site: Wire['SiteInfo'] & {
			/** The site's own zone, where it has one. */
			zone?: string;
		};
	}
>;

/** RFC 9457. Status 0: no answer came. */
export type Problem = Narrow<Wire['Problem'], { problems?: QueryProblem[] }>;
export type QueryProblem = Narrow<Wire['QueryProblem'], { severity?: string }>;

export type Level = 'critical' | 'high' | 'medium' | 'low' | 'informational';
export type Priority = 'P1' | 'P2' | 'P3' | 'P4';
export type CaseKind = 'security' | 'source' | 'platform' | 'content' | 'service';
export type CaseState = 'new' | 'triage' | 'analysis' | 'response' | 'recovered' | 'closed' | 'merged';
export type Verdict = 'true_positive' | 'benign_true_positive' | 'false_positive' | 'duplicate' | 'test' | 'undetermined';
export type EntityKind = 'host' | 'user' | 'address' | 'file';

export type Entity = Narrow<Wire['EntityRef'], { kind: EntityKind }>;
export type CaseHead = Narrow<
	Wire['CaseHead'],
	{ kind: CaseKind; priority: Priority; state: CaseState; verdict?: Verdict | null; entities: Entity[] }
>;
/** `span`: byte offsets into the UTF-8 form of `value`, end exclusive. Without `field`: a word looked for in the whole text. */
export type Match = Narrow<Wire['MatchedField'], { span?: [number, number] | null }>;
export type Fired = Narrow<Wire['WhyItFired'], { level: Level; matches: Match[]; count?: number }>;
export type TimelineEntry = Narrow<Wire['TimelineEntry'], { kind: 'detection' | 'event' | 'act' | 'note' }>;

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

export type Allowed = Narrow<Wire['AllowedAct'], { act: ActName }>;
export type Case = CaseHead & {
	grouping: Wire['Grouping'][];
	why_it_fired: Fired[];
	timeline: TimelineEntry[];
	linked: CaseHead[];
	allowed: Allowed[];
	pinned: string[];
	incident: boolean;
};
export type ActBody = Narrow<Wire['CaseAct'], { act: ActName; verdict?: Verdict; priority?: Priority }>;

export type CaseView = 'mine' | 'unowned' | 'open' | 'closed' | 'all';
export type CaseCounts = Wire['CaseCounts'];
export type CaseList = Narrow<Wire['CasePage'], { items: CaseHead[] }>;
export type BulkResult = Wire['BulkResult'];

export type FieldValue = string | number | boolean | null | FieldValue[] | { [key: string]: FieldValue };
type Fields = Record<string, FieldValue>;

export type EventRow = Narrow<Wire['EventRow'], { fields: Fields }>;
export type EventFull = Narrow<Wire['EventDetail'], { common: Fields; vendor: Fields }>;
export type DetectionRow = Narrow<Wire['DetectionRow'], { level: Level; entities: Entity[]; matches: Match[] }>;

export type SourceHead = Narrow<Wire['SourceHead'], { health: 'ok' | 'silent' | 'failing' | 'new' }>;
export type Diagnosis = Narrow<Wire['Diagnosis'], { stage: 'network' | 'tls' | 'format' | 'time' | 'parse' | 'rules' }>;
export type Source = SourceHead & {
	parse_failures: Wire['ParseFailure'][];
	rules_fed: number;
	diagnosis: Diagnosis[];
};
export type Receivers = Wire['ReceiverPage'];

export type Home = Narrow<
	Wire['Home'],
	{ my_tasks: CaseHead[]; unowned: CaseHead[]; unhealthy_sources: SourceHead[]; detections: DetectionRow[] }
>;

export type RuleState = 'active' | 'off' | 'unfed' | 'error' | 'needs values';
export type RuleHead = Narrow<Wire['RuleHead'], { level: Level; state: RuleState }>;
export type Rule = RuleHead & {
	text: string;
	description: string;
	in_words: string;
	references: string[];
	license?: string | null;
	falsepositives: string[];
	fields: string[];
	matches: DetectionRow[];
};
export type RuleList = Narrow<Wire['RulePage'], { items: RuleHead[] }>;

export type RunGroup = Narrow<Wire['RunGroup'], { level: Level; entities: Entity[] }>;
export type Run = Narrow<Wire['Run'], { groups?: RunGroup[] }>;

export type SearchBody = Narrow<Wire['SearchRequest'], { query: string; from: string; to: string; order: 'desc' | 'asc' }>;
export type Bucket = Wire['Bucket'];
export type Facet = Wire['Facet'];
type Part<K extends string> = Extract<Wire['SearchPart'], { kind: K }>;
export type Progress = Omit<Part<'progress'>, 'kind'> & {
	/** What has been looked at, where the server says it. */
	scanned_from?: string;
	scanned_to?: string;
};
export type SearchDone = Omit<Part<'done'>, 'kind'>;
export type SearchLine =
	| ({ kind: 'progress' } & Progress)
	| { kind: 'rows'; rows: EventRow[] }
	| Part<'histogram'>
	| Part<'facets'>
	| { kind: 'table'; columns: string[]; rows: FieldValue[][] }
	| ({ kind: 'done' } & SearchDone)
	| { kind: 'error'; problem: Problem };

export type FieldInfo = Wire['FieldInfo'];
export type Completion = Wire['Completion'];
export type SavedSearch = Required<Wire['SavedSearch']>;
export type Act = Narrow<Wire['LogEntry'], { detail: FieldValue }>;
export type UserRow = Wire['User'];
/** Of a program, or of a sender. `token` is only in the answer that made it. */
export type Token = Wire['Token'];
export type Settings = Narrow<Wire['Settings'], { config: FieldValue }>;
export type Health = Wire['Health'];

/** What the stream says about a case. */
export interface CaseChange {
	id: string;
	version: number;
	change: string;
}
