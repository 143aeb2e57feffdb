import {createContext, runInContext} from 'node:vm';
import {build} from 'esbuild';
import {describe, expect} from 'vitest';
import type * as regrant from '../../src/index.ts';
import {ConfigError, isRegrantError, isSignedOut, OAuthError, SessionEndedError} from '../../src/index.ts';
import {createFakeApi, type FakeApi} from '../support/fake-api.ts';
import {createFakeClient, type FakeClient, refusal} from '../support/fake-token-endpoint.ts';
import {
	createClock,
	createGate,
	createSharedRecord,
	expired,
	gist,
	memoryDriver,
	outcomeOf,
	record,
	settle,
	storeOf,
} from '../support/scenario.ts';
import {test} from '../support/test.ts';

type Act = (auth: FakeClient['auth'], api: FakeApi, client: FakeClient) => Promise<unknown>;

const call: Act = (auth, api) =>
	api
		.client(auth)
		.get('me')
		.then(({status}) => status);

/** What ends a session, the reason that the event gives, and the result for the caller. */
const ends: ReadonlyArray<readonly [title: string, token: object, act: Act, reason: string, outcome: unknown]> = [
	['the API refuses a token that nothing can renew', {access_token: 'a'}, call, 'no_refresh_token', 401],
	[
		'a token that nothing can renew has expired: a call',
		{access_token: 'a', ...expired},
		call,
		'no_refresh_token',
		401,
	],
	[
		'a token that nothing can renew has expired: getToken',
		{access_token: 'a', ...expired},
		auth => outcomeOf(auth.getToken()),
		'no_refresh_token',
		'SessionEndedError no_refresh_token',
	],
	[
		'a token that nothing can renew has expired: refresh',
		{access_token: 'a', ...expired},
		auth => outcomeOf(auth.refresh()),
		'no_refresh_token',
		'SessionEndedError no_refresh_token',
	],
	[
		'a WebSocket refuses a token that nothing can renew',
		{access_token: 'a'},
		async auth => outcomeOf(auth.refresh({instead: (await auth.peek())?.access_token})),
		'no_refresh_token',
		'SessionEndedError no_refresh_token',
	],
	[
		'the server refuses the refresh token: getToken',
		{access_token: 'a', refresh_token: 'dead', ...expired},
		auth => outcomeOf(auth.getToken()),
		'invalid_grant',
		'SessionEndedError invalid_grant',
	],
	[
		'the server refuses the refresh token: refresh',
		{access_token: 'a', refresh_token: 'dead'},
		auth => outcomeOf(auth.refresh()),
		'invalid_grant',
		'SessionEndedError invalid_grant',
	],
	[
		'the server refuses the refresh token after a 401',
		{access_token: 'a', refresh_token: 'dead'},
		(auth, api) => outcomeOf(api.client(auth).get('me')),
		'invalid_grant',
		'SessionEndedError invalid_grant',
	],
	['the user signs out', {access_token: 'a', refresh_token: 'r'}, auth => auth.signOut(), 'signed_out', undefined],
];

describe('session-ended', () => {
	test.for(ends)('session-ended is told once, with its reason: %s', async ([, token, act, reason, outcome]) => {
		const client = createFakeClient(() => refusal('invalid_grant'));
		const {auth, asked} = client;
		const api = createFakeApi();
		await auth.setToken(token as regrant.TokenSet);
		const events = record(auth);
		expect(await act(auth, api, client)).toBe(outcome);
		expect(gist(events)).toEqual([`session-ended ${reason}`]);
		expect([auth.status, await auth.peek()]).toEqual(['signed-out', undefined]);
		// From now on there is no session to end, and no request is sent.
		const requests = asked.length;
		for (let count = 0; count < 3; count++) await call(auth, api, client);
		const late = [auth.getToken(), auth.refresh(), auth.refresh({instead: 'a'})];
		expect(await Promise.all(late.map(outcomeOf))).toEqual(late.map(() => 'SessionEndedError no_session'));
		await auth.signOut();
		expect(gist(events)).toHaveLength(1);
		expect(asked).toHaveLength(requests);
		expect(api.requests.at(-1)?.headers.get('authorization')).toBeNull();
	});

	test.for(ends)('session-ended can be told again after another login: %s', async ([, token, act, reason]) => {
		const client = createFakeClient(() => refusal('invalid_grant'));
		const {auth} = client;
		const events = record(auth);
		for (const access_token of ['a', 'b']) {
			const again = {...(token as regrant.TokenSet), access_token};
			await auth.setToken(again);
			await act(auth, createFakeApi(), client);
		}
		const round = ['token set', `session-ended ${reason}`];
		expect(gist(events)).toEqual([...round, ...round]);
	});

	test('session-ended is told once if forty calls find that their token is dead', async () => {
		const {auth} = createFakeClient(() => undefined);
		await auth.setToken({access_token: 'a'});
		const events = record(auth);
		const client = createFakeApi().client(auth);
		await Promise.all(Array.from({length: 40}, () => client.get('me')));
		expect(gist(events)).toEqual(['session-ended no_refresh_token']);
	});

	test('session-ended is told in every realm if another one signs out', async () => {
		const shared = createSharedRecord();
		const [here, there] = ['here', 'there'].map(
			name => createFakeClient(() => undefined, {store: storeOf(shared.realm(name))}).auth,
		);
		if (!here || !there) throw new Error('There are two');
		await here.setToken({access_token: 'a', refresh_token: 'r'});
		await there.peek();
		const events = record(there);
		await settle();
		await here.signOut();
		await settle();
		expect(gist(events)).toEqual(['session-ended signed_out']);
		expect(there.status).toBe('signed-out');
	});

	test('session-ended is not told of a good token that cannot be renewed', async () => {
		const clock = createClock();
		const {auth} = createFakeClient(() => undefined, {now: clock.now});
		await auth.setToken({access_token: 'a', expires_in: 60});
		const events = record(auth);
		expect(await outcomeOf(auth.refresh())).toBe('SessionEndedError no_refresh_token');
		clock.advance(59);
		expect(await outcomeOf(auth.getToken({minimumLifetime: 10}))).toBe('SessionEndedError no_refresh_token');
		expect(await auth.getToken()).toMatchObject({access_token: 'a'});
		expect([gist(events), auth.status]).toEqual([[], 'signed-in']);
	});

	test('session-ended is not told of a 401 that a new token cannot help, nor of one of another origin', async ({
		serve,
	}) => {
		const elsewhere = await serve(() => ({status: 401}));
		const headers = {'www-authenticate': 'Bearer error="insufficient_scope"'};
		const api = createFakeApi(() => new Response(null, {status: 401, headers}));
		const {auth} = createFakeClient(() => undefined);
		await auth.setToken({access_token: 'a'});
		const events = record(auth);
		await api.client(auth).get('me');
		await auth.fetch(elsewhere.origin);
		expect([gist(events), auth.status]).toEqual([[], 'signed-in']);
	});

	test.for<[title: string, token: object, act: Act]>([
		['a call whose token is refused', {access_token: 'a'}, call],
		['a refresh', {access_token: 'a', refresh_token: 'r', ...expired}, auth => outcomeOf(auth.getToken())],
	])(
		'session-ended is told once if the user signs out while the session ends by itself: %s',
		async ([, token, act]) => {
			const deleting = createGate();
			const {get, set, ...driver} = memoryDriver();
			const slow = async (): Promise<void> => {
				await deleting.pass();
				await driver.delete();
			};
			const client = createFakeClient(() => refusal('invalid_grant'), {store: storeOf({get, set, delete: slow})});
			const {auth} = client;
			await auth.setToken(token as regrant.TokenSet);
			const events = record(auth);
			let snapshot = auth.status;
			auth.subscribe(() => {
				snapshot = auth.status;
			});
			const ending = act(auth, createFakeApi(), client).catch(() => {});
			await deleting.reached;
			const out = auth.signOut();
			deleting.open();
			await Promise.all([ending, out]);
			await settle();
			expect(gist(events).map(event => event.split(' ')[0])).toEqual(['session-ended']);
			expect([auth.status, snapshot]).toEqual(['signed-out', 'signed-out']);
		},
	);

	test('session-ended is not told where there was no session', async () => {
		const {auth} = createFakeClient(() => undefined);
		const events = record(auth);
		expect(await outcomeOf(auth.getToken())).toBe('SessionEndedError no_session');
		expect(await outcomeOf(auth.refresh())).toBe('SessionEndedError no_session');
		await call(auth, createFakeApi(), {auth, asked: []});
		await auth.signOut();
		expect(gist(events)).toEqual([]);
	});
});

describe('isSignedOut', () => {
	test.for(['invalid_grant', 'no_refresh_token', 'signed_out', 'no_session'] as const)(
		'isSignedOut is true for every SessionEndedError: %s',
		reason => {
			expect(isSignedOut(new SessionEndedError(reason))).toBe(true);
		},
	);

	test('isSignedOut is true for the error of another realm, and there for one of ours', async () => {
		const {outputFiles} = await build({
			entryPoints: ['src/index.ts'],
			bundle: true,
			format: 'iife',
			globalName: 'regrant',
			logLevel: 'silent',
			write: false,
		});
		const realm = createContext({
			URL,
			URLSearchParams,
			Headers,
			AbortController,
			setTimeout,
			clearTimeout,
			performance,
		});
		runInContext(outputFiles[0]?.text ?? '', realm);
		const there = realm['regrant'] as typeof regrant;
		const {auth} = createFakeClient(() => undefined);
		const [theirs, ours] = await Promise.all(
			[there.createSession({renew: () => null}), auth].map(({getToken}) => getToken().catch((error: unknown) => error)),
		);
		expect([theirs instanceof Error, theirs instanceof SessionEndedError]).toEqual([false, false]);
		expect([isSignedOut(theirs), there.isSignedOut(ours), there.isSignedOut(theirs)]).toEqual([true, true, true]);
		if (!isSignedOut(theirs)) throw new Error('It was');
		expect(theirs.reason).toBe('no_session');
	});

	test.for<[title: string, value: unknown]>([
		['another error of regrant', new OAuthError({error: 'invalid_grant'})],
		['a ConfigError', new ConfigError('no')],
		['an error that looks like it', Object.assign(new Error('x'), {name: 'SessionEndedError', code: 'session_ended'})],
		['nothing', undefined],
		['null', null],
		['a text', 'session_ended'],
	])('isSignedOut is false for %s', ([, value]) => {
		expect(isSignedOut(value)).toBe(false);
		if (value instanceof ConfigError) expect(isRegrantError(value)).toBe(true);
	});
});
