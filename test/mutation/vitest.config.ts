import {defineConfig} from 'vitest/config';

/** What Stryker runs for the mutants of a file: the tests that tests.ts names, in the Node project only. */
export default defineConfig({
	test: {
		environment: 'node',
		testTimeout: 30_000,
		hookTimeout: 60_000,
		expect: {poll: {timeout: 20_000}},
		// All files share one realm. Starting a realm for each file would take most of the time of a mutant.
		isolate: false,
		include: (process.env['MUTATION_TESTS'] ?? '').split(' '),
	},
});
