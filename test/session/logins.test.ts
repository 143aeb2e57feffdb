// A session belongs to one login. A call belongs to the login under which it began. A store belongs to one client.
import ky from 'ky';
import {describe, expect} from 'vitest';
import {type Auth, createAuth, memoryStore, type StoreDriver, type TokenSet} from '../../src/index.ts';
import type {AuthorizationServer, TokenResponse} from '../support/authorization-server.ts';
import {
	appOptions,
	createClock,
	createGate,
	createSharedRecord,
	expired,
	type Gate,
	gist,
	memoryDriver,
	outcomeOf,
	record,
	settle,
	signIn,
	storeOf,
} from '../support/scenario.ts';
import {createSharedMemory} from '../support/shared-memory.ts';
import {once} from '../support/stage.ts';
import {test} from '../support/test.ts';

test.override('serverOptions', {accessTokenSeconds: 60});

/** The token of a login, as an app keeps it to restore it later. */
async function mintSet(server: AuthorizationServer, issued_at: number): Promise<TokenSet & {refresh_token: string}> {
	const {expires_in, ...minted} = await server.mint();
	return {...minted, issued_at, expires_at: issued_at + expires_in};
}

/** Shared stores with and without `replace()`. Each creates the drivers of any number of tabs. */
const places: ReadonlyArray<readonly [title: string, create: () => () => StoreDriver]> = [
	['without replace()', () => createSharedRecord().realm],
	['with replace()', () => createSharedMemory().holder as () => StoreDriver], // in memory, `holder()` returns no promise
];

/** Delays the first response of the token endpoint. By then the server has rotated the refresh token. */
function holdAnswer(server: AuthorizationServer): Gate {
	const gate = createGate();
	server.onTokenAnswer(once(() => gate.pass()));
	return gate;
}

describe.for(places)('two users of a shared store %s', ([, create]) => {
	const seconds = Math.floor(Date.now() / 1000);

	/**
	Ways in which the second user signs in. The times of the two logins are the same or in the wrong order, so they cannot tell the logins
	apart.
	*/
	const logins: ReadonlyArray<
		readonly [title: string, clock: number, login: (server: AuthorizationServer) => unknown]
	> = [
		['within the same second', 0, async server => server.mint()],
		['by a clock that is an hour behind', -3600, async server => server.mint()],
		['with a TokenSet of an hour ago', 0, async server => ({...(await mintSet(server, seconds - 3600)), ...expired})],
	];

	test.for(logins)(
		'the login of the second user stays, though a refresh of the first one ends after it: %s [F-139]',
		async ([, offset, login], {server, watch}) => {
			const realm = create();
			const clock = createClock();
			const slow = watch(createAuth(appOptions(server, {store: realm(), now: clock.now})));
			const other = watch(createAuth(appOptions(server, {store: realm(), now: () => clock.now() + offset * 1000})));
			await signIn(server, slow, expired);
			const answer = holdAnswer(server);
			const renewing = outcomeOf(slow.getToken());
			await answer.reached;
			await other.signOut();
			const second = (await login(server)) as TokenResponse;
			await other.setToken(second);
			answer.open();
			expect(await renewing).toBe('SessionEndedError signed_out');
			await settle();
			for (const auth of [slow, other]) expect((await auth.fetch(`${server.api}/me`)).status).toBe(200);
			expect(server.revocationRequests.map(({parameters}) => parameters.get('token'))).not.toContain(
				second.refresh_token,
			);
			await other.refresh();
		},
	);

	test('a record that a slow holder writes after a sign-out is deleted and revoked, and the next login stays [F-139]', async ({
		server,
		watch,
	}) => {
		const realm = create();
		const {replace: _, ...inner} = realm();
		const gate = createGate();
		let isSlow = false;
		// This holder reads before the sign-out, and writes after the login. A store without `replace()` cannot detect that.
		const slowly: StoreDriver = {
			...inner,
			set: async token => {
				if (isSlow && (token as {access_token: string}).access_token !== first.access_token) await gate.pass();
				await inner.set(token);
			},
		};
		const slow = watch(createAuth(appOptions(server, {store: slowly})));
		const other = watch(createAuth(appOptions(server, {store: realm()})));
		const first = await signIn(server, slow, expired);
		isSlow = true;
		let late: string | undefined;
		server.onTokenAnswer(once((_request, {body}) => void (late = (body as TokenResponse).refresh_token)));
		const renewing = outcomeOf(slow.getToken());
		await gate.reached;
		await other.signOut();
		const second = await signIn(server, other);
		gate.open();
		await renewing;
		await expect.poll(() => server.revocationRequests.map(({parameters}) => parameters.get('token'))).toContain(late);
		expect(await other.getToken()).toMatchObject({access_token: second.access_token});
		expect(await inner.get()).toMatchObject({access_token: second.access_token});
		expect(await server.isActive(second.refresh_token)).toBe(true);
	});

	test('a login with the token that our last write replaced is noticed [F-144]', async ({server, watch}) => {
		const realm = create();
		const ours = watch(createAuth(appOptions(server, {store: realm()})));
		const theirs = watch(createAuth(appOptions(server, {store: realm()})));
		const before = await mintSet(server, seconds);
		await ours.setToken(before);
		const after = await server.mint();
		await ours.setToken(after);
		const events = record(ours);
		await theirs.setToken(before);
		expect(await ours.getToken()).toMatchObject({access_token: before.access_token});
		expect((await ours.fetch(`${server.api}/me`)).status).toBe(200);
		expect(gist(events)).toEqual(['token store']);
	});
});

describe('calls and logins', () => {
	/** Where another user signs in while a call is running: here, or in another tab. */
	const elsewhere: ReadonlyArray<readonly [title: string, isHere: boolean]> = [
		['here', true],
		['in another tab', false],
	];

	interface Tabs {
		readonly auth: Auth;
		readonly signInAsOther: () => Promise<TokenResponse>;
	}

	async function openTabs(server: AuthorizationServer, isHere: boolean, more: Partial<TokenSet> = {}): Promise<Tabs> {
		const realm = createSharedMemory().holder as () => StoreDriver; // in memory, `holder()` returns no promise
		const auth = createAuth(appOptions(server, {store: realm()}));
		const other = createAuth(appOptions(server, {store: realm()}));
		await signIn(server, auth, more);
		return {auth, signInAsOther: async () => signIn(server, isHere ? auth : other)};
	}

	test.for(elsewhere)(
		'a call is not sent again as another user who signs in %s before its 401 [F-140]',
		async ([, isHere], {server}) => {
			const {auth, signInAsOther} = await openTabs(server, isHere);
			server.onCall(
				once(async () => {
					await signInAsOther();
					return {status: 401};
				}),
			);
			expect((await auth.fetch(`${server.api}/me`, {method: 'POST', body: 'as the first user'})).status).toBe(401);
			expect(server.calls).toHaveLength(1);
			expect(server.tokenRequests).toHaveLength(0);
		},
	);

	test.for(elsewhere)(
		'a call is not retried by ky as another user who signs in %s [F-140]',
		async ([, isHere], {server}) => {
			const {auth, signInAsOther} = await openTabs(server, isHere);
			server.onCall(
				once(async () => {
					await signInAsOther();
					return {status: 503};
				}),
			);
			const api = ky.extend({baseUrl: server.api, hooks: auth.hooks, retry: {limit: 3, delay: () => 1}});
			expect(await outcomeOf(api.put('me', {body: 'as the first user'}))).toBe('SessionEndedError signed_out');
			expect(server.calls).toHaveLength(1);
		},
	);

	test('a call is not retried by ky after a sign-out [F-140]', async ({server}) => {
		const {auth} = await openTabs(server, true);
		server.onCall(
			once(async () => {
				await auth.signOut();
				return {status: 503};
			}),
		);
		const api = ky.extend({baseUrl: server.api, hooks: auth.hooks, retry: {limit: 3, delay: () => 1}});
		expect(await outcomeOf(api.put('me', {body: 'as the first user'}))).toBe('SessionEndedError signed_out');
		expect(server.calls).toHaveLength(1);
	});

	test('a call is not sent as another user who signs in here while it waits for the store [F-140]', async ({
		server,
	}) => {
		const driver = memoryDriver();
		const gate = createGate();
		let isSlow = false;
		const get = async (): Promise<unknown> => {
			const held = await driver.get();
			if (isSlow) await gate.pass();
			return held;
		};
		const auth = createAuth(appOptions(server, {store: {...driver, get}}));
		await signIn(server, auth);
		isSlow = true;
		const calls = [
			outcomeOf(auth.fetch(`${server.api}/me`, {method: 'POST', body: 'as the first user'})),
			outcomeOf(ky.post('me', {baseUrl: server.api, hooks: auth.hooks, body: 'as the first user'})),
		];
		await settle();
		isSlow = false;
		const login = auth.setToken(await server.mint());
		gate.open();
		await login;
		expect(await Promise.all(calls)).toEqual(['SessionEndedError signed_out', 'SessionEndedError signed_out']);
		expect(server.calls).toHaveLength(0);
	});

	test('a call continues with the token of its own login that another tab has renewed', async ({server}) => {
		const realm = createSharedMemory().holder as () => StoreDriver; // in memory, `holder()` returns no promise
		const auth = createAuth(appOptions(server, {store: realm()}));
		const other = createAuth(appOptions(server, {store: realm()}));
		await signIn(server, auth);
		server.onCall(
			once(async () => {
				await other.refresh();
				return {status: 401};
			}),
		);
		expect((await auth.fetch(`${server.api}/me`)).status).toBe(200);
		expect(server.tokenRequests).toHaveLength(1);
	});
});

describe('a store serves one client', () => {
	test('a second client on the same store is refused before anything is sent [F-143]', async ({server}) => {
		const stores = [memoryStore(), storeOf(memoryDriver())];
		for (const store of stores) {
			createAuth({...appOptions(server), store});
			createAuth({...appOptions(server), store});
			for (const other of [{clientId: 'another'}, {tokenEndpoint: 'https://another.example/token'}]) {
				expect(() => createAuth({...appOptions(server), store, ...other})).toThrow(
					expect.objectContaining({code: 'invalid_options', message: expect.stringContaining('give each its own')}),
				);
			}
		}
	});

	test.for<[title: string, without: (driver: StoreDriver) => StoreDriver]>([
		['with a lock', driver => driver],
		['without a lock', ({lock: _, ...driver}) => driver],
		['that says what the same login is', driver => ({...driver, isSameLogin: () => true})],
	])(
		'the record of another client of the origin is neither used nor renewed nor revoked: a store %s [F-143]',
		async ([, change], {server, serve, watch}) => {
			const evil = await serve(() => Response.json({access_token: 'evil', token_type: 'Bearer'}));
			const shared = createSharedRecord();
			const ours = watch(createAuth(appOptions(server, {store: change(shared.realm())})));
			await signIn(server, ours, expired);
			const {origin} = evil;
			const theirs = watch(
				createAuth({
					tokenEndpoint: origin,
					revocationEndpoint: origin,
					clientId: 'another',
					clientAuthentication: ({parameters}) => parameters.set('client_secret', 'secret-of-another'),
					origins: [origin],
					store: storeOf(change(shared.realm())),
				}),
			);
			const events = record(theirs);
			expect(await outcomeOf(theirs.getToken())).toBe('SessionEndedError no_session');
			await theirs.fetch(origin);
			await theirs.signOut();
			expect(evil.requests.map(({method, headers}) => [method, headers['authorization']])).toEqual([
				['GET', undefined],
			]);
			expect(gist(events)).toEqual(['store-failed store_corrupt']);
			expect(events[0]).toMatchObject({error: {message: expect.stringContaining('another client')}});
			// Our session does not use the other client's token, either.
			await theirs.setToken({access_token: 'theirs', token_type: 'Bearer', refresh_token: 'refresh-of-theirs'});
			expect(await outcomeOf(ours.getToken())).toBe('SessionEndedError no_session');
			expect(server.tokenRequests).toHaveLength(0);
		},
	);
});

describe('a login while a renewal is under way', () => {
	const stores: ReadonlyArray<readonly [title: string, create: () => StoreDriver | undefined]> = [
		['in memory', () => undefined],
		['of a driver', memoryDriver],
		['that is shared', () => createSharedRecord().realm()],
	];

	test.for(stores)(
		'a login with the token that is being renewed does not use its refresh token twice: a store %s [F-159]',
		async ([, create], {server, watch}) => {
			const auth = watch(createAuth(appOptions(server, {store: create()})));
			const minted = await signIn(server, auth, expired);
			const answer = holdAnswer(server);
			const renewing = auth.getToken();
			await answer.reached;
			await auth.setToken({...minted, ...expired});
			const others = [auth.getToken(), auth.fetch(`${server.api}/me`)];
			await settle();
			answer.open();
			await Promise.all([renewing, ...others]);
			expect(server.tokenRequests).toHaveLength(1);
			expect((await auth.fetch(`${server.api}/me`)).status).toBe(200);
			expect(await auth.peek()).toMatchObject({access_token: (await renewing).access_token});
		},
	);

	test.for(['a login', 'a sign-out'] as const)(
		'another holder waits for the write of %s that interrupts a renewal, and does not send the used refresh token [F-141, F-160]',
		async (what, {server, watch}) => {
			const realm = createSharedMemory().holder as () => StoreDriver; // in memory, `holder()` returns no promise
			const {replace, ...driver} = realm();
			const writing = createGate();
			let isSlow = false;
			const slowly: StoreDriver = {
				...driver,
				set: async token => {
					if (isSlow) await writing.pass();
					await driver.set(token);
				},
				replace: async (found, token) => {
					if (isSlow && !token) await writing.pass();
					return (await replace?.(found, token)) ?? false;
				},
			};
			const ours = watch(createAuth(appOptions(server, {store: slowly})));
			const theirs = watch(createAuth(appOptions(server, {store: realm()})));
			const {refresh_token} = await signIn(server, ours, expired);
			const answer = holdAnswer(server);
			const renewing = outcomeOf(ours.getToken());
			await answer.reached;
			isSlow = true;
			const changing = what === 'a login' ? signIn(server, ours) : ours.signOut();
			await writing.reached;
			const waiting = outcomeOf(theirs.getToken());
			answer.open();
			await settle();
			writing.open();
			await changing;
			expect(await renewing).toBe('SessionEndedError signed_out');
			await waiting;
			const sent = server.tokenRequests.map(({parameters}) => parameters.get('refresh_token'));
			expect(sent.filter(token => token === refresh_token)).toHaveLength(1);
		},
	);

	test.for(stores)(
		'logins again and again make one token request at a time: a store %s [F-160]',
		async ([, create], {server, watch}) => {
			const auth = watch(createAuth(appOptions(server, {store: create()})));
			let running = 0;
			let most = 0;
			server.onToken(async () => {
				most = Math.max(most, ++running);
				await new Promise(resolve => setTimeout(resolve, 5));
			});
			server.onTokenAnswer(() => void running--);
			const calls: Array<Promise<string>> = [];
			for (let count = 0; count < 12; count++) {
				await signIn(server, auth, expired);
				calls.push(outcomeOf(auth.getToken()), outcomeOf(auth.refresh()));
				await new Promise(resolve => setTimeout(resolve, count % 4));
			}
			const outcomes = new Set(await Promise.all(calls));
			expect([...outcomes].toSorted()).toEqual(['SessionEndedError signed_out', 'fulfilled']);
			expect(most).toBe(1);
			expect((await auth.fetch(`${server.api}/me`)).status).toBe(200);
		},
	);
});
