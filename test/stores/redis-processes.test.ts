// Real processes that share one session in a real Redis. They are stopped and killed at every point of a renewal.
import {setTimeout as sleep} from 'node:timers/promises';
import {Redis} from 'ioredis';
import {afterAll, beforeAll, describe, expect} from 'vitest';
import {type Auth, type AuthEvent, createAuth} from '../../src/index.ts';
import {redisDriver} from '../../src/stores/redis-driver.ts';
import {sharedStore} from '../../src/stores/shared/shared-store.ts';
import type {StoreDriver} from '../../src/stores/shared/store-driver.ts';
import {
	appOptions,
	createGate,
	expired,
	type Gate,
	gist,
	outcomeOf,
	record,
	settle,
	signIn,
} from '../support/scenario.ts';
import {app, type AuthorizationServer} from '../support/authorization-server.ts';
import {type Point, type SessionProcess, startProcess} from '../support/redis-processes.ts';
import {type RedisServer, startRedis} from '../support/redis-server.ts';
import {test as base} from '../support/test.ts';

/**
The lease of processes that are stopped or killed, in milliseconds. A busy machine must not make one stand still for longer. Everybody else
has the default lease.
*/
const lease = 3_000;

/** The timeout is long, because a busy machine starts processes slowly. */
const patient = {timeout: 60_000};

let redis: RedisServer;
let admin: Redis;
beforeAll(async () => {
	redis = await startRedis();
	admin = new Redis(redis.url);
});
afterAll(async () => {
	admin.disconnect();
	await redis.close();
});

let keys = 0;

/** A session that this process shares with others. */
interface Fleet {
	/** The `Auth` of this process. */
	readonly auth: Auth;
	readonly events: readonly AuthEvent[];
	readonly driver: StoreDriver;
	/** Holds back the next response of the token endpoint to the session of this process. */
	holdAnswer(): Gate;
	startOther(lease?: number): Promise<SessionProcess>;
	/** Holds the lock for another holder. Resolves with a function that frees it. */
	holdLock(): Promise<() => Promise<void>>;
	/** Returns the text of the record. */
	peek(): Promise<string | null>;
	/** Resolves when the lease is free. */
	leaseIsOver(): Promise<void>;
}

const test = base
	.override('serverOptions', {accessTokenSeconds: 60})
	.extend('processes', {scope: 'file'}, async ({runningServer}, {onCleanup}) => {
		const idle: SessionProcess[] = [];
		const all: SessionProcess[] = [];
		onCleanup(async () => void (await Promise.all(all.map(async ({kill}) => kill()))));
		const {tokenEndpoint, revocationEndpoint, api} = runningServer;
		const start = async (): Promise<SessionProcess> => {
			const {clientId} = app;
			const started = await startProcess({url: redis.url, tokenEndpoint, revocationEndpoint, api, clientId});
			all.push(started);
			return started;
		};
		return {
			take: async () => idle.pop() ?? start(),
			giveBack: (one: SessionProcess) => {
				if (one.isAlive()) idle.push(one);
			},
		};
	})
	.extend('fleet', async ({server, watch, processes}, {onCleanup}): Promise<Fleet> => {
		const key = `session ${++keys}`;
		const driver = redisDriver(admin, key);
		let gate: Gate | undefined;
		const held: typeof fetch = async (input, init) => {
			const response = await fetch(input, init);
			if (input === server.tokenEndpoint) await gate?.pass();
			return response;
		};
		const auth = watch(createAuth(appOptions(server, {store: sharedStore(driver), fetch: held})));
		const others: SessionProcess[] = [];
		onCleanup(() => others.forEach(processes.giveBack));
		return {
			auth,
			events: record(auth),
			driver,
			holdAnswer() {
				gate = createGate();
				return gate;
			},
			async startOther(lease) {
				const other = await processes.take();
				await other.open({key, lease});
				others.push(other);
				return other;
			},
			async holdLock() {
				const holding = createGate();
				const held = driver.lock?.(async () => holding.pass());
				await holding.reached;
				return async () => {
					holding.open();
					await held;
				};
			},
			peek: async () => admin.get(key),
			leaseIsOver: async () => {
				await expect.poll(async () => admin.exists(`{${key}}:lease`), {interval: 20}).toBe(0);
			},
		};
	});

/** Returns a token of the same user that comes from another login, and not from a refresh of this session. */
async function mintElsewhere(server: AuthorizationServer) {
	const {expires_in, ...minted} = await server.mint();
	const issued_at = Math.floor(Date.now() / 1000);
	return {...minted, issued_at, expires_at: issued_at + expires_in};
}

describe('processes on one session', patient, () => {
	test('processes on one session make one grant for all their callers, and all use it [F-104]', async ({
		server,
		fleet,
	}) => {
		const [one, two] = await Promise.all([fleet.startOther(), fleet.startOther()]);
		await signIn(server, fleet.auth, expired);
		const calls = [one, two].flatMap(({tell}) => Array.from({length: 10}, async () => tell('call')));
		expect(new Set(await Promise.all(calls))).toEqual(new Set(['200']));
		expect(server.tokenRequests).toHaveLength(1);
		const {access_token} = await fleet.auth.getToken();
		expect([await one.tell('getToken'), await two.tell('getToken')]).toEqual([access_token, access_token]);
	});

	test('processes on one session renew it in turns [F-104]', async ({server, fleet}) => {
		const other = await fleet.startOther();
		await signIn(server, fleet.auth);
		for (let turn = 0; turn < 3; turn++) {
			const theirs = await other.tell('refresh');
			expect((await fleet.auth.getToken()).access_token).toBe(theirs);
			const {access_token} = await fleet.auth.refresh();
			expect(await other.tell('getToken')).toBe(access_token);
		}
		expect(server.tokenRequests).toHaveLength(6);
	});

	test('a sign-out in one process wins over a refresh in another, whose late token is revoked [R76, F-101]', async ({
		server,
		fleet,
	}) => {
		const other = await fleet.startOther();
		const before = new Set(server.issued.keys());
		await signIn(server, fleet.auth, expired);
		const {outcome} = await other.tellUntil('answered', 'getToken');
		await fleet.auth.signOut();
		other.go();
		expect(await outcome).toBe('SessionEndedError signed_out');
		expect(await fleet.peek()).toBe(null);
		expect(await other.tell('call')).toBe('401');
		// By then both have an answer, and not only arrived.
		await expect.poll(() => server.revocationRequests.map(({status}) => status)).toEqual([200, 200]);
		const issued = [...server.issued.keys()].filter(secret => !before.has(secret));
		expect(issued.length).toBeGreaterThan(3);
		for (const secret of issued) expect(await server.isActive(secret)).toBe(false);
		expect(other.events).toEqual(['token store', 'session-ended signed_out']);
	});

	test.for(['waiting', 'held', 'answered', 'writing'] as const)(
		'another login in one process is neither overwritten nor used by a refresh that is %s in another [F-102]',
		async (point, {server, fleet}) => {
			const other = await fleet.startOther();
			await signIn(server, fleet.auth, expired);
			const free = point === 'waiting' ? await fleet.holdLock() : undefined;
			const {outcome} = await other.tellUntil(point, 'getToken');
			// A login does not take the lock, so it does not wait.
			const login = await signIn(server, fleet.auth);
			other.go();
			await free?.();
			expect(await outcome).toBe('SessionEndedError signed_out');
			expect(JSON.parse((await fleet.peek()) ?? '')).toMatchObject({refresh_token: login.refresh_token});
			expect(await other.tell('getToken')).toBe(login.access_token);
			expect(await other.tell('call')).toBe('200');
		},
	);
});

describe('a process that is stopped for longer than its lease', patient, () => {
	test('a process that is stopped while it waits for the lock finds the new token [F-135]', async ({server, fleet}) => {
		const other = await fleet.startOther(lease);
		const gate = fleet.holdAnswer();
		await signIn(server, fleet.auth, expired);
		const mine = fleet.auth.getToken();
		await gate.reached;
		const {outcome} = await other.tellUntil('waiting', 'getToken');
		other.stop();
		gate.open();
		const {access_token} = await mine;
		await fleet.leaseIsOver();
		other.resume();
		expect(await outcome).toBe(access_token);
		expect(server.tokenRequests).toHaveLength(1);
	});

	test('a process that is stopped with the lock does not send the refresh token any more [F-135]', async ({
		server,
		fleet,
	}) => {
		const other = await fleet.startOther(lease);
		await signIn(server, fleet.auth, expired);
		const {outcome} = await other.tellUntil('held', 'getToken');
		other.stop();
		await fleet.leaseIsOver();
		const {access_token} = await fleet.auth.getToken();
		other.go();
		other.resume();
		expect([access_token, 'LockError lock_timeout']).toContain(await outcome);
		expect(await other.tell('getToken')).toBe(access_token);
		expect(server.tokenRequests).toHaveLength(1);
		expect(other.events).not.toContain('token refresh');
	});

	test.for(['answered', 'writing'] as const)(
		'a process that is stopped with an answer (%s) uses what another has stored [F-135]',
		async (point, {server, fleet}) => {
			const other = await fleet.startOther(lease);
			await signIn(server, fleet.auth, expired);
			const {outcome} = await other.tellUntil(point, 'getToken');
			other.stop();
			await fleet.leaseIsOver();
			const theirs = await mintElsewhere(server);
			await fleet.driver.lock?.(async () => fleet.driver.replace?.(await fleet.driver.get(), theirs));
			const written = await fleet.peek();
			other.go();
			other.resume();
			expect(await outcome).toBe(theirs.access_token);
			expect(await fleet.peek()).toBe(written);
			// The first event is the sign-in.
			expect(other.events).toEqual(['token store', 'token store']);
		},
	);

	test.for(['answered', 'writing'] as const)(
		'a process that is stopped with an answer (%s), while another uses the refresh token, ends the session once for all [F-135]',
		async (point, {server, fleet}) => {
			server.referee.expectLoss();
			const other = await fleet.startOther(lease);
			await signIn(server, fleet.auth, expired);
			const {outcome} = await other.tellUntil(point, 'getToken');
			other.stop();
			await fleet.leaseIsOver();
			expect(await outcomeOf(fleet.auth.getToken())).toBe('SessionEndedError invalid_grant');
			other.go();
			other.resume();
			expect(await outcome).toBe('SessionEndedError signed_out');
			expect(await fleet.peek()).toBe(null);
			for (let again = 0; again < 3; again++) {
				expect(await outcomeOf(fleet.auth.getToken())).toBe('SessionEndedError no_session');
				expect(await other.tell('getToken')).toBe('SessionEndedError no_session');
			}
			expect(server.tokenRequests).toHaveLength(2);
			expect(gist(fleet.events)).toEqual(['token set', 'session-ended invalid_grant']);
			expect(other.events).toEqual(['token store', 'session-ended signed_out']);
		},
	);

	test('a process that is stopped with an answer does not overwrite a login that came meanwhile [F-135]', async ({
		server,
		fleet,
	}) => {
		server.referee.expectLoss();
		const other = await fleet.startOther(lease);
		await signIn(server, fleet.auth, expired);
		const {outcome} = await other.tellUntil('writing', 'getToken');
		other.stop();
		await fleet.leaseIsOver();
		expect(await outcomeOf(fleet.auth.getToken())).toBe('SessionEndedError invalid_grant');
		const login = await signIn(server, fleet.auth);
		const written = await fleet.peek();
		other.go();
		other.resume();
		expect(await outcome).toBe('SessionEndedError signed_out');
		expect(await fleet.peek()).toBe(written);
		expect(await other.tell('getToken')).toBe(login.access_token);
	});

	test('a process that is stopped after its write loses nothing [F-135]', async ({server, fleet}) => {
		const other = await fleet.startOther(lease);
		await signIn(server, fleet.auth, expired);
		const {outcome} = await other.tellUntil('written', 'getToken');
		other.stop();
		await fleet.leaseIsOver();
		const {access_token} = await fleet.auth.refresh();
		other.go();
		other.resume();
		expect(await outcome).toMatch(/^[\w-]+$/);
		expect(await other.tell('getToken')).toBe(access_token);
		expect(server.tokenRequests).toHaveLength(2);
	});
});

describe('a process that is stopped for 11 seconds, with the default lease', patient, () => {
	/**
	How long the process is stopped, in milliseconds, as when a laptop sleeps. It is longer than the timeout of a request, and shorter than
	the lease.
	*/
	const nap = 11_000;

	/** Tests a process that only writes under the lock, in a record of its own. */
	async function keepLock(other: SessionProcess): Promise<void> {
		const key = `record ${++keys}`;
		const driver = redisDriver(admin, key);
		await driver.set({access_token: 'first', token_type: 'Bearer', issued_at: 0});
		await other.open({key});
		const {outcome} = await other.tellUntil('held', 'write');
		other.stop();
		const waiting = AbortSignal.timeout(nap);
		expect(await outcomeOf(Promise.resolve(driver.lock?.(async () => 'had', waiting)))).toBe('LockError');
		other.resume();
		other.go();
		expect(await outcome).toBe('true, true');
		expect(await driver.lock?.(async () => 'had')).toBe('had');
		expect(await admin.get(key)).toContain('written');
	}

	test('a process that is stopped for 11 seconds, with the default lease keeps its lock, and loses no session in the middle of a refresh, while its answer waits in the socket [F-138]', async ({
		server,
		fleet,
		processes,
	}) => {
		const other = await fleet.startOther();
		const keeping = keepLock(await processes.take());
		await signIn(server, fleet.auth, expired);
		const stopped = createGate();
		const stop = server.onTokenAnswer(() => {
			other.stop();
			void stopped.pass();
		});
		const theirs = other.tell('getToken');
		await stopped.reached;
		stop();
		const mine = outcomeOf(fleet.auth.getToken());
		await sleep(nap);
		// The deadline of our wait is earlier than the end of the nap. But if its timer is late, it is extended, and the lock could be free.
		expect(await mine).toBe('LockError');
		other.resume();
		await keeping;
		expect(await theirs).toBe((await fleet.auth.getToken()).access_token);
		expect(await other.tell('call')).toBe('200');
		expect((await fleet.auth.fetch(`${server.api}/me`)).status).toBe(200);
		expect(server.tokenRequests).toHaveLength(1);
	});
});

describe('a process that is killed', patient, () => {
	test.for(['waiting', 'held', 'asking', 'written'] satisfies Point[])(
		'a process that is killed while it is %s makes the others wait for its lease, and nothing else [R70, F-97]',
		async (point, {server, fleet}) => {
			const other = await fleet.startOther(lease);
			await signIn(server, fleet.auth, expired);
			const free = point === 'waiting' ? await fleet.holdLock() : undefined;
			await other.tellUntil(point, 'getToken');
			await other.kill();
			await free?.();
			expect((await fleet.auth.fetch(`${server.api}/me`)).status).toBe(200);
			await fleet.auth.refresh();
			expect(server.tokenRequests).toHaveLength(2);
			expect(gist(fleet.events).filter(event => !event.startsWith('token'))).toEqual([]);
		},
	);

	test.for(['answered', 'writing'] satisfies Point[])(
		'a process that is killed between the rotation and its write (%s) ends the session once, without a loop [R70, F-98]',
		async (point, {server, fleet}) => {
			server.referee.expectLoss();
			const other = await fleet.startOther(lease);
			await signIn(server, fleet.auth, expired);
			await other.tellUntil(point, 'getToken');
			await other.kill();
			expect(await outcomeOf(fleet.auth.getToken())).toBe('SessionEndedError invalid_grant');
			for (let again = 0; again < 3; again++) {
				expect((await fleet.auth.fetch(`${server.api}/me`)).status).toBe(401);
				expect(await outcomeOf(fleet.auth.getToken())).toBe('SessionEndedError no_session');
			}
			expect(server.tokenRequests).toHaveLength(2);
			expect(gist(fleet.events)).toEqual(['token set', 'session-ended invalid_grant']);
			await settle();
			expect(await fleet.peek()).toBe(null);
		},
	);
});
