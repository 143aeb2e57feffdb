import type {Page} from 'playwright';
import type {Auth, AuthEvent} from '../../src/index.ts';
import type * as regrant from './tab.ts';

/** What the scripts of a tab find there. */
export interface TabGlobal {
	readonly regrant: typeof regrant;
	auth: Auth;
	events: AuthEvent[];
}

/** Where the servers of a test are. */
export interface TabPlace {
	readonly tokenEndpoint: string;
	readonly revocationEndpoint: string;
	readonly api: string;
}

/** How a tab creates its session. */
export interface TabOptions {
	readonly key?: string;
	readonly timeout?: number;
	readonly hasLock?: boolean;
}

/** Creates the `Auth` of a tab. */
export async function connectTab(
	tab: Page,
	{tokenEndpoint, revocationEndpoint, api}: TabPlace,
	options: TabOptions = {},
): Promise<void> {
	const told = {tokenEndpoint, revocationEndpoint, api, key: 'session', timeout: 10_000, hasLock: true, ...options};
	await tab.evaluate(({tokenEndpoint, revocationEndpoint, api, key, timeout, hasLock}) => {
		const tabGlobal = globalThis as unknown as TabGlobal;
		const {createAuth, webStorage} = tabGlobal.regrant;
		const {lock, replace, isSameLogin, ...bare} = webStorage(key);
		const store = hasLock ? webStorage(key) : bare;
		tabGlobal.auth = createAuth({tokenEndpoint, revocationEndpoint, clientId: 'app', origins: [api], store, timeout});
		tabGlobal.events = [];
		tabGlobal.auth.subscribe(event => void tabGlobal.events.push(event));
	}, told);
}

/** Logs in through a tab. */
export async function signInTab(tab: Page, token: object): Promise<void> {
	await tab.evaluate(async token => (globalThis as unknown as TabGlobal).auth.setToken(token as never), token);
}

/** The status, or the error, of each of some calls that a tab makes at once. */
export async function callFromTab(tab: Page, url: string, count = 1): Promise<string[]> {
	return tab.evaluate(
		async ({url, count}) => {
			const {auth} = globalThis as unknown as TabGlobal;
			const calls = Array.from({length: count}, async () => {
				try {
					return String((await auth.fetch(url)).status);
				} catch (error) {
					const {name, reason, code} = error as {name: string; reason?: string; code?: string};
					return `${name} ${reason ?? code ?? ''}`.trim();
				}
			});
			return Promise.all(calls);
		},
		{url, count},
	);
}

/** The gist of what a tab has heard. */
export async function heardByTab(tab: Page): Promise<string[]> {
	return tab.evaluate(() =>
		(globalThis as unknown as TabGlobal).events.map(event => {
			if (event.type === 'token') return `token ${event.cause}`;
			return `${event.type} ${event.type === 'session-ended' ? event.reason : event.error.code}`;
		}),
	);
}

/** The text that is stored. */
export async function storedIn(tab: Page, key = 'session'): Promise<string | null> {
	return tab.evaluate(key => localStorage.getItem(key), key);
}
