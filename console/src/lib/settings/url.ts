import { compose, pick, unless } from '../url/params';

export const TABS = ['profile', 'security', 'users', 'tokens', 'health', 'config'] as const;
export type SettingsTab = (typeof TABS)[number];

export interface SettingsState {
	tab: SettingsTab;
}

export const readSettings = (params: URLSearchParams): SettingsState => ({ tab: pick(params.get('tab'), TABS, 'profile') });
export const writeSettings = (state: SettingsState): string => compose('/settings', [['tab', unless(state.tab, 'profile')]]);
