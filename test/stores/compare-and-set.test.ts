import {describe, expect} from 'vitest';
import {createAuth, LockError, SessionEndedError, type TokenSet, type StoreDriver} from '../../src/index.ts';
import {
	appOptions,
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

/** A token as another holder may have left it, of a session that the server knows. */
async function mintText(server: AuthorizationServer): Promise<TokenSet> {
	const {expires_in, ...minted} = await server.mint();
	const issued_at = Math.floor(Date.now() / 1000);
	return {...minted, issued_at, expires_at: issued_at + expires_in};
}

/** A holder to whom something happens just before it compares and sets: once, or as often as it does. */
async function interrupted({holder}: Place, before: () => unknown, {isOnce = true} = {}): Promise<StoreDriver> {
	const store = await holder();
	let isOver = false;
	return {
		...store,
		replace: async (found, token) => {
			if (!isOver) await before();
			isOver = isOnce;
			return (await store.replace?.(found, token)) ?? false;
		},
	};
}

describe('between its last look and its write', () => {
	test('F-94, F-135: another holder has written: its record stays, and its token is the one to use', async ({
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

	test('R76: somebody has signed out: the session stays over', async ({server, watch}) => {
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

	test('R29: the record has changed, but not its token: what that was spent for is kept', async ({server, watch}) => {
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

	test('R67: another holder has written while a dead refresh token is given up: the session goes on', async ({
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

	test('R76, F-101: somebody has signed in while what came after a sign-out is swept away: the login stays', async ({
		server,
		watch,
	}) => {
		const place = createSharedMemory();
		const late = await mintText(server);
		const login = {...(await mintText(server)), issued_at: late.issued_at + 60, expires_at: late.issued_at + 120};
		const swept = createGate();
		const store = await interrupted(place, async () => {
			await place.poke(JSON.stringify(login));
			swept.open();
		});
		const isOver = swept.pass();
		const auth = watch(
			createAuth(
				appOptions(server, {
					store: {
						...store,
						lock: async task => {
							await place.poke(JSON.stringify(late));
							return task();
						},
					},
				}),
			),
		);
		await signIn(server, auth);
		await auth.signOut();
		await isOver;
		await settle();
		expect(await place.peek()).toBe(JSON.stringify(login));
	});
});

test('R29: a store that refuses whatever it is asked to compare is written all the same', async ({server, watch}) => {
	const place = createSharedMemory();
	const store = {...(await place.holder()), replace: async () => false};
	const auth = watch(createAuth(appOptions(server, {store})));
	await signIn(server, auth, expired);
	const {access_token} = await auth.getToken();
	expect(await place.peek()).toContain(access_token);
	expect(server.tokenRequests).toHaveLength(1);
});

test('a store that gives null for nothing is asked to put a token in place of nothing', async ({server, watch}) => {
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
			store: {
				...store,
				get: async () => (await store.get()) ?? null,
				replace: async (before, token) => {
					found.push(before);
					return (await store.replace?.(before, token)) ?? false;
				},
			},
		}),
	);
	await auth.getToken();
	expect(found).toEqual([undefined]);
});

describe('a lock that can run out', () => {
	test('F-135: is looked at before the refresh token is sent: without it nothing is', async ({server, watch}) => {
		const store = await createSharedMemory().holder();
		let isHeld = false;
		const lock: StoreDriver['lock'] = async task => task(() => isHeld);
		const auth = watch(createAuth(appOptions(server, {store: {...store, lock}})));
		const events = record(auth);
		await signIn(server, auth);
		await expect(auth.refresh()).rejects.toBeInstanceOf(LockError);
		expect(server.tokenRequests).toHaveLength(0);
		expect(gist(events)).toEqual(['token set', 'refresh-failed lock_timeout']);
		isHeld = true;
		await auth.refresh();
		expect(server.tokenRequests).toHaveLength(1);
	});
});

describe('a store with a lock that cannot be read', () => {
	test('and never could is no reason not to renew: nobody else has the token', async ({server, watch}) => {
		const {store, breaks} = await createSharedMemory().breakable();
		await breaks();
		const auth = watch(createAuth(appOptions(server, {store})));
		await signIn(server, auth).catch(() => {});
		await auth.refresh();
		expect((await auth.fetch(`${server.api}/me`)).status).toBe(200);
	});

	test('and never could is no reason not to ask for a first token', async ({server, watch}) => {
		const {store, breaks} = await createSharedMemory().breakable();
		await breaks();
		const auth = watch(createAuth(serviceOptions(server, {store})));
		await auth.getToken();
		expect((await auth.fetch(`${server.api}/accounts`)).status).toBe(200);
	});

	test('R78: nor where it could not be written either, since the last rotation', async ({server, watch}) => {
		const {store, breaks} = await createSharedMemory().breakable();
		const auth = watch(createAuth(appOptions(server, {store})));
		await signIn(server, auth);
		const stop = server.onTokenAnswer(async () => breaks());
		await auth.refresh();
		stop();
		await auth.refresh();
		expect(server.tokenRequests).toHaveLength(2);
		expect((await auth.fetch(`${server.api}/me`)).status).toBe(200);
	});
});

describe('R78: a token that could not be written', () => {
	/** A session whose renewed token is in memory alone. The next write meets `before`. */
	const withUnsaved = async (server: AuthorizationServer, place: Place, before: () => unknown) => {
		const store = await place.holder();
		let fails = true;
		const auth = createAuth(
			appOptions(server, {
				store: {
					...store,
					replace: async (found, token) => {
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

	test('is not written later over what another holder has put there meanwhile', async ({server}) => {
		const place = createSharedMemory();
		const other = await mintText(server);
		const {auth} = await withUnsaved(server, place, async () => place.poke(JSON.stringify(other)));
		expect((await auth.getToken()).access_token).toBe(other.access_token);
		expect(await place.peek()).toBe(JSON.stringify(other));
	});

	test('is written later where nobody has', async ({server}) => {
		const place = createSharedMemory();
		const {auth, access_token} = await withUnsaved(server, place, () => {});
		expect((await auth.getToken()).access_token).toBe(access_token);
		expect(await place.peek()).toContain(access_token);
	});

	test('is forgotten where somebody has signed out meanwhile', async ({server}) => {
		const place = createSharedMemory();
		const other = await place.holder();
		const {auth} = await withUnsaved(server, place, () => other.delete());
		await expect(auth.getToken()).rejects.toBeInstanceOf(SessionEndedError);
		expect(await place.peek()).toBe(undefined);
	});
});

test('of two reads, the one that began later is believed, whichever answer comes first', async ({server, watch}) => {
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
	// Reads, and finds nothing.
	const events = record(auth);
	await gate.reached;
	await place.poke(JSON.stringify(await mintText(server)));
	const {access_token} = await auth.getToken();
	gate.open();
	await settle();
	expect((await auth.getToken()).access_token).toBe(access_token);
	expect(events.filter(({type}) => type === 'session-ended')).toEqual([]);
});

test('F-102: a login that could not be written is one of its own when it is, however late', async ({server}) => {
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
	// Renewed in memory, which makes no difference.
	const {access_token} = await auth.refresh();
	fails = false;
	await auth.getToken();
	const after = await other.get();
	expect(after).toMatchObject({access_token});
	expect(other.isSameLogin?.(after, before)).toBe(false);
});

test('a login does not mind that the session before it was ended elsewhere', async ({server, watch}) => {
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
