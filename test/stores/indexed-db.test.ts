import {IDBFactory} from 'fake-indexeddb';
import {afterEach, beforeEach, describe, expect, vi} from 'vitest';
import {type Auth, ConfigError, createAuth, type TokenSet} from '../../src/index.ts';
import {indexedDbDriver} from '../../src/stores/indexed-db-driver.ts';
import {indexedDbStore} from '../../src/stores/web.ts';
import {appOptions, expired, gist, outcomeOf, record, signIn} from '../support/scenario.ts';
import {storeRunner} from '../support/store-runner.ts';
import {test} from '../support/test.ts';
import {type Place, tokenStoreSpec} from '../support/token-store-spec.ts';

test.override('serverOptions', {accessTokenSeconds: 60});

let factory: IDBFactory;
beforeEach(() => {
	factory = new IDBFactory();
	vi.stubGlobal('indexedDB', factory);
});
afterEach(() => {
	vi.useRealTimers();
	vi.unstubAllGlobals();
});

const token: TokenSet = {access_token: 'a', token_type: 'Bearer', refresh_token: 'r', issued_at: 1};

function outcomeOfRequest<T>(request: IDBRequest<T>): Promise<T> {
	return new Promise((resolve, reject) => {
		request.addEventListener('success', () => resolve(request.result));
		request.addEventListener('error', () => reject(request.error));
	});
}

const open = (name: string, version?: number): Promise<IDBDatabase> =>
	outcomeOfRequest(factory.open(`regrant ${name}`, version));

/** Uses the object store of a database directly, without regrant. */
async function useTable<T>(name: string, use: (table: IDBObjectStore) => IDBRequest<T>): Promise<T> {
	const database = await open(name);
	try {
		return await outcomeOfRequest(use(database.transaction('session', 'readwrite').objectStore('session')));
	} finally {
		database.close();
	}
}

let places = 0;

/** Creates holders in this realm, each with a driver of its own. */
async function createPlace(): Promise<Place> {
	const name = `place ${++places}`;
	// Creates the object store.
	await indexedDbDriver(name).get();
	return {
		holder: () => indexedDbDriver(name),
		peek: async () => (await useTable(name, table => table.get('token'))) as string | undefined, // the driver stores a string
		poke: async text => void (await useTable(name, table => table.put(text, 'token'))),
		// In one realm, a holder cannot disappear while the others stay. tabs.test.ts tests that with real tabs.
		abandonLock: async () => {},
		breakable: async () => ({
			store: indexedDbDriver(name),
			breaks: async () => {
				// Waits until the operations that have begun are complete.
				for (let rounds = 0; rounds < 3; rounds++) await indexedDbDriver(name).get();
				const broken = {
					open: () => {
						throw new DOMException('hunter2hunter2', 'SecurityError');
					},
				};
				vi.stubGlobal('indexedDB', broken);
			},
			mends: async () => void vi.stubGlobal('indexedDB', factory),
		}),
	};
}

tokenStoreSpec({...storeRunner('indexedDbStore, in one realm'), place: createPlace});

describe('indexedDbStore', () => {
	test.for([
		['an empty name', ''],
		['no name', undefined],
		['a name that is no text', 42],
	] as const)('indexedDbStore refuses %s when it is created', ([, name]) => {
		expect(() => indexedDbStore(name as string)).toThrow(ConfigError);
		expect(() => indexedDbStore(name as string)).toThrow(/^name must be/);
	});

	test('indexedDbStore does nothing when it is created, so that a server can render the page', async ({
		server,
		watch,
	}) => {
		vi.stubGlobal('indexedDB', undefined);
		const auth = watch(createAuth(appOptions(server, {store: indexedDbStore('session')})));
		const events = record(auth);
		expect((await auth.fetch(`${server.api}/me`)).status).toBe(401);
		expect(gist(events)).toEqual(['store-failed store_read']);
	});

	test('indexedDbStore reports that IndexedDB is missing [F-164]', async () => {
		vi.stubGlobal('indexedDB', undefined);
		vi.stubGlobal('navigator', undefined);
		const driver = indexedDbDriver('session');
		await expect(driver.get()).rejects.toThrow('indexedDbStore needs IndexedDB');
		await expect(driver.set(token)).rejects.toThrow('indexedDbStore needs IndexedDB');
		expect(await driver.lock?.(async () => 'had')).toBe('had');
	});

	test('indexedDbStore keeps the sessions of different names apart', async () => {
		const [one, two] = [indexedDbDriver('one'), indexedDbDriver('two')];
		await one.set(token);
		expect(await two.get()).toBeUndefined();
	});

	test('indexedDbStore closes the database after each use: it can be deleted at any time, and is created again', async () => {
		const driver = indexedDbDriver('session');
		await driver.set(token);
		await outcomeOfRequest(factory.deleteDatabase('regrant session'));
		expect(await driver.get()).toBeUndefined();
		expect(await driver.replace?.(undefined, token)).toBe(true);
		expect(await driver.get()).toEqual(token);
	});

	test('indexedDbStore leaves no database open after 200 writes, reads and locks [F-162]', async () => {
		const driver = indexedDbDriver('session');
		for (let count = 0; count < 200; count++) {
			await driver.lock?.(async () => driver.set(token));
			await driver.get();
		}
		const deleting = factory.deleteDatabase('regrant session');
		let isBlocked = false;
		deleting.addEventListener('blocked', () => void (isBlocked = true));
		await outcomeOfRequest(deleting);
		expect(isBlocked).toBe(false);
	});

	test('two hundred sessions that were closed leave no listener and no channel [F-162]', async ({server}) => {
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
		const auths = Array.from({length: 200}, () => createAuth(appOptions(server, {store: indexedDbStore('session')})));
		for (const auth of auths) auth.subscribe(() => {});
		await signIn(server, auths[0] as Auth);
		await Promise.all(auths.map(auth => auth.peek()));
		expect(counts).toEqual({listeners: 200, channels: 200});
		for (const auth of auths) auth.close();
		expect(counts).toEqual({listeners: 0, channels: 0});
	});

	test('indexedDbStore works in a database of that name that somebody else has created, whatever its version', async () => {
		for (const [name, version] of [
			['opened in the console', undefined],
			['of a newer version', 7],
		] as const) {
			(await open(name, version)).close();
			const driver = indexedDbDriver(name);
			await driver.set(token);
			expect(await driver.get()).toEqual(token);
			expect(await indexedDbDriver(name).get()).toEqual(token);
		}
	});

	test('a value that is not text counts as garbage, and can be replaced by whoever has read it [F-89]', async () => {
		const driver = indexedDbDriver('session');
		await driver.get();
		for (const garbage of [42, null, {access_token: 'hunter2'}, new Date(0)]) {
			await useTable('session', table => table.put(garbage, 'token'));
			const found = await driver.get();
			expect(found).toBe('');
			expect(await driver.replace?.(undefined, token)).toBe(false);
			expect(await driver.replace?.(found, token)).toBe(true);
			expect(await driver.get()).toEqual(token);
		}
	});

	test('replacing a record by itself really writes it, so that a session learns whether the store takes writes', async () => {
		const driver = indexedDbDriver('session');
		await driver.set(token);
		const found = await driver.get();
		const put = vi.spyOn(Object.getPrototypeOf(await useStore()), 'put');
		expect(await driver.replace?.(found, {...token})).toBe(true);
		expect(put).toHaveBeenCalledOnce();
		put.mockRestore();

		async function useStore(): Promise<object> {
			const database = await open('session');
			const table = database.transaction('session', 'readwrite').objectStore('session');
			database.close();
			return table;
		}
	});
});

describe('IndexedDB that does not answer', () => {
	/** Advances the clock beyond every deadline. */
	const passDeadline = (): Promise<unknown> => vi.advanceTimersByTimeAsync(5_000);
	const fakeTimers = (): void => void vi.useFakeTimers({toFake: ['setTimeout', 'clearTimeout']});

	/**
	Blocks a database, as when it is deleted while another tab has it open. `deleteDatabase` waits for that tab, and every `open` waits for
	`deleteDatabase`.
	*/
	async function block(name: string): Promise<{unblock(): void; readonly deleted: Promise<unknown>}> {
		const database = await open(name);
		const deleted = outcomeOfRequest(factory.deleteDatabase(`regrant ${name}`));
		return {unblock: () => database.close(), deleted};
	}

	test('an operation of IndexedDB that hangs fails at its deadline, and frees the lock [F-149]', async () => {
		const [driver, other] = [indexedDbDriver('session'), indexedDbDriver('session')];
		await driver.set(token);
		const {unblock, deleted} = await block('session');
		fakeTimers();
		const operations = [driver.get(), driver.set(token), driver.replace?.(token, undefined)];
		const outcomes = Promise.all(operations.map(async operation => outcomeOf(Promise.resolve(operation))));
		const held = outcomeOf(Promise.resolve(driver.lock?.(async () => driver.get())));
		const next = other.lock?.(async () => 'had');
		await passDeadline();
		expect(await outcomes).toEqual(['TokenNetworkError', 'TokenNetworkError', 'TokenNetworkError']);
		expect(await held).toBe('TokenNetworkError');
		expect(await next).toBe('had');
		vi.useRealTimers();
		unblock();
		await deleted;
	});

	test('a write that was given up never happens later, and leaves no database open [F-161]', async () => {
		const driver = indexedDbDriver('session');
		await driver.set({...token, access_token: 'early'});
		const {unblock, deleted} = await block('session');
		fakeTimers();
		const late = outcomeOf(Promise.resolve(driver.set({...token, access_token: 'late'})));
		await passDeadline();
		expect(await late).toBe('TokenNetworkError');
		vi.useRealTimers();
		unblock();
		await deleted;
		expect(await driver.get()).toBeUndefined();
		await outcomeOfRequest(factory.deleteDatabase('regrant session'));
	});

	test('a write that waits for the transaction of another tab is aborted at its deadline [F-149, F-161]', async () => {
		const driver = indexedDbDriver('session');
		await driver.set({...token, access_token: 'early'});
		const stuck = await open('session');
		const transaction = stuck.transaction('session', 'readwrite');
		const table = transaction.objectStore('session');
		let isStuck = true;
		// Keeps the transaction alive, as a busy or frozen tab does.
		const stay = (): void => table.get('token').addEventListener('success', () => isStuck && stay());
		stay();
		fakeTimers();
		const late = outcomeOf(Promise.resolve(driver.set({...token, access_token: 'late'})));
		await passDeadline();
		expect(await late).toBe('TokenNetworkError');
		vi.useRealTimers();
		isStuck = false;
		stuck.close();
		expect(await driver.get()).toMatchObject({access_token: 'early'});
	});

	test('a session stays in memory while IndexedDB hangs, and uses it again when it answers [F-88]', async ({
		server,
		watch,
	}) => {
		const auth = watch(createAuth(appOptions(server, {store: indexedDbStore('session'), timeout: 2_000})));
		const events = record(auth);
		await signIn(server, auth);
		const {unblock, deleted} = await block('session');
		expect((await auth.fetch(`${server.api}/me`)).status).toBe(200);
		expect(gist(events)).toEqual(['token set', 'store-failed store_read']);
		unblock();
		await deleted;
		// Deleting the database signs out.
		await expect.poll(async () => (await auth.fetch(`${server.api}/me`)).status).toBe(401);
		await signIn(server, auth, expired);
		expect((await auth.fetch(`${server.api}/me`)).status).toBe(200);
	});
});
