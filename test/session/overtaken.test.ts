import {afterEach, describe, expect, vi} from 'vitest';
import {createAuth, LockError, OAuthError, type StoreDriver} from '../../src/index.ts';
import {
	createClock,
	createGate,
	createSharedRecord,
	type Gate,
	gist,
	lockedBehind,
	outcomeOf,
	record,
	settle,
	type ScenarioOptions,
	memoryDriver,
	withStore,
} from '../support/scenario.ts';
import {createSharedMemory} from '../support/shared-memory.ts';
import {test} from '../support/test.ts';

const granting = {grant_type: 'client_credentials', scope: '/a'} as const;
const bearer = {access_token: 'at1', token_type: 'Bearer'};
const old = {...bearer, refresh_token: 'rt1', issued_at: 0, expires_at: 1};
const clock = createClock();
const fresh = {...bearer, access_token: 'at2', refresh_token: 'rt2', issued_at: clock.seconds()};

/** A session whose endpoints are this function, and the requests that they received. */
function staged(
	answer: (asked: URLSearchParams) => Response | Promise<Response>,
	options: Partial<ScenarioOptions> = {},
): {readonly auth: ReturnType<typeof createAuth>; readonly asked: readonly URLSearchParams[]} {
	const asked: URLSearchParams[] = [];
	const auth = createAuth({
		tokenEndpoint: 'https://as.example/token',
		revocationEndpoint: 'https://as.example/revoke',
		clientId: 'client',
		now: clock.now,
		fetch: async (input, init) => {
			const parameters = new URLSearchParams(await new Request(input, init).text());
			asked.push(parameters);
			return answer(parameters);
		},
		...withStore(options),
	});
	return {auth, asked};
}

const refused = (error: string, status = 400): Response => Response.json({error}, {status});

/** A store that calls `act` before its read number `count`. */
function beforeRead(store: StoreDriver, count: number, act: () => void): StoreDriver {
	let reads = 0;
	return {
		...store,
		get: () => {
			if (++reads === count) act();
			return store.get();
		},
	};
}

describe('a renewal', () => {
	test('a grant without a refresh token that gets invalid_grant is an error, and is not repeated [R66]', async () => {
		const answers = [refused('invalid_grant')];
		const {auth, asked} = staged(() => answers.pop() ?? Response.json(bearer), {grant: granting});
		await expect(auth.getToken()).rejects.toBeInstanceOf(OAuthError);
		expect(asked).toHaveLength(1);
	});

	test('a renewal sends nothing if the store can no longer be read under the lock [R71]', async () => {
		const shared = createSharedRecord();
		const store = shared.realm();
		const get = async (): Promise<unknown> => {
			if (shared.isLocked()) throw new Error('gone');
			return store.get();
		};
		const {auth, asked} = staged(() => Response.json(fresh), {store: {...store, get}});
		await auth.setToken(old);
		await expect(auth.getToken()).rejects.toBeInstanceOf(LockError);
		expect(asked).toHaveLength(0);
	});

	test('a renewal that fails for now is forgotten if another holder has stored a token meanwhile [F-94]', async () => {
		const shared = createSharedRecord();
		const answer = (): Response => {
			shared.write(fresh);
			return refused('temporarily_unavailable', 503);
		};
		const {auth, asked} = staged(answer, {store: shared.realm()});
		await auth.setToken(old);
		await expect(auth.getToken()).resolves.toMatchObject({access_token: 'at2'});
		expect(asked).toHaveLength(1);
	});

	test('a renewal gives way to what another holder has stored meanwhile, even without a refresh token [F-94]', async () => {
		const shared = createSharedRecord();
		const other = {...bearer, access_token: 'at2', issued_at: clock.seconds()};
		const answer = (): Response => {
			shared.write(other);
			return Response.json({...bearer, access_token: 'at3'});
		};
		const {auth} = staged(answer, {store: shared.realm(), grant: granting});
		await auth.setToken({...bearer, issued_at: 0, expires_at: 1});
		await expect(auth.getToken()).resolves.toMatchObject({access_token: 'at2'});
		expect(shared.value).toEqual(other);
	});

	test('a renewal that fails stores nothing, and neither does a grant that brings only a refresh token [R70]', async () => {
		const shared = createSharedRecord();
		const failing = staged(() => refused('temporarily_unavailable', 503), {store: shared.realm()});
		await failing.auth.setToken(old);
		expect(await outcomeOf(failing.auth.getToken())).toBe('OAuthError');
		// The login writes the token. The renewal writes the same token again before it uses the refresh token [F-141].
		expect(shared.log.filter(step => step === 'set')).toHaveLength(2);
		expect(shared.value).toMatchObject(old);
		const empty = createSharedRecord();
		const useless = staged(() => Response.json({refresh_token: 'rt2'}), {store: empty.realm(), grant: granting});
		expect(await outcomeOf(useless.auth.getToken())).toBe('TokenResponseError');
		expect(empty.log).not.toContain('set');
	});

	test('a renewal does not use another holder’s token that expires at this very moment [R57]', async () => {
		const shared = createSharedRecord();
		const store = beforeRead(shared.realm(), 3, () => shared.write({...fresh, expires_at: clock.seconds()}));
		const {auth, asked} = staged(() => Response.json({...bearer, access_token: 'at3'}), {store});
		await auth.setToken(old);
		await expect(auth.getToken()).resolves.toMatchObject({access_token: 'at3'});
		expect(asked.map(parameters => parameters.get('refresh_token'))).toEqual(['rt2']);
	});

	test('two holders that find an empty store make one grant [R71]', async () => {
		const shared = createSharedRecord();
		const gate = createGate();
		const answer = async (): Promise<Response> => {
			await gate.pass();
			return Response.json(bearer);
		};
		const holders = ['a', 'b'].map(name => staged(answer, {store: shared.realm(name), grant: granting}));
		const tokens = holders.map(({auth}) => auth.getToken());
		await gate.reached;
		await settle();
		gate.open();
		expect(await Promise.all(tokens)).toMatchObject([bearer, bearer]);
		expect(holders.flatMap(({asked}) => asked)).toHaveLength(1);
	});

	test.for([
		['and ends', {}, ['session-ended invalid_grant']],
		['and goes on with a grant', {grant: granting}, ['token grant']],
	] as const)(
		'a renewal deletes a rejected refresh token before another holder gets the lock %s [R68]',
		async ([, options, told]) => {
			const shared = createSharedRecord();
			const gate = createGate();
			const {auth} = staged(
				async asked => {
					if (!asked.has('refresh_token')) return Response.json({...bearer, access_token: 'at2'});
					await gate.pass();
					return refused('invalid_grant');
				},
				{store: shared.realm(), ...options},
			);
			await auth.setToken(old);
			const events: string[] = [];
			auth.subscribe(event => events.push(...gist([event]), ...(shared.isLocked() ? ['under the lock'] : [])));
			const asked = outcomeOf(auth.getToken());
			await gate.reached;
			// The next holder is waiting for the lock.
			const found = shared.realm().lock?.(async () => shared.value ?? {});
			gate.open();
			await asked;
			expect(await found).not.toHaveProperty('refresh_token');
			expect(events).toEqual(told);
		},
	);

	test('a renewal that a sign-in overtakes revokes nothing: its token may be of the same grant [R76]', async () => {
		const gate = createGate();
		const answer = async (): Promise<Response> => {
			await gate.pass();
			return Response.json({...bearer, access_token: 'at3', refresh_token: 'rt3'});
		};
		const {auth, asked} = staged(answer);
		await auth.setToken(old);
		const renewed = outcomeOf(auth.refresh());
		await gate.reached;
		await auth.setToken(fresh);
		gate.open();
		expect(await renewed).toBe('SessionEndedError signed_out');
		await settle();
		expect(asked.filter(parameters => parameters.has('token'))).toEqual([]);
		await expect(auth.getToken()).resolves.toMatchObject({access_token: 'at2'});
	});
});

test('a read that a sign-out overtakes finds no token, however long the sign-out takes [R76]', async () => {
	const store = memoryDriver();
	const gates = [createGate(), createGate()] as const;
	const waiting: Gate[] = [];
	const get = async (): Promise<unknown> => {
		const held = await store.get();
		await waiting.shift()?.pass();
		return held;
	};
	const {auth} = staged(() => Response.json(bearer), {store: {...store, get}});
	await auth.setToken({...bearer, issued_at: clock.seconds()});
	waiting.push(...gates);
	const token = outcomeOf(auth.getToken());
	await gates[0].reached;
	const signedOut = auth.signOut();
	await gates[1].reached;
	gates[0].open();
	await settle();
	gates[1].open();
	await signedOut;
	expect(await token).toBe('SessionEndedError no_session');
});

test('a renewed token takes the place of the old one by comparison, after the store has taken that one again [R70, F-141]', async () => {
	const store = await createSharedMemory().holder();
	const writes: string[] = [];
	const watched: StoreDriver = {
		...store,
		set: async token => {
			writes.push('set');
			await store.set(token);
		},
		replace: async (found, token) => {
			writes.push('replace');
			return (await store.replace?.(found, token)) ?? false;
		},
	};
	const {auth} = staged(() => Response.json(fresh), {store: watched});
	const events = record(auth);
	await auth.setToken(old);
	await auth.getToken();
	expect(writes).toEqual(['set', 'replace', 'replace']);
	expect(gist(events)).toEqual(['token set', 'token refresh']);
});

test('a call that knows no origin says what is required', async () => {
	const {auth} = staged(() => Response.json(bearer));
	await auth.setToken(fresh);
	await expect(auth.fetch('https://api.example/')).rejects.toThrow(
		"origins is required, as in ['https://api.example.com'], unless ky has a baseUrl or prefix",
	);
});

describe('a call that is answered with 401', () => {
	/** Begins a call whose response waits for `answer()`. `carried` holds the `Authorization` headers that the API received. */
	async function calling(first: object): Promise<{
		readonly auth: ReturnType<typeof createAuth>;
		readonly carried: (string | null)[];
		readonly answer: () => void;
		readonly status: Promise<number>;
	}> {
		const gate = createGate();
		const carried: (string | null)[] = [];
		const {auth} = staged(() => refused('invalid_request'), {origins: ['https://api.example']});
		await auth.setToken({...bearer, ...first});
		vi.stubGlobal('fetch', async (request: Request) => {
			carried.push(request.headers.get('authorization'));
			if (carried.length > 1) return new Response();
			await gate.pass();
			return new Response(null, {status: 401});
		});
		const status = auth.fetch('https://api.example/').then(response => response.status);
		await gate.reached;
		return {auth, carried, answer: gate.open, status};
	}

	afterEach(() => vi.unstubAllGlobals());

	test('a call that got a 401 is resent with a newer token of the same login, even if nothing can renew that one [R57]', async () => {
		const {auth, carried, answer, status} = await calling({});
		await auth.setToken({...bearer, access_token: 'at2'}, {renews: true});
		answer();
		expect(await status).toBe(200);
		expect(carried).toEqual(['Bearer at1', 'Bearer at2']);
	});

	test('a call that got a 401 is resent with a newer token that is about to expire, if nothing can renew that one [R57]', async () => {
		const {auth, carried, answer, status} = await calling({});
		const now = clock.seconds();
		await auth.setToken({...bearer, access_token: 'at2', issued_at: now - 95, expires_at: now + 5}, {renews: true});
		answer();
		expect(await status).toBe(200);
		expect(carried).toEqual(['Bearer at1', 'Bearer at2']);
	});

	test('a call that got a 401 is not resent as another user who has signed in meanwhile [F-140]', async () => {
		const {auth, carried, answer, status} = await calling({});
		await auth.setToken({...bearer, access_token: 'at2'});
		answer();
		expect(await status).toBe(401);
		expect(carried).toEqual(['Bearer at1']);
	});

	test('a call that got a 401 is not resent as another user who has signed in after a sign-out [R76]', async () => {
		const {auth, carried, answer, status} = await calling({});
		await auth.signOut();
		await auth.setToken({...bearer, access_token: 'at2'});
		answer();
		expect(await status).toBe(401);
		expect(carried).toEqual(['Bearer at1']);
	});
});

describe('a sign-out', () => {
	test('a sign-out makes a sign-in fail that is still waiting for the store [R76]', async () => {
		const store = memoryDriver();
		const gate = createGate();
		const get = async (): Promise<unknown> => {
			await gate.pass();
			return store.get();
		};
		const {auth} = staged(() => Response.json(bearer), {store: {...store, get}});
		const events = record(auth);
		const signedIn = outcomeOf(auth.setToken(fresh));
		await gate.reached;
		const signedOut = auth.signOut();
		gate.open();
		await signedOut;
		expect(await signedIn).toBe('SessionEndedError signed_out');
		expect(store.get()).toBe(undefined);
		expect(gist(events)).toEqual([]);
	});

	test.for([
		['that a slow holder has written since, of the login that it ended', true],
		['of another login in the same second', false],
	] as const)('a sign-out deletes a token %s, or leaves it [R76, F-139]', async ([, isGone]) => {
		const shared = createSharedRecord();
		const gate = createGate();
		const {auth} = staged(() => new Response(), {store: lockedBehind(gate, shared.realm())});
		await auth.setToken({...bearer, issued_at: clock.seconds()});
		const {login} = shared.value as {readonly login: string};
		await auth.signOut();
		await gate.reached;
		const other = {...fresh, login: isGone ? login : 'another'};
		shared.value = other;
		gate.open();
		await settle();
		expect(shared.value).toEqual(isGone ? undefined : other);
	});
});
