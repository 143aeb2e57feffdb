import type {Auth, AuthEvent} from '../../src/index.ts';
import type * as regrant from './tab.ts';

/** The globals of a tab. */
export interface TabGlobal {
	readonly regrant: typeof regrant;
	auth: Auth;
	events: AuthEvent[];
}

/** A tab, a frame or a worker of any browser, as far as the tests use it. */
export interface Realm {
	/** Runs a function in the realm. The function can use only its argument and the globals of the realm. */
	evaluate<T, Given>(task: (given: Given) => T | Promise<T>, given: Given): Promise<T>;
}

/** Where the servers of a test are. */
export interface TabPlace {
	readonly tokenEndpoint: string;
	readonly revocationEndpoint: string;
	readonly api: string;
}

/** How a tab creates its session. */
export interface TabOptions {
	/** The store of the token. Default: `indexedDbStore`. */
	readonly kind?: 'indexedDb' | 'localStorage' | 'sessionStorage';
	readonly name?: string;
	readonly timeout?: number;
	/** Whether the store has a lock. */
	readonly hasLock?: boolean;
}

/** Creates the `Auth` of a tab. */
export async function connectTab(
	tab: Realm,
	{tokenEndpoint, revocationEndpoint, api}: TabPlace,
	options: TabOptions = {},
): Promise<void> {
	const given = {
		tokenEndpoint,
		revocationEndpoint,
		api,
		kind: 'indexedDb' as const,
		name: 'session',
		timeout: 10_000,
		hasLock: true,
		...options,
	};
	await tab.evaluate(({tokenEndpoint, revocationEndpoint, api, kind, name, timeout, hasLock}) => {
		const tabGlobal = globalThis as unknown as TabGlobal;
		const {createAuth, indexedDbDriver, sharedStore, webStorageDriver} = tabGlobal.regrant;
		const driver = kind === 'indexedDb' ? indexedDbDriver(name) : webStorageDriver(name, () => globalThis[kind]);
		const {lock, replace, ...bare} = driver;
		const store = sharedStore(hasLock ? driver : bare);
		tabGlobal.auth = createAuth({tokenEndpoint, revocationEndpoint, clientId: 'app', origins: [api], store, timeout});
		tabGlobal.events = [];
		tabGlobal.auth.subscribe(event => void tabGlobal.events.push(event));
	}, given);
}

/** Logs in through a tab. */
export async function signInTab(tab: Realm, token: object): Promise<void> {
	await tab.evaluate(async token => (globalThis as unknown as TabGlobal).auth.setToken(token as never), token);
}

/** Signs out in a tab. */
export async function signOutTab(tab: Realm): Promise<void> {
	await tab.evaluate(async () => (globalThis as unknown as TabGlobal).auth.signOut(), undefined);
}

/** Makes calls at once in a tab. Returns the status or the error of each. */
export async function callFromTab(tab: Realm, url: string, count = 1): Promise<string[]> {
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

/** Describes the events of a tab's session. */
export async function heardByTab(tab: Realm): Promise<string[]> {
	return tab.evaluate(
		() =>
			(globalThis as unknown as TabGlobal).events.map(event => {
				if (event.type === 'token') return `token ${event.cause}`;
				if (event.type === 'status') return `status ${event.status}`;
				return `${event.type} ${event.type === 'session-ended' ? event.reason : event.error.code}`;
			}),
		undefined,
	);
}

/** Takes the lock of the session in a tab, and never releases it. */
export async function holdLockInTab(tab: Realm, name = 'session'): Promise<void> {
	await tab.evaluate(
		name =>
			new Promise<void>(held => {
				void (globalThis as unknown as TabGlobal).regrant.indexedDbDriver(name).lock?.(() => {
					held();
					return new Promise(() => {});
				});
			}),
		name,
	);
}

/** Returns the stored record as JSON. */
export async function storedIn(tab: Realm, name = 'session'): Promise<string | null> {
	return tab
		.evaluate(
			async name =>
				JSON.stringify((await (globalThis as unknown as TabGlobal).regrant.indexedDbDriver(name).get()) ?? null),
			name,
		)
		.then(text => (text === 'null' ? null : text));
}
