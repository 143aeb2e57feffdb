// Tabs of Firefox and of WebKit. Each has the package as the global `regrant`.
import {mkdtempSync, rmSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {setTimeout as sleep} from 'node:timers/promises';
import {launch, type Page} from 'puppeteer-core';
import {findBrowser, startProgram, webkitEnvironment} from './browsers.ts';
import {freePort} from './free-port.ts';
import {serveTabPage} from './tab-page.ts';
import type {Realm} from './tab-session.ts';

/** One tab. */
export interface Tab extends Realm {
	close(): Promise<void>;
}

/** A running browser. */
export interface TabBrowser {
	open(): Promise<Tab>;
	close(): Promise<void>;
}

/** Starts Firefox, and controls it by WebDriver BiDi. */
export async function openFirefoxTabs(): Promise<TabBrowser> {
	const page = await serveTabPage();
	const profile = mkdtempSync(join(tmpdir(), 'regrant-browser-'));
	const browser = await launch({
		browser: 'firefox',
		executablePath: findBrowser('firefox'),
		userDataDir: profile,
		// A busy machine starts Firefox slowly.
		timeout: 120_000,
		env: {...process.env, HOME: profile, MOZ_CRASHREPORTER_DISABLE: '1'},
	});
	const toTab = (tab: Page): Tab => ({
		evaluate: (task, given) => tab.evaluate(task as (given: unknown) => never, given),
		close: () => tab.close(),
	});
	return {
		async open() {
			const tab = await browser.newPage();
			await tab.goto(`${page.origin}/`);
			return toTab(tab);
		},
		async close() {
			await browser.close();
			await page.close();
			rmSync(profile, {recursive: true, force: true, maxRetries: 10, retryDelay: 100});
		},
	};
}

/** Starts WebKit, and controls it by WebDriver. Commands are sent one at a time, because the driver has only one current tab. */
export async function openWebKitTabs(): Promise<TabBrowser> {
	const page = await serveTabPage();
	const port = await freePort();
	const binary = findBrowser('webkit');
	const stop = startProgram(
		(path, profile) => ({
			command: 'xvfb-run',
			args: ['-a', path, `--port=${port}`],
			env: webkitEnvironment(profile),
		}),
		'WebKitWebDriver',
	);
	const send = async <T>(method: string, path: string, body?: object): Promise<T> => {
		const answer = await fetch(`http://127.0.0.1:${port}${path}`, {method, ...(body && {body: JSON.stringify(body)})});
		const {value} = (await answer.json()) as {readonly value: T & {readonly message?: string}};
		if (!answer.ok) throw new Error(`WebDriver: ${value.message}`);
		return value;
	};
	for (let tries = 0; tries < 1_200; tries++) {
		if (
			await send('GET', '/status').then(
				() => true,
				() => false,
			)
		)
			break;
		await sleep(50);
	}
	const options = {binary, args: ['--automation']};
	const capabilities = {alwaysMatch: {'webkitgtk:browserOptions': options, timeouts: {script: 60_000}}};
	const {sessionId} = await send<{readonly sessionId: string}>('POST', '/session', {capabilities});
	const session = `/session/${sessionId}`;
	// This tab stays open, because a new tab can only be opened from another one.
	const first = await send<string>('GET', `${session}/window`);
	let queue: Promise<unknown> = Promise.resolve();
	/** Runs commands in one tab, after all earlier commands. */
	const inTab = async <T>(handle: string, task: () => Promise<T>): Promise<T> => {
		const before = queue;
		const run = (async () => {
			await before.catch(() => {});
			await send('POST', `${session}/window`, {handle});
			return task();
		})();
		queue = run;
		return run;
	};
	return {
		async open() {
			const {handle} = await inTab(first, () =>
				send<{readonly handle: string}>('POST', `${session}/window/new`, {type: 'tab'}),
			);
			await inTab(handle, () => send('POST', `${session}/url`, {url: `${page.origin}/`}));
			let calls = 0;
			return {
				async evaluate(task, given) {
					// One command starts the task and others poll its result, so that tasks can run in several tabs at once.
					const name = `result ${++calls}`;
					const start = `const [name, given] = arguments;
						(async () => (${String(task)})(given))().then(
							value => { globalThis[name] = {value}; },
							error => { globalThis[name] = {error: String(error)}; },
						);`;
					const run = (script: string, args: readonly unknown[]): Promise<{value?: never; error?: string} | null> =>
						inTab(handle, () => send('POST', `${session}/execute/sync`, {script, args}));
					await run(start, [name, given ?? null]);
					for (;;) {
						const result = await run('return globalThis[arguments[0]] ?? null', [name]);
						if (result?.error !== undefined) throw new Error(result.error);
						if (result) return result.value as never; // the task has returned it
						await sleep(20);
					}
				},
				close: () => inTab(handle, () => send('DELETE', `${session}/window`)),
			};
		},
		async close() {
			await send('DELETE', session).catch(() => {});
			await stop();
			await page.close();
		},
	};
}
