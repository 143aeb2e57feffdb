import ky from 'ky';
import {describe, expect} from 'vitest';
import {createAuth, SessionEndedError, StoreError, type StoreDriver} from '../../src/index.ts';
import {
	appOptions,
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
} from '../support/scenario.ts';
import type {AuthorizationServer} from '../support/authorization-server.ts';
import {app} from '../support/authorization-server.ts';
import type {Reply} from '../support/serve.ts';
import {once} from '../support/stage.ts';
import {test} from '../support/test.ts';

test.override('serverOptions', {accessTokenSeconds: 60});

const revoked = ({revocationRequests}: AuthorizationServer): Array<string | null> =>
	revocationRequests.map(({parameters}) => parameters.get('token'));

/** Holds each answer of the token endpoint, which has rotated already, and remembers what it gives. */
function holdAnswers(server: AuthorizationServer): {reached: Promise<void>; open: () => void; refreshTokens: string[]} {
	const gate = createGate();
	const refreshTokens: string[] = [];
	server.onTokenAnswer(async (_request, {body}) => {
		refreshTokens.push((body as {refresh_token: string}).refresh_token);
		await gate.pass();
	});
	return {reached: gate.reached, open: gate.open, refreshTokens};
}

describe('signOut', () => {
	test('forgets the session, revokes its refresh token, and tells of it once', async ({server, watch}) => {
		const store = memoryDriver();
		const auth = watch(createAuth(appOptions(server, {store})));
		const events = record(auth);
		const {access_token, refresh_token} = await signIn(server, auth);
		await auth.signOut();
		expect(await store.get()).toBe(undefined);
		expect(server.revocationRequests.map(({parameters}) => Object.fromEntries(parameters))).toEqual([
			{token: refresh_token, token_type_hint: 'refresh_token', client_id: app.clientId},
		]);
		expect([await server.isActive(refresh_token), await server.isActive(access_token)]).toEqual([false, false]);
		expect(gist(events)).toEqual(['token set', 'session-ended signed_out']);
		await expect(auth.getToken()).rejects.toMatchObject({reason: 'no_session'});
		expect((await auth.fetch(`${server.api}/me`)).status).toBe(401);
		expect(server.calls.map(({authorization}) => authorization)).toEqual([undefined]);
		expect(server.tokenRequests).toHaveLength(0);
	});

	test('R107: revokes the refresh token of now, after rotations', async ({server, watch}) => {
		const store = memoryDriver();
		const auth = watch(createAuth(appOptions(server, {store})));
		await signIn(server, auth);
		await auth.refresh();
		const {access_token} = await auth.refresh();
		const {refresh_token} = (await store.get()) as {refresh_token: string};
		await auth.signOut();
		expect(revoked(server)).toEqual([refresh_token]);
		expect(await server.isActive(access_token)).toBe(false);
	});

	test('R106: forgets first: when the server hears of it, nothing is left', async ({server, watch}) => {
		const store = memoryDriver();
		const auth = watch(createAuth(appOptions(server, {store})));
		const events = record(auth);
		await signIn(server, auth);
		const held: unknown[] = [];
		server.onRevocation(async () => {
			held.push(await store.get(), await outcomeOf(auth.getToken()), gist(events).at(-1));
		});
		await auth.signOut();
		expect(held).toEqual([undefined, 'SessionEndedError no_session', 'session-ended signed_out']);
	});

	test('asks nobody where there is no revocationEndpoint, or no refresh token, or no session', async ({
		server,
		watch,
	}) => {
		const store = memoryDriver();
		const without = watch(createAuth(appOptions(server, {store, revocationEndpoint: undefined})));
		await signIn(server, without);
		await without.signOut();
		expect(await store.get()).toBe(undefined);
		const service = watch(createAuth(serviceOptions(server)));
		await service.getToken();
		await service.signOut();
		await watch(createAuth(appOptions(server))).signOut();
		expect(server.revocationRequests).toHaveLength(0);
	});

	test.for<[title: string, answer: Reply, error: object]>([
		[
			'503',
			{status: 503, headers: [['retry-after', '2']]},
			{name: 'TokenResponseError', status: 503, retryable: true, retryAfter: 2000},
		],
		['a reset', {reset: true}, {name: 'TokenNetworkError', code: 'network', retryable: true}],
		[
			'invalid_client',
			{status: 400, body: '{"error":"invalid_client"}'},
			{name: 'OAuthError', error: 'invalid_client', retryable: false},
		],
		[
			'a redirect',
			{status: 307, headers: [['location', '/']]},
			{name: 'TokenResponseError', code: 'unexpected_redirect'},
		],
	])(
		'R106: rejects after %s, and the session is forgotten all the same',
		async ([, answer, error], {server, watch}) => {
			const store = memoryDriver();
			const auth = watch(createAuth(appOptions(server, {store})));
			const events = record(auth);
			await signIn(server, auth);
			server.onRevocation(() => answer);
			expect(await auth.signOut().catch((error: unknown) => error)).toMatchObject(error);
			expect(await store.get()).toBe(undefined);
			expect(gist(events)).toEqual(['token set', 'session-ended signed_out']);
			await expect(auth.getToken()).rejects.toBeInstanceOf(SessionEndedError);
			expect(server.revocationRequests).toHaveLength(1);
		},
	);

	test('R106: is done when the server answers 200, also to a token that it does not know', async ({server, watch}) => {
		const auth = watch(createAuth(appOptions(server)));
		await auth.setToken({access_token: 'not-known', token_type: 'Bearer', refresh_token: 'not-known-either'});
		await auth.signOut();
		expect(server.revocationRequests.map(({status}) => status)).toEqual([200]);
	});

	test('R106: rejects at the deadline where the revocation endpoint hangs', async ({server, watch}) => {
		const store = memoryDriver();
		const auth = watch(createAuth(appOptions(server, {store, timeout: 50})));
		await signIn(server, auth);
		server.onRevocation(() => new Promise(() => {}));
		await expect(auth.signOut()).rejects.toMatchObject({name: 'TokenNetworkError', code: 'timeout', retryable: true});
		expect(await store.get()).toBe(undefined);
	});

	test('twice is one end', async ({server, watch}) => {
		const auth = watch(createAuth(appOptions(server)));
		const events = record(auth);
		await signIn(server, auth);
		await Promise.all([auth.signOut(), auth.signOut()]);
		await auth.signOut();
		expect(gist(events)).toEqual(['token set', 'session-ended signed_out']);
		expect(server.revocationRequests.length).toBeLessThanOrEqual(2);
		expect(new Set(revoked(server)).size).toBe(1);
	});

	test('lets a new session begin', async ({server, watch}) => {
		const auth = watch(createAuth(appOptions(server)));
		const events = record(auth);
		await signIn(server, auth);
		await auth.signOut();
		const {access_token} = await signIn(server, auth);
		expect(await auth.getToken()).toMatchObject({access_token});
		await auth.refresh();
		expect((await auth.fetch(`${server.api}/me`)).status).toBe(200);
		expect(gist(events)).toEqual(['token set', 'session-ended signed_out', 'token set', 'token refresh']);
	});

	test('lets the next call grant anew where there is a grant', async ({server, watch}) => {
		const auth = watch(createAuth(serviceOptions(server)));
		const events = record(auth);
		const {access_token} = await auth.getToken();
		await auth.signOut();
		expect((await auth.fetch(`${server.api}/me`)).status).toBe(200);
		expect((await auth.getToken()).access_token).not.toBe(access_token);
		expect(server.tokenRequests).toHaveLength(2);
		expect(gist(events)).toEqual(['token grant', 'session-ended signed_out', 'token grant']);
	});
});

describe('R76: signOut wins over a refresh in flight', () => {
	test('whose callers get SessionEndedError(signed_out) at once, and nothing is written', async ({server, watch}) => {
		const writes: string[] = [];
		const inner = memoryDriver();
		const store: StoreDriver = {
			...inner,
			set: async token => {
				writes.push('set');
				await inner.set(token);
			},
			delete: async () => {
				writes.push('delete');
				await inner.delete();
			},
		};
		const auth = watch(createAuth(appOptions(server, {store})));
		await signIn(server, auth, expired);
		const events = record(auth);
		const held = holdAnswers(server);
		const waiting = [
			auth.getToken(),
			auth.refresh(),
			auth.fetch(`${server.api}/me`),
			ky.get(`${server.api}/me`, {hooks: auth.hooks}),
		];
		const errors = Promise.all(waiting.map(promise => promise.catch((error: unknown) => error)));
		await held.reached;
		await auth.signOut();
		for (const error of await errors) {
			expect(error).toBeInstanceOf(SessionEndedError);
			expect(error).toMatchObject({reason: 'signed_out', retryable: false});
		}
		expect(await store.get()).toBe(undefined);
		held.open();
		await expect.poll(() => revoked(server)).toContain(held.refreshTokens[0]);
		await settle();
		expect(await store.get()).toBe(undefined);
		expect(writes).toEqual(['set', 'delete']);
		expect(gist(events)).toEqual(['session-ended signed_out']);
		expect(await server.isActive(held.refreshTokens[0] ?? '')).toBe(false);
		expect(server.calls).toHaveLength(0);
		await expect(auth.getToken()).rejects.toMatchObject({reason: 'no_session'});
	});

	test('after a 401, whose call is not sent again', async ({server, watch}) => {
		const auth = watch(createAuth(appOptions(server)));
		const {access_token} = await signIn(server, auth);
		await server.expire(access_token);
		const held = holdAnswers(server);
		const waiting = outcomeOf(auth.fetch(`${server.api}/me`));
		await held.reached;
		await auth.signOut();
		held.open();
		expect(await waiting).toBe('SessionEndedError signed_out');
		await expect.poll(() => revoked(server)).toContain(held.refreshTokens[0]);
		expect(server.calls).toHaveLength(1);
	});

	test('that has not been answered when a new session begins: the new one stays', async ({server, watch}) => {
		const store = memoryDriver();
		const auth = watch(createAuth(appOptions(server, {store})));
		await signIn(server, auth, expired);
		const held = holdAnswers(server);
		const waiting = outcomeOf(auth.getToken());
		await held.reached;
		await auth.signOut();
		const {access_token} = await signIn(server, auth);
		held.open();
		expect(await waiting).toBe('SessionEndedError signed_out');
		await expect.poll(() => revoked(server)).toContain(held.refreshTokens[0]);
		await settle();
		expect(await store.get()).toMatchObject({access_token});
		expect((await auth.fetch(`${server.api}/me`)).status).toBe(200);
	});

	test('that fails late: there is one end, and no other event', async ({server, watch}) => {
		const auth = watch(createAuth(appOptions(server)));
		await signIn(server, auth, expired);
		const events = record(auth);
		const gate = createGate();
		server.onToken(async () => {
			await gate.pass();
			return {status: 400, body: '{"error":"invalid_grant"}'};
		});
		const waiting = outcomeOf(auth.getToken());
		await gate.reached;
		await auth.signOut();
		gate.open();
		expect(await waiting).toBe('SessionEndedError signed_out');
		await expect.poll(() => server.tokenRequests[0]?.status).toBe(400);
		await settle();
		expect(gist(events)).toEqual(['session-ended signed_out']);
	});

	test('that is still asking its grant: its answer is not used', async ({server, watch}) => {
		const gate = createGate();
		const {grant} = serviceOptions(server);
		const auth = watch(
			createAuth(
				serviceOptions(server, {
					grant: async () => {
						await gate.pass();
						return typeof grant === 'object' ? grant : Promise.reject(new Error('not given'));
					},
				}),
			),
		);
		const waiting = outcomeOf(auth.getToken());
		await gate.reached;
		await auth.signOut();
		expect(await waiting).toBe('SessionEndedError signed_out');
		gate.open();
		await settle();
		expect(server.tokenRequests).toHaveLength(0);
		await auth.getToken();
		expect(server.tokenRequests).toHaveLength(1);
	});

	test('of a grant: its late token is not used, and the next call grants anew', async ({server, watch}) => {
		const auth = watch(createAuth(serviceOptions(server)));
		const gate = createGate();
		server.onTokenAnswer(once(gate.pass));
		const waiting = outcomeOf(auth.getToken());
		await gate.reached;
		await auth.signOut();
		expect(await waiting).toBe('SessionEndedError signed_out');
		gate.open();
		await auth.getToken();
		await settle();
		expect(server.tokenRequests).toHaveLength(2);
	});

	test('of a client_credentials grant that comes with a refresh token: that is revoked', async ({serve, watch}) => {
		const gate = createGate();
		const {origin, requests} = await serve(async (_request, {path}) => {
			if (path === '/revoke') return {};
			await gate.pass();
			return Response.json({access_token: 'late-access', token_type: 'Bearer', refresh_token: 'late-refresh'});
		});
		const auth = watch(
			createAuth({
				tokenEndpoint: `${origin}/token`,
				revocationEndpoint: `${origin}/revoke`,
				clientId: 'app',
				grant: {grant_type: 'client_credentials', scope: 'a'},
			}),
		);
		const waiting = outcomeOf(auth.getToken());
		await gate.reached;
		await auth.signOut();
		gate.open();
		expect(await waiting).toBe('SessionEndedError signed_out');
		await expect
			.poll(() => requests.filter(({path}) => path === '/revoke').map(({body}) => body))
			.toEqual(['token=late-refresh&token_type_hint=refresh_token&client_id=app']);
	});

	test('of another Auth on the same store', async ({server, watch}) => {
		const store = memoryDriver();
		const [ours, theirs] = [
			watch(createAuth(appOptions(server, {store}))),
			watch(createAuth(appOptions(server, {store}))),
		];
		await signIn(server, ours, expired);
		const events = record(theirs);
		const held = holdAnswers(server);
		const waiting = outcomeOf(theirs.getToken());
		await held.reached;
		await ours.signOut();
		held.open();
		expect(await waiting).toBe('SessionEndedError signed_out');
		await expect.poll(() => revoked(server)).toContain(held.refreshTokens[0]);
		expect(await store.get()).toBe(undefined);
		expect(gist(events)).toEqual(['session-ended signed_out']);
	});

	test.for([true, false])(
		'F-101: of another holder of the store, which listens to changes: %s',
		async (isListening, {server, watch}) => {
			const shared = createSharedRecord();
			const {subscribe, ...store} = shared.realm();
			const ours = watch(createAuth(appOptions(server, {store: shared.realm()})));
			const theirs = watch(
				createAuth(appOptions(server, {store: isListening && subscribe ? {...store, subscribe} : store})),
			);
			const events = record(theirs);
			await signIn(server, ours, expired);
			const held = holdAnswers(server);
			const waiting = outcomeOf(theirs.getToken());
			await held.reached;
			await ours.signOut();
			held.open();
			expect(await waiting).toBe('SessionEndedError signed_out');
			await expect.poll(() => revoked(server)).toContain(held.refreshTokens[0]);
			await settle();
			expect(shared.value).toBe(undefined);
			expect(shared.isLocked()).toBe(false);
			expect(gist(events).filter(type => type.startsWith('session-ended'))).toEqual(['session-ended signed_out']);
			for (const auth of [ours, theirs]) await expect(auth.getToken()).rejects.toBeInstanceOf(SessionEndedError);
			expect(server.tokenRequests).toHaveLength(1);
		},
	);
});

describe('R76: signOut wins over a write', () => {
	test('of our own, of what a refresh gave, that is slow: nothing is left in the store', async ({server, watch}) => {
		const gate = createGate();
		const inner = memoryDriver();
		let isSlow = false;
		const store: StoreDriver = {
			...inner,
			async set(token) {
				if (isSlow) await gate.pass();
				await inner.set(token);
			},
		};
		const auth = watch(createAuth(appOptions(server, {store})));
		await signIn(server, auth, expired);
		isSlow = true;
		const waiting = outcomeOf(auth.getToken());
		await gate.reached;
		const leaving = auth.signOut();
		await settle();
		gate.open();
		await leaving;
		expect(await waiting).toBe('SessionEndedError signed_out');
		await settle();
		expect(await store.get()).toBe(undefined);
		await expect(auth.getToken()).rejects.toBeInstanceOf(SessionEndedError);
		expect((await auth.fetch(`${server.api}/me`)).status).toBe(401);
		expect(server.tokenRequests).toHaveLength(1);
	});

	test.for([true, false])(
		'F-101: of another holder, of what a refresh gave, which listens to changes: %s',
		async (isListening, {server, watch}) => {
			const gate = createGate();
			const shared = createSharedRecord();
			const {subscribe, ...inner} = shared.realm();
			const theirStore: StoreDriver = {
				...inner,
				async set(token) {
					await gate.pass();
					await inner.set(token);
				},
				...(isListening && subscribe && {subscribe}),
			};
			const ours = watch(createAuth(appOptions(server, {store: shared.realm()})));
			const theirs = watch(createAuth(appOptions(server, {store: theirStore})));
			await signIn(server, ours, expired);
			const waiting = outcomeOf(theirs.getToken());
			await gate.reached;
			const leaving = ours.signOut();
			await settle();
			gate.open();
			await leaving;
			await waiting;
			await settle();
			expect(shared.value).toBe(undefined);
			for (const auth of [ours, theirs]) await expect(auth.getToken()).rejects.toBeInstanceOf(SessionEndedError);
		},
	);
});

test.for(['signOut', 'setToken'] as const)(
	'R76: one who is just reading when %s is called does not bring back what was before it',
	async (method, {server, watch}) => {
		const inner = memoryDriver();
		const [reading, writing] = [createGate(), createGate()];
		let [isSlowToRead, isSlowToWrite] = [false, false];
		const slowly = async (): Promise<void> => {
			if (isSlowToWrite) await writing.pass();
		};
		const store: StoreDriver = {
			async get() {
				const value = inner.get();
				const isHeld = isSlowToRead;
				isSlowToRead = false;
				if (isHeld) await reading.pass();
				return value;
			},
			async set(token) {
				await slowly();
				await inner.set(token);
			},
			async delete() {
				await slowly();
				await inner.delete();
			},
		};
		const auth = watch(createAuth(appOptions(server, {store})));
		await signIn(server, auth, expired);
		const next = await server.mint();
		isSlowToRead = true;
		const waiting = outcomeOf(auth.getToken());
		await reading.reached;
		isSlowToWrite = true;
		const changing = method === 'signOut' ? auth.signOut() : auth.setToken(next);
		await writing.reached;
		reading.open();
		// Time enough for a renewal of the old token, were there one.
		await expect
			.poll(() => server.tokenRequests[0]?.status, {timeout: 300})
			.toBe(200)
			.catch(() => {});
		await settle();
		writing.open();
		await changing;
		await waiting;
		await settle();
		if (method === 'signOut') {
			expect(await store.get()).toBe(undefined);
			await expect(auth.getToken()).rejects.toBeInstanceOf(SessionEndedError);
			return;
		}
		expect(await store.get()).toMatchObject({access_token: next.access_token});
		expect(await auth.getToken()).toMatchObject({access_token: next.access_token});
	},
);

describe('signOut and setToken at once', () => {
	const stores: ReadonlyArray<readonly [title: string, create: () => StoreDriver]> = [
		['in memory', memoryDriver],
		['slow', () => createSharedRecord().realm()],
		[
			'slower to write than to forget',
			() => {
				const inner = memoryDriver();
				return {
					...inner,
					async set(token) {
						await settle();
						await inner.set(token);
					},
				};
			},
		],
	];

	test.for(stores)(
		'with a store that is %s: the one that was called last counts',
		async ([, create], {server, watch}) => {
			const store = create();
			const auth = watch(createAuth(appOptions(server, {store})));
			await signIn(server, auth);
			const minted = await server.mint();
			await Promise.allSettled([auth.setToken(minted), auth.signOut()]);
			expect(await store.get()).toBe(undefined);
			await expect(auth.getToken()).rejects.toBeInstanceOf(SessionEndedError);
			const {access_token, ...others} = await server.mint();
			await Promise.allSettled([auth.signOut(), auth.setToken({access_token, ...others})]);
			expect(await store.get()).toMatchObject({access_token});
			expect(await auth.getToken()).toMatchObject({access_token});
		},
	);
});

describe('a store that is slow, or fails, to forget', () => {
	test('is not asked for what it still has while it forgets', async ({server, watch}) => {
		const gate = createGate();
		const inner = memoryDriver();
		const store: StoreDriver = {
			...inner,
			async delete() {
				await gate.pass();
				await inner.delete();
			},
		};
		const auth = watch(createAuth(appOptions(server, {store})));
		await signIn(server, auth);
		const leaving = auth.signOut();
		await gate.reached;
		const calls = [outcomeOf(auth.getToken()), outcomeOf(auth.refresh())];
		const call = auth.fetch(`${server.api}/me`);
		await settle();
		gate.open();
		await leaving;
		expect(await Promise.all(calls)).toEqual(Array(2).fill('SessionEndedError no_session'));
		expect((await call).status).toBe(401);
		expect(server.calls.map(({authorization}) => authorization)).toEqual([undefined]);
		expect(server.tokenRequests).toHaveLength(0);
	});

	test.for<[title: string, fail: () => Promise<void> | void]>([
		['rejects', async () => Promise.reject(new Error('hunter2hunter2'))],
		[
			'throws',
			() => {
				throw new Error('hunter2hunter2');
			},
		],
		['never settles', async () => new Promise<void>(() => {})],
	])(
		'R76: makes signOut reject, since delete %s; the session is over all the same, and its refresh token is revoked',
		async ([, fail], {server, watch, canaries}) => {
			canaries.plant('hunter2hunter2');
			const shared = createSharedRecord();
			const store: StoreDriver = {...shared.realm(), delete: fail};
			const auth = watch(createAuth(appOptions(server, {store, timeout: 400})));
			const {refresh_token} = await signIn(server, auth);
			const events = record(auth);
			const error = await auth.signOut().catch((error: unknown) => error);
			expect(error).toBeInstanceOf(StoreError);
			expect(error).toMatchObject({code: 'store_write', retryable: true});
			expect(shared.value).toMatchObject({refresh_token});
			expect(revoked(server)).toEqual([refresh_token]);
			for (let count = 0; count < 3; count++) {
				await expect(auth.getToken()).rejects.toBeInstanceOf(SessionEndedError);
				expect((await auth.fetch(`${server.api}/me`)).status).toBe(401);
			}
			expect(server.calls.map(({authorization}) => authorization)).toEqual([undefined, undefined, undefined]);
			expect(server.tokenRequests).toHaveLength(0);
			expect(gist(events).toSorted()).toEqual(['session-ended signed_out', 'store-failed store_write']);
		},
	);

	test('R76: after a renewal that could not be written does not bring back what it replaced', async ({
		server,
		watch,
	}) => {
		const shared = createSharedRecord();
		const broken = async (): Promise<never> => Promise.reject(new Error('full'));
		const inner = shared.realm();
		let isBroken = false;
		const store: StoreDriver = {
			...inner,
			// It takes the write before the refresh token is used (F-141), and no other one after that.
			set: async token => (isBroken && token.access_token !== access_token ? broken() : inner.set(token)),
			delete: async () => (isBroken ? broken() : inner.delete()),
		};
		const auth = watch(createAuth(appOptions(server, {store, timeout: 400})));
		const {access_token} = await signIn(server, auth);
		isBroken = true;
		await auth.refresh();
		await expect(auth.signOut()).rejects.toBeInstanceOf(StoreError);
		isBroken = false;
		for (let count = 0; count < 3; count++) await expect(auth.getToken()).rejects.toBeInstanceOf(SessionEndedError);
		expect(server.tokenRequests).toHaveLength(1);
	});

	test('R106: and a revocation that fails too: signOut rejects once, and both are tried', async ({server, watch}) => {
		const shared = createSharedRecord();
		const store: StoreDriver = {...shared.realm(), delete: async () => Promise.reject(new Error('full'))};
		const auth = watch(createAuth(appOptions(server, {store})));
		await signIn(server, auth);
		server.onRevocation(() => ({status: 503}));
		expect(await outcomeOf(auth.signOut())).not.toBe('fulfilled');
		expect(server.revocationRequests).toHaveLength(1);
	});

	test('does not stop a new session', async ({server, watch}) => {
		const shared = createSharedRecord();
		const store: StoreDriver = {...shared.realm(), delete: async () => Promise.reject(new Error('full'))};
		const auth = watch(createAuth(appOptions(server, {store})));
		await signIn(server, auth);
		await expect(auth.signOut()).rejects.toBeInstanceOf(StoreError);
		const {access_token} = await signIn(server, auth);
		expect(await auth.getToken()).toMatchObject({access_token});
		expect(shared.value).toMatchObject({access_token});
	});
});
