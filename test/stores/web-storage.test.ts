import {execFile} from 'node:child_process';
import process from 'node:process';
import {promisify} from 'node:util';
import {afterEach, describe, expect, vi} from 'vitest';
import {ConfigError, createAuth} from '../../src/index.ts';
import {type WebStorage, webStorage} from '../../src/stores/web.ts';
import {webStorageDriver} from '../../src/stores/web-storage-driver.ts';
import {appOptions, expired, gist, outcomeOf, record, settle, signIn} from '../support/scenario.ts';
import {storeRunner} from '../support/store-runner.ts';
import {test} from '../support/test.ts';
import {type Place, tokenStoreSpec} from '../support/token-store-spec.ts';

test.override('serverOptions', {accessTokenSeconds: 60});
afterEach(() => void vi.unstubAllGlobals());

/** A Web Storage for runtimes that have none. A test can make its writes fail. */
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

/** Creates holders in this realm, each with a driver of its own. */
async function createPlace(): Promise<Place> {
	const {items, storage} = createStorage();
	const key = `place ${++places}`;
	return {
		holder: () => webStorageDriver(key, storage),
		peek: async () => items.get(key),
		poke: async text => void items.set(key, text),
		// In one realm, a holder cannot disappear while the others stay. tabs.test.ts tests that with real tabs.
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
				store: webStorageDriver(key, guarded),
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
	const {storage} = createStorage();

	test.for([
		['an empty key', () => webStorage('', storage), /^key must be/],
		['a key that is no text', () => webStorage(42 as unknown as string, storage), /^key must be/],
		['no storage', () => webStorage('key', undefined as unknown as WebStorage), /^storage must be/],
		['null for a storage', () => webStorage('key', null as unknown as WebStorage), /^storage must be/],
		['an object that is no storage', () => webStorage('key', {} as WebStorage), /^storage must be/],
	] as const)('webStorage refuses %s when it is created', ([, create, message]) => {
		expect(create).toThrow(ConfigError);
		expect(create).toThrow(message);
	});

	test('webStorage without a storage names sessionStorage, localStorage and indexedDbStore', () => {
		const create = (): unknown => (webStorage as (key: string) => unknown)('session');
		for (const name of ['sessionStorage', 'localStorage', 'indexedDbStore']) expect(create).toThrow(name);
	});

	test('webStorage calls a function for the storage only when it is used', async ({server, watch}) => {
		let calls = 0;
		const refuse = (): never => {
			calls++;
			throw new DOMException('hunter2', 'SecurityError');
		};
		const store = webStorage('session', refuse);
		expect(calls).toBe(0);
		const auth = watch(createAuth(appOptions(server, {store})));
		const events = record(auth);
		await signIn(server, auth).catch(() => {});
		expect((await auth.fetch(`${server.api}/me`)).status).toBe(200);
		expect(gist(events)).toEqual(['store-failed store_read', 'token set']);
	});

	test('a full storage after a rotation does not lose the session [F-87]', async ({server, watch}) => {
		const {storage, items, fail} = createStorage();
		const auth = watch(createAuth(appOptions(server, {store: webStorage('session', storage), timeout: 2_000})));
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

	test('without Web Locks, a token that another tab has stored is not overwritten [R75]', async ({server, watch}) => {
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

	test('webStorage works if Node was started without a navigator [F-164]', async ({server, watch}) => {
		vi.stubGlobal('navigator', undefined);
		const {storage} = createStorage();
		const auths = [1, 2].map(() => watch(createAuth(appOptions(server, {store: webStorage('session', storage)}))));
		await signIn(server, auths[0] as (typeof auths)[0], expired);
		const calls = auths
			.flatMap(auth => [auth, auth, auth])
			.map(async auth => (await auth.fetch(`${server.api}/me`)).status);
		expect(new Set(await Promise.all(calls))).toEqual(new Set([200]));
		expect(server.tokenRequests).toHaveLength(1);
	});
});

test('webStorage works in a real Node without a navigator [F-164]', async () => {
	const script = `
		import {createAuth} from 'regrant';
		import {webStorage} from 'regrant/web';
		const items = new Map();
		const storage = {getItem: key => items.get(key) ?? null, setItem: (key, text) => items.set(key, text), removeItem: key => items.delete(key)};
		const create = () => createAuth({
			tokenEndpoint: 'https://as.example/token', clientId: 'app', store: webStorage('session', storage),
			fetch: async () => (grants++, Response.json({access_token: 'new', token_type: 'Bearer', refresh_token: 'next'})),
		});
		let grants = 0;
		const [one, two] = [create(), create()];
		await one.setToken({access_token: 'old', token_type: 'Bearer', refresh_token: 'first', expires_in: 0});
		const tokens = await Promise.all([one, two, one, two].map(auth => auth.getToken()));
		console.log(JSON.stringify([typeof navigator, grants, ...new Set(tokens.map(token => token.access_token))]));`;
	const args = ['--no-experimental-global-navigator', '--input-type=module', '--eval', script];
	const {stdout} = await promisify(execFile)(process.execPath, args);
	expect(JSON.parse(stdout)).toEqual(['undefined', 1, 'new']);
});

describe('the queue of a realm without Web Locks', () => {
	test('the queue without Web Locks lets nobody through because another one gave up', async () => {
		const {storage} = createStorage();
		const [one, two, three] = [1, 2, 3].map(() => webStorageDriver('queue', storage));
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

	test('another storage with the same key has another queue', async () => {
		const [one, two] = [createStorage(), createStorage()].map(({storage}) => webStorageDriver('session', storage));
		const gate = Promise.withResolvers<void>();
		const held = one?.lock?.(() => gate.promise);
		expect(await two?.lock?.(async () => 'not held up')).toBe('not held up');
		gate.resolve();
		await held;
	});

	test('the queue of a realm without Web Locks is empty after 10,000 locks [F-162]', async () => {
		const {storage} = createStorage();
		const driver = webStorageDriver('session', storage);
		const sets = vi.spyOn(Map.prototype, 'set');
		const queues = new Set<Map<unknown, unknown>>();
		await driver.lock?.(async () => {});
		for (const map of sets.mock.contexts as Array<Map<unknown, unknown>>) queues.add(map);
		sets.mockRestore();
		const signal = new AbortController().signal;
		const listeners = vi.spyOn(signal, 'addEventListener');
		const removals = vi.spyOn(signal, 'removeEventListener');
		for (let count = 0; count < 10_000; count++) await driver.lock?.(async () => count, signal);
		await settle();
		expect(queues.size).toBeGreaterThan(0);
		expect([...queues].filter(queue => queue.size > 0)).toEqual([]);
		expect(removals.mock.calls.length).toBe(listeners.mock.calls.length);
	});

	test('two hundred subscriptions that were ended leave no listener and no channel [F-162]', async () => {
		const {storage} = createStorage();
		const counts = {listeners: 0, channels: 0};
		vi.stubGlobal('addEventListener', () => void counts.listeners++);
		vi.stubGlobal('removeEventListener', () => void counts.listeners--);
		vi.stubGlobal(
			'BroadcastChannel',
			class extends BroadcastChannel {
				constructor(name: string) {
					super(name);
					counts.channels++;
				}
				override close(): void {
					super.close();
					counts.channels--;
				}
			},
		);
		const stops = Array.from({length: 200}, () => webStorageDriver('session', storage).subscribe?.(() => {}));
		expect(counts).toEqual({listeners: 400, channels: 200});
		await webStorageDriver('session', storage).delete();
		expect(counts.channels).toBe(200);
		for (const stop of stops) stop?.();
		expect(counts).toEqual({listeners: 0, channels: 0});
	});
});
