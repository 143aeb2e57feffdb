import {defineBrowserProvider} from '@vitest/browser';
import type {BrowserProvider, BrowserProviderOption, TestProject} from 'vitest/node';
import {browsers, openBrowser} from './browsers.ts';

type Name = keyof typeof browsers;

const isKnown = (name: string): name is Name => Object.hasOwn(browsers, name);

/** A browser provider without a driver. vitest's page needs none, because it talks to vitest by itself. */
function createProvider(project: TestProject): BrowserProvider {
	let closePage: (() => Promise<void>) | undefined;
	const close = async (): Promise<void> => {
		const closeNow = closePage;
		closePage = undefined;
		await closeNow?.();
	};
	// vitest calls this command once in each file. Its type only allows commands of its own providers.
	project.browser?.registerCommand('__vitest_viewport' as never, (async () => {}) as never);
	return {
		name: 'spawn',
		supportsParallelism: false,
		getCommandsContext: () => ({}),
		async openPage(_session, url) {
			await close();
			const {name} = project.config.browser;
			if (!isKnown(name)) throw new Error(`No browser is called ${name}.`);
			closePage = openBrowser(name, url);
		},
		close,
	};
}

/** Runs vitest in the installed browsers. If one is missing, the run fails. */
export const spawned: BrowserProviderOption = defineBrowserProvider({
	name: 'spawn',
	supportedBrowser: Object.keys(browsers),
	options: {},
	providerFactory: createProvider,
});
