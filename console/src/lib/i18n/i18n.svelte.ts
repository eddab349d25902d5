import { IntlMessageFormat } from 'intl-messageformat';
import type en from './en.json';

export type MessageKey = keyof typeof en;
export type Catalogue = Record<MessageKey, string>;
export type MessageValues = Record<string, string | number>;
export type Language = 'en' | 'de' | 'pseudo';

const CATALOGUES: Record<Language, () => Promise<Catalogue>> = {
	en: async () => (await import('./en.json')).default,
	de: async () => (await import('./de.json')).default,
	pseudo: async () => (await import('./pseudo')).pseudo((await import('./en.json')).default)
};

/** Texts in the chosen language. Reading through `t` follows a change of language. */
export class I18n {
	language = $state<Language>('en');
	#catalogue = $state.raw<Catalogue>();
	#compiled = new Map<string, IntlMessageFormat>();

	get ready(): boolean {
		return this.#catalogue !== undefined;
	}

	get locale(): string {
		return this.language === 'de' ? 'de-DE' : 'en-GB';
	}

	async use(language: Language): Promise<void> {
		const catalogue = await CATALOGUES[language]();
		this.#compiled.clear();
		this.language = language;
		this.#catalogue = catalogue;
		document.documentElement.lang = language === 'de' ? 'de' : 'en';
	}

	t = (key: MessageKey, values?: MessageValues): string => {
		const message = this.#catalogue?.[key];
		if (message === undefined) return '';
		if (values === undefined && !message.includes('{') && !message.includes("'")) return message;
		let format = this.#compiled.get(key);
		if (!format) {
			format = new IntlMessageFormat(message, this.locale);
			this.#compiled.set(key, format);
		}
		return String(format.format(values));
	};

	/** The text of a key that is put together from data; undefined where the catalogue has none. */
	maybe = (key: string, values?: MessageValues): string | undefined =>
		this.#catalogue && key in this.#catalogue ? this.t(key as MessageKey, values) : undefined;
}
