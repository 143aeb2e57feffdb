import * as fc from 'fast-check';
import ky from 'ky';
import {describe, expect} from 'vitest';
import {
	type Auth,
	type AuthEvent,
	ConfigError,
	createAuth,
	isRegrantError,
	type TokenSet,
	type StoreDriver,
} from '../../src/index.ts';
import {
	appOptions,
	createClock,
	createGate,
	createSharedRecord,
	expired,
	gist,
	outcomeOf,
	record,
	serviceOptions,
	settle,
	signIn,
	memoryDriver,
	storeOf,
} from '../support/scenario.ts';
import {createModelServer, type Fate} from '../support/model-server.ts';
import {once} from '../support/stage.ts';
import {test} from '../support/test.ts';

test.override('serverOptions', {accessTokenSeconds: 60});

describe('setToken', () => {
	test('setToken begins a session with the answer of a token endpoint, whose lifetime counts from now', async ({
		server,
		watch,
	}) => {
		const clock = createClock();
		const store = memoryDriver();
		const auth = watch(createAuth(appOptions(server, {store, now: clock.now})));
		const events = record(auth);
		const {expires_in, ...minted} = await server.mint();
		await auth.setToken({...minted, expires_in});
		const expires_at = clock.seconds() + 60;
		// The two names are those of F-139 and F-143.
		const {login: _, client, ...token} = (await store.get()) as TokenSet;
		expect(token).toEqual({...minted, issued_at: clock.seconds(), expires_at});
		expect(client).toBe(`app ${server.tokenEndpoint}`);
		expect(events).toEqual([{type: 'token', cause: 'set', expires_at}]);
	});

	test('setToken begins a session with a TokenSet, as it is', async ({server, watch}) => {
		const clock = createClock();
		const store = memoryDriver();
		const auth = watch(createAuth(appOptions(server, {store, now: clock.now})));
		const {expires_in: _, ...minted} = await server.mint();
		const token: TokenSet = {...minted, issued_at: clock.seconds() - 20, expires_at: clock.seconds() + 40};
		await auth.setToken(token);
		expect(await store.get()).toEqual({...token, login: expect.any(String), client: expect.any(String)});
		clock.advance(39);
		await auth.getToken();
		expect(server.tokenRequests).toHaveLength(1);
	});

	test('setToken copies what it is given', async ({server, watch}) => {
		const auth = watch(createAuth(appOptions(server)));
		const token = {...(await server.mint())};
		await auth.setToken(token);
		Object.assign(token, {access_token: 'changed'});
		expect((await auth.getToken()).access_token).not.toBe('changed');
	});

	test.for<[title: string, token: object]>([
		['nothing in it', {}],
		['no access token', {token_type: 'Bearer'}],
		['an empty access token', {access_token: '', token_type: 'Bearer'}],
		['an access token with a line break', {access_token: 'hunter2hunter2\r\nx: y', token_type: 'Bearer'}],
		['a token type that is no string', {access_token: 'hunter2hunter2', token_type: 42}],
		['another token type', {access_token: 'hunter2hunter2', token_type: 'mac'}],
		['a refresh token that is a number', {access_token: 'hunter2hunter2', token_type: 'Bearer', refresh_token: 42}],
	])(
		'setToken refuses a token with %s, and leaves the session as it was',
		async ([, token], {server, watch, canaries}) => {
			canaries.plant('hunter2hunter2');
			const auth = watch(createAuth(appOptions(server)));
			const events = record(auth);
			const {access_token} = await signIn(server, auth);
			await expect(auth.setToken(token as TokenSet)).rejects.toBeInstanceOf(ConfigError);
			expect(await auth.getToken()).toMatchObject({access_token});
			expect(gist(events)).toEqual(['token set']);
		},
	);

	test('setToken during a session begins another one', async ({server, watch}) => {
		const auth = watch(createAuth(appOptions(server)));
		await signIn(server, auth);
		const {access_token, refresh_token} = await signIn(server, auth);
		expect(await auth.getToken()).toMatchObject({access_token});
		await auth.refresh();
		expect(server.tokenRequests.map(({parameters}) => parameters.get('refresh_token'))).toEqual([refresh_token]);
	});

	test('setToken during a refresh stays: the result of the refresh does not overwrite it', async ({server, watch}) => {
		const store = memoryDriver();
		const auth = watch(createAuth(appOptions(server, {store})));
		await signIn(server, auth, expired);
		const events = record(auth);
		const gate = createGate();
		server.onTokenAnswer(once(gate.pass));
		const waiting = [auth.getToken(), auth.fetch(`${server.api}/me`)].map(outcomeOf);
		await gate.reached;
		const {access_token, refresh_token} = await signIn(server, auth);
		expect(await Promise.all(waiting)).toEqual(Array(2).fill('SessionEndedError signed_out'));
		gate.open();
		await expect.poll(() => server.tokenRequests[0]?.status).toBe(200);
		await settle();
		expect(await store.get()).toMatchObject({access_token, refresh_token});
		expect((await auth.fetch(`${server.api}/me`)).status).toBe(200);
		expect(gist(events)).toEqual(['token set']);
	});

	test('after setToken during a refresh, nobody sends the old refresh token again, even if the store is slow [R112]', async ({
		server,
		watch,
	}) => {
		const inner = memoryDriver();
		const writing = createGate();
		let isSlow = false;
		const store: StoreDriver = {
			...inner,
			async set(token) {
				if (isSlow) await writing.pass();
				await inner.set(token);
			},
		};
		const auth = watch(createAuth(appOptions(server, {store})));
		await signIn(server, auth, expired);
		const answering = createGate();
		server.onTokenAnswer(once(answering.pass));
		const waiting = outcomeOf(auth.getToken());
		await answering.reached;
		isSlow = true;
		const minted = await server.mint();
		const setting = auth.setToken(minted);
		await writing.reached;
		const call = outcomeOf(auth.getToken());
		answering.open();
		await settle();
		writing.open();
		await setting;
		expect(await waiting).toBe('SessionEndedError signed_out');
		await call;
		expect(await auth.getToken()).toMatchObject({access_token: minted.access_token});
		expect(server.tokenRequests.map(({status}) => status)).toEqual([200]);
	});

	test('setToken during the slow write of a refreshed token stays [F-94]', async ({server, watch}) => {
		const inner = memoryDriver();
		const writing = createGate();
		let isSlow = false;
		const store: StoreDriver = {
			...inner,
			async set(token) {
				const isHeld = isSlow;
				isSlow = false;
				if (isHeld) await writing.pass();
				await inner.set(token);
			},
		};
		const auth = watch(createAuth(appOptions(server, {store})));
		await signIn(server, auth, expired);
		isSlow = true;
		const waiting = outcomeOf(auth.getToken());
		await writing.reached;
		const minted = await server.mint();
		const setting = auth.setToken(minted);
		await settle();
		writing.open();
		await setting;
		await waiting;
		await settle();
		expect(await store.get()).toMatchObject({access_token: minted.access_token});
		expect(await auth.getToken()).toMatchObject({access_token: minted.access_token});
	});

	test('setToken after the end of a session begins one that can be renewed', async ({server, watch}) => {
		const auth = watch(createAuth(appOptions(server)));
		await signIn(server, auth, expired);
		server.onToken(once(() => ({status: 400, body: '{"error":"invalid_grant"}'})));
		await expect(auth.getToken()).rejects.toMatchObject({reason: 'invalid_grant'});
		await signIn(server, auth, expired);
		expect((await auth.fetch(`${server.api}/me`)).status).toBe(200);
	});
});

describe('events', () => {
	test('events come in the order in which things happen, and agree with what callers get', async ({server, watch}) => {
		const clock = createClock();
		const auth = watch(createAuth(appOptions(server, {now: clock.now})));
		const events = record(auth);
		await signIn(server, auth);
		const {expires_at} = await auth.refresh();
		server.onToken(once(() => ({status: 503})));
		const failed = await auth.refresh().catch((error: unknown) => error);
		clock.advance(1);
		await auth.refresh();
		server.onToken(once(() => ({status: 400, body: '{"error":"invalid_grant"}'})));
		await auth.refresh().catch(() => {});
		expect(gist(events)).toEqual([
			'token set',
			'token refresh',
			'refresh-failed unexpected_status',
			'token refresh',
			'session-ended invalid_grant',
		]);
		expect(events[1]).toEqual({type: 'token', cause: 'refresh', expires_at});
		expect(events[2]).toEqual({type: 'refresh-failed', error: failed});
		expect((events[2] as {error: unknown}).error).toBe(failed);
		expect(events[4]).toEqual({type: 'session-ended', reason: 'invalid_grant'});
	});

	test('events tell whether a token came from a grant or from a refresh', async ({server, watch}) => {
		const auth = watch(createAuth(serviceOptions(server)));
		const events = record(auth);
		await auth.getToken();
		await auth.refresh();
		expect(gist(events)).toEqual(['token grant', 'token grant']);
	});

	test('events reach every listener until it unsubscribes', async ({server, watch}) => {
		const auth = watch(createAuth(appOptions(server)));
		const heard: string[] = [];
		const [leave] = ['a', 'b'].map(name => auth.subscribe(() => void heard.push(name)));
		await signIn(server, auth);
		leave?.();
		await auth.refresh();
		leave?.();
		await auth.refresh();
		expect(heard).toEqual(['a', 'b', 'b', 'b']);
	});

	test('subscribe refuses everything but functions', async ({server, watch}) => {
		const auth = watch(createAuth(appOptions(server)));
		for (const listener of [undefined, null, 'listener', {handleEvent() {}}]) {
			expect(() => auth.subscribe(listener as never)).toThrow(expect.objectContaining({code: 'invalid_options'}));
		}
	});

	test.for<[title: string, listener: (event: AuthEvent) => void]>([
		[
			'throws',
			() => {
				throw new Error('mine');
			},
		],
		['rejects', async () => Promise.reject(new Error('mine'))],
		['never returns', async () => new Promise<void>(() => {})],
	])('events reach the other listeners even if one %s', async ([, listener], {server, watch}) => {
		const auth = watch(createAuth(appOptions(server)));
		auth.subscribe(listener);
		const events = record(auth);
		await signIn(server, auth);
		expect((await auth.fetch(`${server.api}/me`)).status).toBe(200);
		await auth.refresh();
		server.onToken(once(() => ({status: 400, body: '{"error":"invalid_client"}'})));
		await expect(auth.refresh()).rejects.toMatchObject({error: 'invalid_client'});
		await auth.signOut();
		expect(gist(events)).toEqual([
			'token set',
			'token refresh',
			'refresh-failed oauth_error',
			'session-ended signed_out',
		]);
	});

	test('a listener may ask for a token, renew, and call the API [R74]', async ({server, watch}) => {
		for (const store of [memoryDriver(), createSharedRecord().realm()]) {
			const auth = watch(createAuth(appOptions(server, {store})));
			const outcomes: Array<Promise<unknown>> = [];
			let isAsked = false;
			auth.subscribe(({type}) => {
				if (type !== 'token' || isAsked) return;
				isAsked = true;
				outcomes.push(auth.getToken(), auth.refresh(), auth.fetch(`${server.api}/me`));
			});
			await signIn(server, auth);
			await auth.refresh();
			expect((await Promise.allSettled(outcomes)).map(({status}) => status)).toEqual(Array(3).fill('fulfilled'));
		}
	});

	test('a listener may sign out [R74]', async ({server, watch}) => {
		const auth = watch(createAuth(appOptions(server)));
		await signIn(server, auth);
		const left = new Promise<string>(resolve => {
			auth.subscribe(({type}) => void (type === 'token' && resolve(outcomeOf(auth.signOut()))));
		});
		await outcomeOf(auth.refresh());
		expect(await left).toBe('fulfilled');
		await expect(auth.getToken()).rejects.toMatchObject({name: 'SessionEndedError'});
	});

	test('events hold no secret', async ({server, watch, canaries}) => {
		const auth = watch(createAuth(appOptions(server)));
		auth.subscribe(canaries.see);
		await signIn(server, auth);
		await auth.refresh();
		server.onToken(
			once(({parameters}) =>
				Response.json(
					{error: 'server_error', error_description: `${parameters.get('refresh_token')} is not liked`},
					{status: 400},
				),
			),
		);
		await auth.refresh().catch(canaries.see);
		await auth.signOut();
	});
});

describe('two Auth on one store [R58]', () => {
	test('two Auth on one store are one session with one grant at a time, and both hear of it', async ({
		server,
		watch,
	}) => {
		const store = memoryDriver();
		const pair = [
			watch(createAuth(appOptions(server, {store}))),
			watch(createAuth(appOptions(server, {store}))),
		] as const;
		const events = pair.map(record);
		await signIn(server, pair[0], expired);
		const answers = await Promise.all(
			pair.flatMap(auth => [
				auth.fetch(`${server.api}/me`),
				ky.get('me', {baseUrl: server.api, hooks: auth.hooks}),
				auth.getToken().then(() => new Response()),
			]),
		);
		expect(answers.map(({status}) => status)).toEqual(Array(6).fill(200));
		expect(server.tokenRequests).toHaveLength(1);
		expect(await pair[0].getToken()).toEqual(await pair[1].getToken());
		await pair[1].signOut();
		for (const heard of events) {
			expect(gist(heard)).toEqual(['token set', 'token refresh', 'session-ended signed_out']);
		}
	});

	test('two Auth on one store make one grant after 401s, even if some come late', async ({server, watch}) => {
		const store = memoryDriver();
		const pair = [
			watch(createAuth(appOptions(server, {store}))),
			watch(createAuth(appOptions(server, {store}))),
		] as const;
		const {access_token} = await signIn(server, pair[0]);
		await server.expire(access_token);
		const gate = createGate();
		server.onCall(async ({path, authorization}) => {
			if (path === '/me?late' && authorization === `Bearer ${access_token}`) await gate.pass();
		});
		const late = pair[1].fetch(`${server.api}/me?late`);
		await gate.reached;
		expect((await pair[0].fetch(`${server.api}/me`)).status).toBe(200);
		gate.open();
		expect((await late).status).toBe(200);
		expect(server.tokenRequests).toHaveLength(1);
	});

	test('two Auth with a store each have a session each', async ({server, watch}) => {
		const pair = [watch(createAuth(serviceOptions(server))), watch(createAuth(serviceOptions(server)))] as const;
		const [one, other] = await Promise.all(pair.map(auth => auth.getToken()));
		expect(one?.access_token).not.toBe(other?.access_token);
		expect(server.tokenRequests).toHaveLength(2);
	});
});

describe('whatever happens in whatever order', () => {
	/** One step of a script. */
	interface Step {
		readonly act:
			'ky' | 'fetch' | 'getToken' | 'refresh' | 'setToken' | 'signOut' | 'expire' | 'wait' | 'break' | 'mend';
		/** The index of the session that performs the step. */
		readonly holder: number;
		/** Whether the caller aborts before the end. */
		readonly leaves: boolean;
	}

	const left = new Error('left');

	const steps = (acts: ReadonlyArray<Step['act']>): fc.Arbitrary<Step[]> =>
		fc.array(fc.record({act: fc.constantFrom(...acts), holder: fc.nat({max: 1}), leaves: fc.boolean()}), {
			minLength: 1,
			maxLength: 12,
		});
	const fatesOf = (...fates: Fate[]): fc.Arbitrary<Fate[]> => fc.array(fc.constantFrom(...fates), {maxLength: 8});
	const calls = ['ky', 'ky', 'fetch', 'getToken', 'refresh', 'expire', 'expire'] as const;

	/** The steps of a run, and what happens to its token requests. */
	interface Script {
		readonly plan: readonly Step[];
		readonly fates: readonly Fate[];
		/** Whether the two sessions have two stores for one record, as two tabs do, or use the same store. */
		readonly isShared: boolean;
	}

	/** Runs the steps in an order that the scheduler chooses. Returns what the tests check. */
	async function play(scheduler: fc.Scheduler, {plan, fates, isShared}: Script) {
		const schedule = (label: string): Promise<void> => scheduler.schedule(Promise.resolve(), label);
		const fatesLeft = [...fates];
		const server = createModelServer(schedule, fatesLeft);
		const shared = createSharedRecord();
		let isBroken = false;
		let time = 1_800_000_000_000;
		const createStore = (name: string): StoreDriver => {
			const {lock, ...inner} = shared.realm(name);
			const slowly = async <T>(label: string, task: () => T | PromiseLike<T>): Promise<T> => {
				await schedule(`${name} ${label}`);
				if (isBroken) throw new Error('broken');
				return task();
			};
			return {
				get: () => slowly('get', () => inner.get()),
				set: token => slowly('set', () => inner.set(token)),
				delete: () => slowly('delete', () => inner.delete()),
				...(isShared && lock && {lock}),
				...(isShared && inner.subscribe && {subscribe: inner.subscribe}),
			};
		};
		const first = createStore('a');
		const stores = [first, isShared ? createStore('b') : first];
		const auths = stores.map(store =>
			createAuth({
				tokenEndpoint: 'https://as.example/token',
				revocationEndpoint: 'https://as.example/revoke',
				clientId: 'app',
				origins: ['https://api.example'],
				store: storeOf(store),
				fetch: server.tokenFetch,
				now: () => time,
			}),
		);
		const events = auths.map(record);
		const call = async (auth: Auth, signal: AbortSignal): Promise<number> => {
			const options = {fetch: server.api, hooks: auth.hooks, retry: 0, timeout: false, throwHttpErrors: false} as const;
			return (await ky.post('https://api.example/', {...options, signal, json: {}})).status;
		};
		const perform = async ({act, holder, leaves}: Step): Promise<unknown> => {
			const auth = auths[holder] as Auth; // there are always two
			await schedule(act);
			const leaver = new AbortController();
			if (leaves) void schedule('leave').then(() => leaver.abort(left));
			const {signal} = leaver;
			switch (act) {
				case 'ky':
					return call(auth, signal);
				case 'fetch':
				case 'getToken':
					return auth.getToken({signal});
				case 'refresh':
					return auth.refresh({signal});
				case 'setToken':
					server.excuseAll();
					return auth.setToken(server.mint());
				case 'signOut':
					server.excuseAll();
					return auth.signOut();
				case 'expire':
					server.expireAll();
					return undefined;
				case 'wait':
					return (time += 60_000);
				case 'break':
				case 'mend':
					return (isBroken = act === 'break');
				default:
					return act satisfies never;
			}
		};
		/** Waits until everything that is running has ended. */
		const finish = async <T>(promise: Promise<T>): Promise<T> => {
			const result = await scheduler.waitFor(promise);
			await scheduler.waitIdle();
			return result;
		};
		await finish(auths[0]?.setToken(server.mint()) ?? Promise.resolve());
		const outcomes = await finish(Promise.allSettled(plan.map(perform)));
		for (const outcome of outcomes) {
			if (outcome.status === 'fulfilled') continue;
			if (outcome.reason !== left && !isRegrantError(outcome.reason)) throw outcome.reason;
		}
		fatesLeft.length = 0;
		isBroken = false;
		time += 60_000;
		return {server, shared, auths, events, finish, call};
	}

	const bounds = {numRuns: 120, interruptAfterTimeLimit: 15_000, endOnFailure: false};
	const options = {timeout: 30_000};

	test('no refresh token is used twice, and the session goes on: two holders, aborts, failures', options, async () => {
		const plan = fc.record({
			plan: steps([...calls, 'wait']),
			fates: fatesOf('answered', 'answered', '503', 'reset'),
			isShared: fc.boolean(),
		});
		await fc.assert(
			fc.asyncProperty(fc.scheduler(), plan, async (scheduler, script) => {
				const {server, auths, events, finish, call} = await play(scheduler, script);
				expect(server.faults).toEqual([]);
				server.expireAll();
				for (const auth of auths) expect(await finish(call(auth, new AbortController().signal))).toBe(200);
				expect(server.faults).toEqual([]);
				expect(events.flat().filter(({type}) => type === 'session-ended')).toEqual([]);
			}),
			bounds,
		);
	});

	test(
		'no refresh token is used twice, and the session goes on: a store that fails now and then',
		options,
		async () => {
			const plan = fc.record({
				plan: steps([...calls, 'wait', 'break', 'mend']),
				fates: fatesOf('answered', 'answered', '503', 'reset'),
				isShared: fc.constant(false),
			});
			await fc.assert(
				fc.asyncProperty(fc.scheduler(), plan, async (scheduler, script) => {
					const {server, auths, events, finish, call} = await play(scheduler, script);
					expect(server.faults).toEqual([]);
					server.expireAll();
					for (const auth of auths) expect(await finish(call(auth, new AbortController().signal))).toBe(200);
					expect(server.faults).toEqual([]);
					expect(events.flat().filter(({type}) => type === 'session-ended')).toEqual([]);
				}),
				bounds,
			);
		},
	);

	test(
		'no dead refresh token is sent twice, whoever signs in or out, and whatever answer is lost',
		options,
		async () => {
			const plan = fc.record({
				plan: steps([...calls, 'wait', 'setToken', 'signOut']),
				fates: fatesOf('answered', '503', 'reset', 'lost'),
				isShared: fc.boolean(),
			});
			await fc.assert(
				fc.asyncProperty(fc.scheduler(), plan, async (scheduler, script) => {
					const {server, auths, finish, call} = await play(scheduler, script);
					server.expireAll();
					for (const auth of auths) await finish(outcomeOf(call(auth, new AbortController().signal)));
					expect(server.faults).toEqual([]);
				}),
				bounds,
			);
		},
	);

	test('no session comes back after a sign-out', options, async () => {
		const plan = fc.record({
			plan: steps([...calls, 'wait', 'signOut']),
			fates: fatesOf('answered', '503', 'reset'),
			isShared: fc.boolean(),
		});
		await fc.assert(
			fc.asyncProperty(fc.scheduler(), plan, async (scheduler, script) => {
				// There is at least one sign-out, at any place among the other steps.
				const plan: Step[] = [...script.plan, {act: 'signOut', holder: 0, leaves: false}];
				const {server, shared, auths, finish, call} = await play(scheduler, {...script, plan});
				expect(shared.value).toBe(undefined);
				for (const auth of auths) {
					expect(await finish(outcomeOf(auth.getToken()))).toMatch(/^SessionEndedError/);
					expect(await finish(call(auth, new AbortController().signal))).toBe(401);
				}
				expect(shared.value).toBe(undefined);
				expect(server.faults).toEqual([]);
			}),
			bounds,
		);
	});
});
