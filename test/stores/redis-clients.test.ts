// Every kind of client of `redis` and `ioredis`, with a real Redis or a real cluster of two nodes.
import {Cluster, Redis} from 'ioredis';
import {createClient} from 'redis';
import {afterAll, beforeAll, describe, expect} from 'vitest';
import {ConfigError, type TokenSet} from '../../src/index.ts';
import {redisDriver} from '../../src/stores/redis-driver.ts';
import {createGate} from '../support/scenario.ts';
import {type ClientKind, clientKinds, connectClient, type Connected, keyOf} from '../support/redis-clients.ts';
import {type RedisCluster, startRedisCluster} from '../support/redis-cluster.ts';
import {type RedisServer, startRedis} from '../support/redis-server.ts';
import {storeRunner} from '../support/store-runner.ts';
import {test} from '../support/test.ts';
import {type Place, tokenStoreSpec} from '../support/token-store-spec.ts';

test.override('serverOptions', {accessTokenSeconds: 60});

const token: TokenSet = {access_token: 'hunter2hunter2', token_type: 'bearer', refresh_token: 'hunter2', issued_at: 1};
const next: TokenSet = {access_token: 'hunter3hunter3', token_type: 'bearer', issued_at: 2};

let redis: RedisServer;
let cluster: RedisCluster;
let admin: Redis;
let clusterAdmin: Cluster;
const closes: Array<() => void> = [];
beforeAll(async () => {
	[redis, cluster] = await Promise.all([startRedis(), startRedisCluster()]);
	admin = new Redis(redis.url);
	clusterAdmin = new Cluster([cluster.urls[0]]);
});
afterAll(async () => {
	for (const close of closes) close();
	admin.disconnect();
	clusterAdmin.disconnect();
	await Promise.all([redis.close(), cluster.close()]);
});

const isOfCluster = (kind: ClientKind): boolean => kind.includes('cluster');
const adminOf = (kind: ClientKind): Redis | Cluster => (isOfCluster(kind) ? clusterAdmin : admin);
const connect = async (kind: ClientKind): Promise<Connected> => {
	const connected = await connectClient(kind, isOfCluster(kind) ? cluster.urls[1] : redis.url);
	let isClosed = false;
	const close = (): void => {
		if (!isClosed) connected.close();
		isClosed = true;
	};
	closes.push(close);
	return {client: connected.client, close};
};

/** A client of ioredis whose connection is closed. */
const closedClient = {call: async () => Promise.reject(new Error('Connection is closed.'))};

let places = 0;

async function createPlace(kind: ClientKind): Promise<Place> {
	const key = `${kind} ${++places}`;
	return {
		holder: async () => redisDriver((await connect(kind)).client, key),
		peek: async () => (await adminOf(kind).get(keyOf(kind, key))) ?? undefined,
		poke: async text => void (await adminOf(kind).set(keyOf(kind, key), text)),
		abandonLock: async () => {
			const {client, close} = await connect(kind);
			const gate = createGate();
			void redisDriver(client, key, {lease: 200}).lock?.(gate.pass);
			await gate.reached;
			close();
		},
		breakable: async () => {
			let current = await connect(kind);
			const proxy = new Proxy(current.client, {
				get: (_, name) => {
					const value: unknown = Reflect.get(current.client, name);
					return typeof value === 'function' ? value.bind(current.client) : value;
				},
			});
			return {
				store: redisDriver(proxy, key),
				breaks: async () => {
					const {close} = current;
					close();
					// A closed cluster client of ioredis rejects some commands at once, and never settles others: it depends on which of its events
					// come first. A session whose read and write both hang gives up before the write does, so here all commands fail.
					if (kind === 'ioredis, a cluster') current = {client: closedClient, close};
				},
				mends: async () => {
					current = await connect(kind);
				},
			};
		},
	};
}

// redis.test.ts tests the two plain clients.
for (const kind of clientKinds.filter(name => name.includes(','))) {
	tokenStoreSpec({...storeRunner(kind), place: async () => createPlace(kind), lacks: ['subscribe']});
}

describe.each(clientKinds)('a client of the kind %s', kind => {
	test('a client of Redis finds its record in any slot, and its lease in the same one', async () => {
		const {client} = await connect(kind);
		for (const [key, lease] of [
			['one', '{one}:lease'],
			['two', '{two}:lease'],
			['a:{b}:c', 'a:{b}:c:lease'],
			['{b}}', '{b}}:lease'],
		] as const) {
			const store = redisDriver(client, key);
			await store.set(token);
			expect(JSON.parse((await adminOf(kind).get(keyOf(kind, key))) ?? '')).toEqual(token);
			await store.lock?.(async isHeld => {
				expect(isHeld?.()).toBe(true);
				expect(await adminOf(kind).exists(keyOf(kind, lease))).toBe(1);
			});
			const slots = [key, lease].map(async name => clusterAdmin.cluster('KEYSLOT', name));
			expect(new Set(await Promise.all(slots)).size).toBe(1);
		}
	});

	test('a client of Redis compares garbage byte by byte', async () => {
		const {client} = await connect(kind);
		const store = redisDriver(client, 'bytes');
		await adminOf(kind).set(keyOf(kind, 'bytes'), '\u{feff}{"access_token":"Schlüssel"}');
		expect(await store.replace?.(await store.get(), token)).toBe(true);
		expect(await store.replace?.(token, next)).toBe(true);
		expect(await store.get()).toEqual(next);
	});
});

test('an empty text is deleted like any other that was found', async () => {
	await admin.set('empty', '');
	const store = redisDriver(admin, 'empty');
	expect(await store.replace?.({...token}, next)).toBe(false);
	expect(await store.replace?.(await store.get(), undefined)).toBe(true);
	expect(await admin.exists('empty')).toBe(0);
});

describe('a client that sends a command again, since its answer was lost,', () => {
	/** Sends each command twice, and returns the second answer. */
	const stutter = (): {call: (...words: [string, ...string[]]) => Promise<unknown>} => ({
		call: async (...words) => {
			await admin.call(...words);
			return admin.call(...words);
		},
	});

	test('a client of Redis that repeats a command has still replaced the token', async () => {
		const store = redisDriver(stutter(), 'stutter');
		await store.set(token);
		expect(await store.replace?.(await store.get(), next)).toBe(true);
		expect(await store.get()).toEqual(next);
		await store.delete();
		expect(await store.replace?.(undefined, token)).toBe(true);
		expect(await store.get()).toEqual(token);
		expect(await redisDriver(admin, 'stutter').replace?.(undefined, next)).toBe(false);
	});

	test('a client of Redis that repeats a command has the lock, and frees it', async () => {
		const store = redisDriver(stutter(), 'stutter lock');
		expect(await store.lock?.(async isHeld => isHeld?.())).toBe(true);
		expect(await admin.exists('{stutter lock}:lease')).toBe(0);
	});
});

describe('redisDriver', () => {
	test('redisDriver does nothing with a client before it is used [R83]', () => {
		const client = new Proxy(
			{call: () => Promise.reject(new Error('Not to be called'))},
			{
				get: (target, name) => (name === 'call' ? target.call : undefined),
			},
		);
		expect(Object.keys(redisDriver(client, 'key')).toSorted()).toEqual(['delete', 'get', 'lock', 'replace', 'set']);
	});

	test.for([
		['nothing', undefined],
		['null', null],
		['an address', 'redis://localhost'],
		['a client that is still to come', Promise.resolve()],
		['a function, which has `call` too', () => undefined],
		['a class', Redis],
		['a client of another package, whose `eval` has other arguments', {eval: () => Promise.resolve()}],
		['a Map', new Map()],
	] as const)('redisDriver refuses %s for a client', ([, client], {canaries}) => {
		let error: unknown;
		try {
			redisDriver(client as never, 'key');
		} catch (thrown) {
			error = canaries.see(thrown);
		}
		expect(error).toBeInstanceOf(ConfigError);
		expect((error as Error).message).toMatch(/^client must be a client of redis or ioredis/);
	});

	test.for([undefined, null, 'OK', 2, '', true, [], {}] as const)(
		'redisDriver refuses %j as the answer to a write',
		async (reply, {canaries}) => {
			const store = redisDriver({call: async () => reply}, 'key');
			for (const write of [
				store.set(token),
				store.delete(),
				store.replace?.(undefined, token),
				store.lock?.(async () => {}),
			])
				expect(await canaries.rejection(Promise.resolve(write))).toMatchObject({code: 'store_write'});
		},
	);

	test.for([undefined, true, [], {}] as const)(
		'redisDriver refuses %j as the answer to a read',
		async (reply, {canaries}) => {
			const store = redisDriver({call: async () => reply}, 'key');
			expect(await canaries.rejection(Promise.resolve(store.get()))).toMatchObject({code: 'store_read'});
		},
	);

	test('redisDriver reveals nothing of what a client throws, at once or later [R90]', async ({canaries}) => {
		canaries.plant(token.access_token);
		const quote = Object.assign(new Error(`ERR of ${token.access_token}`), {command: {args: [JSON.stringify(token)]}});
		for (const client of [
			{call: async () => Promise.reject(quote)},
			{
				call: () => {
					throw quote;
				},
			},
		]) {
			const store = redisDriver(client, 'key');
			const failures = [store.get(), store.set(token), store.delete(), store.lock?.(async () => {})];
			for (const failure of failures) {
				const error = await canaries.rejection(Promise.resolve(failure));
				expect(error).toMatchObject({name: 'StoreError'});
				expect((error as Error).cause).toBeUndefined();
			}
		}
	});

	test('a client that has never been connected fails', async ({canaries}) => {
		const store = redisDriver(createClient({url: redis.url}), 'key');
		expect(await canaries.rejection(Promise.resolve(store.get()))).toMatchObject({code: 'store_read'});
	});
});

test('a lock that could not be freed is available to its own store at once, and to others when the lease is over', async () => {
	let isCut = false;
	const call = async (...words: [string, ...string[]]): Promise<unknown> =>
		isCut ? Promise.reject(new Error('Connection is closed.')) : admin.call(...words);
	const [store, other] = [redisDriver({call}, 'unfreed', {lease: 60_000}), redisDriver(admin, 'unfreed')];
	await store.lock?.(async () => {
		isCut = true;
	});
	isCut = false;
	const waiting = AbortSignal.timeout(50);
	await expect(other.lock?.(async () => 'had', waiting)).rejects.toMatchObject({code: 'lock_timeout'});
	expect(await store.lock?.(async isHeld => isHeld?.())).toBe(true);
	expect(await other.lock?.(async isHeld => isHeld?.())).toBe(true);
});
