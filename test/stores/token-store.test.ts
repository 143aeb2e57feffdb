import ky from 'ky';
import {describe, expect} from 'vitest';
import {
	ConfigError,
	customStore,
	type AuthOptions,
	createAuth,
	LockError,
	StoreError,
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
	lockedBehind,
	outcomeOf,
	record,
	serviceGrant,
	serviceOptions,
	settle,
	type SharedRecord,
	signIn,
	memoryDriver,
	storeOf,
} from '../support/scenario.ts';
import {type AuthorizationServer, service} from '../support/authorization-server.ts';
import {once} from '../support/stage.ts';
import {test} from '../support/test.ts';

test.override('serverOptions', {accessTokenSeconds: 60});

/** Returns a token that is valid for a minute, of a login that the server knows. */
async function mintRecord(server: AuthorizationServer): Promise<TokenSet> {
	const {expires_in, ...minted} = await server.mint();
	const issued_at = Math.floor(Date.now() / 1000);
	return {...minted, issued_at, expires_at: issued_at + expires_in};
}

const never = async (): Promise<never> => new Promise<never>(() => {});

/** The ways in which an operation can fail. If it never settles, it fails at its deadline. */
const failures: ReadonlyArray<readonly [title: string, fail: () => never | Promise<never>]> = [
	[
		'throws',
		() => {
			throw new DOMException('hunter2hunter2', 'SecurityError');
		},
	],
	['rejects', async () => Promise.reject(new Error('hunter2hunter2'))],
	['never settles', never],
];

describe('a store made of your own functions', () => {
	const kinds: ReadonlyArray<readonly [title: string, create: () => StoreDriver]> = [
		['in memory', memoryDriver],
		[
			'synchronous',
			() => {
				let text: string | null = null;
				return {
					get: () => (text === null ? null : JSON.parse(text)),
					set: token => {
						text = JSON.stringify(token);
					},
					delete: () => {
						text = null;
					},
				};
			},
		],
		[
			'asynchronous',
			() => {
				let text: string | undefined;
				return {
					async get() {
						await settle();
						return text === undefined ? undefined : JSON.parse(text);
					},
					async set(token) {
						await settle();
						text = JSON.stringify(token);
					},
					async delete() {
						await settle();
						text = undefined;
					},
				};
			},
		],
		['shared, with a lock', () => createSharedRecord().realm()],
		[
			'of a class',
			() =>
				new (class {
					#token: TokenSet | undefined;
					get(): unknown {
						return this.#token;
					}
					set(token: TokenSet): void {
						this.#token = token;
					}
					delete(): void {
						this.#token = undefined;
					}
					async lock<T>(task: () => Promise<T>): Promise<T> {
						void this.#token;
						return task();
					}
				})(),
		],
	];

	test.for(kinds)(
		'a driver that is %s keeps a session from sign-in to sign-out',
		async ([, create], {server, watch}) => {
			const store = create();
			const auth = watch(createAuth(appOptions(server, {store})));
			const events = record(auth);
			const {access_token, refresh_token, scope} = await signIn(server, auth);
			const issued_at = expect.any(Number);
			const token = {
				access_token,
				refresh_token,
				scope,
				token_type: 'Bearer',
				issued_at,
				expires_at: expect.any(Number),
			};
			// The record also has its login and its client [F-139, F-143].
			const first = (await store.get()) as TokenSet;
			const marks = {login: expect.any(String), client: `app ${server.tokenEndpoint}`};
			expect(first).toEqual({...token, ...marks});
			expect((await auth.fetch(`${server.api}/me`)).status).toBe(200);
			const renewed = await auth.refresh();
			const second = (await store.get()) as TokenSet;
			expect(second).toEqual({...renewed, ...marks, refresh_token: expect.any(String)});
			expect(second['login']).toBe(first['login']);
			expect(second.refresh_token).not.toBe(refresh_token);
			expect(JSON.parse(JSON.stringify(second))).toEqual(second);
			await auth.signOut();
			expect((await store.get()) ?? undefined).toBe(undefined);
			expect(gist(events)).toEqual(['token set', 'token refresh', 'session-ended signed_out']);
		},
	);

	test.for(['get', 'set', 'delete', 'lock', 'subscribe', 'replace', 'isSameLogin'] as const)(
		'customStore refuses a driver whose %s is no function',
		name => {
			const driver = {...memoryDriver(), [name]: true};
			expect(() => customStore(driver)).toThrow(ConfigError);
			expect(() => customStore(driver)).toThrow(`customStore(driver): driver.${name} must be a function`);
		},
	);

	test('a session goes on with the token that the store holds', async ({server, watch}) => {
		const store = memoryDriver();
		await signIn(server, createAuth(appOptions(server, {store})));
		const {value} = Object.assign(createSharedRecord(), {value: await store.get()});
		const auth = watch(createAuth(appOptions(server, {store: {...memoryDriver(), get: () => value}})));
		expect((await ky.get('me', {baseUrl: server.api, hooks: auth.hooks})).status).toBe(200);
		expect(server.tokenRequests).toHaveLength(0);
	});

	test('a session ignores a read that was overtaken by two renewals [R112]', async ({server, watch}) => {
		const shared = createSharedRecord();
		const {lock: _, subscribe: __, ...inner} = shared.realm();
		const gate = createGate();
		let isSlow = false;
		const store: StoreDriver = {
			...inner,
			async get() {
				const isHeld = isSlow;
				isSlow = false;
				const {value} = shared;
				if (isHeld) await gate.pass();
				return value;
			},
		};
		const auth = watch(createAuth(appOptions(server, {store})));
		await signIn(server, auth);
		isSlow = true;
		const late = auth.getToken();
		await gate.reached;
		await auth.refresh();
		await auth.refresh();
		gate.open();
		await late;
		await auth.refresh();
		expect(server.tokenRequests.map(({status}) => status)).toEqual([200, 200, 200]);
	});

	test('a session does not report its own write as another holder’s, even if it shows before set() resolves', async ({
		server,
		watch,
	}) => {
		const shared = createSharedRecord();
		const inner = shared.realm();
		const gate = createGate();
		let isSlow = false;
		const store: StoreDriver = {
			...inner,
			async set(token) {
				await inner.set(token);
				if (isSlow) await gate.pass();
			},
		};
		const auth = watch(createAuth(appOptions(server, {store})));
		await signIn(server, auth, expired);
		const events = record(auth);
		isSlow = true;
		const waiting = auth.getToken();
		await gate.reached;
		const others = [auth.getToken(), auth.fetch(`${server.api}/me`)];
		await settle();
		gate.open();
		await Promise.all([waiting, ...others]);
		expect(gist(events)).toEqual(['token refresh']);
		expect(server.tokenRequests).toHaveLength(1);
	});

	test('a session notices at the next call what another holder has stored', async ({server, watch}) => {
		const shared = createSharedRecord();
		const {subscribe: _, ...store} = shared.realm();
		const auth = watch(createAuth(appOptions(server, {store})));
		await signIn(server, auth);
		const events = record(auth);
		const theirs = await mintRecord(server);
		shared.write(theirs);
		expect(await auth.getToken()).toMatchObject({access_token: theirs.access_token});
		shared.write(undefined);
		await expect(auth.getToken()).rejects.toMatchObject({reason: 'no_session'});
		expect(gist(events)).toEqual(['token store', 'session-ended signed_out']);
	});
});

describe('a stored record that is no token', () => {
	const good = {access_token: 'hunter2hunter2', token_type: 'Bearer', issued_at: 1};

	test.for<[title: string, value: unknown]>([
		['text', 'hunter2hunter2'],
		['JSON that was not parsed', JSON.stringify(good)],
		['a number', 42],
		['true', true],
		['a list', [good]],
		['an empty object', {}],
		['an object without an access token', {token_type: 'Bearer', issued_at: 1, refresh_token: 'hunter2hunter2'}],
		['an older version', {accessToken: 'hunter2hunter2', tokenType: 'Bearer', expiresAt: 1}],
		['another token type', {...good, token_type: 'mac'}],
		['a token with a line break', {...good, access_token: 'hunter2hunter2\r\nx-evil: 1'}],
		['a token that is not Latin', {...good, access_token: 'hunter2hunter2€'}],
		['a refresh token that is a number', {...good, refresh_token: 42}],
		['an object with its fields in __proto__', JSON.parse(`{"__proto__": ${JSON.stringify(good)}}`)],
		['an object that inherits its fields', Object.create(good)],
	])(
		'a record that is %s counts as absent, is reported, and shows in no error [R77, F-89]',
		async ([, value], {server, watch, canaries}) => {
			canaries.plant('hunter2hunter2');
			const store = {...memoryDriver(), get: () => value};
			const auth = watch(createAuth(appOptions(server, {store})));
			const events = record(auth);
			await expect(auth.getToken()).rejects.toMatchObject({reason: 'no_session'});
			expect((await auth.fetch(`${server.api}/me`)).status).toBe(401);
			expect(server.calls.map(({authorization}) => authorization)).toEqual([undefined]);
			expect(gist(events)).toEqual(['store-failed store_corrupt']);
			expect(events[0]).toMatchObject({error: {name: 'StoreError', retryable: false}});
			expect(({} as {access_token?: string}).access_token).toBe(undefined);
		},
	);

	test.for([null, undefined])('%s counts as no record, and is not reported [F-89]', async (value, {server, watch}) => {
		const auth = watch(createAuth(appOptions(server, {store: {...memoryDriver(), get: () => value}})));
		await expect(auth.getToken()).rejects.toMatchObject({reason: 'no_session'});
	});

	test('a grant overwrites a record that is no token [F-89]', async ({server, watch}) => {
		const shared = createSharedRecord();
		shared.value = {old: true};
		const auth = watch(createAuth(serviceOptions(server, {store: shared.realm()})));
		const events = record(auth);
		const {access_token} = await auth.getToken();
		expect(shared.value).toMatchObject({access_token});
		expect(gist(events)).toEqual(['store-failed store_corrupt', 'token grant']);
	});

	test('endpoints and origins in a record do not change where a token goes [F-90]', async ({server, serve, watch}) => {
		const evil = await serve(() => new Response('{}'));
		const fields = {
			token_endpoint: evil.origin,
			tokenEndpoint: evil.origin,
			revocationEndpoint: evil.origin,
			origin: evil.origin,
			origins: [evil.origin],
			clientId: 'evil',
		};
		const shared = createSharedRecord();
		shared.value = {...(await mintRecord(server)), ...fields};
		const auth = watch(createAuth(appOptions(server, {store: shared.realm()})));
		expect((await auth.fetch(evil.origin)).status).toBe(200);
		expect(evil.requests.map(({headers}) => headers['authorization'])).toEqual([undefined]);
		expect((await auth.fetch(`${server.api}/me`)).status).toBe(200);
		await auth.refresh();
		await auth.signOut();
		expect(evil.requests).toHaveLength(1);
		expect([server.tokenRequests.length, server.revocationRequests.length]).toEqual([1, 1]);
	});
});

describe('a store that fails', () => {
	/** Which operations fail at present. */
	interface Switches {
		get: boolean;
		set: boolean;
		delete: boolean;
	}

	function createFailing(
		fail: () => never | Promise<never>,
		switches: Partial<Switches>,
	): {
		store: StoreDriver;
		shared: SharedRecord;
		switches: Partial<Switches>;
	} {
		const shared = createSharedRecord();
		const inner = shared.realm();
		const store: StoreDriver = {
			get: () => (switches.get ? fail() : inner.get()),
			set: token => (switches.set ? fail() : inner.set(token)),
			delete: () => (switches.delete ? fail() : inner.delete()),
		};
		return {store, shared, switches};
	}

	const options = (server: AuthorizationServer, store: StoreDriver, more: Partial<AuthOptions> = {}): AuthOptions =>
		appOptions(server, {store, timeout: 1_500, ...more});

	test.for(failures)(
		'a session goes on in memory, and reports one failure, if get() %s [F-86, F-88]',
		async ([, fail], {server, watch, canaries}) => {
			canaries.plant('hunter2hunter2');
			const {store} = createFailing(fail, {get: true});
			const auth = watch(createAuth(options(server, store)));
			const events = record(auth);
			// A sign-in may fail here: if `get()` never settles, regrant may or may not try to write.
			await signIn(server, auth).catch(() => {});
			for (let count = 0; count < 5; count++) expect((await auth.fetch(`${server.api}/me`)).status).toBe(200);
			await auth.refresh();
			expect((await auth.fetch(`${server.api}/me`)).status).toBe(200);
			await auth.refresh();
			expect(gist(events)).toEqual(['store-failed store_read', 'token set', 'token refresh', 'token refresh']);
			expect(events[0]).toMatchObject({error: {name: 'StoreError', retryable: true}});
		},
	);

	test.for(failures)('a first grant is made even if get() %s [R77]', async ([, fail], {server, watch}) => {
		const {store} = createFailing(fail, {get: true});
		const auth = watch(createAuth(serviceOptions(server, {store, timeout: 1_500})));
		for (let count = 0; count < 3; count++) expect((await auth.fetch(`${server.api}/me`)).status).toBe(200);
		expect(server.tokenRequests).toHaveLength(1);
	});

	test.for(failures)(
		'setToken rejects and keeps the token in memory if set() %s',
		async ([, fail], {server, watch, canaries}) => {
			canaries.plant('hunter2hunter2');
			const {store} = createFailing(fail, {set: true});
			const auth = watch(createAuth(options(server, store)));
			const events = record(auth);
			const error = await auth.setToken(await server.mint()).catch((error: unknown) => error);
			expect(error).toBeInstanceOf(StoreError);
			expect(error).toMatchObject({code: 'store_write', retryable: true});
			expect((await auth.fetch(`${server.api}/me`)).status).toBe(200);
			expect(gist(events)).toContain('store-failed store_write');
			expect(gist(events)).toContain('token set');
		},
	);

	test.for(failures)(
		'a rotated token that set() did not take is used, and is written later: set() %s [R78, F-87]',
		async ([, fail], {server, watch}) => {
			const {store, shared, switches} = createFailing(fail, {});
			const auth = watch(createAuth(options(server, store)));
			const {access_token} = await signIn(server, auth, expired);
			const events = record(auth);
			switches.set = true;
			expect((await auth.fetch(`${server.api}/me`)).status).toBe(200);
			expect(shared.value).toMatchObject({access_token});
			expect(gist(events)).toEqual(expect.arrayContaining(['store-failed store_write', 'token refresh']));
			expect(events).toHaveLength(2);
			if (fail === never) return; // a write that never settles is not repeated
			switches.set = false;
			expect((await auth.fetch(`${server.api}/me`)).status).toBe(200);
			const current = await auth.getToken();
			expect(shared.value).toMatchObject({access_token: current.access_token, refresh_token: expect.any(String)});
			expect(server.tokenRequests).toHaveLength(1);
		},
	);

	test.for(failures)(
		'a session goes on in memory, and sends no used refresh token, if set() always %s [R78]',
		async ([, fail], {server, watch}) => {
			const {store, switches} = createFailing(fail, {});
			const auth = watch(createAuth(options(server, store)));
			await signIn(server, auth);
			switches.set = true;
			for (let count = 0; count < 4; count++) await auth.refresh();
			expect((await auth.fetch(`${server.api}/me`)).status).toBe(200);
			const sent = server.tokenRequests.map(({parameters}) => parameters.get('refresh_token'));
			expect(new Set(sent).size).toBe(4);
			expect(server.tokenRequests.every(({status}) => status === 200)).toBe(true);
		},
	);

	test('a token that could not be written is dropped if another holder has stored one since [R78, F-94]', async ({
		server,
		watch,
	}) => {
		const {store, shared, switches} = createFailing(() => {
			throw new Error('full');
		}, {});
		const auth = watch(createAuth(options(server, store)));
		await signIn(server, auth);
		switches.set = true;
		await auth.refresh();
		const theirs = await mintRecord(server);
		shared.write(theirs);
		switches.set = false;
		expect(await auth.getToken()).toMatchObject({access_token: theirs.access_token});
		expect(shared.value).toEqual(theirs);
	});

	test('a session goes on in memory if every operation of its store fails', async ({server, watch}) => {
		const broken = (): never => {
			throw new DOMException('no storage', 'SecurityError');
		};
		const auth = watch(createAuth(serviceOptions(server, {store: {get: broken, set: broken, delete: broken}})));
		const events = record(auth);
		for (let count = 0; count < 3; count++) expect((await auth.fetch(`${server.api}/me`)).status).toBe(200);
		await auth.refresh();
		expect(server.tokenRequests).toHaveLength(2);
		expect(gist(events).filter(type => type.startsWith('token'))).toEqual(['token grant', 'token grant']);
		await expect(auth.signOut()).rejects.toBeInstanceOf(StoreError);
	});

	test('a caller who waits for a store that hangs can abort, and gets the reason of its own signal [F-88]', async ({
		server,
		watch,
	}) => {
		const {store} = createFailing(never, {get: true});
		const auth = watch(createAuth(options(server, store, {timeout: 60_000})));
		const leaver = new AbortController();
		const reason = new Error('mine');
		const waiting = [
			auth.getToken({signal: leaver.signal}),
			auth.refresh({signal: leaver.signal}),
			auth.fetch(`${server.api}/me`, {signal: leaver.signal}),
		];
		await settle();
		leaver.abort(reason);
		for (const promise of waiting) await expect(promise).rejects.toBe(reason);
	});
});

describe('a store with a lock', () => {
	test('under the lock, the record is read and rewritten before the grant, and stored before anybody gets the new token [R70, R71, F-141]', async ({
		server,
		watch,
	}) => {
		const shared = createSharedRecord();
		const auth = watch(createAuth(appOptions(server, {store: shared.realm()})));
		await signIn(server, auth, expired);
		shared.log.length = 0;
		server.onToken(() => void shared.log.push('grant'));
		server.onTokenAnswer(() => void shared.log.push('answer'));
		await Promise.all([
			auth.getToken().then(() => shared.log.push('resolved')),
			auth.fetch(`${server.api}/me`).then(() => shared.log.push('resolved')),
		]);
		const log = shared.log.slice(shared.log.indexOf('lock'));
		expect(log.slice(0, 4)).toEqual(['lock', 'get', 'set', 'grant']);
		const afterGrant = log.slice(log.indexOf('answer'));
		const [set, release, resolved] = ['set', 'release', 'resolved'].map(step => afterGrant.indexOf(step));
		expect([set, release, resolved]).toEqual([set, release, resolved].toSorted((a = 0, b = 0) => a - b));
		expect(afterGrant.slice(0, set)).toEqual(['answer', 'get']);
		expect(afterGrant.slice(set)).toEqual(['set', 'release', 'resolved', 'resolved']);
		expect(log.filter(step => step === 'lock')).toHaveLength(1);
	});

	test('the lock is not taken if nothing has to be renewed', async ({server, watch}) => {
		const shared = createSharedRecord();
		const auth = watch(createAuth(appOptions(server, {store: shared.realm()})));
		await signIn(server, auth);
		shared.log.length = 0;
		await auth.getToken();
		await auth.fetch(`${server.api}/me`);
		expect(shared.log).not.toContain('lock');
	});

	test('no listener, grant function or client authentication runs under the lock [R74]', async ({server, watch}) => {
		const shared = createSharedRecord();
		const under: string[] = [];
		const note = (name: string): void => void under.push(`${name}${shared.isLocked() ? ' under the lock' : ''}`);
		const auth = watch(
			createAuth(
				serviceOptions(server, {
					store: shared.realm(),
					grant: () => {
						note('grant');
						const {client_secret: _, ...request} = serviceGrant;
						return request;
					},
					clientAuthentication: ({clientId, parameters}) => {
						note('clientAuthentication');
						parameters.set('client_id', clientId);
						parameters.set('client_secret', service.secret);
					},
				}),
			),
		);
		auth.subscribe(({type}) => note(type));
		await auth.getToken();
		server.onToken(once(() => ({status: 400, body: '{"error":"invalid_client"}'})));
		await auth.refresh().catch(() => {});
		server.onToken(once(() => ({reset: true})));
		await auth.refresh().catch(() => {});
		await auth.signOut();
		expect(new Set(under)).toEqual(
			new Set(['grant', 'clientAuthentication', 'token', 'refresh-failed', 'session-ended']),
		);
	});

	test('a listener may ask for a token when the session ends, without a deadlock [R74]', async ({server, watch}) => {
		const shared = createSharedRecord();
		const auth = watch(createAuth(appOptions(server, {store: shared.realm()})));
		await signIn(server, auth, expired);
		const outcomes: Array<Promise<string>> = [];
		auth.subscribe(() => void outcomes.push(outcomeOf(auth.getToken()), outcomeOf(auth.refresh())));
		server.onToken(() => ({status: 400, body: '{"error":"invalid_grant"}'}));
		expect(await outcomeOf(auth.getToken())).toBe('SessionEndedError invalid_grant');
		expect(new Set(await Promise.all(outcomes))).toEqual(new Set(['SessionEndedError no_session']));
		expect(shared.isLocked()).toBe(false);
	});

	test.for<[title: string, lock: StoreDriver['lock'] & {}, says: string]>([
		['is held by another', never, 'The token store is locked'],
		['rejects', async () => Promise.reject(new Error('hunter2hunter2')), 'The lock of the token store failed'],
		[
			'throws',
			() => {
				throw new Error('hunter2hunter2');
			},
			'The lock of the token store failed',
		],
	])(
		'a lock that %s gives a LockError within the deadline, and the session stays [R72, F-99]',
		async ([, lock, message], {server, watch, canaries}) => {
			canaries.plant('hunter2hunter2');
			const {lock: free, ...inner} = createSharedRecord().realm();
			let isHeld = true;
			const store: StoreDriver = {...inner, lock: async task => (isHeld ? lock(task) : (free ?? lock)(task))};
			const clock = createClock();
			const auth = watch(createAuth(appOptions(server, {store, timeout: 1_000, now: clock.now})));
			const patient = watch(createAuth(appOptions(server, {store, now: clock.now})));
			await signIn(server, auth, expired);
			const events = record(auth);
			const errors = await Promise.all(
				[auth.getToken(), auth.fetch(`${server.api}/me`)].map(promise => promise.catch((error: unknown) => error)),
			);
			for (const error of errors) expect(error).toBeInstanceOf(LockError);
			expect(errors[0]).toMatchObject({code: 'lock_timeout', retryable: true, message});
			expect(gist(events)).toEqual(['refresh-failed lock_timeout']);
			expect(server.tokenRequests).toHaveLength(0);
			isHeld = false;
			// Passes the back-off of the failed renewal [R66].
			clock.advance(1);
			expect((await patient.fetch(`${server.api}/me`)).status).toBe(200);
			expect(server.tokenRequests).toHaveLength(1);
		},
	);

	test('a lock that comes after the deadline runs nothing [R72]', async ({server, watch}) => {
		const gate = createGate();
		const shared = createSharedRecord();
		const store: StoreDriver = {
			...shared.realm(),
			async lock(task) {
				await gate.pass();
				return task();
			},
		};
		const auth = watch(createAuth(appOptions(server, {store, timeout: 1_000})));
		const {access_token} = await signIn(server, auth, expired);
		await expect(auth.getToken()).rejects.toBeInstanceOf(LockError);
		gate.open();
		await settle();
		expect(server.tokenRequests).toHaveLength(0);
		expect(shared.value).toMatchObject({access_token});
	});

	test('a lock that came in time is kept for as long as the grant takes [R72]', async ({server, watch}) => {
		const free = createSharedRecord().realm();
		const most = 4_000;
		const wait = (): Promise<void> => new Promise(resolve => setTimeout(resolve, 0.55 * most));
		const store: StoreDriver = {
			...free,
			async lock(task) {
				await wait();
				return task();
			},
		};
		const auth = watch(createAuth(appOptions(server, {store, timeout: most})));
		await signIn(server, auth, expired);
		server.onToken(wait);
		expect((await auth.fetch(`${server.api}/me`)).status).toBe(200);
	});

	test('a lock that runs its task again makes no second grant', async ({server, watch}) => {
		const lock: StoreDriver['lock'] = async task => {
			await task();
			return task();
		};
		const auth = watch(createAuth(appOptions(server, {store: {...createSharedRecord().realm(), lock}})));
		await signIn(server, auth, expired);
		expect((await auth.fetch(`${server.api}/me`)).status).toBe(200);
		expect(server.tokenRequests).toHaveLength(1);
	});

	test.for<[title: string, argument: unknown]>([
		['the Lock of Web Locks', {name: 'session', mode: 'exclusive'}],
		['the AbortSignal of redlock', new AbortController().signal],
		['null', null],
	])('a lock may pass its task something else than a function: %s', async ([, argument], {server, watch}) => {
		const lock = (async (task: (given: unknown) => Promise<unknown>) =>
			task(argument)) as unknown as StoreDriver['lock'] & {};
		const auth = watch(createAuth(appOptions(server, {store: {...createSharedRecord().realm(), lock}})));
		await signIn(server, auth, expired);
		expect((await auth.fetch(`${server.api}/me`)).status).toBe(200);
	});

	test('a lock whose release fails does not matter: the token is stored and handed out', async ({server, watch}) => {
		const shared = createSharedRecord();
		const store: StoreDriver = {
			...shared.realm(),
			async lock(task) {
				await task();
				throw new Error('the lease was lost');
			},
		};
		const auth = watch(createAuth(appOptions(server, {store})));
		await signIn(server, auth, expired);
		const {access_token} = await auth.getToken();
		expect(shared.value).toMatchObject({access_token});
		expect(server.tokenRequests).toHaveLength(1);
	});

	test.for([
		['503', 503],
		['invalid_client', 400],
	] as const)('the lock is free again after %s [R61]', async ([error, status], {server, watch}) => {
		const clock = createClock();
		const shared = createSharedRecord();
		const auth = watch(createAuth(appOptions(server, {store: shared.realm(), now: clock.now})));
		await signIn(server, auth, expired);
		server.onToken(once(() => ({status, body: JSON.stringify({error})})));
		await expect(auth.getToken()).rejects.toMatchObject({status});
		expect(shared.isLocked()).toBe(false);
		clock.advance(60);
		expect((await auth.fetch(`${server.api}/me`)).status).toBe(200);
	});

	test('eight holders with five callers each make one grant [R71, F-96]', async ({server, watch}) => {
		const shared = createSharedRecord();
		const holders = Array.from({length: 8}, () => watch(createAuth(appOptions(server, {store: shared.realm()}))));
		shared.write({...(await mintRecord(server)), ...expired});
		const answers = await Promise.all(
			holders.flatMap(auth => Array.from({length: 5}, () => auth.fetch(`${server.api}/me`))),
		);
		expect(answers.map(({status}) => status)).toEqual(Array(40).fill(200));
		expect(server.tokenRequests).toHaveLength(1);
	});

	test('eight holders whose token is refused make one grant [R71, R57]', async ({server, watch}) => {
		const shared = createSharedRecord();
		const holders = Array.from({length: 8}, () => watch(createAuth(appOptions(server, {store: shared.realm()}))));
		const minted = await mintRecord(server);
		shared.write(minted);
		await server.expire(minted.access_token);
		const answers = await Promise.all(
			holders.flatMap(auth => Array.from({length: 5}, () => auth.fetch(`${server.api}/me`))),
		);
		expect(answers.map(({status}) => status)).toEqual(Array(40).fill(200));
		expect(server.tokenRequests).toHaveLength(1);
	});

	test('eight holders that call refresh() at once make eight grants at most [R71]', async ({server, watch}) => {
		const shared = createSharedRecord();
		const holders = Array.from({length: 8}, () => watch(createAuth(appOptions(server, {store: shared.realm()}))));
		shared.write(await mintRecord(server));
		await Promise.all(holders.map(auth => auth.refresh()));
		expect(server.tokenRequests.length).toBeLessThanOrEqual(8);
		expect((await holders[0]?.fetch(`${server.api}/me`))?.status).toBe(200);
	});

	test.for(['an access token that stays the same', 'answers that are useless otherwise'])(
		'two holders send each refresh token once, given %s [R29, R71]',
		async (kind, {serve, watch}) => {
			let count = 0;
			const sent: Array<string | null> = [];
			const {origin} = await serve((_request, {body}) => {
				sent.push(new URLSearchParams(body).get('refresh_token'));
				const refresh_token = `rotated-${++count}`;
				return Response.json({
					access_token: 'same',
					token_type: kind.startsWith('answers') ? 'mac' : 'Bearer',
					refresh_token,
				});
			});
			const shared = createSharedRecord();
			const {now, advance} = createClock();
			const [one, other] = [1, 2].map(() =>
				watch(createAuth({tokenEndpoint: origin, clientId: 'app', store: storeOf(shared.realm()), now})),
			);
			await one?.setToken({access_token: 'same', token_type: 'Bearer', refresh_token: 'first-token'});
			for (const auth of [one, other, one, one, other, other, one]) {
				await auth?.refresh().catch(() => {});
				// Passes the back-off of the failed renewal [R66].
				advance(60);
			}
			expect(sent).toEqual(['first-token', ...[1, 2, 3, 4, 5, 6].map(number => `rotated-${number}`)]);
		},
	);

	test("another holder's failed renewal does not keep us from trying [R66]", async ({server, watch}) => {
		const shared = createSharedRecord();
		const holders = [1, 2].map(() => watch(createAuth(appOptions(server, {store: shared.realm()}))));
		shared.write({...(await mintRecord(server)), ...expired});
		server.onToken(once(() => ({reset: true})));
		const outcomes = await Promise.all(holders.map(auth => outcomeOf(auth.getToken())));
		expect(outcomes.toSorted()).toEqual(['TokenNetworkError', 'fulfilled']);
		expect(server.tokenRequests).toHaveLength(2);
	});
});

describe('a token that another holder stores', () => {
	test('a token stored by another holder during our grant is used, and is not overwritten [F-94]', async ({
		server,
		watch,
	}) => {
		const shared = createSharedRecord();
		const {lock: _, subscribe: __, ...store} = shared.realm();
		const auth = watch(createAuth(appOptions(server, {store})));
		await signIn(server, auth, expired);
		const theirs = await mintRecord(server);
		server.onTokenAnswer(() => shared.write(theirs));
		expect((await auth.fetch(`${server.api}/me`)).status).toBe(200);
		expect(server.calls.map(({authorization}) => authorization)).toEqual([`Bearer ${theirs.access_token}`]);
		expect(shared.value).toEqual(theirs);
		expect(server.tokenRequests).toHaveLength(1);
	});

	test('a record with the same access token and another refresh token is not overwritten [F-94]', async ({
		server,
		watch,
	}) => {
		const shared = createSharedRecord();
		const {lock: _, subscribe: __, ...store} = shared.realm();
		const auth = watch(createAuth(appOptions(server, {store})));
		const {access_token} = await signIn(server, auth, expired);
		const theirs = {...(await mintRecord(server)), access_token, ...expired};
		server.onTokenAnswer(once(() => shared.write(theirs)));
		expect((await auth.fetch(`${server.api}/me`)).status).toBe(200);
		expect(server.tokenRequests.map(({parameters}) => parameters.get('refresh_token'))).toContain(theirs.refresh_token);
	});

	test('a session refreshes once if the token that another holder stored while we waited is rejected [R57]', async ({
		server,
		watch,
	}) => {
		const gate = createGate();
		const shared = createSharedRecord();
		const {subscribe: _, ...inner} = shared.realm();
		const store = lockedBehind(gate, inner);
		const auth = watch(createAuth(appOptions(server, {store})));
		await signIn(server, auth, expired);
		const waiting = auth.getToken();
		await gate.reached;
		const theirs = await mintRecord(server);
		await server.expire(theirs.access_token);
		shared.write(theirs);
		const call = auth.fetch(`${server.api}/me`);
		await expect.poll(() => server.calls[0]?.status).toBe(401);
		await settle();
		gate.open();
		await waiting;
		expect((await call).status).toBe(200);
		expect(server.tokenRequests.map(({parameters}) => parameters.get('refresh_token'))).toEqual([theirs.refresh_token]);
	});

	test('a session uses the token that another holder stored while we waited for the lock, without a grant', async ({
		server,
		watch,
	}) => {
		const gate = createGate();
		const shared = createSharedRecord();
		const {subscribe: _, ...inner} = shared.realm();
		const store = lockedBehind(gate, inner);
		const auth = watch(createAuth(appOptions(server, {store})));
		await signIn(server, auth, expired);
		const waiting = auth.fetch(`${server.api}/me`);
		await gate.reached;
		const theirs = await mintRecord(server);
		shared.write(theirs);
		gate.open();
		expect((await waiting).status).toBe(200);
		expect(server.calls.map(({authorization}) => authorization)).toEqual([`Bearer ${theirs.access_token}`]);
		expect(server.tokenRequests).toHaveLength(0);
		expect(shared.value).toEqual(theirs);
	});

	test('listeners hear of another holder’s token, and do not hear twice of our own writes', async ({server, watch}) => {
		const shared = createSharedRecord();
		const ours = createAuth(appOptions(server, {store: shared.realm()}));
		const theirs = createAuth(appOptions(server, {store: shared.realm()}));
		const [events, theirEvents] = [record(watch(ours)), record(watch(theirs))];
		await settle();
		await signIn(server, ours);
		await settle();
		const {expires_at} = await ours.refresh();
		await settle();
		await ours.signOut();
		await expect.poll(() => theirEvents.length).toBe(3);
		expect(gist(events)).toEqual(['token set', 'token refresh', 'session-ended signed_out']);
		expect(gist(theirEvents)).toEqual(['token store', 'token store', 'session-ended signed_out']);
		expect(theirEvents[1]).toEqual({type: 'token', cause: 'store', expires_at});
	});

	test.for<[title: string, given: unknown]>([
		['nothing', undefined],
		['a promise', Promise.resolve(() => {})],
	])(
		'a store whose subscribe() gives %s is listened to once, and closed without a failure',
		async ([, given], {server, watch}) => {
			let subscriptions = 0;
			// A JavaScript program could pass this.
			const subscribe = (() => {
				subscriptions++;
				return given;
			}) as unknown as StoreDriver['subscribe'] & {};
			const auth = watch(createAuth(appOptions(server, {store: {...createSharedRecord().realm(), subscribe}})));
			const stops = [auth.subscribe(() => {}), auth.subscribe(() => {})];
			expect(subscriptions).toBe(1);
			for (const stop of stops) stop();
			auth.close();
		},
	);

	test('a store that reports a change where there is none tells listeners nothing', async ({server, watch}) => {
		const shared = createSharedRecord();
		const auth = watch(createAuth(appOptions(server, {store: shared.realm()})));
		const events = record(auth);
		await signIn(server, auth);
		for (let count = 0; count < 3; count++) shared.write(shared.value);
		await settle();
		expect(gist(events)).toEqual(['token set']);
	});

	test('another user who signs in while we wait for the lock keeps their session, and our calls fail [F-102]', async ({
		server,
		watch,
	}) => {
		const gate = createGate();
		const shared = createSharedRecord();
		const inner = shared.realm();
		const store: StoreDriver = {
			...inner,
			async lock(task) {
				await gate.pass();
				return task();
			},
			// The shared record notifies all listeners but that of the object which writes. So the inner store subscribes.
			subscribe: onChange => inner.subscribe?.(onChange) ?? (() => {}),
		};
		const auth = watch(createAuth(appOptions(server, {store})));
		await signIn(server, auth, expired);
		const events = record(auth);
		const waiting = [auth.getToken(), auth.fetch(`${server.api}/me`, {method: 'POST', body: 'as the first user'})].map(
			outcomeOf,
		);
		await gate.reached;
		shared.write(undefined);
		await settle();
		const theirs = await mintRecord(server);
		shared.write(theirs);
		await settle();
		gate.open();
		expect(await Promise.all(waiting)).toEqual(['SessionEndedError signed_out', 'SessionEndedError signed_out']);
		expect([server.calls.length, server.tokenRequests.length]).toEqual([0, 0]);
		expect(shared.value).toEqual(theirs);
		expect(gist(events)).toEqual(['session-ended signed_out', 'token store']);
	});
});
