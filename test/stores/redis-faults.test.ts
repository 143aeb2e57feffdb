// What happens to a session when its Redis is killed, is loading, is full, is a replica or denies access. The clients have the defaults of
// their packages.
import {Redis} from 'ioredis';
import {createClient} from 'redis';
import {describe, expect} from 'vitest';
import {type Auth, type AuthEvent, createAuth, type TokenSet} from '../../src/index.ts';
import {type IoRedisClient, type NodeRedisClient, redisDriver} from '../../src/stores/redis-driver.ts';
import {redisStore} from '../../src/stores/redis.ts';
import {appOptions, createGate, expired, gist, outcomeOf, record, signIn} from '../support/scenario.ts';
import {type RedisServer, startRedis} from '../support/redis-server.ts';
import {test as base} from '../support/test.ts';

/** How many milliseconds a client waits before it reconnects. */
const pause = 20;

/** One client of each package, with its default options apart from the pause above. */
const clients = {
	redis: async (url: string) => {
		const client = createClient({url, socket: {reconnectStrategy: () => pause}});
		client.on('error', () => {});
		await client.connect();
		return {client, close: () => client.destroy()};
	},
	ioredis: async (url: string) => {
		const client = new Redis(url, {retryStrategy: () => pause});
		client.on('error', () => {});
		await client.ping();
		return {client, close: () => client.disconnect()};
	},
} as const;
type ClientName = keyof typeof clients;
const names = Object.keys(clients) as ClientName[];

/** A session with a Redis of its own. */
interface Case {
	readonly redis: RedisServer;
	readonly admin: Redis;
	readonly client: NodeRedisClient | IoRedisClient;
	readonly auth: Auth;
	readonly events: readonly AuthEvent[];
	/** Calls the API. Returns the status. */
	call(): Promise<number>;
	/** Returns the access token in the record. */
	stored(): Promise<string | undefined>;
	/** Calls `task` when the server has rotated the refresh token, before the response arrives. */
	onAnswer(task: () => Promise<unknown>): void;
}

const test = base
	.override('serverOptions', {accessTokenSeconds: 60})
	.extend('begin', async ({server, watch}, {onCleanup}) => {
		const closes: Array<() => unknown> = [];
		onCleanup(async () => {
			for (const close of closes.toReversed()) await close();
		});
		return async (name: ClientName, options: readonly string[] = [], timeout = 2_000): Promise<Case> => {
			const redis = await startRedis(...options);
			closes.push(redis.close);
			const admin = new Redis(redis.url, {retryStrategy: () => pause, maxRetriesPerRequest: null});
			admin.on('error', () => {});
			const {client, close} = await clients[name](redis.url);
			closes.push(close, () => admin.disconnect());
			let task: (() => Promise<unknown>) | undefined;
			const answering: typeof fetch = async (input, init) => {
				const response = await fetch(input, init);
				if (input === server.tokenEndpoint) await task?.();
				return response;
			};
			const store = redisStore(client, 'session');
			const auth = watch(createAuth(appOptions(server, {store, timeout, fetch: answering})));
			return {
				redis,
				admin,
				client,
				auth,
				events: record(auth),
				call: async () => (await auth.fetch(`${server.api}/me`)).status,
				stored: async () => {
					const text = await admin.get('session');
					return text === null ? undefined : (JSON.parse(text) as TokenSet).access_token;
				},
				onAnswer: next => {
					task = next;
				},
			};
		};
	});

const durable = ['--appendonly', 'yes', '--appendfsync', 'always'];

describe.each(names)('with %s', {timeout: 60_000}, name => {
	test('a Redis that is killed in the middle of a refresh, and comes back with what it knew, gets the token', async ({
		server,
		begin,
	}) => {
		// The restart is a part of the token request, and has its deadline.
		const {redis, auth, events, stored, onAnswer, call} = await begin(name, durable, 20_000);
		await signIn(server, auth, expired);
		onAnswer(async () => {
			await redis.stop();
			await redis.start();
		});
		const {access_token} = await auth.getToken();
		expect(await stored()).toBe(access_token);
		expect(await call()).toBe(200);
		expect(server.tokenRequests).toHaveLength(1);
		expect(gist(events)).toEqual(['token set', 'token refresh']);
	});

	test('a Redis that comes back late gets the new token as soon as it is back [R78]', async ({server, begin}) => {
		const {redis, auth, events, stored, onAnswer, call} = await begin(name, durable);
		await signIn(server, auth);
		onAnswer(redis.stop);
		// The callers may give up by now. The new token must not be lost.
		await outcomeOf(auth.refresh());
		await expect.poll(() => gist(events)).toContain('token refresh');
		await redis.start();
		// After an operation that hung, the session does not use the store for a while. So the token may not be stored at the first call.
		const {access_token} = await auth.getToken();
		const afterCall = async (): Promise<readonly unknown[]> => [await call(), await stored()];
		await expect.poll(afterCall).toEqual([200, access_token]);
		onAnswer(async () => {});
		await auth.refresh();
		expect(server.tokenRequests).toHaveLength(2);
		expect(gist(events)).toContain('store-failed store_read');
		expect(gist(events).some(event => event.startsWith('session-ended'))).toBe(false);
	});

	test('a Redis that is loading its data counts as unreachable: no refresh token is used or lost', async ({
		server,
		begin,
	}) => {
		// Redis needs data to load, and these options make loading so slow that it goes on until the test has seen enough.
		const slow = [
			'--rdbcompression',
			'no',
			'--loading-process-events-interval-bytes',
			'1024',
			'--key-load-delay',
			'200000',
		];
		const {redis, admin, auth, events, call} = await begin(name, slow);
		const minted = await signIn(server, auth);
		for (let count = 0; count < 300; count++) void admin.set(`other ${count}`, 'x'.repeat(2_000));
		await admin.save();
		await redis.stop();
		const started = redis.start();
		// Uses a client of its own, because the session's client may wait until Redis has loaded.
		const plain = new Redis(redis.url, {enableReadyCheck: false, retryStrategy: () => pause});
		plain.on('error', () => {});
		try {
			const state = async (): Promise<string> => plain.call('GET', 'session').then(String, String);
			await expect.poll(state).toContain('LOADING');
			expect(await outcomeOf(Promise.resolve(redisDriver(plain, 'session').get()))).toBe('StoreError');
			expect(await outcomeOf(auth.refresh())).toBe('LockError');
			expect(await state()).toContain('LOADING');
			expect(server.tokenRequests).toHaveLength(0);
			await plain.call('CONFIG', 'SET', 'key-load-delay', '0');
		} finally {
			plain.disconnect();
		}
		await started;
		await expect.poll(call).toBe(200);
		// ioredis waits for as long as Redis has said that it needs, but no longer than ten seconds.
		await expect.poll(async () => outcomeOf(auth.refresh()), {timeout: 40_000}).toBe('fulfilled');
		expect(server.tokenRequests[0]?.parameters.get('refresh_token')).toBe(minted.refresh_token);
		expect(gist(events).some(event => event.startsWith('session-ended'))).toBe(false);
	});

	test('a Redis that has become a replica is read, but no refresh token is used whose successor could not be stored', async ({
		server,
		begin,
	}) => {
		const {admin, auth, events, call} = await begin(name);
		await signIn(server, auth);
		await admin.replicaof('127.0.0.1', 1);
		expect(await call()).toBe(200);
		expect(await outcomeOf(auth.refresh())).toBe('LockError');
		expect(server.tokenRequests).toHaveLength(0);
		await admin.replicaof('NO', 'ONE');
		await auth.refresh();
		expect(await call()).toBe(200);
		expect(gist(events)).toEqual(['token set', 'refresh-failed lock_timeout', 'token refresh']);
	});

	test.for([
		[
			'a replica',
			(admin: Redis): Promise<unknown> => admin.replicaof('127.0.0.1', 1),
			(admin: Redis): Promise<unknown> => admin.replicaof('NO', 'ONE'),
		],
		[
			'full',
			(admin: Redis): Promise<unknown> => admin.config('SET', 'maxmemory', '1'),
			(admin: Redis): Promise<unknown> => admin.config('SET', 'maxmemory', '0'),
		],
	] as const)(
		'a Redis that is %s after the rotation gets the token as soon as it recovers [R78, F-87]',
		async ([, spoil, mend], {server, begin}) => {
			const {admin, auth, events, call, stored, onAnswer} = await begin(name);
			await signIn(server, auth, expired);
			onAnswer(async () => spoil(admin));
			const {access_token} = await auth.getToken();
			expect(await call()).toBe(200);
			expect(await stored()).not.toBe(access_token);
			expect(gist(events)).toEqual(['token set', 'store-failed store_write', 'token refresh']);
			onAnswer(async () => {});
			await mend(admin);
			expect(await call()).toBe(200);
			expect(await stored()).toBe(access_token);
			await auth.refresh();
			expect(await call()).toBe(200);
			expect(server.tokenRequests).toHaveLength(2);
		},
	);

	test('a Redis that is full begins no renewal, since its lock could not be kept', async ({server, begin}) => {
		const {admin, auth, call} = await begin(name);
		await signIn(server, auth);
		await admin.config('SET', 'maxmemory', '1');
		expect(await call()).toBe(200);
		expect(await outcomeOf(auth.refresh())).toBe('LockError');
		expect(await outcomeOf(auth.setToken(await server.mint()))).toBe('StoreError');
		expect(server.tokenRequests).toHaveLength(0);
	});

	test('a connection that is cut while it waits for an answer loses nothing', async ({server, begin}) => {
		const {admin, auth, call, events} = await begin(name);
		await signIn(server, auth);
		for (let turn = 0; turn < 5; turn++) {
			const refreshing = outcomeOf(auth.refresh());
			await admin.call('CLIENT', 'KILL', 'TYPE', 'NORMAL', 'SKIPME', 'YES');
			await refreshing;
			await expect.poll(call).toBe(200);
		}
		await expect.poll(async () => outcomeOf(auth.refresh())).toBe('fulfilled');
		expect(await call()).toBe(200);
		expect(gist(events).some(event => event.startsWith('session-ended'))).toBe(false);
	});

	test('a lease, a record or a database that others overwrite harms nothing else', async ({server, begin}) => {
		const {admin, auth, call, stored} = await begin(name);
		await signIn(server, auth);
		// The lease is a list and not a string, and never ends.
		await admin.lpush('{session}:lease', 'x');
		expect(await outcomeOf(auth.refresh())).toBe('LockError');
		expect(await call()).toBe(200);
		await admin.del('{session}:lease');
		await auth.refresh();
		await admin.del('session');
		await admin.lpush('session', 'x');
		await outcomeOf(auth.refresh());
		const {access_token} = await signIn(server, auth);
		expect(await stored()).toBe(access_token);
		await admin.flushall();
		expect(await call()).toBe(401);
		expect(server.tokenRequests).toHaveLength(1);
	});
});

test('a Redis user who may not run scripts gets an error, without the token or the password [R90]', async ({
	server,
	begin,
	canaries,
}) => {
	const {redis, admin} = await begin('ioredis');
	const password = 'hunter2hunter2hunter2';
	canaries.plant(password, 'password');
	await admin.call('ACL', 'SETUSER', 'limited', 'on', `>${password}`, '~*', '+@all', '-eval');
	const {host} = new URL(redis.url);
	const {client, close} = await clients.redis(`redis://limited:${password}@${host}`);
	const gate = createGate();
	try {
		const store = redisDriver(client, 'session');
		const auth = createAuth(
			appOptions(server, {
				store: redisStore(client, 'session'),
				fetch: async () => gate.pass().then(() => Response.error()),
			}),
		);
		const events = record(auth);
		const {expires_in: _, ...token} = await server.mint();
		for (const failure of [store.get(), store.set({...token, issued_at: 1}), store.lock?.(async () => {})])
			expect(await canaries.rejection(Promise.resolve(failure))).toMatchObject({name: 'StoreError'});
		expect(await canaries.rejection(auth.setToken(token))).toMatchObject({code: 'store_write'});
		for (const event of events) canaries.see(event);
		expect(gist(events)).toEqual(['store-failed store_read', 'token set']);
	} finally {
		close();
	}
});
