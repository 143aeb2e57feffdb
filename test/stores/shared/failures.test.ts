import {setTimeout as sleep} from 'node:timers/promises';
import {afterEach, beforeEach, describe, expect, onTestFinished, vi} from 'vitest';
import {
	type Auth,
	createAuth,
	createSession,
	customStore,
	type StoreDriver,
	StoreError,
	type TokenSet,
} from '../../../src/index.ts';
import type {AuthorizationServer} from '../../support/authorization-server.ts';
import {
	appOptions,
	createClock,
	createGate,
	createSharedRecord,
	expired,
	gist,
	memoryDriver,
	outcomeOf,
	record,
	serviceOptions,
	settle,
	signIn,
} from '../../support/scenario.ts';
import {createSharedMemory} from '../../support/shared-memory.ts';
import {test} from '../../support/test.ts';

test.override('serverOptions', {accessTokenSeconds: 60});

const sentTokens = ({tokenRequests}: AuthorizationServer): Array<string | null> =>
	tokenRequests.map(({parameters}) => parameters.get('refresh_token'));

const isToken = (record: unknown, {access_token}: {readonly access_token: string}): boolean =>
	(record as {access_token?: string} | undefined)?.access_token === access_token;

/** Returns true for the token of the login. All other tokens come from a refresh. */
type IsFirst = (token: TokenSet | undefined) => boolean;

/** Creates a driver whose writes of new tokens fail while `fails()` is true, with and without compare-and-set. */
function failingWrites(driver: StoreDriver, isFirst: IsFirst, fails: () => boolean): StoreDriver {
	const check = (token: TokenSet | undefined): void => {
		if (!isFirst(token) && fails()) throw new DOMException('The quota is exceeded', 'QuotaExceededError');
	};
	return {
		...driver,
		set: async token => {
			check(token);
			await driver.set(token);
		},
		...(driver.replace && {
			replace: async (found, token) => {
				check(token);
				return (await driver.replace?.(found, token)) ?? false;
			},
		}),
	};
}

const places: ReadonlyArray<readonly [title: string, create: () => () => StoreDriver]> = [
	['without replace()', () => createSharedRecord().realm],
	['with replace()', () => createSharedMemory().holder as () => StoreDriver], // this store is created synchronously
];

describe.for(places)('a shared store %s whose write fails', ([, create]) => {
	test.for([1, 2])(
		'a write that fails %i times after a rotation is repeated under the lock: no other holder sends the used token [F-141]',
		async (times, {server, watch}) => {
			const realm = create();
			let left = 0;
			let first = {access_token: ''};
			const driver = failingWrites(
				realm(),
				token => isToken(token, first),
				() => left-- > 0,
			);
			const ours = watch(createAuth(appOptions(server, {store: driver})));
			const theirs = watch(createAuth(appOptions(server, {store: realm()})));
			first = await signIn(server, ours, expired);
			left = times;
			const gate = createGate();
			server.onTokenAnswer(gate.pass);
			const calls = [ours.fetch(`${server.api}/me`)];
			await gate.reached;
			calls.push(theirs.fetch(`${server.api}/me`));
			await settle();
			gate.open();
			expect((await Promise.all(calls)).map(({status}) => status)).toEqual([200, 200]);
			expect(server.tokenRequests).toHaveLength(1);
			await theirs.refresh();
			await ours.refresh();
			expect(new Set(sentTokens(server)).size).toBe(3);
		},
	);

	test('a refresh token is not sent if the store takes no writes, and the session stays [F-141]', async ({
		server,
		watch,
	}) => {
		const realm = create();
		let isFull = false;
		const driver = failingWrites(
			realm(),
			() => false,
			() => isFull,
		);
		const ours = watch(createAuth(appOptions(server, {store: driver})));
		const theirs = watch(createAuth(appOptions(server, {store: realm()})));
		await signIn(server, ours, expired);
		const events = record(ours);
		isFull = true;
		await expect(ours.getToken()).rejects.toMatchObject({code: 'store_write', retryable: true});
		expect(server.tokenRequests).toHaveLength(0);
		expect(gist(events)).toContain('refresh-failed store_write');
		expect((await theirs.fetch(`${server.api}/me`)).status).toBe(200);
		isFull = false;
		expect((await ours.fetch(`${server.api}/me`)).status).toBe(200);
		expect(server.tokenRequests).toHaveLength(1);
	});

	test('a grant without a refresh token is requested even if the store takes no writes [F-141]', async ({
		server,
		watch,
	}) => {
		const driver = failingWrites(
			create()(),
			() => false,
			() => true,
		);
		const auth = watch(createAuth(serviceOptions(server, {store: driver, timeout: 2_000})));
		expect((await auth.fetch(`${server.api}/me`)).status).toBe(200);
	});
});

describe('a write that ended after its deadline', () => {
	/** Creates a driver for which the write of one token waits until a gate opens. */
	function slowWrite(driver: StoreDriver, isSlow: (token: TokenSet) => boolean) {
		const gate = createGate();
		const store: StoreDriver = {
			...driver,
			set: async token => {
				if (isSlow(token)) await gate.pass();
				await driver.set(token);
			},
		};
		return {store, gate};
	}

	/** Opens a session twice: for a write that gets no answer, and for everything else, which may take its time. */
	const open = (
		server: AuthorizationServer,
		watch: (auth: Auth) => Auth,
		store: StoreDriver,
	): {readonly auth: Auth; readonly impatient: Auth} => ({
		auth: watch(createAuth(appOptions(server, {store}))),
		impatient: watch(createAuth(appOptions(server, {store, timeout: 100}))),
	});

	test.for([
		['a login', false],
		['a renewal', true],
	] as const)(
		'a write that ended after its deadline leaves the newer record of %s where it was [F-161]',
		async ([, isRenewal], {server, watch}) => {
			const driver = memoryDriver();
			const old = await server.mint();
			const {store, gate} = slowWrite(driver, token => isToken(token, old));
			const {auth, impatient} = open(server, watch, store);
			await expect(impatient.setToken(old)).rejects.toBeInstanceOf(StoreError);
			await gate.reached;
			if (!isRenewal) await signIn(server, auth);
			const {access_token} = isRenewal ? await auth.refresh() : await auth.getToken();
			gate.open();
			await expect.poll(() => isToken(driver.get(), {access_token})).toBe(true);
			await settle();
			expect(await auth.getToken()).toMatchObject({access_token});
			expect(driver.get()).toMatchObject({access_token});
		},
	);

	test('a write that ended after its deadline leaves the newer record, even if that one is just being written [F-161]', async ({
		server,
		watch,
	}) => {
		const driver = memoryDriver();
		const [old, next] = [await server.mint(), await server.mint()];
		const {store, gate} = slowWrite(driver, token => isToken(token, old));
		const answer = createGate();
		const set = async (token: TokenSet): Promise<void> => {
			await store.set(token);
			// The store has the record, and its answer is on the way.
			if (isToken(token, next)) await answer.pass();
		};
		const {auth, impatient} = open(server, watch, {...store, set});
		await expect(impatient.setToken(old)).rejects.toBeInstanceOf(StoreError);
		const login = auth.setToken(next);
		await answer.reached;
		gate.open();
		await expect.poll(() => isToken(driver.get(), old)).toBe(true);
		await settle();
		answer.open();
		await login;
		await expect.poll(() => isToken(driver.get(), next)).toBe(true);
		expect(await auth.getToken()).toMatchObject({access_token: next.access_token});
	});

	test('a renewed token that the store did not take in time is revoked after a sign-out elsewhere [R76, F-161]', async ({
		server,
		watch,
	}) => {
		const shared = createSharedRecord();
		const hung = createGate();
		const {set, ...driver} = shared.realm('here');
		let writes = 0;
		const slow = async (token: TokenSet): Promise<void> => {
			// A login, the write before the refresh token is used, and the one that hangs.
			if (++writes < 3) return set(token);
			await hung.pass();
		};
		// It is also the deadline of the token request.
		const here = watch(createAuth(appOptions(server, {store: {...driver, set: slow}, timeout: 2_000})));
		const there = watch(createAuth(appOptions(server, {store: shared.realm('there')})));
		await signIn(server, here);
		await here.refresh();
		await there.signOut();
		await expect.poll(() => outcomeOf(here.getToken())).toBe('SessionEndedError no_session');
		await expect.poll(() => server.revocationRequests.length).toBe(2);
	});

	test('a write that ended after its deadline does not bring a signed-out session back [F-161]', async ({
		server,
		watch,
	}) => {
		const driver = memoryDriver();
		const old = await server.mint();
		const {store, gate} = slowWrite(driver, token => isToken(token, old));
		const {auth, impatient} = open(server, watch, store);
		await outcomeOf(impatient.setToken(old));
		await auth.signOut();
		gate.open();
		await settle();
		expect(await outcomeOf(auth.getToken())).toBe('SessionEndedError no_session');
		await expect.poll(() => driver.get()).toBe(undefined);
	});
});

test('a read that waited for a write does not begin beside the next one: what is known stays what is stored', async ({
	watch,
}) => {
	// Each step has its time, whatever a busy machine does in between.
	vi.useFakeTimers();
	onTestFinished(() => void vi.useRealTimers());
	const pause = async (milliseconds: number): Promise<void> =>
		new Promise(resolve => void setTimeout(resolve, milliseconds));
	let stored: TokenSet | undefined;
	let reads = -Infinity;
	const driver: StoreDriver = {
		async get() {
			// The third read is that of `peek`. It is slow, so that it ends during the second write.
			await pause(++reads === 3 ? 25 : 1);
			return stored;
		},
		async set(token) {
			await pause(50);
			stored = token;
		},
		delete() {
			stored = undefined;
		},
		lock: async task => task(),
		async replace(found, token) {
			await pause(50);
			if (JSON.stringify(found) !== JSON.stringify(stored)) return false;
			stored = token;
			return true;
		},
	};
	const auth = watch(createSession({renew: () => null, store: customStore(driver)}));
	const events = record(auth);
	const first = auth.setToken({access_token: 'a'});
	await vi.advanceTimersByTimeAsync(10);
	const second = auth.setToken({access_token: 'b'});
	const peeked = auth.peek();
	reads = 0;
	// Another tab signs out.
	setTimeout(() => {
		stored = undefined;
	}, 60);
	await vi.advanceTimersByTimeAsync(1_000);
	await Promise.all([first, second, peeked]);
	vi.useRealTimers();
	expect(await auth.peek()).toMatchObject({access_token: 'b'});
	expect(auth.status).toBe('signed-in');
	expect(gist(events).at(-1)).toBe('token set');
});

describe('a store operation that hangs', () => {
	beforeEach(() => void vi.useFakeTimers({toFake: ['Date']}));
	afterEach(() => void vi.useRealTimers());

	test('a store operation that hangs is given up at its deadline, even if the clock is set back by a day [F-150]', async ({
		server,
		watch,
	}) => {
		const driver = memoryDriver();
		let isHanging = false;
		const get = async (): Promise<unknown> => (isHanging ? new Promise<never>(() => {}) : driver.get());
		const auth = watch(createAuth(appOptions(server, {store: {...driver, get}, timeout: 100, leeway: 0})));
		await signIn(server, auth);
		isHanging = true;
		await auth.getToken();
		vi.setSystemTime(Date.now() - 86_400_000);
		isHanging = false;
		const theirs = {...(await server.mint()), issued_at: Math.floor(Date.now() / 1000)};
		await driver.set(theirs);
		// regrant uses the store again after another deadline. A real clock measures that, so the test has to wait.
		await sleep(150);
		expect(await auth.getToken()).toMatchObject({access_token: theirs.access_token});
	});

	test('a store that gives up a hanging operation by itself is not asked again for each call [F-88]', async ({
		server,
		watch,
	}) => {
		const driver = memoryDriver();
		let isHanging = false;
		let reads = 0;
		const get = async (): Promise<unknown> => {
			if (!isHanging) return driver.get();
			reads++;
			await sleep(1_100);
			throw new Error('The deadline of the driver');
		};
		const auth = watch(createAuth(appOptions(server, {store: {...driver, get}})));
		const {access_token} = await signIn(server, auth);
		isHanging = true;
		for (let call = 0; call < 3; call++) expect(await auth.getToken()).toMatchObject({access_token});
		expect(reads).toBe(1);
	});

	test('a store operation that hangs under the lock ends, even if the clock is set back by a day [F-150]', async ({
		server,
		watch,
	}) => {
		const shared = createSharedRecord();
		const driver = shared.realm();
		let isHanging = false;
		const get = async (): Promise<unknown> => (isHanging ? new Promise<never>(() => {}) : driver.get());
		const auth = watch(createAuth(appOptions(server, {store: {...driver, get}, timeout: 1_000})));
		const other = watch(createAuth(appOptions(server, {store: shared.realm()})));
		await signIn(server, auth, expired);
		const renewing = outcomeOf(auth.refresh());
		isHanging = true;
		vi.setSystemTime(Date.now() - 86_400_000);
		expect(await renewing).toBe('LockError');
		expect((await other.fetch(`${server.api}/me`)).status).toBe(200);
	});
});

test('a store that cannot be read is reported once, even if an earlier read is answered meanwhile [F-88]', async ({
	server,
	watch,
}) => {
	const driver = memoryDriver();
	const gate = createGate();
	let isBroken = false;
	let isSlow = false;
	const get = async (): Promise<unknown> => {
		if (isBroken) throw new Error('The store is down');
		const found = driver.get();
		if (isSlow) {
			isSlow = false;
			await gate.pass();
		}
		return found;
	};
	const auth = watch(createAuth(appOptions(server, {store: {...driver, get}})));
	const events = record(auth);
	await signIn(server, auth);
	isSlow = true;
	const earlier = auth.peek();
	await gate.reached;
	isBroken = true;
	await auth.getToken();
	gate.open();
	await earlier;
	await auth.getToken();
	expect(gist(events).filter(event => event.startsWith('store-failed'))).toEqual(['store-failed store_read']);
	// After the store has worked again, the next failure is reported again.
	isBroken = false;
	await auth.getToken();
	isBroken = true;
	await auth.getToken();
	expect(gist(events).filter(event => event.startsWith('store-failed'))).toHaveLength(2);
});

describe('a record that throws', () => {
	const fail = (): never => {
		throw new Error('hunter2hunter2');
	};
	const traps = ['get', 'getOwnPropertyDescriptor', 'has', 'ownKeys', 'getPrototypeOf'] as const;
	const good = {access_token: 'hunter2hunter2', token_type: 'Bearer', issued_at: 1};

	const records: ReadonlyArray<readonly [title: string, record: object]> = [
		['from every getter', Object.defineProperties({}, {access_token: {get: fail, enumerable: true}})],
		[
			'from the getter of a field that says whose it is',
			Object.defineProperties({...good}, {client: {get: fail, enumerable: true}}),
		],
		['from the getter of its login', Object.defineProperties({...good}, {login: {get: fail, enumerable: true}})],
		...(['get', 'getOwnPropertyDescriptor', 'ownKeys'] as const).map(
			trap => [`from the trap ${trap} of a proxy`, new Proxy({...good}, {[trap]: fail})] as const,
		),
		['from every trap of a proxy', new Proxy({...good}, Object.fromEntries(traps.map(trap => [trap, fail])))],
		['since its proxy is revoked', revokedProxy()],
	];

	function revokedProxy(): object {
		const {proxy, revoke} = Proxy.revocable({}, {});
		revoke();
		return proxy;
	}

	test.for(records)(
		'%s is absent and reported, and signOut and a login work [F-153]',
		async ([, thrower], {server, watch, canaries}) => {
			canaries.plant('hunter2hunter2');
			for (const hasLock of [false, true]) {
				const driver = memoryDriver();
				let thrown: object | undefined;
				const store: StoreDriver = {
					...driver,
					get: () => thrown ?? driver.get(),
					...(hasLock && {lock: async task => task()}),
				};
				const {now, advance} = createClock();
				const auth = watch(createAuth({...appOptions(server), store: customStore(store), now}));
				const events = record(auth);
				await signIn(server, auth);
				thrown = thrower;
				expect(await outcomeOf(auth.getToken())).toMatch(/^(?:SessionEndedError|fulfilled)/);
				await outcomeOf(auth.refresh());
				expect(await outcomeOf(auth.signOut())).toBe('fulfilled');
				expect(await outcomeOf(auth.getToken())).toBe('SessionEndedError no_session');
				// A proxy that throws at every access also throws when it is awaited. Then the read has failed.
				expect(gist(events).join()).toMatch(/store-failed store_(?:corrupt|read)/);
				advance(1);
				thrown = undefined;
				await signIn(server, auth);
				expect((await auth.fetch(`${server.api}/me`)).status).toBe(200);
			}
		},
	);
});
