import { defineConfig } from 'vitest/config';

/** Journeys on the real binary: TANDEM_URL is the site's address, TANDEM_LINK its one-time sign-in link. */
export default defineConfig({
	test: {
		include: ['tests/e2e/**/*.test.ts'],
		environment: 'node',
		fileParallelism: false,
		testTimeout: 400_000,
		hookTimeout: 400_000,
		// A loaded machine may be slow; only a failure waits that long.
		expect: { poll: { timeout: 120_000, interval: 50 } },
		globalSetup: ['tests/e2e/sign-in.ts']
	}
});
