import type { Client } from './client';
import type {
	Act,
	ActBody,
	BulkResult,
	Case,
	CaseKind,
	CaseList,
	Completion,
	DetectionRow,
	EventFull,
	EventRow,
	FieldInfo,
	Health,
	Home,
	Token,
	Preferences,
	Priority,
	QueryProblem,
	Receivers,
	Rule,
	RuleList,
	Run,
	SavedSearch,
	SearchBody,
	SearchLine,
	Session,
	Settings,
	Source,
	SourceHead,
	UserRow
} from './types';

type Items<T> = { items: T[] };
type Page<T> = { items: T[]; next_cursor?: string | null };
const id = encodeURIComponent;
const BULK = 200;

/** One method per endpoint of the contract. */
export class Api {
	constructor(readonly client: Client) {}

	session = () => this.client.get<Session>('/session');
	signIn = (body: { name: string; password: string; code?: string }) =>
		this.client.send<Session>('POST', '/session', body);
	signInByLink = (token: string) => this.client.send<Session>('POST', '/session/link', { token });
	signOut = () => this.client.send<void>('DELETE', '/session');
	savePreferences = (body: Preferences) => this.client.send<void>('PUT', '/preferences', body);

	draft = (key: string) => this.client.get<{ text: string }>(`/drafts/${id(key)}`);
	saveDraft = (key: string, text: string) => this.client.send<void>('PUT', `/drafts/${id(key)}`, { text });
	dropDraft = (key: string) => this.client.send<void>('DELETE', `/drafts/${id(key)}`);
	presence = (object: string) =>
		this.client.send<{ others: { name: string; since: string }[] }>('PUT', '/presence', { object });

	home = (signal?: AbortSignal) => this.client.get<Home>('/home', undefined, signal);

	cases = (
		query: {
			view?: string;
			priority?: string;
			kind?: string;
			state?: string;
			q?: string;
			sort?: string;
			cursor?: string;
			limit?: number;
		},
		signal?: AbortSignal
	) => this.client.get<CaseList>('/cases', query, signal);
	case = (caseId: string, signal?: AbortSignal) => this.client.get<Case>(`/cases/${id(caseId)}`, undefined, signal);
	openCase = (body: { title: string; kind: CaseKind; priority: Priority; text: string }) =>
		this.client.send<Case>('POST', '/cases', body);
	act = async (caseId: string, version: number, body: ActBody): Promise<Case> =>
		(
			await this.client.call<Case>('POST', `/cases/${id(caseId)}/acts`, {
				body,
				headers: { 'if-match': `"${version}"` }
			})
		).data;
	undo = (caseId: string, act_id: string) =>
		this.client.send<Case>('POST', `/cases/${id(caseId)}/undo`, { act_id });
	/** As many cases as wanted; the server takes `BULK` of them in one request. */
	bulk = async (ids: string[], body: ActBody): Promise<BulkResult> => {
		const all: BulkResult = { done: [], not_done: [] };
		for (let at = 0; at < ids.length; at += BULK) {
			const part = await this.client.send<BulkResult>('POST', '/cases/bulk', { ids: ids.slice(at, at + BULK), ...body });
			all.done.push(...part.done);
			all.not_done.push(...part.not_done);
		}
		return all;
	};
	caseEvents = (caseId: string, limit: number, signal?: AbortSignal) =>
		this.client.get<Items<EventRow>>(`/cases/${id(caseId)}/events`, { limit }, signal);

	detections = (
		query: { rule_id?: string; case?: string; from?: string; to?: string; q?: string; cursor?: string },
		signal?: AbortSignal
	) => this.client.get<Page<DetectionRow>>('/detections', query, signal);

	runs = (signal?: AbortSignal) => this.client.get<Items<Run>>('/runs', undefined, signal);
	run = (runId: string, signal?: AbortSignal) => this.client.get<Run>(`/runs/${id(runId)}`, undefined, signal);
	promote = (runId: string, group: string) =>
		this.client.send<Case>('POST', `/runs/${id(runId)}/promote`, { group });

	search = (body: SearchBody, signal: AbortSignal, each: (line: SearchLine) => void) =>
		this.client.lines('/search', body, signal, (line) => each(line as SearchLine));
	event = (eventId: string, signal?: AbortSignal) =>
		this.client.get<EventFull>(`/events/${id(eventId)}`, undefined, signal);
	around = (eventId: string, seconds: number, limit: number, signal?: AbortSignal) =>
		this.client.get<Items<EventRow>>(`/events/${id(eventId)}/around`, { seconds, limit }, signal);
	checkQuery = async (query: string, signal?: AbortSignal) =>
		(
			await this.client.call<{ problems: QueryProblem[]; fields: string[] }>('POST', '/search/check', {
				body: { query },
				signal
			})
		).data;
	complete = (q: string, at: number, signal?: AbortSignal) =>
		this.client.get<Items<Completion>>('/search/complete', { q, at }, signal);
	fields = (signal?: AbortSignal) => this.client.get<Items<FieldInfo>>('/fields', undefined, signal);
	savedSearches = () => this.client.get<Items<SavedSearch>>('/saved-searches');
	saveSearch = (body: { name: string; url: string }) =>
		this.client.send<SavedSearch>('POST', '/saved-searches', body);
	dropSearch = (searchId: string) => this.client.send<void>('DELETE', `/saved-searches/${id(searchId)}`);

	sources = (signal?: AbortSignal) => this.client.get<Items<SourceHead>>('/sources', undefined, signal);
	source = (sourceId: string, signal?: AbortSignal) =>
		this.client.get<Source>(`/sources/${id(sourceId)}`, undefined, signal);
	editSource = (sourceId: string, body: { owner?: string; note?: string }) =>
		this.client.send<Source | undefined>('PATCH', `/sources/${id(sourceId)}`, body);
	receivers = (signal?: AbortSignal) => this.client.get<Receivers>('/receivers', undefined, signal);
	ingestTokens = (signal?: AbortSignal) => this.client.get<Items<Token>>('/ingest-tokens', undefined, signal);
	makeIngestToken = (name: string) => this.client.send<Token>('POST', '/ingest-tokens', { name });
	dropIngestToken = (tokenId: string) => this.client.send<void>('DELETE', `/ingest-tokens/${id(tokenId)}`);

	rules = (
		query: { q?: string; level?: string; status?: string; state?: string; tag?: string; cursor?: string },
		signal?: AbortSignal
	) => this.client.get<RuleList>('/rules', query, signal);
	rule = (ruleId: string, signal?: AbortSignal) => this.client.get<Rule>(`/rules/${id(ruleId)}`, undefined, signal);
	switchRule = (ruleId: string, enabled: boolean, reason: string) =>
		this.client.send<Rule | undefined>('PATCH', `/rules/${id(ruleId)}`, { enabled, reason });

	log = (query: { cursor?: string; q?: string }, signal?: AbortSignal) =>
		this.client.get<Page<Act>>('/log', query, signal);
	users = (signal?: AbortSignal) => this.client.get<Items<UserRow>>('/users', undefined, signal);
	makeUser = (body: { name: string; display_name: string; roles: string[]; password: string }) =>
		this.client.send<UserRow>('POST', '/users', body);
	editUser = (userId: string, body: { enabled?: boolean; roles?: string[]; display_name?: string }) =>
		this.client.send<UserRow | undefined>('PATCH', `/users/${id(userId)}`, body);
	apiTokens = (signal?: AbortSignal) => this.client.get<Items<Token>>('/api-tokens', undefined, signal);
	makeApiToken = (name: string) => this.client.send<Token>('POST', '/api-tokens', { name });
	dropApiToken = (tokenId: string) => this.client.send<void>('DELETE', `/api-tokens/${id(tokenId)}`);
	beginSecondFactor = () => this.client.send<{ uri: string; secret: string }>('POST', '/second-factor/begin');
	confirmSecondFactor = (code: string) => this.client.send<void>('POST', '/second-factor/confirm', { code });
	changePassword = (body: { old: string; new: string }) => this.client.send<void>('POST', '/password', body);
	settings = (signal?: AbortSignal) => this.client.get<Settings>('/settings', undefined, signal);
	health = (signal?: AbortSignal) => this.client.get<Health>('/health', undefined, signal);
}
