import {defineConfig} from 'vitest/config';

/** What Stryker runs for the mutants of a file: the tests that run.ts names, in the Node project alone. */
export default defineConfig({
	test: {
		environment: 'node',
		testTimeout: 30_000,
		hookTimeout: 60_000,
		// One realm for all files: most of the time of a mutant would be spent on starting others.
		isolate: false,
		include: (process.env['MUTATION_TESTS'] ?? '').split(' '),
	},
});
