import {HTTPError, type NormalizedOptions} from 'ky';
import {describe, expect, vi} from 'vitest';
import {
	type Auth,
	ConfigError,
	createAuth,
	createSession,
	memoryStore,
	RenewalError,
	type RenewContext,
	type RenewFunction,
	SessionEndedError,
	type TokenSet,
} from '../../src/index.ts';
import {apiOrigin, authorizations, createFakeApi, type FakeApi} from '../support/fake-api.ts';
import {
	createClock,
	createGate,
	createSharedRecord,
	gist,
	outcomeOf,
	record,
	settle,
	storeOf,
} from '../support/scenario.ts';
import {test} from '../support/test.ts';

const first = {access_token: 'first', expires_in: 60};
const second = {access_token: 'second', expires_in: 60};

/** A `renew` function that returns these answers in turn, and records its arguments. An answer that is an error is thrown. */
function staged(...answers: readonly unknown[]): {
	readonly renew: RenewFunction;
	readonly contexts: RenewContext[];
} {
	const contexts: RenewContext[] = [];
	return {
		contexts,
		renew: context => {
			const answer = answers[contexts.push(context) - 1];
			if (answer instanceof Error) throw answer;
			return answer as ReturnType<RenewFunction>;
		},
	};
}

/** The error that ky throws for this status. */
const httpError = (status: number, headers: Record<string, string> = {}): HTTPError =>
	new HTTPError(new Response(null, {status, headers}), new Request('https://app.example.com'), {} as NormalizedOptions);

/** An error of a library whose response has headers that cannot be read. */
const errorWithoutHeaders = (status: number): Error =>
	Object.assign(new Error('no'), {
		response: {
			status,
			get headers(): never {
				throw new Error('no headers');
			},
		},
	});

/** An error of a library that reads the response by a getter of its class. */
class ErrorWithGetter extends Error {
	get response(): object {
		return {status: 403};
	}
}

describe('createSession', () => {
	test('createSession calls renew once for forty calls of a page that was just loaded', async ({watch}) => {
		const {renew, contexts} = staged(second);
		const api = createFakeApi();
		const auth = watch(createSession({renew, origins: [apiOrigin]}));
		const events = record(auth);
		const client = api.client(auth);
		const answers = await Promise.all(Array.from({length: 40}, () => client.get('me')));
		expect(answers.every(({ok}) => ok)).toBe(true);
		expect(contexts).toHaveLength(1);
		expect(contexts[0]).toMatchObject({token: undefined, signal: expect.any(AbortSignal)});
		expect(gist(events)).toEqual(['token grant']);
	});

	test('createSession calls renew with the token that the API refused, and sends the calls again', async ({watch}) => {
		const {renew, contexts} = staged(second);
		const api = createFakeApi();
		const auth = watch(createSession({renew, origins: [apiOrigin]}));
		await auth.setToken({...first, refresh_token: 'of-the-backend'});
		const events = record(auth);
		const client = api.client(auth);
		const answers = await Promise.all(Array.from({length: 20}, () => client.post('me', {json: {amount: 12}})));
		expect(answers.every(({ok}) => ok)).toBe(true);
		expect(contexts.map(({token}) => token)).toEqual([
			expect.objectContaining({access_token: 'first', refresh_token: 'of-the-backend'}),
		]);
		expect(await api.requests.at(-1)?.json()).toEqual({amount: 12});
		expect(gist(events)).toEqual(['token refresh']);
	});

	test.for<[title: string, answer: unknown, expected: object]>([
		[
			'the answer of a token endpoint',
			{access_token: 't', expires_in: '60', scope: ['a', 'b']},
			{expires_at: 60, scope: 'a b'},
		],
		['an answer without a lifetime', {access_token: 't'}, {issued_at: 0}],
		[
			'a TokenSet',
			{access_token: 't', token_type: 'Bearer', issued_at: 5, expires_at: 99},
			{issued_at: 5, expires_at: 99},
		],
		['a time of expiry', {access_token: 't', expires_at: 99}, {issued_at: 0, expires_at: 99}],
		['a promise', Promise.resolve({access_token: 't'}), {access_token: 't'}],
		['a token with characters of its own', {access_token: 'Atza|Iw!:x'}, {access_token: 'Atza|Iw!:x'}],
	])('createSession takes %s from renew', async ([, answer, expected], {watch}) => {
		const auth = watch(createSession({renew: staged(answer).renew, now: () => 0}));
		expect(await auth.getToken()).toMatchObject({token_type: 'Bearer', ...expected});
	});

	test('createSession keeps what an answer leaves out: the refresh token, the scope, and the fields of keep', async ({
		watch,
	}) => {
		const {renew, contexts} = staged(second, second);
		const auth = watch(createSession({renew, keep: ['id_token']}));
		await auth.setToken({...first, refresh_token: 'r', scope: 'a', id_token: 'i'});
		expect(await auth.refresh()).toMatchObject({access_token: 'second', scope: 'a', id_token: 'i'});
		await auth.refresh();
		expect(contexts[1]?.token).toMatchObject({refresh_token: 'r', id_token: 'i'});
	});

	test.for<[title: string, answer: unknown]>([
		['undefined', undefined],
		['null', null],
		['a promise of nothing', Promise.resolve()],
		...[400, 401, 403].map(status => [`HTTP ${status}`, httpError(status)] as [string, unknown]),
		['the error of another HTTP client with a 401', Object.assign(new Error('no'), {response: {status: 401}})],
		['an error whose class has the response', new ErrorWithGetter('no')],
		['a 401 whose headers cannot be read', errorWithoutHeaders(401)],
		['the end of another session', new SessionEndedError('invalid_grant')],
	])('createSession ends the session, once, if renew gives %s', async ([, answer], {watch}) => {
		const {renew, contexts} = staged(answer);
		const api = createFakeApi();
		const auth = watch(createSession({renew, origins: [apiOrigin]}));
		await auth.setToken(first);
		const events = record(auth);
		const client = api.client(auth);
		const outcomes = await Promise.all(Array.from({length: 10}, () => outcomeOf(client.get('me'))));
		expect(new Set(outcomes)).toEqual(new Set(['SessionEndedError invalid_grant']));
		expect(gist(events)).toEqual(['session-ended invalid_grant']);
		expect([auth.status, await auth.peek()]).toEqual(['signed-out', undefined]);
		// From now on calls carry no token, and do not call `renew`.
		for (let call = 0; call < 10; call++) await client.get('me');
		expect(await outcomeOf(auth.getToken())).toBe('SessionEndedError no_session');
		expect(contexts).toHaveLength(1);
		expect(authorizations(api).at(-1)).toBeNull();
		// `refresh()` does call `renew`, and rejects again. Listeners get no second event.
		expect(await outcomeOf(auth.refresh())).toBe('SessionEndedError no_session');
		expect(contexts).toHaveLength(2);
		expect(gist(events)).toHaveLength(1);
	});

	test('createSession asks the backend once if nobody is signed in there, and sends the calls without a token', async ({
		watch,
	}) => {
		const {renew, contexts} = staged(null);
		const api = createFakeApi();
		const auth = watch(createSession({renew, origins: [apiOrigin]}));
		expect(await outcomeOf(auth.getToken())).toBe('SessionEndedError no_session');
		const client = api.client(auth);
		for (let call = 0; call < 10; call++) expect((await client.get('me')).status).toBe(401);
		expect(new Set(authorizations(api))).toEqual(new Set([null]));
		expect([contexts.length, auth.status]).toEqual([1, 'signed-out']);
	});

	test('createSession sends the first calls of a visitor without a token, and tells of no end [F-62]', async ({
		watch,
	}) => {
		const {renew, contexts} = staged(httpError(401));
		const api = createFakeApi();
		const auth = watch(createSession({renew, origins: [apiOrigin]}));
		const events = record(auth);
		expect(auth.status).toBe('unknown');
		const client = api.client(auth);
		const answers = await Promise.all(Array.from({length: 5}, () => client.get('me')));
		expect(answers.map(({status}) => status)).toEqual(Array(5).fill(401));
		expect(new Set(authorizations(api))).toEqual(new Set([null]));
		expect(await outcomeOf(client.get('me', {context: {auth: true}}))).toBe('SessionEndedError no_session');
		expect([contexts.length, auth.status, gist(events)]).toEqual([1, 'signed-out', ['status signed-out']]);
	});

	test.for<[title: string, use: (auth: Auth, api: FakeApi) => Promise<unknown>, outcome: unknown]>([
		['getToken', async auth => (await auth.getToken()).access_token, 'first'],
		['refresh', async auth => (await auth.refresh()).access_token, 'first'],
		['a call', async (auth, api) => (await api.client(auth).get('me')).status, 200],
	])(
		'createSession gives the token of a login to whoever waits while nobody is signed in: %s',
		async ([, use, outcome]) => {
			const gate = createGate();
			const auth = createSession({renew: gate.pass as () => Promise<undefined>, origins: [apiOrigin]});
			const events = record(auth);
			const waiting = use(
				auth,
				createFakeApi(() => new Response()),
			);
			await gate.reached;
			await auth.setToken(first);
			expect(await waiting).toBe(outcome);
			gate.open();
			await settle();
			expect([gist(events), auth.status]).toEqual([['token set'], 'signed-in']);
		},
	);

	test('createSession has as the cause of the end what renew was rejected with', async ({watch, canaries}) => {
		const cause = httpError(401);
		const auth = watch(createSession({renew: staged(cause).renew}));
		const error = (await canaries.rejection(auth.refresh())) as Error;
		expect((error.cause as Error).cause ?? error.cause).toBe(cause);
	});

	test.for<[title: string, answer: unknown]>([
		...[404, 408, 429, 500, 503].map(status => [`HTTP ${status}`, httpError(status)] as [string, unknown]),
		['an error with the status of a 401 as text', Object.assign(new Error('no'), {response: {status: '401'}})],
		['an error with a status that is no number', Object.assign(new Error('no'), {response: {status: Symbol('401')}})],
		['a 503 whose headers cannot be read', errorWithoutHeaders(503)],
		['a failure of the network', new TypeError('fetch failed')],
		['an answer without a token', {accessToken: 'camel-case'}],
		['a token that is no header', {access_token: 'a\r\nb'}],
		['a token of another type', {access_token: 't', token_type: 'mac'}],
		['a text', 'token'],
		['a list', [second]],
	])('createSession keeps the session if renew gives %s, and is told so', async ([, answer], {watch}) => {
		const {renew, contexts} = staged(answer);
		const auth = watch(createSession({renew}));
		await auth.setToken(first);
		const events = record(auth);
		const error: unknown = await auth.refresh().catch((reason: unknown) => reason);
		expect(error).toBeInstanceOf(RenewalError);
		expect(error).toMatchObject({code: 'renewal_failed', retryable: true});
		if (answer instanceof Error) expect((error as Error).cause).toBe(answer);
		expect(gist(events)).toEqual(['refresh-failed renewal_failed']);
		expect(await auth.getToken()).toMatchObject({access_token: 'first'});
		// During the cool-down, `renew` is not called again.
		expect(await outcomeOf(auth.refresh())).toBe('RenewalError');
		expect(contexts).toHaveLength(1);
	});

	test('createSession does not read the response that every object inherits, or its status, from an error of renew [R95]', async ({
		watch,
	}) => {
		const root: object = Object.prototype;
		const inherited = {response: {status: 401}, status: 401};
		const outcomes: string[] = [];
		for (const failure of [
			new TypeError('fetch failed'),
			Object.assign(new Error('no'), {response: {}}),
			httpError(503),
		]) {
			const auth = watch(createSession({renew: staged(failure).renew}));
			await auth.setToken(first);
			for (const [name, value] of Object.entries(inherited)) {
				Object.defineProperty(root, name, {value, configurable: true, writable: true});
			}
			try {
				outcomes.push(await outcomeOf(auth.refresh()));
			} finally {
				Reflect.deleteProperty(root, 'response');
				Reflect.deleteProperty(root, 'status');
			}
		}
		expect(outcomes).toEqual(['RenewalError', 'RenewalError', 'RenewalError']);
	});

	test('createSession goes on with a good token while renew fails, and waits before it is asked again', async ({
		watch,
	}) => {
		const clock = createClock();
		const {renew, contexts} = staged(httpError(503), httpError(503), second);
		const auth = watch(createSession({renew, now: clock.now}));
		await auth.setToken(first);
		clock.advance(57);
		for (let call = 0; call < 5; call++) expect(await auth.getToken()).toMatchObject({access_token: 'first'});
		expect(contexts).toHaveLength(1);
		clock.advance(1);
		await auth.getToken();
		clock.advance(1);
		await auth.getToken();
		expect(contexts).toHaveLength(2);
		clock.advance(1);
		expect(await auth.getToken()).toMatchObject({access_token: 'second'});
		expect(contexts).toHaveLength(3);
	});

	test.for<[title: string, headers: Record<string, string>, seconds: number]>([
		['as long as the backend asks for', {'retry-after': '5'}, 5],
		['until the date that the backend names', {'retry-after': 'Thu, 01 Jan 2026 00:00:07 GMT'}, 7],
		['a second if the backend asks for nonsense', {'retry-after': 'soon'}, 1],
	])('createSession waits %s', async ([, headers, seconds], {watch}) => {
		let now = Date.UTC(2026, 0);
		const {renew, contexts} = staged(httpError(429, headers), second);
		const auth = watch(createSession({renew, now: () => now}));
		const error: unknown = await auth.refresh().catch((reason: unknown) => reason);
		expect(error).toMatchObject({code: 'renewal_failed', ...(seconds > 1 && {retryAfter: seconds * 1_000})});
		expect(error).toEqual(await auth.refresh().catch((reason: unknown) => reason));
		now += seconds * 1_000 - 1;
		expect(await outcomeOf(auth.refresh())).toBe('RenewalError');
		expect(contexts).toHaveLength(1);
		now += 1;
		expect(await auth.refresh()).toMatchObject({access_token: 'second'});
	});

	test('createSession spends no stored refresh token if the store takes no write [R70, F-141]', async ({watch}) => {
		const {renew, contexts} = staged({...second, refresh_token: 'r1'});
		const {realm} = createSharedRecord();
		let isFull = false;
		const {set, ...driver} = realm();
		const full = async (token: TokenSet): Promise<void> => {
			if (isFull) throw new Error('full');
			await set(token);
		};
		const auth = watch(createSession({renew, store: storeOf({...driver, set: full}), timeout: 200}));
		await auth.setToken({...first, refresh_token: 'r0'});
		isFull = true;
		expect(await outcomeOf(auth.refresh())).toBe('StoreError');
		expect(contexts).toEqual([]);
		isFull = false;
		expect(await auth.refresh()).toMatchObject({access_token: 'second'});
		// A backend that keeps the refresh token in a cookie needs no store.
		const cookie = staged(second);
		const other = watch(
			createSession({
				renew: cookie.renew,
				store: storeOf({...realm(), set: () => Promise.reject(new Error('full'))}),
				timeout: 200,
			}),
		);
		await other.setToken(first).catch(() => {});
		expect(await other.refresh()).toMatchObject({access_token: 'second'});
	});

	test.for([
		['a login here', (auth: Auth) => auth.setToken(first), 'token set'],
		['a sign-out here', (auth: Auth) => auth.signOut(), 'session-ended signed_out'],
	] as const)('createSession tells of %s at once, even while renew hangs', async ([, act, told]) => {
		const gate = createGate();
		const {realm} = createSharedRecord();
		const auth = createSession({renew: gate.pass as () => Promise<undefined>, store: storeOf(realm('here'))});
		await auth.setToken({...second, expires_in: 0});
		const events = record(auth);
		const waiting = outcomeOf(auth.getToken());
		await gate.reached;
		await act(auth);
		await settle();
		expect(gist(events)).toEqual([told]);
		gate.open();
		await waiting;
		await settle();
		expect(gist(events)).toEqual([told]);
	});

	test('createSession tells of a sign-out in another tab at once, even while renew hangs', async () => {
		const gate = createGate();
		const {realm} = createSharedRecord();
		const [here, there] = ['here', 'there'].map(name =>
			createSession({renew: gate.pass as () => Promise<undefined>, store: storeOf(realm(name))}),
		);
		if (!here || !there) throw new Error('There are two');
		await here.setToken({...second, expires_in: 0});
		const events = record(here);
		await here.peek();
		const waiting = outcomeOf(here.getToken());
		await gate.reached;
		await there.signOut();
		await expect.poll(() => gist(events)).toEqual(['session-ended signed_out']);
		gate.open();
		expect(await waiting).toBe('SessionEndedError signed_out');
	});

	test('createSession says that a renew which hangs may have used its own session', async ({watch}) => {
		const auth: Auth = watch(
			createSession({
				renew: async () => {
					await settle();
					return auth.getToken();
				},
				// At twice that time the callers give up, with another message. A busy machine must not be late by as much.
				timeout: 2_000,
			}),
		);
		await expect(auth.getToken()).rejects.toMatchObject({
			code: 'timeout',
			message: 'renew gave nothing in time. It must not use its own session',
		});
	});

	test('createSession gives renew a token of its own: what renew does to it changes nothing', async ({watch}) => {
		const auth = watch(
			createSession({
				renew: ({token}) => {
					Object.assign(token ?? {}, {access_token: 'changed'});
					throw new Error('no');
				},
			}),
		);
		await auth.setToken(first);
		await outcomeOf(auth.refresh());
		expect(await auth.peek()).toMatchObject({access_token: 'first'});
	});

	test('createSession calls renew again when the user asks for it after the session has ended', async ({watch}) => {
		const {renew, contexts} = staged(null, second);
		const auth = watch(createSession({renew}));
		await auth.setToken(first);
		const events = record(auth);
		await outcomeOf(auth.refresh());
		expect(await auth.refresh()).toMatchObject({access_token: 'second'});
		expect(contexts[1]?.token).toBeUndefined();
		expect(gist(events)).toEqual(['session-ended invalid_grant', 'token grant']);
		expect(auth.status).toBe('signed-in');
	});

	test('createSession does not sign the user in again after a sign-out, unless it is asked for', async ({watch}) => {
		const {renew, contexts} = staged(second);
		const api = createFakeApi();
		const auth = watch(createSession({renew, origins: [apiOrigin]}));
		await auth.setToken(first);
		await auth.signOut();
		expect((await api.client(auth).get('me')).status).toBe(401);
		expect(await outcomeOf(auth.getToken())).toBe('SessionEndedError no_session');
		expect(await outcomeOf(auth.refresh({instead: 'first'}))).toBe('SessionEndedError no_session');
		expect(contexts).toEqual([]);
		expect(await auth.refresh()).toMatchObject({access_token: 'second'});
	});

	test('createSession does not send a call of a session that has ended under the one that renew began [F-140]', async ({
		watch,
	}) => {
		const {renew} = staged(null, second);
		const gate = createGate();
		const api = createFakeApi(async (_request, token) => {
			if (token === 'first') await gate.pass();
			return undefined;
		});
		const auth = watch(createSession({renew, origins: [apiOrigin]}));
		await auth.setToken(first);
		const call = api.client(auth).get('me');
		await gate.reached;
		await outcomeOf(auth.refresh());
		// Another user has signed in at the backend, so `renew` returns that user's token.
		await auth.refresh();
		gate.open();
		expect((await call).status).toBe(401);
		expect(authorizations(api)).toEqual(['Bearer first']);
	});

	test('createSession does not store what a renew brings after a sign-out', async ({watch}) => {
		const gate = createGate();
		const auth = watch(
			createSession({
				async renew() {
					await gate.pass();
					return second;
				},
			}),
		);
		await auth.setToken(first);
		const waiting = outcomeOf(auth.refresh());
		await gate.reached;
		await auth.signOut();
		expect(await waiting).toBe('SessionEndedError signed_out');
		gate.open();
		expect([auth.status, await auth.peek()]).toEqual(['signed-out', undefined]);
	});

	test('createSession gives up a renew that hangs, and tells it so', async ({watch, canaries}) => {
		let signal: AbortSignal | undefined;
		const auth = watch(
			createSession({
				timeout: 20,
				renew: context => {
					({signal} = context);
					return new Promise<never>(() => {});
				},
			}),
		);
		expect(await canaries.rejection(auth.refresh())).toMatchObject({code: 'timeout', retryable: true});
		await vi.waitFor(() => expect(signal?.aborted).toBe(true));
	});

	test.for(['getToken', 'refresh', 'peek'] as const)(
		'createSession says so if renew uses the session that it serves: %s',
		async (method, {watch, canaries}) => {
			const auth: Auth = watch(createSession({renew: (): ReturnType<RenewFunction> => auth[method]()}));
			const error = (await canaries.rejection(auth.refresh())) as Error;
			expect(error).toBeInstanceOf(RenewalError);
			expect(error.cause).toBeInstanceOf(ConfigError);
		},
	);

	test('createSession calls renew under the lock of a shared store, once for two holders', async ({watch}) => {
		const shared = createSharedRecord();
		const {renew, contexts} = staged(second, second);
		let wasLocked = false;
		const holders = ['a', 'b'].map(name =>
			watch(
				createSession({
					renew: context => {
						wasLocked = shared.isLocked();
						return renew(context);
					},
					store: storeOf(shared.realm(name)),
				}),
			),
		);
		const tokens = await Promise.all(holders.map(({getToken}) => getToken()));
		expect(tokens.map(({access_token}) => access_token)).toEqual(['second', 'second']);
		expect([contexts.length, wasLocked]).toEqual([1, true]);
	});

	test('createSession refuses the options of createAuth, a renew that is no function, and the store of another client', () => {
		const renew = (): null => null;
		const store = memoryStore();
		createAuth({tokenEndpoint: 'https://as.example/token', clientId: 'a', store});
		const make =
			(options: object): (() => unknown) =>
			() =>
				createSession({renew, ...options});
		expect(make({tokenEndpoint: 'https://as.example/token'})).toThrow('tokenEndpoint is not an option');
		expect(make({renew: undefined})).toThrow('renew is required: a function');
		expect(make({renew: 'https://app.example.com/refresh'})).toThrow('renew must be a function');
		expect(make({store})).toThrow('store serves another client');
		for (const options of [{tokenEndpoint: 'x'}, {renew: 1}, {store}]) expect(make(options)).toThrow(ConfigError);
	});
});
