import {availableParallelism} from 'node:os';
import {defineConfig, type TestProjectInlineConfiguration} from 'vitest/config';
import {spawned} from './test/support/spawn-provider.ts';

const inBrowser = (name: 'chromium' | 'firefox' | 'webkit'): TestProjectInlineConfiguration => ({
	extends: true,
	// Else Vite may reload the page when a test is under way.
	optimizeDeps: {include: ['ky', 'valibot']},
	test: {
		name,
		include: ['test/e2e/browser/*.real.test.ts'],
		globalSetup: ['test/support/lab-setup.ts'],
		browser: {
			enabled: true,
			headless: true,
			screenshotFailures: false,
			provider: spawned,
			// A busy machine may need more than vitest's minute to start a browser.
			connectTimeout: 300_000,
			instances: [{browser: name}],
		},
	},
});

export default defineConfig({
	build: {
		target: 'es2022',
		minify: false,
		sourcemap: true,
		lib: {
			formats: ['es'],
			entry: {
				index: 'src/index.ts',
				'stores/web': 'src/stores/web.ts',
				'stores/cloudflare': 'src/stores/cloudflare.ts',
				'stores/redis': 'src/stores/redis.ts',
				'stores/deno-kv': 'src/stores/deno-kv.ts',
				'stores/file': 'src/stores/file.ts',
				jwt: 'src/jwt.ts',
				dpop: 'src/dpop.ts',
				'login/login': 'src/login/login.ts',
			},
		},
		rolldownOptions: {
			external: [/^ky(?:\/|$)/, /^valibot(?:\/|$)/, /^node:/],
			// One file per source file: of one file for all, esbuild could not drop what is not used.
			output: {preserveModules: true, preserveModulesRoot: 'src'},
		},
	},
	test: {
		// Machines are busy when browsers and fleets of processes run beside. So a test fails for what is wrong, and hardly ever for its time.
		testTimeout: 120_000,
		hookTimeout: 180_000,
		expect: {poll: {timeout: 60_000}},
		// Many files wait for processes and browsers, so that two at once are faster on two cores as well.
		maxWorkers: Math.max(2, availableParallelism() - 1),
		projects: [
			{
				extends: true,
				test: {name: 'node', environment: 'node', include: ['test/**/*.test.ts'], exclude: ['test/e2e/browser/**']},
			},
			{
				extends: true,
				test: {
					name: 'happy-dom',
					environment: 'happy-dom',
					include: ['test/e2e/browser/*.test.ts'],
					exclude: ['test/e2e/browser/*.real.test.ts'],
				},
			},
			inBrowser('chromium'),
			inBrowser('firefox'),
			inBrowser('webkit'),
		],
	},
});
