import {describe, expect} from 'vitest';
import {createAuth, LockError, SessionEndedError, type TokenSet, type StoreDriver} from '../../src/index.ts';
import {
	appOptions,
	createClock,
	createGate,
	expired,
	gist,
	outcomeOf,
	record,
	serviceOptions,
	settle,
	signIn,
	storeOf,
} from '../support/scenario.ts';
import type {AuthorizationServer} from '../support/authorization-server.ts';
import {createSharedMemory} from '../support/shared-memory.ts';
import {test} from '../support/test.ts';
import type {Place} from '../support/token-store-spec.ts';

test.override('serverOptions', {accessTokenSeconds: 60});

/** Returns a token of a login that the server knows, as another holder could have stored it. */
async function mintText(server: AuthorizationServer): Promise<TokenSet> {
	const {expires_in, ...minted} = await server.mint();
	const issued_at = Math.floor(Date.now() / 1000);
	return {...minted, issued_at, expires_at: issued_at + expires_in};
}

/** Whether a write stores the same token again, as regrant does before it sends a refresh token [F-141]. */
const isRewrite = (found: unknown, token: TokenSet | undefined): boolean =>
	!!token && (found as TokenSet | undefined)?.access_token === token.access_token;

/** Creates a holder for which `before` runs once, just before it replaces the token by another one. */
async function interrupted(
	{holder}: Place,
	before: () => unknown,
	isDue: (found: unknown) => boolean = () => true,
): Promise<StoreDriver> {
	const store = await holder();
	let isOver = false;
	return {
		...store,
		replace: async (found, token) => {
			if (!isOver && !isRewrite(found, token) && isDue(found)) {
				isOver = true;
				await before();
			}
			return (await store.replace?.(found, token)) ?? false;
		},
	};
}

describe('a change between our last read and our write', () => {
	test('a token that another holder stores just before our write stays, and is used [F-94, F-135]', async ({
		server,
		watch,
	}) => {
		const place = createSharedMemory();
		const other = await mintText(server);
		const store = await interrupted(place, async () => place.poke(JSON.stringify(other)));
		const auth = watch(createAuth(appOptions(server, {store})));
		const events = record(auth);
		await signIn(server, auth, expired);
		expect((await auth.getToken()).access_token).toBe(other.access_token);
		expect(await place.peek()).toBe(JSON.stringify(other));
		expect(server.tokenRequests).toHaveLength(1);
		expect(gist(events)).toEqual(['token set', 'token store']);
	});

	test('a sign-out just before our write ends the session for good [R76]', async ({server, watch}) => {
		const place = createSharedMemory();
		const other = await place.holder();
		const auth = watch(createAuth(appOptions(server, {store: await interrupted(place, () => other.delete())})));
		const events = record(auth);
		await signIn(server, auth, expired);
		expect(await outcomeOf(auth.getToken())).toBe('SessionEndedError signed_out');
		expect(await place.peek()).toBe(undefined);
		await settle();
		expect(gist(events)).toEqual(['token set', 'session-ended signed_out']);
	});

	test('a record that changed, but still holds the token we refreshed, is overwritten [R29]', async ({
		server,
		watch,
	}) => {
		const place = createSharedMemory();
		const touch = async (): Promise<void> => {
			const {login: _, ...text} = JSON.parse((await place.peek()) ?? '') as TokenSet & {login: unknown};
			await place.poke(JSON.stringify({...text, expires_at: 2}));
		};
		const sets: string[] = [];
		const store = await interrupted(place, touch);
		const set = async (token: TokenSet): Promise<void> => {
			sets.push(token.access_token);
			await store.set(token);
		};
		const auth = watch(createAuth(appOptions(server, {store: {...store, set}})));
		const minted = await signIn(server, auth, expired);
		const {access_token} = await auth.getToken();
		expect(sets).toEqual([minted.access_token]);
		expect(server.tokenRequests).toHaveLength(1);
		expect(await place.peek()).toContain(access_token);
		await auth.refresh();
		expect(server.tokenRequests).toHaveLength(2);
	});

	test('a session goes on if another holder stores a token while we drop a rejected refresh token [R67]', async ({
		server,
		watch,
	}) => {
		const place = createSharedMemory();
		const other = await mintText(server);
		const store = await interrupted(place, async () => place.poke(JSON.stringify(other)));
		const auth = watch(createAuth(appOptions(server, {store})));
		const events = record(auth);
		await signIn(server, auth, {refresh_token: 'never-issued', ...expired});
		expect((await auth.getToken()).access_token).toBe(other.access_token);
		expect(await place.peek()).toBe(JSON.stringify(other));
		expect(gist(events)).toEqual(['token set', 'token store']);
	});

	test('a login that comes while a late write of the login before is deleted stays [R76, F-101, F-139]', async ({
		server,
		watch,
	}) => {
		const place = createSharedMemory();
		const late = await mintText(server);
		const login = {...(await mintText(server)), login: 'another'};
		const deleted = createGate();
		// The sign-out uses compare-and-set, too, because it revokes what it removes [F-139].
		const isLate = (found: unknown): boolean => (found as TokenSet).access_token === late.access_token;
		const signInAgain = async (): Promise<void> => {
			await place.poke(JSON.stringify(login));
			deleted.open();
		};
		const store = await interrupted(place, signInAgain, isLate);
		const isOver = deleted.pass();
		let mark: unknown;
		const auth = watch(
			createAuth(
				appOptions(server, {
					store: {
						...store,
						lock: async task => {
							await place.poke(JSON.stringify({...late, login: mark}));
							return task();
						},
					},
				}),
			),
		);
		await signIn(server, auth);
		({login: mark} = JSON.parse((await place.peek()) ?? '') as {login: unknown});
		await auth.signOut();
		await isOver;
		await expect.poll(() => server.revocationRequests.length).toBe(2);
		expect(await place.peek()).toBe(JSON.stringify(login));
		expect(server.revocationRequests[1]?.parameters.get('token')).toBe(late.refresh_token);
		expect((await auth.getToken()).access_token).toBe(login.access_token);
	});
});

describe('a renewal by another holder', () => {
	/** Returns the record of a login after another holder has refreshed its token. */
	const renewed = async (server: AuthorizationServer, place: Place): Promise<TokenSet> => {
		const {login, client} = JSON.parse((await place.peek()) ?? '') as TokenSet;
		const token = {...(await mintText(server)), login, client};
		await place.poke(JSON.stringify(token));
		return token;
	};

	test('a renewal by another holder just before a sign-out is noticed, and its refresh token is revoked [F-101, F-139]', async ({
		server,
		watch,
	}) => {
		const place = createSharedMemory();
		let latest: TokenSet | undefined;
		const store = await interrupted(place, async () => {
			latest = await renewed(server, place);
		});
		const auth = watch(createAuth(appOptions(server, {store})));
		await signIn(server, auth);
		await auth.signOut();
		expect(await place.peek()).toBe(undefined);
		expect(server.revocationRequests.map(({parameters}) => parameters.get('token'))).toEqual([latest?.refresh_token]);
		expect(auth.status).toBe('signed-out');
	});

	test('a renewal by another holder just before a login stores the same token again is kept, and the used refresh token is not stored [F-159]', async ({
		server,
		watch,
	}) => {
		const place = createSharedMemory();
		let latest: TokenSet | undefined;
		const {replace, ...store} = await place.holder();
		let isOver = false;
		const auth = watch(
			createAuth(
				appOptions(server, {
					store: {
						...store,
						replace: async (found, token) => {
							if (!isOver) latest = await renewed(server, place);
							isOver = true;
							return (await replace?.(found, token)) ?? false;
						},
					},
				}),
			),
		);
		const minted = await signIn(server, auth);
		await auth.setToken(minted);
		expect(await auth.getToken()).toMatchObject({access_token: latest?.access_token});
		await auth.refresh();
		expect(server.tokenRequests.map(({parameters}) => parameters.get('refresh_token'))).toEqual([
			latest?.refresh_token,
		]);
	});
});

test('a store that refuses every comparison is written anyway [R29]', async ({server, watch}) => {
	const place = createSharedMemory();
	const store = {...(await place.holder()), replace: async () => false};
	const auth = watch(createAuth(appOptions(server, {store})));
	await signIn(server, auth, expired);
	const {access_token} = await auth.getToken();
	expect(await place.peek()).toContain(access_token);
	expect(server.tokenRequests).toHaveLength(1);
});

test('a store that reads null is asked to store a token in place of undefined', async ({server, watch}) => {
	const place = createSharedMemory();
	const store = await place.holder();
	const found: unknown[] = [];
	const auth = watch(
		createAuth({
			grant: async () => ({
				grant_type: 'refresh_token',
				refresh_token: (await server.mint({clientId: 'app'})).refresh_token,
			}),
			...appOptions(server),
			store: storeOf({
				...store,
				get: async () => (await store.get()) ?? null,
				replace: async (before, token) => {
					found.push(before);
					return (await store.replace?.(before, token)) ?? false;
				},
			}),
		}),
	);
	await auth.getToken();
	expect(found).toEqual([undefined]);
});

describe('a lock that can run out', () => {
	test('no refresh token is sent if the lock has run out [F-135]', async ({server, watch}) => {
		const store = await createSharedMemory().holder();
		let isHeld = false;
		const lock: StoreDriver['lock'] = async task => task(() => isHeld);
		const clock = createClock();
		const auth = watch(createAuth(appOptions(server, {store: {...store, lock}, now: clock.now})));
		const events = record(auth);
		await signIn(server, auth);
		await expect(auth.refresh()).rejects.toBeInstanceOf(LockError);
		expect(server.tokenRequests).toHaveLength(0);
		expect(gist(events)).toEqual(['token set', 'refresh-failed lock_timeout']);
		isHeld = true;
		// Passes the back-off of the failed renewal [R66].
		clock.advance(1);
		await auth.refresh();
		expect(server.tokenRequests).toHaveLength(1);
	});
});

describe('a store with a lock that cannot be read', () => {
	test('a token is renewed if its store could never be read: nobody else has it', async ({server, watch}) => {
		const {store, breaks} = await createSharedMemory().breakable();
		await breaks();
		const auth = watch(createAuth(appOptions(server, {store})));
		await signIn(server, auth).catch(() => {});
		await auth.refresh();
		expect((await auth.fetch(`${server.api}/me`)).status).toBe(200);
	});

	test('a first token is requested even if the store could never be read', async ({server, watch}) => {
		const {store, breaks} = await createSharedMemory().breakable();
		await breaks();
		const auth = watch(createAuth(serviceOptions(server, {store})));
		await auth.getToken();
		expect((await auth.fetch(`${server.api}/accounts`)).status).toBe(200);
	});

	test('a token that is only in memory is renewed even if its store cannot be read [R78]', async ({server, watch}) => {
		const {store, breaks} = await createSharedMemory().breakable();
		const auth = watch(createAuth(appOptions(server, {store, timeout: 2_000})));
		await signIn(server, auth);
		const stop = server.onTokenAnswer(async () => breaks());
		await auth.refresh();
		stop();
		await auth.refresh();
		expect(server.tokenRequests).toHaveLength(2);
		expect((await auth.fetch(`${server.api}/me`)).status).toBe(200);
	});
});

describe('a token that could not be written', () => {
	/** Creates a session whose renewed token could not be stored. The next write calls `before` first. */
	const withUnsaved = async (server: AuthorizationServer, place: Place, before: () => unknown) => {
		const store = await place.holder();
		let fails = true;
		const auth = createAuth(
			appOptions(server, {
				timeout: 2_000,
				store: {
					...store,
					replace: async (found, token) => {
						if (isRewrite(found, token)) return (await store.replace?.(found, token)) ?? false;
						if (fails) throw new Error('Not to be written');
						await before();
						return (await store.replace?.(found, token)) ?? false;
					},
				},
			}),
		);
		await signIn(server, auth);
		const {access_token} = await auth.refresh();
		fails = false;
		return {auth, access_token};
	};

	test('an unsaved token is not written over what another holder has stored meanwhile [R78]', async ({server}) => {
		const place = createSharedMemory();
		const other = await mintText(server);
		const {auth} = await withUnsaved(server, place, async () => place.poke(JSON.stringify(other)));
		expect((await auth.getToken()).access_token).toBe(other.access_token);
		expect(await place.peek()).toBe(JSON.stringify(other));
	});

	test('an unsaved token is written later if the record is unchanged [R78]', async ({server}) => {
		const place = createSharedMemory();
		const {auth, access_token} = await withUnsaved(server, place, () => {});
		expect((await auth.getToken()).access_token).toBe(access_token);
		expect(await place.peek()).toContain(access_token);
	});

	test('an unsaved token is dropped if somebody has signed out meanwhile [R78]', async ({server}) => {
		const place = createSharedMemory();
		const other = await place.holder();
		const {auth} = await withUnsaved(server, place, () => other.delete());
		await expect(auth.getToken()).rejects.toBeInstanceOf(SessionEndedError);
		expect(await place.peek()).toBe(undefined);
	});
});

test('of two reads, the one that began later counts, whichever is answered first', async ({server, watch}) => {
	const place = createSharedMemory();
	const store = await place.holder();
	const gate = createGate();
	let isSlow = true;
	const get = async (): Promise<unknown> => {
		const found = await store.get();
		if (!isSlow) return found;
		isSlow = false;
		await gate.pass();
		return found;
	};
	const auth = watch(createAuth(appOptions(server, {store: {...store, get}})));
	// The session reads the store, and finds nothing.
	const events = record(auth);
	await gate.reached;
	await place.poke(JSON.stringify(await mintText(server)));
	const {access_token} = await auth.getToken();
	gate.open();
	await settle();
	expect((await auth.getToken()).access_token).toBe(access_token);
	expect(events.filter(({type}) => type === 'session-ended')).toEqual([]);
});

test('a login that is written late still counts as another login [F-102]', async ({server}) => {
	const place = createSharedMemory();
	const [store, other] = [await place.holder(), await place.holder()];
	let fails = false;
	const set = async (token: TokenSet): Promise<void> => {
		if (fails) throw new Error('Not to be written');
		await store.set(token);
	};
	const replace: StoreDriver['replace'] = async (found, token) => {
		if (fails) throw new Error('Not to be written');
		return (await store.replace?.(found, token)) ?? false;
	};
	const auth = createAuth(appOptions(server, {store: {...store, set, replace}}));
	await signIn(server, auth);
	const before = await other.get();
	fails = true;
	await signIn(server, auth).catch(() => {});
	// A renewal that is only in memory makes no difference.
	const {access_token} = await auth.refresh();
	fails = false;
	await auth.getToken();
	const after = await other.get();
	expect(after).toMatchObject({access_token, login: expect.any(String)});
	expect((after as TokenSet)['login']).not.toBe((before as TokenSet)['login']);
});

test('a login is not affected by the end of the session before it', async ({server, watch}) => {
	const place = createSharedMemory();
	const {subscribe: _, ...store} = await place.holder();
	const auth = watch(createAuth(appOptions(server, {store})));
	await signIn(server, auth);
	await (await place.holder()).delete();
	const events = record(auth);
	await signIn(server, auth);
	expect((await auth.fetch(`${server.api}/me`)).status).toBe(200);
	expect(gist(events)).toEqual(['session-ended signed_out', 'token set']);
});
