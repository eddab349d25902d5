import { defineConfig } from 'vitest/config';

/** Journeys on the real binary: TANDEM_URL is the site's address, TANDEM_LINK its one-time sign-in link. */
export default defineConfig({
	test: {
		include: ['tests/e2e/**/*.test.ts'],
		environment: 'node',
		fileParallelism: false,
		testTimeout: 60_000,
		hookTimeout: 60_000,
		globalSetup: ['tests/e2e/sign-in.ts']
	}
});
