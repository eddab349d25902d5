import { createContext } from 'svelte';
import { Client } from '../api/client';
import { Api } from '../api/endpoints';
import { ApiError, toProblem } from '../api/problem';
import type { Entity, Preferences, Problem, Session } from '../api/types';
import { Format } from '../format/format';
import { I18n, type Language } from '../i18n/i18n.svelte';
import { Keys } from '../keys/registry';
import { Live } from '../live/live.svelte';
import { nextZone, readPreferences, zoneName } from './preferences';
import { Toasts } from './toasts.svelte';

const OWN_ZONE = Intl.DateTimeFormat().resolvedOptions().timeZone;

/** What every screen shares: made once by the root layout, handed down by context, so that two tests share nothing. */
export class App {
	readonly client = new Client();
	readonly api = new Api(this.client);
	readonly live = new Live(this.client);
	readonly keys = new Keys();
	readonly i18n = new I18n();
	readonly toasts = new Toasts();
	readonly t = this.i18n.t;

	session = $state.raw<Session>();
	/** True once it is known whether somebody is signed in. */
	known = $state(false);
	problem = $state.raw<Problem>();
	preferences = $state.raw<Preferences>(readPreferences(undefined));
	/** A clock for ages; moves every 15 s. */
	now = $state(Date.now());
	/** Bumped when handlers come or go, for the key sheet. */
	keysVersion = $state(0);
	/** The list that a case was opened from, for next and previous. */
	trail = $state.raw<string[]>([]);
	/** The host, user, address or file whose card is open. */
	entity = $state.raw<Entity>();
	queueCount = $state<number>();
	sourcesBad = $state<number>();
	announcement = $state('');

	zone = $derived(zoneName(this.preferences.zone, this.session?.site.zone, OWN_ZONE));
	format = $derived(new Format(this.i18n.locale, this.zone));

	constructor() {
		this.keys.onChange = () => queueMicrotask(() => (this.keysVersion += 1));
		this.client.onSignedOut = () => {
			this.live.stop();
			this.session = undefined;
		};
	}

	/** Reads the session; a site that can't be reached leaves a problem. */
	async begin(): Promise<void> {
		try {
			await this.signedIn(await this.api.session());
		} catch (error) {
			await this.i18n.use(this.#language(undefined));
			if (!(error instanceof ApiError && error.status === 401)) this.problem = toProblem(error);
		}
		this.known = true;
	}

	async signedIn(session: Session): Promise<void> {
		const preferences = readPreferences(session.preferences, navigator.language);
		await this.i18n.use(this.#language(preferences));
		this.preferences = preferences;
		this.problem = undefined;
		this.session = session;
		this.#apply();
		this.live.start();
	}

	async signOut(): Promise<void> {
		await this.api.signOut();
		this.live.stop();
		this.session = undefined;
	}

	/** Takes effect at once and is stored on the server; a failed store is said. */
	async setPreferences(change: Partial<Preferences>): Promise<void> {
		this.preferences = { ...this.preferences, ...change };
		if (change.language) await this.i18n.use(this.#language(this.preferences));
		this.#apply();
		if (!this.session) return;
		try {
			await this.api.savePreferences(this.preferences);
		} catch {
			this.toasts.say(this.t('preferences.not-saved'), { tone: 'bad' });
		}
	}

	cycleZone(): void {
		void this.setPreferences({ zone: nextZone(this.preferences.zone, this.session?.site.zone, OWN_ZONE) });
	}

	cycleTheme(): void {
		const dark =
			this.preferences.theme === 'dark' ||
			(this.preferences.theme === 'system' && matchMedia('(prefers-color-scheme: dark)').matches);
		void this.setPreferences({ theme: dark ? 'light' : 'dark' });
	}

	/** Says something in the one live region. */
	announce(text: string): void {
		this.announcement = '';
		requestAnimationFrame(() => (this.announcement = text));
	}

	#language(preferences: Preferences | undefined): Language {
		const asked = new URLSearchParams(location.search).get('lang');
		if (asked === 'pseudo' || asked === 'de' || asked === 'en') return asked;
		return preferences?.language ?? (navigator.language.startsWith('de') ? 'de' : 'en');
	}

	#apply(): void {
		const root = document.documentElement;
		const { theme, density, single_keys } = this.preferences;
		if (theme === 'system') delete root.dataset.theme;
		else root.dataset.theme = theme;
		if (density === 'normal') delete root.dataset.density;
		else root.dataset.density = density;
		this.keys.singleKeys = single_keys;
		try {
			localStorage.setItem('tandem.theme', theme);
			localStorage.setItem('tandem.density', density);
		} catch {
			/* storage may be forbidden: the first paint then follows the system */
		}
	}
}

const [useApp, setApp] = createContext<App>();

export { useApp };

export function provideApp(app: App): App {
	setApp(app);
	return app;
}
