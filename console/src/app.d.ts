import type { SearchPanel } from '$lib/search/url';

declare global {
	namespace App {
		interface PageState {
			panel?: SearchPanel;
		}
	}
}

export {};
