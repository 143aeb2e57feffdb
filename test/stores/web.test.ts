import type {Page} from 'playwright';
import {afterAll, describe, expect} from 'vitest';
import {ConfigError, createAuth} from '../../src/index.ts';
import {type WebStorage, webStorage} from '../../src/stores/web.ts';
import {appOptions, expired, gist, outcomeOf, record, signIn} from '../support/scenario.ts';
import {storeRunner} from '../support/store-runner.ts';
import {callFromTab, connectTab, heardByTab, signInTab, storedIn, type TabGlobal} from '../support/tab-session.ts';
import {openTabs} from '../support/tabs.ts';
import {test} from '../support/test.ts';
import {type Place, tokenStoreSpec} from '../support/token-store-spec.ts';

test.override('serverOptions', {accessTokenSeconds: 60});

/** A Web Storage, for where there is none. It can be made to take nothing. */
function createStorage() {
	const items = new Map<string, string>();
	let failure: Error | undefined;
	const check = (): void => {
		if (failure) throw failure;
	};
	const storage = {
		getItem: (key: string) => items.get(key) ?? null,
		setItem: (key: string, text: string) => (check(), void items.set(key, text)),
		removeItem: (key: string) => (check(), void items.delete(key)),
	};
	return {storage, items, fail: (error: Error | undefined) => void (failure = error)};
}

let places = 0;

/** Holders of one realm, each with a `webStorage` of its own. */
async function createPlace(): Promise<Place> {
	const {items, storage} = createStorage();
	const key = `place ${++places}`;
	return {
		holder: () => webStorage(key, storage),
		peek: async () => items.get(key),
		poke: async text => void items.set(key, text),
		// In one realm nobody goes without the others. Tabs do: see below.
		abandonLock: async () => {},
		breakable: async () => {
			let isBroken = false;
			const guarded = new Proxy(storage, {
				get: (target, name) => {
					if (isBroken) throw new DOMException('hunter2hunter2', 'SecurityError');
					return Reflect.get(target, name) as unknown;
				},
			});
			return {
				store: webStorage(key, guarded),
				breaks: async () => {
					isBroken = true;
				},
				mends: async () => {
					isBroken = false;
				},
			};
		},
	};
}

tokenStoreSpec({...storeRunner('webStorage, in one realm'), place: createPlace});

describe('webStorage', () => {
	test.for([
		['key', () => webStorage('')],
		['key', () => webStorage(42 as unknown as string)],
		['storage', () => webStorage('key', {} as WebStorage)],
		['storage', () => webStorage('key', null as unknown as WebStorage)],
	] as const)('refuses a bad %s when it is made', ([name, create]) => {
		expect(create).toThrow(ConfigError);
		expect(create).toThrow(new RegExp(`^${name} must be`));
	});

	test('looks for localStorage when it is used, and not before', async ({server}) => {
		const auth = createAuth(appOptions(server, {store: webStorage('session')}));
		const events = record(auth);
		await signIn(server, auth).catch(() => {});
		expect((await auth.fetch(`${server.api}/me`)).status).toBe(200);
		expect(gist(events)).toEqual(['store-failed store_read', 'token set']);
	});

	test('F-87: a full storage after a rotation costs no session', async ({server, watch}) => {
		const {storage, items, fail} = createStorage();
		const auth = watch(createAuth(appOptions(server, {store: webStorage('session', storage)})));
		const events = record(auth);
		await signIn(server, auth, expired);
		const stop = server.onTokenAnswer(() => fail(new DOMException('full', 'QuotaExceededError')));
		const {access_token} = await auth.getToken();
		stop();
		fail(undefined);
		expect((await auth.fetch(`${server.api}/me`)).status).toBe(200);
		expect(items.get('session')).toContain(access_token);
		expect(gist(events)).toEqual(['token set', 'store-failed store_write', 'token refresh']);
	});

	test('R75: two tabs of one storage without Web Locks: what another has written is not overwritten', async ({
		server,
		watch,
	}) => {
		const {storage, items} = createStorage();
		const auth = watch(createAuth(appOptions(server, {store: webStorage('session', storage)})));
		await signIn(server, auth, expired);
		const {expires_in: _, ...minted} = await server.mint();
		const theirs = JSON.stringify({...minted, issued_at: Math.floor(Date.now() / 1000)});
		const stop = server.onTokenAnswer(() => void items.set('session', theirs));
		expect((await auth.getToken()).access_token).toBe(minted.access_token);
		stop();
		expect(items.get('session')).toBe(theirs);
	});

	test('a waiter that leaves the queue of a realm lets nobody through', async () => {
		const {storage} = createStorage();
		const [one, two, three] = [1, 2, 3].map(() => webStorage('queue', storage));
		const gate = Promise.withResolvers<void>();
		const log: string[] = [];
		const held = one?.lock?.(() => gate.promise);
		const leaver = new AbortController();
		const left = outcomeOf(Promise.resolve(two?.lock?.(async () => void log.push('two'), leaver.signal)));
		const last = three?.lock?.(async () => void log.push('three'));
		leaver.abort();
		expect(await left).toBe('LockError');
		expect(log).toEqual([]);
		gate.resolve();
		await held;
		await last;
		expect(log).toEqual(['three']);
	});
});

const tabs = await openTabs();
afterAll(tabs.close);

const open = async (count: number): Promise<Page[]> => Promise.all(Array.from({length: count}, () => tabs.open()));
const closeAll = async (opened: readonly Page[]): Promise<void> => {
	await opened[0]?.evaluate(() => localStorage.clear()).catch(() => {});
	await Promise.all(opened.map(tab => tab.close()));
};

describe('tabs of a real Chromium', {timeout: 60_000}, () => {
	test('R71, F-96: eight tabs with five callers each make one grant on one expired token', async ({server}) => {
		const opened = await open(8);
		for (const tab of opened) await connectTab(tab, server);
		await signInTab(opened[0] as Page, {...(await server.mint()), ...expired});
		const calls = await Promise.all(opened.map(tab => callFromTab(tab, `${server.api}/me`, 5)));
		expect(calls.flat()).toEqual(Array.from({length: 40}, () => '200'));
		expect(server.tokenRequests).toHaveLength(1);
		await closeAll(opened);
	});

	test('F-97: the lock of a tab that is closed is had by the next', async ({server}) => {
		const opened = await open(2);
		const [first, second] = opened as [Page, Page];
		for (const tab of opened) await connectTab(tab, server);
		await signInTab(first, {...(await server.mint()), ...expired});
		await first.evaluate(
			() =>
				new Promise<void>(held => {
					const store = (globalThis as unknown as TabGlobal).regrant.webStorage('session');
					void store.lock?.(() => {
						held();
						return new Promise(() => {});
					});
				}),
		);
		const call = callFromTab(second, `${server.api}/me`);
		await first.close();
		expect(await call).toEqual(['200']);
		await closeAll([second]);
	});

	test('F-98: a tab that is gone between rotation and write ends the session cleanly, and once', async ({server}) => {
		const opened = await open(2);
		const [first, second] = opened as [Page, Page];
		for (const tab of opened) await connectTab(tab, server);
		await signInTab(first, {...(await server.mint()), ...expired});
		const answered = Promise.withResolvers<void>();
		const stop = server.onTokenAnswer(async () => {
			answered.resolve();
			// The tab is gone before it hears of it.
			await first.close();
		});
		void callFromTab(first, `${server.api}/me`).catch(() => {});
		await answered.promise;
		stop();
		const calls = await callFromTab(second, `${server.api}/me`, 5);
		expect(new Set(calls)).toEqual(new Set(['SessionEndedError invalid_grant']));
		// The one that was lost, and the one that found out.
		expect(server.tokenRequests).toHaveLength(2);
		expect(await callFromTab(second, `${server.api}/me`)).toEqual(['401']);
		expect((await heardByTab(second)).filter(event => event.startsWith('session-ended'))).toEqual([
			'session-ended invalid_grant',
		]);
		expect(await storedIn(second)).toBe(null);
		// The referee has seen it, as it should.
		expect(() => server.referee.verdict()).toThrow();
		server.reset();
		await closeAll([second]);
	});

	test('R76, F-101: a sign-out in one tab wins over a refresh in another', async ({server}) => {
		const opened = await open(2);
		const [first, second] = opened as [Page, Page];
		for (const tab of opened) await connectTab(tab, server);
		await signInTab(first, {...(await server.mint()), ...expired});
		const [reached, gate] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
		const stop = server.onTokenAnswer(async () => {
			reached.resolve();
			await gate.promise;
		});
		const calls = callFromTab(first, `${server.api}/me`, 3);
		await reached.promise;
		await second.evaluate(async () => (globalThis as unknown as TabGlobal).auth.signOut());
		gate.resolve();
		expect(await calls).toEqual(Array.from({length: 3}, () => 'SessionEndedError signed_out'));
		stop();
		expect(await storedIn(second)).toBe(null);
		expect(await callFromTab(first, `${server.api}/me`)).toEqual(['401']);
		await closeAll(opened);
	});

	test('F-102: another login in one tab is neither used nor overwritten by those who wait in another', async ({
		server,
	}) => {
		const opened = await open(2);
		const [first, second] = opened as [Page, Page];
		for (const tab of opened) await connectTab(tab, server);
		await signInTab(first, {...(await server.mint()), ...expired});
		const [reached, gate] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
		const stop = server.onTokenAnswer(async () => {
			reached.resolve();
			await gate.promise;
		});
		const calls = callFromTab(first, `${server.api}/me`, 3);
		await reached.promise;
		const login = await server.mint();
		await signInTab(second, login);
		gate.resolve();
		expect(await calls).toEqual(Array.from({length: 3}, () => 'SessionEndedError signed_out'));
		stop();
		expect(await storedIn(second)).toContain(login.refresh_token);
		expect(await callFromTab(first, `${server.api}/me`)).toEqual(['200']);
		expect(server.calls.at(-1)?.authorization).toBe(`Bearer ${login.access_token}`);
		await closeAll(opened);
	});

	test('an idle tab hears of a login, of a renewal and of a sign-out in another', async ({server}) => {
		const opened = await open(2);
		const [first, second] = opened as [Page, Page];
		for (const tab of opened) await connectTab(tab, server);
		await signInTab(first, await server.mint());
		await expect.poll(() => heardByTab(second)).toEqual(['token store']);
		await first.evaluate(async () => (globalThis as unknown as TabGlobal).auth.refresh());
		await expect.poll(() => heardByTab(second)).toEqual(['token store', 'token store']);
		await first.evaluate(async () => (globalThis as unknown as TabGlobal).auth.signOut());
		await expect.poll(() => heardByTab(second)).toEqual(['token store', 'token store', 'session-ended signed_out']);
		await closeAll(opened);
	});

	test('F-99: a lock that a tab never frees fails the renewal of the others in time', async ({server}) => {
		const opened = await open(2);
		const [first, second] = opened as [Page, Page];
		await connectTab(first, server);
		await connectTab(second, server, {timeout: 300});
		await signInTab(second, {...(await server.mint()), ...expired});
		await first.evaluate(
			() =>
				new Promise<void>(held => {
					void (globalThis as unknown as TabGlobal).regrant.webStorage('session').lock?.(() => {
						held();
						return new Promise(() => {});
					});
				}),
		);
		expect(await callFromTab(second, `${server.api}/me`)).toEqual(['LockError lock_timeout']);
		await first.close();
		await expect.poll(() => callFromTab(second, `${server.api}/me`)).toEqual(['200']);
		expect(server.tokenRequests).toHaveLength(1);
		await closeAll([second]);
	});

	test('F-87: a storage that is really full after a rotation costs no session', async ({server}) => {
		const [tab] = (await open(1)) as [Page];
		await connectTab(tab, server);
		await signInTab(tab, {...(await server.mint()), ...expired, scope: 'x'});
		const stop = server.onTokenAnswer(async () => {
			await tab.evaluate(() => {
				for (let size = 2 ** 23; size >= 1; size = Math.floor(size / 2)) {
					try {
						for (let count = 0; ; count++) localStorage.setItem(`full ${size} ${count}`, 'x'.repeat(size));
					} catch {
						// As much as there is room for.
					}
				}
			});
		});
		expect(await callFromTab(tab, `${server.api}/me`)).toEqual(['200']);
		stop();
		expect(await heardByTab(tab)).toEqual(['token set', 'store-failed store_write', 'token refresh']);
		await tab.evaluate(() => {
			for (const key of Object.keys(localStorage)) if (key.startsWith('full')) localStorage.removeItem(key);
		});
		expect(await callFromTab(tab, `${server.api}/me`)).toEqual(['200']);
		const issued = [...server.issued].filter(([, kind]) => kind === 'refresh token').map(([token]) => token);
		expect(await storedIn(tab)).toContain(issued.at(-1));
		await closeAll([tab]);
	});

	test('R75: a page without https has no Web Locks, and its callers still share one grant', async ({server}) => {
		const tab = await tabs.open(tabs.insecureOrigin);
		expect(await tab.evaluate(() => [isSecureContext, 'locks' in navigator])).toEqual([false, false]);
		await connectTab(tab, server);
		await signInTab(tab, {...(await server.mint()), ...expired});
		expect(await callFromTab(tab, `${server.api}/me`, 5)).toEqual(Array.from({length: 5}, () => '200'));
		expect(server.tokenRequests).toHaveLength(1);
		await closeAll([tab]);
	});

	test('F-86: a frame of an opaque origin, which may not store anything, keeps its session in memory', async ({
		server,
	}) => {
		const [tab] = (await open(1)) as [Page];
		await tab.setContent(
			'<iframe sandbox="allow-scripts" srcdoc="<script src=/regrant.js></script>"></iframe>'.replace(
				'/regrant.js',
				`${tabs.origin}/regrant.js`,
			),
		);
		const frame = tab.frames()[1];
		if (!frame) throw new Error('The frame is not there');
		await frame.waitForFunction(() => 'regrant' in globalThis);
		const heard = await frame.evaluate(
			async ({tokenEndpoint, api, token}) => {
				const {createAuth, webStorage} = (globalThis as unknown as TabGlobal).regrant;
				const auth = createAuth({tokenEndpoint, clientId: 'app', origins: [api], store: webStorage('session')});
				const events: string[] = [];
				auth.subscribe(event => void events.push(event.type));
				await auth.setToken(token).catch((error: Error) => void events.push(error.name));
				events.push(String((await auth.fetch(`${api}/me`)).status));
				return events;
			},
			{tokenEndpoint: server.tokenEndpoint, api: server.api, token: {...(await server.mint()), ...expired}},
		);
		expect(heard).toEqual(['store-failed', 'token', 'StoreError', 'token', '200']);
		await closeAll([tab]);
	});

	test('R75, F-100: where locks are refused, the callers of the realm take turns', async ({server}) => {
		for (const name of ['SecurityError', 'InvalidStateError']) {
			const [tab] = (await open(1)) as [Page];
			await tab.evaluate(name => {
				navigator.locks.request = () => Promise.reject(new DOMException('Not now', name));
			}, name);
			await connectTab(tab, server);
			await signInTab(tab, {...(await server.mint()), ...expired});
			const before = server.tokenRequests.length;
			expect(await callFromTab(tab, `${server.api}/me`, 5)).toEqual(Array.from({length: 5}, () => '200'));
			expect(server.tokenRequests.length - before).toBe(1);
			await closeAll([tab]);
		}
	});

	test('F-100: a page that comes back from the back/forward cache looks at the store again', async ({server}) => {
		const opened = await open(2);
		const [first, second] = opened as [Page, Page];
		for (const tab of opened) await connectTab(tab, server);
		await signInTab(first, await server.mint());
		await expect.poll(() => heardByTab(second)).toEqual(['token store']);
		// As the browser tells a page that it has restored.
		await first.evaluate(() => {
			localStorage.setItem(
				'session',
				(localStorage.getItem('session') ?? '').replace(/"access_token":"[^"]+"/, '"access_token":"other"'),
			);
			dispatchEvent(new PageTransitionEvent('pageshow', {persisted: false}));
		});
		expect(await heardByTab(first)).toEqual(['token set']);
		await first.evaluate(() => void dispatchEvent(new PageTransitionEvent('pageshow', {persisted: true})));
		await expect.poll(() => heardByTab(first)).toEqual(['token set', 'token store']);
		await closeAll(opened);
	});

	test('R47: what tabs tell each other holds no token', async ({server}) => {
		const opened = await open(2);
		const [first, second] = opened as [Page, Page];
		await second.evaluate(() => {
			const said: unknown[] = ((globalThis as unknown as {said: unknown[]}).said = []);
			new BroadcastChannel('regrant session').addEventListener('message', ({data}) => said.push(data));
		});
		await connectTab(first, server);
		await signInTab(first, await server.mint());
		await expect.poll(() => second.evaluate(() => (globalThis as unknown as {said: unknown[]}).said)).toEqual([null]);
		await closeAll(opened);
	});

	test('without a lock the first race loses the session, which shows that the referee looks', async ({server}) => {
		const opened = await open(4);
		for (const tab of opened) await connectTab(tab, server, {hasLock: false});
		await signInTab(opened[0] as Page, {...(await server.mint()), ...expired});
		const reached: Array<() => void> = [];
		// All of them are asked before any of them is answered.
		const all = new Promise<void>(resolve => {
			server.onToken(async () => {
				if (reached.push(resolve) === 4) resolve();
				await all;
			});
		});
		await Promise.all(opened.map(tab => callFromTab(tab, `${server.api}/me`)));
		expect(server.tokenRequests.length).toBeGreaterThan(1);
		expect(() => server.referee.verdict()).toThrow();
		server.reset();
		await closeAll(opened);
	});
});
