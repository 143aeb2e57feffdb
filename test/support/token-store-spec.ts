// What every shared store must do, with any engine and on any runtime. Each of them passes its own runner and place.
import {
	type Auth,
	type AuthEvent,
	type AuthOptions,
	createAuth,
	type TokenSet,
	type TokenStore,
} from '../../src/index.ts';
import {sharedStore} from '../../src/stores/shared/shared-store.ts';
import type {StoreDriver} from '../../src/stores/shared/store-driver.ts';

/** The place of a record, and the ways to access it. */
export interface Place {
	/** Returns the driver of another holder, with its own connection, realm or object. */
	holder(): StoreDriver | Promise<StoreDriver>;
	/** Reads the stored text directly, without a store. Undefined if there is none. */
	peek(): Promise<string | undefined>;
	/** Writes a text directly, without a store, as another program could. */
	poke(text: string): Promise<void>;
	/** Takes the lock and disappears without releasing it, like a closed tab, a killed process or a dropped request. */
	abandonLock(): Promise<void>;
	/** Returns a holder whose connection to the place can be broken and repaired. */
	breakable(): Promise<{readonly store: StoreDriver; breaks(): Promise<void>; mends(): Promise<void>}>;
}

/** What each runtime must provide. */
export interface StoreRunner {
	test(title: string, run: () => Promise<void>): void;
	equal(actual: unknown, expected: unknown): void;
	/** Creates an empty place that no other test uses. */
	place(): Promise<Place>;
	/** What the store cannot do in this runtime. The reason is in a comment beside it. */
	readonly lacks?: readonly 'subscribe'[];
	/**
	The timeout of an operation while the connection to the place is broken, in milliseconds. Some stores need long to break it, and a busy
	machine needs long for what happens in that time: in one test, also a token request.
	*/
	readonly timeout?: number | undefined;
	readonly server: {
		readonly tokenEndpoint: () => string;
		readonly revocationEndpoint: () => string;
		readonly api: () => string;
		readonly clientId: string;
		/** Returns the token response of a new login, with a refresh token. */
		mint(): Promise<{access_token: string; token_type: string; refresh_token: string; expires_in: number}>;
		/** Makes the API reject an access token from now on. */
		expire(accessToken: string): Promise<void>;
		/** Returns the number of token requests so far. */
		grants(): Promise<number>;
	};
}

const first: TokenSet = {
	access_token: 'a'.repeat(8_000),
	token_type: 'bearer',
	refresh_token: 'first "refresh" token \\ ~',
	scope: '/accounts.read /accounts.write',
	expires_at: 4_000_000_000,
	issued_at: 1_700_000_000,
};
const second: TokenSet = {access_token: 'second', token_type: 'Bearer', issued_at: 1_700_000_001};
const third: TokenSet = {access_token: 'third', token_type: 'Bearer', refresh_token: 'third', issued_at: 1_700_000_002};

/** Texts that other programs could have written. None of them is a token. */
const garbage: ReadonlyArray<readonly [title: string, text: string]> = [
	['no JSON', 'hunter2hunter2 {'],
	['a part of JSON', '{"access_token":"hunter2hunter2","token_ty'],
	['null', 'null'],
	['a number', '42'],
	['a string', '"hunter2hunter2"'],
	['a list', '[{"access_token":"hunter2hunter2","token_type":"bearer","issued_at":1}]'],
	['an empty record', '{}'],
	['another shape', '{"accessToken":"hunter2hunter2","refreshToken":"hunter2hunter2","expiresAt":1,"version":0}'],
	['an answer that was never read', '{"access_token":"hunter2hunter2","token_type":"bearer","expires_in":60}'],
	[
		'a token that would break a header',
		'{"access_token":"hunter2hunter2\\r\\nx: y","token_type":"bearer","issued_at":1}',
	],
	['a token behind a prototype', '{"__proto__":{"access_token":"hunter2hunter2","token_type":"bearer","issued_at":1}}'],
	['an empty text', ''],
];

interface Gate {
	readonly pass: () => Promise<void>;
	readonly reached: Promise<void>;
	readonly open: () => void;
}

function createGate(): Gate {
	const arrival = Promise.withResolvers<void>();
	const opening = Promise.withResolvers<void>();
	return {
		pass: async () => {
			arrival.resolve();
			await opening.promise;
		},
		reached: arrival.promise,
		open: opening.resolve,
	};
}

const gist = (events: readonly AuthEvent[]): string[] =>
	events.map(event => {
		if (event.type === 'token') return `token ${event.cause}`;
		if (event.type === 'status') return `status ${event.status}`;
		return `${event.type} ${event.type === 'session-ended' ? event.reason : event.error.code}`;
	});

const outcomeOf = async (promise: Promise<unknown>): Promise<string> => {
	try {
		await promise;
		return 'fulfilled';
	} catch (error) {
		const {name, reason, code} = error as {name?: string; reason?: unknown; code?: unknown};
		return [name, reason ?? code].filter(word => typeof word === 'string').join(' ');
	}
};

/** Takes the lock. Resolves when it is held, with a function that releases it. */
async function holdLock(store: StoreDriver): Promise<() => Promise<void>> {
	const gate = createGate();
	const held = store.lock?.(gate.pass);
	await gate.reached;
	return async () => {
		gate.open();
		await held;
	};
}

/**
Repeats a task until it gives the wanted value, and returns its last one. After an operation that never settled, regrant does not use the
store for a while. So a store that works again may not be used by the first call.
*/
async function eventually<T>(wanted: T, task: () => Promise<T>): Promise<T> {
	let last = await task();
	for (let tries = 0; tries < 100 && last !== wanted; tries++) {
		await new Promise(resolve => void setTimeout(resolve, 100));
		last = await task();
	}
	return last;
}

/** Defines the tests. Each has an empty place of its own. */
export function tokenStoreSpec({test, equal, place, lacks = [], timeout = 3_000, server}: StoreRunner): void {
	const authOf = (driver: StoreDriver, more: Partial<AuthOptions> = {}): {auth: Auth; events: AuthEvent[]} =>
		authOn(sharedStore(driver), more);
	const authOn = (store: TokenStore, more: Partial<AuthOptions> = {}): {auth: Auth; events: AuthEvent[]} => {
		const auth = createAuth({
			tokenEndpoint: server.tokenEndpoint(),
			revocationEndpoint: server.revocationEndpoint(),
			clientId: server.clientId,
			origins: [server.api()],
			store,
			...more,
		});
		const events: AuthEvent[] = [];
		auth.subscribe(event => void events.push(event));
		return {auth, events};
	};
	const expired = {expires_at: 1, issued_at: 0};
	const statusOf = async (auth: Auth): Promise<number> => (await auth.fetch(`${server.api()}/me`)).status;

	test('an empty store gives nothing', async () => {
		const store = await (await place()).holder();
		equal((await store.get()) ?? undefined, undefined);
		await store.delete();
		equal((await store.get()) ?? undefined, undefined);
	});

	test('what was set is given back, with every field as it was and no other, here and to other holders', async () => {
		const {holder} = await place();
		const [here, there] = [await holder(), await holder()];
		await here.set(first);
		equal(await here.get(), first);
		equal(await there.get(), first);
		equal(JSON.parse(JSON.stringify(await there.get())), first);
	});

	test('a later token takes the place of the whole earlier one, and is forgotten when it is deleted', async () => {
		const {holder, peek} = await place();
		const [here, there] = [await holder(), await holder()];
		await here.set(first);
		await there.set(second);
		equal(await here.get(), second);
		await here.delete();
		equal((await there.get()) ?? undefined, undefined);
		equal(await peek(), undefined);
	});

	test('what a store was given is not changed by it, frozen or not', async () => {
		const store = await (await place()).holder();
		const given = {...first};
		await store.set(given);
		equal(given, first);
		await store.set(Object.freeze({...second}));
		equal(await store.get(), second);
	});

	test('a token is replaced only where it is still there [F-94]', async () => {
		const {holder} = await place();
		const [here, there] = [await holder(), await holder()];
		await here.set(first);
		const [found, alsoFound] = [await here.get(), await there.get()];
		equal(await here.replace?.(found, second), true);
		equal(await there.replace?.(alsoFound, third), false);
		equal(await there.get(), second);
		equal(await there.replace?.(await there.get(), third), true);
		equal(await here.get(), third);
	});

	test('an empty place gets a token by a comparison only if it is still empty [F-94]', async () => {
		const {holder} = await place();
		const [here, there] = [await holder(), await holder()];
		equal(await here.replace?.(undefined, first), true);
		equal(await there.replace?.(undefined, second), false);
		equal(await there.get(), first);
	});

	test('a token is deleted only where it is still there [F-94]', async () => {
		const {holder} = await place();
		const [here, there] = [await holder(), await holder()];
		await here.set(first);
		const found = await there.get();
		await here.set(second);
		equal(await there.replace?.(found, undefined), false);
		equal(await here.get(), second);
		equal(await there.replace?.(await there.get(), undefined), true);
		equal((await here.get()) ?? undefined, undefined);
		equal(await here.replace?.(found, third), false);
		equal((await here.get()) ?? undefined, undefined);
	});

	test('what was set or put in place can be replaced without being read', async () => {
		const {holder} = await place();
		const [here, there] = [await holder(), await holder()];
		const [one, two] = [{...first}, {...second}];
		await here.set(one);
		equal(await here.replace?.(one, two), true);
		equal(await here.replace?.(one, third), false);
		equal(await here.replace?.(two, third), true);
		equal(await there.get(), third);
		equal(await there.replace?.(two, first), false);
	});

	test('of many that replace one token at once, one does', async () => {
		const {holder} = await place();
		const stores = await Promise.all(Array.from({length: 5}, async () => holder()));
		await stores[0]?.set(first);
		const found = await Promise.all(stores.map(async store => store.get()));
		const tokens = stores.map((_, index) => ({...second, access_token: `of-${index}`}));
		const taken = await Promise.all(stores.map(async (store, index) => store.replace?.(found[index], tokens[index])));
		equal(taken.filter(Boolean).length, 1);
		equal(await stores[0]?.get(), tokens[taken.indexOf(true)]);
	});

	test('a record can be written over itself by who has read it [F-141]', async () => {
		const {holder} = await place();
		const [here, there] = [await holder(), await holder()];
		await here.set(first);
		const found = await there.get();
		equal(await there.replace?.(found, found as TokenSet), true);
		equal(await there.replace?.(found, {...first}), true);
		equal(await here.get(), first);
		await here.set(second);
		equal(await there.replace?.(found, found as TokenSet), false);
		equal(await there.get(), second);
	});

	for (const [title, text] of garbage) {
		test(`${title} is no token, is reported, is in no error, and gives way to one [F-89, F-90, F-91]`, async () => {
			const {holder, poke} = await place();
			await poke(text);
			const store = await holder();
			const {auth, events} = authOf(store);
			equal(await outcomeOf(auth.getToken()), 'SessionEndedError no_session');
			equal(gist(events), ['store-failed store_corrupt']);
			equal(JSON.stringify(events).includes('hunter2'), false);
			await auth.setToken({...(await server.mint()), ...expired});
			equal(await statusOf(auth), 200);
			equal(gist(events), ['store-failed store_corrupt', 'token set', 'token refresh']);
		});
	}

	test('garbage can be replaced by who has read it', async () => {
		const {holder, poke} = await place();
		const store = await holder();
		for (const text of ['hunter2 {', '{"access_token":42}', 'null']) {
			await poke(text);
			equal(await store.replace?.(await store.get(), first), true);
			equal(await store.get(), first);
		}
	});

	test('a token that another program has written is one, and can be replaced', async () => {
		const {holder, poke} = await place();
		const store = await holder();
		await store.set(first);
		await poke(JSON.stringify(second));
		equal(await store.get(), second);
		equal(await store.replace?.(await store.get(), third), true);
		equal(await store.get(), third);
	});

	test('nothing of a token shows in the store as an object', async () => {
		const store = await (await place()).holder();
		await store.set({...first, access_token: 'hunter2hunter2', refresh_token: 'hunter2hunter2'});
		await store.get();
		equal(JSON.stringify(store).includes('hunter2'), false);
		equal(
			JSON.stringify(Object.entries(store).map(([name, value]) => [name, String(value)])).includes('hunter2'),
			false,
		);
	});

	test('a lock gives what its task gives, and fails as its task fails', async () => {
		const store = await (await place()).holder();
		equal(await store.lock?.(async () => 'done'), 'done');
		equal(
			await outcomeOf(Promise.resolve(store.lock?.(async () => Promise.reject(new RangeError('mine'))))),
			'RangeError',
		);
		equal(await store.lock?.(async () => 'again'), 'again');
	});

	test('a task that throws at once frees the lock [F-103]', async () => {
		const {holder} = await place();
		const [here, there] = [await holder(), await holder()];
		const thrower = (): never => {
			throw new RangeError('at once');
		};
		equal(await outcomeOf((async () => here.lock?.(thrower))()), 'RangeError');
		equal(await there.lock?.(async () => 'free'), 'free');
		equal(await here.lock?.(async () => 'free'), 'free');
	});

	test('no two tasks run at once, whoever asks, and everybody has as many turns as asked for', async () => {
		const {holder} = await place();
		const stores = await Promise.all(Array.from({length: 4}, async () => holder()));
		let running = 0;
		let most = 0;
		const turns = stores.map(() => 0);
		await Promise.all(
			stores.flatMap((store, index) =>
				Array.from({length: 3}, async () =>
					store.lock?.(async () => {
						running++;
						most = Math.max(most, running);
						await store.get();
						turns[index] = (turns[index] ?? 0) + 1;
						running--;
					}),
				),
			),
		);
		equal(most, 1);
		equal(turns, [3, 3, 3, 3]);
	});

	test('one who keeps asking for the lock does not keep the others from it', async () => {
		const {holder} = await place();
		const [greedy, patient] = [await holder(), await holder()];
		let isOver = false;
		const greed = (async () => {
			while (!isOver) await greedy.lock?.(async () => greedy.get());
		})();
		equal(await patient.lock?.(async () => 'had'), 'had');
		isOver = true;
		await greed;
	});

	test('a wait for the lock ends with its signal, and the task does not run later [R72]', async () => {
		const {holder} = await place();
		const [here, there] = [await holder(), await holder()];
		const free = await holdLock(here);
		const waiting = new AbortController();
		let runs = 0;
		const waited = (async () =>
			there.lock?.(async () => {
				runs++;
			}, waiting.signal))();
		await there.get();
		waiting.abort();
		equal((await outcomeOf(waited)) === 'fulfilled', false);
		await free();
		equal(await there.lock?.(async () => 'free'), 'free');
		equal(runs, 0);
	});

	test('once the lock is held, the signal has no effect on it [R72]', async () => {
		const {holder} = await place();
		const [here, there] = [await holder(), await holder()];
		const waiting = new AbortController();
		const log: string[] = [];
		const gate = createGate();
		const held = here.lock?.(async isHeld => {
			await gate.pass();
			log.push(`first, held: ${isHeld?.() ?? true}`);
		}, waiting.signal);
		await gate.reached;
		waiting.abort();
		const next = there.lock?.(async () => void log.push('second'));
		gate.open();
		await held;
		await next;
		equal(log, ['first, held: true', 'second']);
	});

	test('the lock of a holder that is gone is had by the next [F-97]', async () => {
		const {holder, abandonLock} = await place();
		await abandonLock();
		const store = await holder();
		equal(await store.lock?.(async () => 'had'), 'had');
	});

	test('a lock that cannot be acquired fails the renewal in time, and does not end the session [F-99]', async () => {
		const {holder} = await place();
		const [here, there] = [await holder(), await holder()];
		const store = sharedStore(there);
		const {auth, events} = authOn(store);
		// Only for the refresh that fails: everything else may take its time.
		const {auth: impatient} = authOn(store, {timeout: 1_000});
		await auth.setToken({...(await server.mint()), ...expired});
		const before = await server.grants();
		const free = await holdLock(here);
		equal(await outcomeOf(impatient.refresh()), 'LockError lock_timeout');
		equal((await server.grants()) - before, 0);
		await free();
		equal(await statusOf(auth), 200);
		equal(gist(events), ['token set', 'refresh-failed lock_timeout', 'token refresh']);
	});

	test('fifteen callers of three holders make one grant on one expired token [R71, F-96]', async () => {
		const {holder} = await place();
		const auths = await Promise.all(Array.from({length: 3}, async () => authOf(await holder()).auth));
		await auths[0]?.setToken({...(await server.mint()), ...expired});
		const before = await server.grants();
		const calls = auths.flatMap(auth => Array.from({length: 5}, async () => statusOf(auth)));
		equal(
			await Promise.all(calls),
			Array.from({length: 15}, () => 200),
		);
		equal((await server.grants()) - before, 1);
	});

	test('fifteen callers of three holders make one grant on one token that the API rejects [R71, F-62]', async () => {
		const {holder} = await place();
		const auths = await Promise.all(Array.from({length: 3}, async () => authOf(await holder()).auth));
		const minted = await server.mint();
		await auths[0]?.setToken(minted);
		await server.expire(minted.access_token);
		const before = await server.grants();
		const calls = auths.flatMap(auth => Array.from({length: 5}, async () => statusOf(auth)));
		equal(
			await Promise.all(calls),
			Array.from({length: 15}, () => 200),
		);
		equal((await server.grants()) - before, 1);
	});

	test('holders take turns, and each uses the token that another has renewed', async () => {
		const {holder} = await place();
		const [here, there] = [authOf(await holder()), authOf(await holder())];
		await here.auth.setToken(await server.mint());
		for (const {auth} of [there, here, there, here]) {
			await auth.refresh();
			equal(await statusOf(auth), 200);
		}
		equal(
			here.events.some(({type}) => type === 'session-ended'),
			false,
		);
		equal(
			there.events.some(({type}) => type === 'session-ended'),
			false,
		);
	});

	test('the renewed token is stored before anybody gets it [R70]', async () => {
		const {holder, peek} = await place();
		const {auth} = authOf(await holder());
		await auth.setToken({...(await server.mint()), ...expired});
		const {access_token} = await auth.getToken();
		equal(((await peek()) ?? '').includes(access_token), true);
	});

	/** Creates an `Auth` whose next token response is held back. By then the server has rotated the refresh token. */
	const withGate = async (driver: StoreDriver): Promise<{auth: Auth; events: AuthEvent[]; gate: Gate}> => {
		const gate = createGate();
		const held = async (input: RequestInfo | URL, init?: RequestInit): Promise<Response> => {
			const response = await fetch(input, init);
			if (String(input instanceof Request ? input.url : input).startsWith(server.tokenEndpoint())) await gate.pass();
			return response;
		};
		return {...authOf(driver, {fetch: held}), gate};
	};

	test('a sign-out elsewhere wins over a refresh [R76, F-101]', async () => {
		const {holder, peek} = await place();
		const [here, there] = [await withGate(await holder()), authOf(await holder())];
		await here.auth.setToken({...(await server.mint()), ...expired});
		const waiting = outcomeOf(here.auth.refresh());
		await here.gate.reached;
		await there.auth.signOut();
		here.gate.open();
		equal(await waiting, 'SessionEndedError signed_out');
		equal(await peek(), undefined);
		equal(await statusOf(here.auth), 401);
	});

	test('a record that is deleted during a refresh stays deleted [R76]', async () => {
		const {holder, peek} = await place();
		const [store, other] = [await holder(), await holder()];
		const {auth, gate} = await withGate(store);
		await auth.setToken({...(await server.mint()), ...expired});
		const waiting = outcomeOf(auth.getToken());
		await gate.reached;
		await other.delete();
		gate.open();
		equal(await waiting, 'SessionEndedError signed_out');
		equal(await peek(), undefined);
	});

	test('the token of another login is neither overwritten by a refresh nor given to those who waited for it [F-102]', async () => {
		const {holder, peek} = await place();
		const [here, there] = [await withGate(await holder()), authOf(await holder())];
		await here.auth.setToken({...(await server.mint()), ...expired});
		const waiting = Promise.all([outcomeOf(here.auth.getToken()), outcomeOf(statusOf(here.auth))]);
		await here.gate.reached;
		const login = await server.mint();
		await there.auth.setToken(login);
		here.gate.open();
		equal(await waiting, ['SessionEndedError signed_out', 'SessionEndedError signed_out']);
		equal(((await peek()) ?? '').includes(login.refresh_token), true);
		equal((await here.auth.getToken()).access_token, login.access_token);
	});

	test('the token of another login is not given to those who waited for the lock [F-102]', async () => {
		const {holder, peek} = await place();
		const [free, here, there] = [await holder(), authOf(await holder()), authOf(await holder())];
		await here.auth.setToken({...(await server.mint()), ...expired});
		const release = await holdLock(free);
		const before = await server.grants();
		const waiting = outcomeOf(here.auth.getToken());
		const login = await server.mint();
		await there.auth.setToken(login);
		await release();
		equal(await waiting, 'SessionEndedError signed_out');
		equal((await server.grants()) - before, 0);
		equal(((await peek()) ?? '').includes(login.refresh_token), true);
	});

	test('a refresh token that was refused is given up only if the store has no other [R67]', async () => {
		const {holder, poke} = await place();
		const {auth, events} = authOf(await holder());
		const dead = await server.mint();
		await auth.setToken({...dead, refresh_token: 'never-issued', ...expired});
		const alive = await server.mint();
		const {gate, auth: late, events: lateEvents} = await withGate(await holder());
		const waiting = late.getToken();
		await gate.reached;
		const issued_at = Math.floor(Date.now() / 1000);
		await poke(JSON.stringify({...alive, expires_in: undefined, issued_at, expires_at: issued_at + 60}));
		gate.open();
		equal((await waiting).access_token, alive.access_token);
		equal(
			lateEvents.some(({type}) => type === 'session-ended'),
			false,
		);
		equal((await auth.getToken()).access_token, alive.access_token);
		equal(
			events.some(({type}) => type === 'session-ended'),
			false,
		);
	});

	test('a refresh token that the server rejects ends the session once, for all holders [R66]', async () => {
		const {holder, peek} = await place();
		const [here, there] = [authOf(await holder()), authOf(await holder())];
		await here.auth.setToken({...(await server.mint()), refresh_token: 'never-issued', ...expired});
		const before = await server.grants();
		const outcomes = await Promise.all([here, there].map(async ({auth}) => outcomeOf(auth.getToken())));
		equal(
			outcomes.every(outcome => outcome.startsWith('SessionEndedError')),
			true,
		);
		equal((await server.grants()) - before, 1);
		equal(await peek(), undefined);
		equal(await outcomeOf(here.auth.getToken()), 'SessionEndedError no_session');
		equal((await server.grants()) - before, 1);
		equal(here.events.filter(({type}) => type === 'session-ended').length <= 1, true);
		equal(there.events.filter(({type}) => type === 'session-ended').length <= 1, true);
	});

	test('a listener that uses the session does not wait for itself [R74]', async () => {
		const {holder} = await place();
		const {auth} = authOf(await holder());
		const heard: Array<Promise<unknown>> = [];
		auth.subscribe(event => {
			if (event.type === 'token') heard.push(event.cause === 'refresh' ? auth.getToken() : auth.refresh());
		});
		await auth.setToken(await server.mint());
		await auth.refresh();
		equal(
			(await Promise.allSettled(heard)).every(({status}) => status === 'fulfilled'),
			true,
		);
		equal(heard.length >= 2, true);
	});

	test('a store that cannot be read is reported once, and a token that is still good goes on being used [F-86, F-88]', async () => {
		const {breakable} = await place();
		const {store, breaks, mends} = await breakable();
		const {auth, events} = authOf(store, {timeout});
		await auth.setToken(await server.mint());
		// Waits until reads that have begun are complete.
		await auth.peek();
		await breaks();
		equal([await statusOf(auth), await statusOf(auth)], [200, 200]);
		equal(gist(events), ['token set', 'store-failed store_read']);
		await mends();
		equal(await statusOf(auth), 200);
	});

	test('a refresh token of a store that cannot be read is not sent, because another holder may have used it', async () => {
		const {breakable, holder} = await place();
		const {store, breaks, mends} = await breakable();
		const [here, there] = [authOf(store, {timeout}), authOf(await holder())];
		await here.auth.setToken(await server.mint());
		await there.auth.refresh();
		await breaks();
		const before = await server.grants();
		equal(await outcomeOf(here.auth.refresh()), 'LockError lock_timeout');
		equal((await server.grants()) - before, 0);
		await mends();
		equal(await eventually('fulfilled', async () => outcomeOf(here.auth.refresh())), 'fulfilled');
		equal(await statusOf(there.auth), 200);
	});

	test('a token that could not be written after a rotation is kept, reported, and written as soon as that works [R78, F-87]', async () => {
		const {breakable, peek} = await place();
		const {store, breaks, mends} = await breakable();
		const gate = createGate();
		const {auth, events} = authOf(store, {
			timeout,
			fetch: async (input, init) => {
				const response = await fetch(input, init);
				await gate.pass();
				return response;
			},
		});
		await auth.setToken({...(await server.mint()), ...expired});
		const waiting = auth.getToken();
		await gate.reached;
		await breaks();
		gate.open();
		const {access_token} = await waiting;
		equal(((await peek()) ?? '').includes(access_token), false);
		equal(
			events.some(event => event.type === 'store-failed'),
			true,
		);
		await mends();
		equal(await statusOf(auth), 200);
		const isStored = async (): Promise<boolean> => {
			equal(await statusOf(auth), 200);
			return ((await peek()) ?? '').includes(access_token);
		};
		equal(await eventually(true, isStored), true);
		await auth.refresh();
		equal(await statusOf(auth), 200);
	});

	test('setToken and signOut reject with the failure of a store that cannot be written', async () => {
		const {breakable} = await place();
		const {store, breaks, mends} = await breakable();
		const {auth} = authOf(store, {timeout});
		await breaks();
		equal(await outcomeOf(auth.setToken(await server.mint())), 'StoreError store_write');
		equal(await statusOf(auth), 200);
		equal(await outcomeOf(auth.signOut()), 'StoreError store_write');
		equal(await statusOf(auth), 401);
		await mends();
		equal(await outcomeOf(auth.setToken(await server.mint())), 'fulfilled');
	});

	if (!lacks.includes('subscribe')) {
		test('a listener is told of changes by another holder until it is removed', async () => {
			const {holder} = await place();
			const [here, there] = [await holder(), await holder()];
			let changed = Promise.withResolvers<void>();
			let changes = 0;
			const stop = here.subscribe?.(() => {
				changes++;
				changed.resolve();
			});
			await there.set(first);
			await changed.promise;
			changed = Promise.withResolvers<void>();
			await there.delete();
			await changed.promise;
			stop?.();
			const before = changes;
			await there.set(second);
			await here.get();
			equal(changes, before);
		});

		test('an idle holder hears of a renewal, of a login and of a sign-out elsewhere', async () => {
			const {holder} = await place();
			const [here, there] = [authOf(await holder()), authOf(await holder())];
			const heard = async (wanted: string): Promise<void> => {
				if (gist(here.events).includes(wanted)) return;
				await new Promise<void>(resolve => {
					here.auth.subscribe(event => {
						if (gist([event]).includes(wanted)) resolve();
					});
				});
			};
			equal(await outcomeOf(here.auth.getToken()), 'SessionEndedError no_session');
			await there.auth.setToken(await server.mint());
			await heard('token store');
			await there.auth.signOut();
			await heard('session-ended signed_out');
		});
	}
}
