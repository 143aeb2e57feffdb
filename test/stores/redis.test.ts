import {Redis} from 'ioredis';
import {createClient} from 'redis';
import {afterAll, describe, expect} from 'vitest';
import {ConfigError, createAuth, StoreError} from '../../src/index.ts';
import {redisDriver} from '../../src/stores/redis-driver.ts';
import {redisStore} from '../../src/stores/redis.ts';
import {appOptions, createGate, expired, gist, outcomeOf, record, signIn} from '../support/scenario.ts';
import {crowd, loginTo} from '../chaos/crowd.ts';
import {startRedis} from '../support/redis-server.ts';
import {storeRunner} from '../support/store-runner.ts';
import {test} from '../support/test.ts';
import {type Place, tokenStoreSpec} from '../support/token-store-spec.ts';

test.override('serverOptions', {accessTokenSeconds: 60});

type Client = Parameters<typeof redisDriver>[0];

const redis = await startRedis();
const closes: Array<() => unknown> = [];
afterAll(async () => {
	for (const close of closes) await close();
	await redis.close();
});

const connectNodeRedis = async (): Promise<Client & {close(): void}> => {
	const client = createClient({url: redis.url, disableOfflineQueue: true});
	client.on('error', () => {});
	await client.connect();
	closes.push(() => client.isOpen && client.destroy());
	return Object.assign(client, {close: () => client.destroy()});
};
const connectIoRedis = async (): Promise<Client & {close(): void}> => {
	const client = new Redis(redis.url, {retryStrategy: () => null, enableOfflineQueue: true, maxRetriesPerRequest: 0});
	client.on('error', () => {});
	closes.push(() => client.disconnect());
	return Object.assign(client, {close: () => client.disconnect()});
};

const admin = new Redis(redis.url);
closes.push(() => admin.disconnect());

/** Returns the part of a key that decides its slot in a cluster. */
const hashed = (key: string): string => /\{([^}]+)\}/.exec(key)?.[1] ?? key;

let places = 0;

/** Creates a key that no other test uses. Each holder has a connection of its own. */
async function createPlace(
	connect: () => Promise<Client & {close(): void}>,
	lease = 15_000,
): Promise<Place & {readonly key: string}> {
	const key = `place ${++places}`;
	return {
		key,
		holder: async () => redisDriver(await connect(), key, {lease}),
		peek: async () => (await admin.get(key)) ?? undefined,
		poke: async text => void (await admin.set(key, text)),
		abandonLock: async () => {
			const client = await connect();
			const gate = createGate();
			// Simulates the end of a process: its connection closes, and nobody renews the lease.
			void redisDriver(client, key, {lease: 200})
				.lock?.(gate.pass)
				.catch(() => {});
			await gate.reached;
			client.close();
		},
		breakable: async () => {
			let client = await connect();
			// Stands for one client, whose connection the test closes and replaces.
			const current = new Proxy(client, {
				get: (_, name) => {
					const value: unknown = Reflect.get(client, name);
					return typeof value === 'function' ? value.bind(client) : value;
				},
			});
			const store = redisDriver(current, key, {lease});
			return {
				store,
				breaks: async () => client.close(),
				mends: async () => {
					client = await connect();
				},
			};
		},
	};
}

// redisStore does not subscribe to changes, because that would need a second connection.
tokenStoreSpec({...storeRunner('redis'), place: () => createPlace(connectNodeRedis), lacks: ['subscribe']});
tokenStoreSpec({...storeRunner('ioredis'), place: () => createPlace(connectIoRedis), lacks: ['subscribe']});

describe('redisStore', () => {
	test('redisStore keeps the record under the key, and the lease beside it, in the same slot of a cluster', async () => {
		const client = await connectIoRedis();
		const token = {access_token: 'a', token_type: 'Bearer', issued_at: 1};
		for (const [key, lease] of [
			['slot', '{slot}:lease'],
			['app:{user}:session', 'app:{user}:session:lease'],
		] as const) {
			const store = redisDriver(client, key);
			await store.set(token);
			expect(JSON.parse((await admin.get(key)) ?? '')).toMatchObject(token);
			await store.lock?.(async () => {
				expect(await admin.pttl(lease)).toBeGreaterThan(10_000);
				expect(hashed(key)).toBe(hashed(lease));
			});
			expect(await admin.exists(lease)).toBe(0);
		}
	});

	test.for([
		['client', () => redisStore({} as Client, 'key')],
		['client', () => redisStore(undefined as unknown as Client, 'key')],
		['key', () => redisStore(admin, '')],
		['key', () => redisStore(admin, 42 as unknown as string)],
		['lease', () => redisStore(admin, 'key', {lease: 5})],
		['lease', () => redisStore(admin, 'key', {lease: NaN})],
		['lease', () => redisStore(admin, 'key', {lease: '1000' as unknown as number})],
		['ttl', () => redisStore(admin, 'key', {ttl: 0})],
		['ttl', () => redisStore(admin, 'key', {ttl: -1})],
		['ttl', () => redisStore(admin, 'key', {ttl: 1.5})],
		['ttl', () => redisStore(admin, 'key', {ttl: Infinity})],
		['ttl', () => redisStore(admin, 'key', {ttl: '60' as unknown as number})],
	] as const)('redisStore refuses a bad %s when it is made', ([name, create]) => {
		expect(create).toThrow(ConfigError);
		expect(create).toThrow(new RegExp(`^${name} must be`));
	});

	test('the error of a client, which quotes the command, is not passed on [R90]', async ({canaries}) => {
		const key = 'of another kind';
		await admin.lpush(key, 'x');
		const store = redisDriver(admin, key);
		canaries.plant('a-secret-access-token');
		const token = {access_token: 'a-secret-access-token', token_type: 'Bearer', issued_at: 1};
		expect(await canaries.rejection(Promise.resolve(store.get()))).toBeInstanceOf(StoreError);
		await store.set(token);
		const found = await store.get();
		expect(found).toEqual(token);
		await admin.config('SET', 'maxmemory', '1');
		try {
			for (const write of [store.set(token), store.replace?.(found, {...token, issued_at: 2})]) {
				expect(await canaries.rejection(Promise.resolve(write))).toMatchObject({
					name: 'StoreError',
					code: 'store_write',
				});
			}
		} finally {
			await admin.config('SET', 'maxmemory', '0');
		}
	});

	test('a Redis that is full after a rotation does not lose the session [R78]', async ({server, watch}) => {
		const {key} = await createPlace(connectIoRedis);
		const auth = watch(
			createAuth(appOptions(server, {store: redisStore(await connectNodeRedis(), key), timeout: 3_000})),
		);
		const events = record(auth);
		await signIn(server, auth, expired);
		const stop = server.onTokenAnswer(async () => void (await admin.config('SET', 'maxmemory', '1')));
		expect((await auth.fetch(`${server.api}/me`)).status).toBe(200);
		stop();
		await admin.config('SET', 'maxmemory', '0');
		expect((await auth.fetch(`${server.api}/me`)).status).toBe(200);
		expect(gist(events)).toEqual(['token set', 'store-failed store_write', 'token refresh']);
		expect(await redisDriver(admin, key).get()).toMatchObject(await auth.getToken());
	});

	test('a Redis that comes back empty means that the session was signed out', async ({server, watch}) => {
		const own = await startRedis();
		const client = new Redis(own.url, {maxRetriesPerRequest: 0, retryStrategy: () => 20});
		client.on('error', () => {});
		try {
			const auth = watch(createAuth(appOptions(server, {store: redisStore(client, 'session')})));
			const events = record(auth);
			await signIn(server, auth);
			await own.stop();
			expect((await auth.fetch(`${server.api}/me`)).status).toBe(200);
			expect(await outcomeOf(auth.refresh())).toBe('LockError');
			expect(server.tokenRequests).toHaveLength(0);
			await own.start();
			await expect.poll(async () => (await auth.fetch(`${server.api}/me`)).status).toBe(401);
			expect(gist(events).filter(event => !event.startsWith('refresh-failed'))).toEqual([
				'token set',
				'store-failed store_read',
				'session-ended signed_out',
			]);
		} finally {
			client.disconnect();
			await own.close();
		}
	});

	test('a holder whose lease has run out while it waited for the answer overwrites nothing [F-135]', async ({
		server,
		watch,
	}) => {
		const {key} = await createPlace(connectIoRedis);
		const auth = watch(createAuth(appOptions(server, {store: redisStore(await connectNodeRedis(), key)})));
		await signIn(server, auth, expired);
		const successor = redisDriver(await connectIoRedis(), key);
		const {expires_in: _, ...minted} = await server.mint();
		const theirs = {...minted, issued_at: Math.floor(Date.now() / 1000)};
		const stop = server.onTokenAnswer(async () => {
			// Deletes the lease, as if this process had stood still until it ended.
			await admin.del(`{${key}}:lease`);
			await successor.lock?.(async () => successor.replace?.(await successor.get(), theirs));
		});
		expect((await auth.getToken()).access_token).toBe(theirs.access_token);
		stop();
		expect(await successor.get()).toEqual(theirs);
	});

	test('a process that ends in the lock keeps it for its lease, and no longer [R72]', async () => {
		const place = await createPlace(connectIoRedis);
		await place.abandonLock();
		const store = redisDriver(await connectNodeRedis(), place.key);
		const waiting = new AbortController();
		waiting.abort();
		expect(await outcomeOf(Promise.resolve(store.lock?.(async () => 'had', waiting.signal)))).toBe('LockError');
		expect(await store.lock?.(async () => 'had')).toBe('had');
	});
});

describe('the ttl of a redisStore', () => {
	const token = {access_token: 'a', token_type: 'Bearer', issued_at: 1};
	const create = async (ttl?: number) => {
		const {key} = await createPlace(connectIoRedis);
		return {key, driver: redisDriver(admin, key, {ttl}), left: async () => admin.pttl(key)};
	};

	test('the ttl of a redisStore is none by default', async () => {
		const {driver, left} = await create();
		await driver.set(token);
		expect(await left()).toBe(-1);
	});

	test('the ttl of a redisStore counts from the last write, also of the same record, as a session makes it before a refresh', async () => {
		const {key, driver, left} = await create(3_600);
		await driver.set(token);
		const isFull = async (): Promise<boolean> => (await left()) > 3_590_000;
		expect(await isFull()).toBe(true);
		for (const next of [token, {...token, issued_at: 2}]) {
			await admin.pexpire(key, 60_000);
			expect(await driver.replace?.(await driver.get(), next)).toBe(true);
			expect(await isFull()).toBe(true);
		}
		await admin.pexpire(key, 60_000);
		expect(await driver.replace?.(undefined, token)).toBe(false);
		await driver.get();
		expect(await isFull()).toBe(false);
	});

	test('the ttl of a record ends with a write by a store without one', async () => {
		const {key, driver, left} = await create(3_600);
		await driver.set(token);
		const other = redisDriver(admin, key);
		await other.replace?.(await other.get(), token);
		expect(await left()).toBe(-1);
	});

	test('the ttl deletes an abandoned session', async () => {
		const {driver} = await create(3);
		await driver.set(token);
		expect(await driver.get()).toEqual(token);
		await expect.poll(async () => driver.get()).toBe(undefined);
	});
});

test('replacing a record by itself really writes it, so that a session learns whether the store takes writes', async () => {
	const {key} = await createPlace(connectIoRedis);
	const driver = redisDriver(admin, key);
	const token = {access_token: 'a', token_type: 'Bearer', issued_at: 1};
	await driver.set(token);
	const found = await driver.get();
	await admin.config('SET', 'maxmemory', '1');
	try {
		await expect(driver.replace?.(found, token)).rejects.toThrow('store_write');
	} finally {
		await admin.config('SET', 'maxmemory', '0');
	}
	expect(await driver.replace?.(found, token)).toBe(true);
});

describe('a fleet of processes on one session', {timeout: 180_000}, () => {
	// A busy machine must not make a process stand still for longer than its lease.
	const fleet = {place: redis.url, lease: 5_000, command: [process.execPath], callers: 20} as const;
	const login = loginTo(key => redisDriver(admin, key, {lease: fleet.lease}));

	test('a fleet of processes on one session makes one grant for each token that expires [R71, F-104]', async () => {
		const result = await crowd({
			...fleet,
			lease: 15_000,
			login,
			store: 'redis',
			holders: 4,
			seconds: 90,
			refreshes: 5,
			seed: places++,
		});
		expect([result.sessionsLost, result.why]).toEqual([0, {}]);
		expect(result.refreshes).toBeGreaterThan(3);
		expect(result.grants - result.refreshes).toBeLessThanOrEqual(1);
		// The API accepts each token only for a moment, so a token may have expired before it was sent. Hence the 401s.
		expect(Object.keys(result.outcomes ?? {}).filter(outcome => outcome !== '401')).toEqual(['200']);
	});

	test('a fleet of processes loses a session only if a process died or stood still between the rotation and its write [F-98, F-135]', async () => {
		const lines: string[] = [];
		const log = (line: string): void => void lines.push(line);
		const seed = Math.floor(Math.random() * 2 ** 31);
		const result = await crowd({
			...fleet,
			login,
			store: 'ioredis',
			holders: 8,
			seconds: 90,
			refreshes: 5,
			isCruel: true,
			isFoul: true,
			seed,
			log,
		});
		expect([result.sessionsLost, ...(result.sessionsLost > 0 ? [seed, lines] : [])]).toEqual([0]);
		expect(lines.filter(line => line.includes('killed')).length).toBeGreaterThan(0);
		expect(result.refreshes).toBeGreaterThan(0);
	});

	test('a fleet of processes without a lock loses the session at once, which shows that the test can fail', async () => {
		const result = await crowd({
			...fleet,
			login,
			store: 'ioredis',
			holders: 3,
			seconds: 90,
			refreshes: 1,
			isUnlocked: true,
			seed: 1,
		});
		expect(result.sessionsLost).toBeGreaterThan(0);
	});
});
