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

/** Delays each response of the token endpoint, after the server has rotated the refresh token. Records the new refresh tokens. */
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
	test('signOut forgets the session, revokes its refresh token, and tells of it once', async ({server, watch}) => {
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

	test('signOut revokes the current refresh token, after rotations [R107]', async ({server, watch}) => {
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

	test('signOut deletes the session before it asks the server [R106]', async ({server, watch}) => {
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

	test('signOut sends nothing without a revocationEndpoint, a refresh token or a session', async ({server, watch}) => {
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
		'signOut rejects after %s, and the session is forgotten all the same [R106]',
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

	test('signOut succeeds when the server answers 200, even for an unknown token [R106]', async ({server, watch}) => {
		const auth = watch(createAuth(appOptions(server)));
		await auth.setToken({access_token: 'not-known', token_type: 'Bearer', refresh_token: 'not-known-either'});
		await auth.signOut();
		expect(server.revocationRequests.map(({status}) => status)).toEqual([200]);
	});

	test('signOut rejects at the deadline if the revocation endpoint hangs [R106]', async ({server, watch}) => {
		const store = memoryDriver();
		const auth = watch(createAuth(appOptions(server, {store, timeout: 50})));
		await signIn(server, auth);
		server.onRevocation(() => new Promise(() => {}));
		await expect(auth.signOut()).rejects.toMatchObject({name: 'TokenNetworkError', code: 'timeout', retryable: true});
		expect(await store.get()).toBe(undefined);
	});

	test('signOut twice ends the session once', async ({server, watch}) => {
		const auth = watch(createAuth(appOptions(server)));
		const events = record(auth);
		await signIn(server, auth);
		await Promise.all([auth.signOut(), auth.signOut()]);
		await auth.signOut();
		expect(gist(events)).toEqual(['token set', 'session-ended signed_out']);
		expect(server.revocationRequests.length).toBeLessThanOrEqual(2);
		expect(new Set(revoked(server)).size).toBe(1);
	});

	test('signOut lets a new session begin', async ({server, watch}) => {
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

	test('the call after signOut makes a new grant if there is one', async ({server, watch}) => {
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

describe('signOut wins over a refresh in flight [R76]', () => {
	test('signOut during a refresh rejects its callers at once with SessionEndedError(signed_out), and nothing is stored', async ({
		server,
		watch,
	}) => {
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
		// The request has arrived, and may not be answered yet.
		await expect.poll(() => server.isActive(held.refreshTokens[0] ?? '')).toBe(false);
		expect(server.calls).toHaveLength(0);
		await expect(auth.getToken()).rejects.toMatchObject({reason: 'no_session'});
	});

	test('signOut during a refresh after a 401: the call is not resent', async ({server, watch}) => {
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

	test('signOut during a refresh that is answered after a new login: the login stays', async ({server, watch}) => {
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

	test('signOut during a refresh that fails late sends one session-ended, and no other event', async ({
		server,
		watch,
	}) => {
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

	test('signOut during a grant function: its result is not used', async ({server, watch}) => {
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

	test('signOut during a grant: the late token is not used, and the next call makes a new grant', async ({
		server,
		watch,
	}) => {
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

	test('signOut during client_credentials: a refresh token that comes late is revoked', async ({serve, watch}) => {
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

	test('signOut wins over a refresh of another Auth on the same store', async ({server, watch}) => {
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
		'signOut wins over a refresh of another holder that listens to changes: %s [F-101]',
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

describe('signOut wins over a write [R76]', () => {
	test('signOut wins over our own slow write of a refreshed token: nothing is left in the store', async ({
		server,
		watch,
	}) => {
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
		'signOut wins over another holder’s write of a refreshed token, which listens to changes: %s [F-101]',
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
	'a read that is under way when %s is called does not bring the old session back [R76]',
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
		// This waits long enough to see a renewal of the old token, if there was one.
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
		'of signOut and setToken at once, the one that was called last counts, with a store that is %s',
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
	test('a store is not read while it is deleting the session', async ({server, watch}) => {
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
		'signOut rejects if delete %s, but the session is over, and its refresh token is revoked [R76]',
		async ([, fail], {server, watch, canaries}) => {
			canaries.plant('hunter2hunter2');
			const shared = createSharedRecord();
			const store: StoreDriver = {...shared.realm(), delete: fail};
			const auth = watch(createAuth(appOptions(server, {store, timeout: 2_000})));
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

	test('a failed delete after a failed write does not bring the old token back [R76]', async ({server, watch}) => {
		const shared = createSharedRecord();
		const broken = async (): Promise<never> => Promise.reject(new Error('full'));
		const inner = shared.realm();
		let isBroken = false;
		const store: StoreDriver = {
			...inner,
			// The store accepts the write before the refresh token is used (F-141), and rejects all later writes.
			set: async token => (isBroken && token.access_token !== access_token ? broken() : inner.set(token)),
			delete: async () => (isBroken ? broken() : inner.delete()),
		};
		const auth = watch(createAuth(appOptions(server, {store, timeout: 2_000})));
		const {access_token} = await signIn(server, auth);
		isBroken = true;
		await auth.refresh();
		await expect(auth.signOut()).rejects.toBeInstanceOf(StoreError);
		isBroken = false;
		for (let count = 0; count < 3; count++) await expect(auth.getToken()).rejects.toBeInstanceOf(SessionEndedError);
		expect(server.tokenRequests).toHaveLength(1);
	});

	test('signOut tries to delete and to revoke even if both fail, and rejects once [R106]', async ({server, watch}) => {
		const shared = createSharedRecord();
		const store: StoreDriver = {...shared.realm(), delete: async () => Promise.reject(new Error('full'))};
		const auth = watch(createAuth(appOptions(server, {store})));
		await signIn(server, auth);
		server.onRevocation(() => ({status: 503}));
		expect(await outcomeOf(auth.signOut())).not.toBe('fulfilled');
		expect(server.revocationRequests).toHaveLength(1);
	});

	test('a store that fails to delete does not prevent a new session', async ({server, watch}) => {
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
