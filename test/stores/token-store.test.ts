import ky from 'ky';
import {describe, expect} from 'vitest';
import {type AuthOptions, createAuth, LockError, StoreError, type TokenSet, type StoreDriver} from '../../src/index.ts';
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

/** A `TokenSet` that is good for a minute, of a session that the server knows. */
async function mintRecord(server: AuthorizationServer): Promise<TokenSet> {
	const {expires_in, ...minted} = await server.mint();
	const issued_at = Math.floor(Date.now() / 1000);
	return {...minted, issued_at, expires_at: issued_at + expires_in};
}

const never = async (): Promise<never> => new Promise<never>(() => {});

/** Ways in which an operation fails. Where nothing comes of it, the deadline says so. */
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

describe("a store of one's own", () => {
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

	test.for(kinds)('that is %s keeps a session from its beginning to its end', async ([, create], {server, watch}) => {
		const store = create();
		const auth = watch(createAuth(appOptions(server, {store})));
		const events = record(auth);
		const {access_token, refresh_token, scope} = await signIn(server, auth);
		const issued_at = expect.any(Number);
		const first = {access_token, refresh_token, scope, token_type: 'Bearer', issued_at, expires_at: expect.any(Number)};
		expect(await store.get()).toEqual(first);
		expect((await auth.fetch(`${server.api}/me`)).status).toBe(200);
		const renewed = await auth.refresh();
		const second = (await store.get()) as TokenSet;
		expect(second).toEqual({...renewed, refresh_token: expect.any(String)});
		expect(second.refresh_token).not.toBe(refresh_token);
		expect(JSON.parse(JSON.stringify(second))).toEqual(second);
		await auth.signOut();
		expect((await store.get()) ?? undefined).toBe(undefined);
		expect(gist(events)).toEqual(['token set', 'token refresh', 'session-ended signed_out']);
	});

	test('goes on with the session that it finds in it', async ({server, watch}) => {
		const store = memoryDriver();
		await signIn(server, createAuth(appOptions(server, {store})));
		const {value} = Object.assign(createSharedRecord(), {value: await store.get()});
		const auth = watch(createAuth(appOptions(server, {store: {...memoryDriver(), get: () => value}})));
		expect((await ky.get('me', {baseUrl: server.api, hooks: auth.hooks})).status).toBe(200);
		expect(server.tokenRequests).toHaveLength(0);
	});

	test('R112: that answers so late that its answer is two renewals old is not believed', async ({server, watch}) => {
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

	test('that has taken a write before it says so: the write is not told as that of another', async ({
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

	test('notices what others have put there since, at the next call', async ({server, watch}) => {
		const shared = createSharedRecord();
		const {subscribe: _, ...store} = shared.realm();
		const auth = watch(createAuth(appOptions(server, {store})));
		await signIn(server, auth);
		const events = record(auth);
		const theirs = await mintRecord(server);
		shared.write(theirs);
		expect(await auth.getToken()).toMatchObject({access_token: theirs.access_token});
		shared.write(undefined);
		await expect(auth.getToken()).rejects.toMatchObject({reason: 'no_refresh_token'});
		expect(gist(events)).toEqual(['token store', 'session-ended signed_out']);
	});
});

describe('R77: a record that does not pass', () => {
	const good = {access_token: 'hunter2hunter2', token_type: 'Bearer', issued_at: 1};

	test.for<[title: string, value: unknown]>([
		['text', 'hunter2hunter2'],
		['JSON that was not parsed', JSON.stringify(good)],
		['a number', 42],
		['true', true],
		['a list', [good]],
		['an empty object', {}],
		['an object without a token type', {access_token: 'hunter2hunter2', issued_at: 1}],
		['an object without an access token', {token_type: 'Bearer', issued_at: 1, refresh_token: 'hunter2hunter2'}],
		['an older version', {accessToken: 'hunter2hunter2', tokenType: 'Bearer', expiresAt: 1}],
		['another token type', {...good, token_type: 'mac'}],
		['F-90: a token with a line break', {...good, access_token: 'hunter2hunter2\r\nx-evil: 1'}],
		['a token that is not Latin', {...good, access_token: 'hunter2hunter2€'}],
		['a refresh token that is a number', {...good, refresh_token: 42}],
		['F-91: an object with its fields in __proto__', JSON.parse(`{"__proto__": ${JSON.stringify(good)}}`)],
		['an object that inherits its fields', Object.create(good)],
	])(
		'F-89: since it is %s, is absent and is reported, and shows nowhere',
		async ([, value], {server, watch, canaries}) => {
			canaries.plant('hunter2hunter2');
			const store = {...memoryDriver(), get: () => value};
			const auth = watch(createAuth(appOptions(server, {store})));
			const events = record(auth);
			await expect(auth.getToken()).rejects.toMatchObject({reason: 'no_refresh_token'});
			expect((await auth.fetch(`${server.api}/me`)).status).toBe(401);
			expect(server.calls.map(({authorization}) => authorization)).toEqual([undefined]);
			expect(gist(events)).toEqual(['store-failed store_corrupt']);
			expect(events[0]).toMatchObject({error: {name: 'StoreError', retryable: false}});
			expect(({} as {access_token?: string}).access_token).toBe(undefined);
		},
	);

	test.for([null, undefined])('F-89: since it is %s, is absent', async (value, {server, watch}) => {
		const auth = watch(createAuth(appOptions(server, {store: {...memoryDriver(), get: () => value}})));
		await expect(auth.getToken()).rejects.toMatchObject({reason: 'no_refresh_token'});
	});

	test('F-89: makes room for a new session', async ({server, watch}) => {
		const shared = createSharedRecord();
		shared.value = {old: true};
		const auth = watch(createAuth(serviceOptions(server, {store: shared.realm()})));
		const events = record(auth);
		const {access_token} = await auth.getToken();
		expect(shared.value).toMatchObject({access_token});
		expect(gist(events)).toEqual(['store-failed store_corrupt', 'token grant']);
	});

	test('F-90: by endpoints and origins in it changes nothing of where a token goes', async ({server, serve, watch}) => {
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
	/** Whether an operation fails just now. */
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
		appOptions(server, {store, timeout: 400, ...more});

	test.for(failures)(
		'F-86, F-88: to be read, since get %s: memory serves instead, and it is reported once',
		async ([, fail], {server, watch, canaries}) => {
			canaries.plant('hunter2hunter2');
			const {store} = createFailing(fail, {get: true});
			const auth = watch(createAuth(options(server, store)));
			const events = record(auth);
			// Whether one that hangs is asked to write at all is left open.
			await signIn(server, auth).catch(() => {});
			for (let count = 0; count < 5; count++) expect((await auth.fetch(`${server.api}/me`)).status).toBe(200);
			await auth.refresh();
			expect((await auth.fetch(`${server.api}/me`)).status).toBe(200);
			await auth.refresh();
			expect(gist(events)).toEqual(['store-failed store_read', 'token set', 'token refresh', 'token refresh']);
			expect(events[0]).toMatchObject({error: {name: 'StoreError', retryable: true}});
		},
	);

	test.for(failures)(
		'R77: to be read, since get %s, from the beginning: a grant is made all the same',
		async ([, fail], {server, watch}) => {
			const {store} = createFailing(fail, {get: true});
			const auth = watch(createAuth({...serviceOptions(server), store, timeout: 400}));
			for (let count = 0; count < 3; count++) expect((await auth.fetch(`${server.api}/me`)).status).toBe(200);
			expect(server.tokenRequests).toHaveLength(1);
		},
	);

	test.for(failures)(
		'to be written by setToken, since set %s, is its error; the token is kept in memory',
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
		'R78, F-87: to be written after a rotation, since set %s: the call is served, and it is written later',
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
			if (fail === never) return; // what never settles is not asked again
			switches.set = false;
			expect((await auth.fetch(`${server.api}/me`)).status).toBe(200);
			const current = await auth.getToken();
			expect(shared.value).toMatchObject({access_token: current.access_token, refresh_token: expect.any(String)});
			expect(server.tokenRequests).toHaveLength(1);
		},
	);

	test.for(failures)(
		'R78: to be written for good, since set %s: the session goes on in memory, and no spent token is sent',
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

	test('R78, F-94: to be written: what another holder has written meanwhile is adopted, and not overwritten', async ({
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

	test('in all that it does is a session in memory', async ({server, watch}) => {
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

	test('F-88: and is waited for by one who may leave, with a reason of his own', async ({server, watch}) => {
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
	test('R70, R71: is locked, read again, written after the grant and freed, before anyone gets the token', async ({
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
		expect(log.slice(0, 3)).toEqual(['lock', 'get', 'grant']);
		const afterGrant = log.slice(log.indexOf('answer'));
		const [set, release, resolved] = ['set', 'release', 'resolved'].map(step => afterGrant.indexOf(step));
		expect([set, release, resolved]).toEqual([set, release, resolved].toSorted((a = 0, b = 0) => a - b));
		expect(afterGrant.slice(0, set)).toEqual(['answer', 'get']);
		expect(afterGrant.slice(set)).toEqual(['set', 'release', 'resolved', 'resolved']);
		expect(log.filter(step => step === 'lock')).toHaveLength(1);
	});

	test('is not locked where nothing is renewed', async ({server, watch}) => {
		const shared = createSharedRecord();
		const auth = watch(createAuth(appOptions(server, {store: shared.realm()})));
		await signIn(server, auth);
		shared.log.length = 0;
		await auth.getToken();
		await auth.fetch(`${server.api}/me`);
		expect(shared.log).not.toContain('lock');
	});

	test("R74: runs nothing of the user's under it: no listener, no grant, no client authentication", async ({
		server,
		watch,
	}) => {
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

	test('R74: a listener that asks for a token when a session ends is no deadlock', async ({server, watch}) => {
		const shared = createSharedRecord();
		const auth = watch(createAuth(appOptions(server, {store: shared.realm()})));
		await signIn(server, auth, expired);
		const outcomes: Array<Promise<string>> = [];
		auth.subscribe(() => void outcomes.push(outcomeOf(auth.getToken()), outcomeOf(auth.refresh())));
		server.onToken(() => ({status: 400, body: '{"error":"invalid_grant"}'}));
		expect(await outcomeOf(auth.getToken())).toBe('SessionEndedError invalid_grant');
		expect(new Set(await Promise.all(outcomes))).toEqual(new Set(['SessionEndedError no_refresh_token']));
		expect(shared.isLocked()).toBe(false);
	});

	test.for<[title: string, lock: StoreDriver['lock'] & {}]>([
		['is held by another', never],
		['rejects', async () => Promise.reject(new Error('hunter2hunter2'))],
		[
			'throws',
			() => {
				throw new Error('hunter2hunter2');
			},
		],
	])('R72, F-99: that %s is a LockError in time; the session stays', async ([, lock], {server, watch, canaries}) => {
		canaries.plant('hunter2hunter2');
		const {lock: free, ...inner} = createSharedRecord().realm();
		let isHeld = true;
		const store: StoreDriver = {...inner, lock: async task => (isHeld ? lock(task) : (free ?? lock)(task))};
		const auth = watch(createAuth(appOptions(server, {store, timeout: 50})));
		const patient = watch(createAuth(appOptions(server, {store})));
		await signIn(server, auth, expired);
		const events = record(auth);
		const errors = await Promise.all(
			[auth.getToken(), auth.fetch(`${server.api}/me`)].map(promise => promise.catch((error: unknown) => error)),
		);
		for (const error of errors) expect(error).toBeInstanceOf(LockError);
		expect(errors[0]).toMatchObject({code: 'lock_timeout', retryable: true});
		expect(gist(events)).toEqual(['refresh-failed lock_timeout']);
		expect(server.tokenRequests).toHaveLength(0);
		isHeld = false;
		expect((await patient.fetch(`${server.api}/me`)).status).toBe(200);
		expect(server.tokenRequests).toHaveLength(1);
	});

	test('R72: that is had too late runs nothing any more', async ({server, watch}) => {
		const gate = createGate();
		const shared = createSharedRecord();
		const store: StoreDriver = {
			...shared.realm(),
			async lock(task) {
				await gate.pass();
				return task();
			},
		};
		const auth = watch(createAuth(appOptions(server, {store, timeout: 50})));
		const {access_token} = await signIn(server, auth, expired);
		await expect(auth.getToken()).rejects.toBeInstanceOf(LockError);
		gate.open();
		await settle();
		expect(server.tokenRequests).toHaveLength(0);
		expect(shared.value).toMatchObject({access_token});
	});

	test('R72: that was had in time is kept for as long as the grant takes', async ({server, watch}) => {
		const free = createSharedRecord().realm();
		const most = 1000;
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

	test('that fails when it is freed has done its work: the token is stored, and given out', async ({server, watch}) => {
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
	] as const)('R61: is free again after %s', async ([error, status], {server, watch}) => {
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

	test('R71, F-96: eight holders with five callers each make one grant', async ({server, watch}) => {
		const shared = createSharedRecord();
		const holders = Array.from({length: 8}, () => watch(createAuth(appOptions(server, {store: shared.realm()}))));
		shared.write({...(await mintRecord(server)), ...expired});
		const answers = await Promise.all(
			holders.flatMap(auth => Array.from({length: 5}, () => auth.fetch(`${server.api}/me`))),
		);
		expect(answers.map(({status}) => status)).toEqual(Array(40).fill(200));
		expect(server.tokenRequests).toHaveLength(1);
	});

	test('R71, R57: eight holders whose token is refused make one grant', async ({server, watch}) => {
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

	test('R71: eight holders that are told to renew at once do it no oftener than each of them', async ({
		server,
		watch,
	}) => {
		const shared = createSharedRecord();
		const holders = Array.from({length: 8}, () => watch(createAuth(appOptions(server, {store: shared.realm()}))));
		shared.write(await mintRecord(server));
		await Promise.all(holders.map(auth => auth.refresh()));
		expect(server.tokenRequests.length).toBeLessThanOrEqual(8);
		expect((await holders[0]?.fetch(`${server.api}/me`))?.status).toBe(200);
	});

	test.for(['an access token that stays the same', 'answers that are useless otherwise'])(
		'R29, R71: two holders send each refresh token once, with %s',
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
			const [one, other] = [1, 2].map(() =>
				watch(createAuth({tokenEndpoint: origin, clientId: 'app', store: storeOf(shared.realm())})),
			);
			await one?.setToken({access_token: 'same', token_type: 'Bearer', refresh_token: 'first-token'});
			for (const auth of [one, other, one, one, other, other, one]) await auth?.refresh().catch(() => {});
			expect(sent).toEqual(['first-token', ...[1, 2, 3, 4, 5, 6].map(number => `rotated-${number}`)]);
		},
	);

	test("R66: another holder's failure is its own: the next one tries", async ({server, watch}) => {
		const shared = createSharedRecord();
		const holders = [1, 2].map(() => watch(createAuth(appOptions(server, {store: shared.realm()}))));
		shared.write({...(await mintRecord(server)), ...expired});
		server.onToken(once(() => ({reset: true})));
		const outcomes = await Promise.all(holders.map(auth => outcomeOf(auth.getToken())));
		expect(outcomes.toSorted()).toEqual(['TokenNetworkError', 'fulfilled']);
		expect(server.tokenRequests).toHaveLength(2);
	});
});

describe('what another holder writes', () => {
	test('F-94: during a grant is adopted, and not overwritten', async ({server, watch}) => {
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

	test('F-94: during a grant, with the same access token and another refresh token, is not overwritten', async ({
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

	test('R57: while one waits for the lock, and is refused, is renewed for those to whom it was refused', async ({
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

	test('while one waits for the lock is used, without a grant', async ({server, watch}) => {
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

	test('is heard of by those who listen, and our own writing is not told twice', async ({server, watch}) => {
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

	test('is heard of from a store that tells of changes which are none', async ({server, watch}) => {
		const shared = createSharedRecord();
		const auth = watch(createAuth(appOptions(server, {store: shared.realm()})));
		const events = record(auth);
		await signIn(server, auth);
		for (let count = 0; count < 3; count++) shared.write(shared.value);
		await settle();
		expect(gist(events)).toEqual(['token set']);
	});

	test('F-102: while one waits for the lock, signed out and in as another user, is neither used nor overwritten', async ({
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
			// As the shared record knows it: by the object that writes.
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
