import ky, {isHTTPError, type KyInstance} from 'ky';
import {
	type Auth,
	type AuthEvent,
	type AuthOptions,
	createAuth,
	isSignedOut,
	requestToken,
	type TokenClient,
	type TokenSet,
} from 'regrant';
import {createLogin, discover} from 'regrant/login';
import {describe, expect, test as base} from 'vitest';
import {type Canaries, createCanaries} from '../../support/canaries.ts';
import {interceptConsole} from '../../support/console.ts';
import {createFakeStorage} from '../../support/fake-login.ts';
import {type Front, type RealServer, redirect_uri, type RegisteredClient, startFront} from './front.ts';

/** A real authorization server, and which features it has. */
export interface ServerUnderTest {
	readonly name: string;
	/** Starts the server. `origin` is what its clients see. */
	start(origin: string): Promise<RealServer>;
	/** True if the client that users sign in with has a secret. */
	readonly hasSecret?: boolean;
	readonly hasRevocation?: boolean;
	/** True if the server has the grant `client_credentials`. */
	readonly hasService?: boolean;
	/** True if the server publishes its metadata. */
	readonly hasMetadata?: boolean;
	/** The expected error for a wrong secret: `invalid_client` by default. */
	readonly wrongSecret?: object;
}

/** A session at the server, with its recorded events. */
export interface Session {
	readonly auth: Auth;
	/** Calls the API. */
	call(init?: {readonly method?: string; readonly json?: unknown}): Promise<Response>;
	readonly events: AuthEvent[];
}

const manyCalls = 40;

/** Makes a token that must be renewed before it is sent. */
export const expired = {expires_at: 1, issued_at: 0};

/** The token requests so far: the grant type of each, and whether it was granted. */
export const grantsOf = ({tokenRequests}: Front): string[] =>
	tokenRequests.map(({grant_type, isGranted}) => `${grant_type} ${isGranted ? 'granted' : 'refused'}`);

const typesOf = (events: readonly AuthEvent[]): string[] => events.map(({type}) => type);

/** Returns the options that concern the token endpoint. */
function clientOf(server: Front, client: RegisteredClient): TokenClient {
	const {origin, tokenPath, revocationPath} = server;
	const {clientId, clientAuthentication, parameters} = client;
	return {
		tokenEndpoint: origin + tokenPath,
		clientId,
		...(revocationPath !== undefined && {revocationEndpoint: origin + revocationPath}),
		...(clientAuthentication && {clientAuthentication}),
		...(parameters && {parameters}),
	};
}

/** Creates a session for one of the server's clients. */
export function createSession(server: Front, client: RegisteredClient, canaries: Canaries): Session {
	const {grant, endsSession} = client;
	const options: AuthOptions = {
		...clientOf(server, client),
		...(grant && {grant}),
		...(endsSession && {endsSession}),
	};
	const auth = createAuth(options);
	const events: AuthEvent[] = [];
	auth.subscribe(event => void events.push(canaries.see(event)));
	const api: KyInstance = ky.extend({baseUrl: server.origin, hooks: auth.hooks, retry: 0});
	return {auth, events, call: init => api(server.resourcePath, init)};
}

/** Signs in a user as an application does: the login gives a code, which is exchanged for tokens. */
async function signIn(server: Front): Promise<TokenSet & {readonly refresh_token: string}> {
	const token = await requestToken(clientOf(server, server.app), await server.signIn());
	const {refresh_token} = token;
	if (refresh_token === undefined) throw new Error('The login brought no refresh token');
	server.reset();
	return {...token, refresh_token};
}

/** Returns the reasons of rejected calls. Throws if one of the calls was answered. */
function rejections(calls: ReadonlyArray<Promise<unknown>>, {rejection}: Canaries): Promise<unknown[]> {
	return Promise.all(calls.map(rejection));
}

/** A vitest `test` with the server, which all tests of a file share. It fails if a token shows in anything that was recorded. */
// oxlint-disable-next-line typescript/explicit-function-return-type -- vitest has no name for it
function createTest({start}: ServerUnderTest) {
	return (
		base
			// oxlint-disable-next-line no-empty-pattern -- vitest reads which fixtures are used from the pattern
			.extend('running', {scope: 'file'}, async ({}, {onCleanup}) => {
				const front = await startFront(start);
				onCleanup(front.close);
				return front;
			})
			.extend('server', async ({running}) => {
				running.reset();
				return running;
			})
			.extend('canaries', {auto: true}, async ({server}, {onCleanup}) => {
				const canaries = createCanaries();
				// The servers may write to the console, because they are not under test.
				const output = interceptConsole();
				onCleanup(() => {
					output.restore();
					canaries.plantAll(server.issued);
					canaries.scan();
				});
				return canaries;
			})
	);
}

type ServerTest = ReturnType<typeof createTest>;

/** Defines the tests of regrant with a real server. Returns the vitest `test` with that server, for tests of its peculiarities. */
export function specify(subject: ServerUnderTest): ServerTest {
	const test = createTest(subject);
	describe(`at ${subject.name}`, () => {
		specifyUsers(test);
		if (subject.hasMetadata) specifyLogin(test);
		specifySignOut(test, subject);
		if (subject.hasSecret) specifyWrongSecret(test, subject, 'app');
		if (subject.hasService) {
			specifyService(test);
			specifyWrongSecret(test, subject, 'service');
		}
	});
	return test;
}

function specifyUsers(test: ServerTest): void {
	test('the code of a login is exchanged for a token that the API takes', async ({server, canaries}) => {
		const token = await requestToken(clientOf(server, server.app), await server.signIn());
		expect(grantsOf(server)).toEqual(['authorization_code granted']);
		expect(token).toMatchObject({token_type: expect.stringMatching(/^bearer$/i), refresh_token: expect.any(String)});
		const {auth, call} = createSession(server, server.app, canaries);
		await auth.setToken(token);
		expect((await call()).ok).toBe(true);
		expect(grantsOf(server)).toHaveLength(1);
	});

	test('a 401 leads to one refresh, and the call is sent again with its body', async ({server, canaries}) => {
		const token = await signIn(server);
		const {auth, call} = createSession(server, server.app, canaries);
		await auth.setToken(token);
		await server.expire(token.access_token);
		expect((await call({method: 'post', json: {amount: 12}})).ok).toBe(true);
		expect(server.calls).toEqual([
			{method: 'POST', body: '{"amount":12}', status: 401},
			{method: 'POST', body: '{"amount":12}', status: expect.not.stringMatching('401')},
		]);
		expect(grantsOf(server)).toEqual(['refresh_token granted']);
		// This time, the session uses the refresh token that came with the first grant.
		await server.expire((await auth.getToken()).access_token);
		expect((await call()).ok).toBe(true);
		expect(grantsOf(server)).toEqual(['refresh_token granted', 'refresh_token granted']);
	});

	test('forty calls at once with a token that the API rejects make one refresh', async ({server, canaries}) => {
		const token = await signIn(server);
		const {auth, call} = createSession(server, server.app, canaries);
		await auth.setToken(token);
		await server.expire(token.access_token);
		const responses = await Promise.all(Array.from({length: manyCalls}, () => call()));
		expect(responses.map(({ok}) => ok)).toEqual(Array.from({length: manyCalls}, () => true));
		expect(grantsOf(server)).toEqual(['refresh_token granted']);
		// If the server had seen the refresh token twice, it would have ended the session.
		await auth.refresh();
		expect((await call()).ok).toBe(true);
	});

	test('a rejected refresh token ends the session, once for forty calls', async ({server, canaries}) => {
		const token = await signIn(server);
		const {auth, call, events} = createSession(server, server.app, canaries);
		await auth.setToken({...token, ...expired});
		await server.kill(token.refresh_token);
		const errors = await rejections(
			Array.from({length: manyCalls}, () => call()),
			canaries,
		);
		expect(errors.filter(error => !isSignedOut(error) || error.reason !== 'invalid_grant')).toEqual([]);
		expect(grantsOf(server)).toEqual(['refresh_token refused']);
		expect(typesOf(events)).toEqual(['token', 'session-ended']);
		expect(auth.status).toBe('signed-out');
		// From now on, calls are sent without a token, and no token request is sent.
		expect(isHTTPError(await canaries.rejection(call()))).toBe(true);
		expect(isSignedOut(await canaries.rejection(auth.getToken()))).toBe(true);
		expect(server.calls.map(({status}) => status)).toEqual([401]);
		expect(grantsOf(server)).toHaveLength(1);
	});
}

function specifyLogin(test: ServerTest): void {
	test('a login goes from the metadata to a call of the API, and on from there', async ({server, canaries}) => {
		const {origin, app, login: place} = server;
		if (!place) throw new Error('There is nothing to log in with');
		const metadata = await discover(origin + place.issuerPath);
		const {clientId, clientAuthentication} = app;
		const client = {...metadata, clientId, ...(clientAuthentication && {clientAuthentication})};
		const storage = createFakeStorage();
		const login = createLogin({...client, redirectUri: redirect_uri, storage, scope: place.scope});
		const url = await place.visit(await login.start({returnTo: '/accounts'}));
		expect(login.isCallback(url ?? '')).toBe(true);
		const {token, returnTo, claims} = await login.finish(url ?? '');
		expect(returnTo).toBe('/accounts');
		expect(claims === undefined).toBe(!place.scope?.includes('openid'));
		const auth = createAuth(client);
		const api = ky.extend({baseUrl: origin, hooks: auth.hooks, retry: 0});
		await auth.setToken(token);
		await auth.refresh();
		expect((await api(server.resourcePath)).ok).toBe(true);
		expect(grantsOf(server)).toEqual(['authorization_code granted', 'refresh_token granted']);
		expect(await canaries.rejection(login.finish(url ?? ''))).toMatchObject({code: 'login_failed'});
	});
}

function specifySignOut(test: ServerTest, {hasRevocation = false}: ServerUnderTest): void {
	const where = hasRevocation ? 'here and at the server' : 'here, where the server revokes nothing';
	test(`signing out ends the session ${where}`, async ({server, canaries}) => {
		const token = await signIn(server);
		const {auth, call, events} = createSession(server, server.app, canaries);
		await auth.setToken(token);
		await auth.signOut();
		expect(server.revocations).toEqual(hasRevocation ? [true] : []);
		expect(typesOf(events)).toEqual(['token', 'session-ended']);
		expect(await auth.peek()).toBeUndefined();
		expect(isHTTPError(await canaries.rejection(call()))).toBe(true);
		expect(grantsOf(server)).toEqual([]);
		if (!hasRevocation) return;
		const {refresh_token} = token;
		const request = {grant_type: 'refresh_token', refresh_token} as const;
		await canaries.rejection(requestToken(clientOf(server, server.app), request));
		expect(grantsOf(server)).toEqual(['refresh_token refused']);
	});
}

/** The most token requests since `begun`: the back-off starts with one second and doubles. */
const mostRequests = (begun: number): number => 1 + Math.floor((performance.now() - begun) / 1000);

function specifyWrongSecret(
	test: ServerTest,
	{wrongSecret = {name: 'OAuthError', error: 'invalid_client'}}: ServerUnderTest,
	role: 'app' | 'service',
): void {
	test(`a wrong secret of the ${role} is one token request, and costs no session`, async ({server, canaries}) => {
		const token = role === 'app' ? await signIn(server) : undefined;
		const right = server[role] ?? server.app;
		const {wrongAuthentication} = right;
		if (!wrongAuthentication) throw new Error('There is no wrong secret');
		const {auth, call, events} = createSession(server, {...right, clientAuthentication: wrongAuthentication}, canaries);
		if (token) await auth.setToken({...token, ...expired});
		events.length = 0;
		const begun = performance.now();
		const errors = await rejections(
			Array.from({length: manyCalls}, () => call()),
			canaries,
		);
		expect(errors).toEqual(Array.from({length: manyCalls}, () => expect.objectContaining(wrongSecret)));
		expect(grantsOf(server)).toHaveLength(1);
		for (let index = 0; index < manyCalls; index++) await canaries.rejection(call());
		expect(grantsOf(server).length).toBeLessThanOrEqual(mostRequests(begun));
		expect(typesOf(events)).toEqual(server.tokenRequests.map(() => 'refresh-failed'));
		expect((await auth.peek())?.access_token).toBe(token?.access_token);
		server.reset();
		const mended = createSession(server, right, canaries);
		if (token) await mended.auth.setToken({...token, ...expired});
		expect((await mended.call()).ok).toBe(true);
	});
}

function specifyService(test: ServerTest): void {
	test('a service gets its own token, once for forty calls', async ({server, canaries}) => {
		const {call} = createSession(server, server.service ?? server.app, canaries);
		const responses = await Promise.all(Array.from({length: manyCalls}, () => call()));
		expect(responses.map(({ok}) => ok)).toEqual(Array.from({length: manyCalls}, () => true));
		expect(grantsOf(server)).toEqual(['client_credentials granted']);
	});

	test('a 401 of a service leads to one new token, and forty calls are sent again', async ({server, canaries}) => {
		const {auth, call} = createSession(server, server.service ?? server.app, canaries);
		await server.expire((await auth.getToken()).access_token);
		server.reset();
		const responses = await Promise.all(Array.from({length: manyCalls}, () => call()));
		expect(responses.map(({ok}) => ok)).toEqual(Array.from({length: manyCalls}, () => true));
		expect(server.tokenRequests.map(({isGranted}) => isGranted)).toEqual([true]);
		expect(server.calls.some(({status}) => status === 401)).toBe(true);
	});
}
