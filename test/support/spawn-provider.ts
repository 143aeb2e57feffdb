import {defineBrowserProvider} from '@vitest/browser';
import type {BrowserProvider, BrowserProviderOption, TestProject} from 'vitest/node';
import {browsers, openBrowser} from './browsers.ts';

type Name = keyof typeof browsers;

const isKnown = (name: string): name is Name => Object.hasOwn(browsers, name);

/** A provider without a driver: vitest's page needs none, since it talks to vitest by itself. */
function createProvider(project: TestProject): BrowserProvider {
	let closePage: (() => Promise<void>) | undefined;
	const close = async (): Promise<void> => {
		const closeNow = closePage;
		closePage = undefined;
		await closeNow?.();
	};
	// vitest asks for it once a file, and its type knows none but the commands of its own providers.
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

/** vitest in the browsers of this machine. One that is not there ends the run. */
export const spawned: BrowserProviderOption = defineBrowserProvider({
	name: 'spawn',
	supportedBrowser: Object.keys(browsers),
	options: {},
	providerFactory: createProvider,
});
