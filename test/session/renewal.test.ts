import ky from 'ky';
import {describe, expect, vi} from 'vitest';
import {
	type Auth,
	type AuthOptions,
	type AuthTokenRequest,
	clientSecretPost,
	ConfigError,
	createAuth,
	isRegrantError,
	OAuthError,
	SessionEndedError,
	TokenNetworkError,
	TokenResponseError,
	type TokenRequest,
} from '../../src/index.ts';
import {
	appOptions,
	createClock,
	createGate,
	createSharedRecord,
	expired,
	gist,
	outcomeOf,
	record,
	serviceGrant,
	serviceOptions,
	settle,
	signIn,
	memoryDriver,
	storeOf,
} from '../support/scenario.ts';
import type {AuthorizationServer, EndpointRequest} from '../support/authorization-server.ts';
import {app, service} from '../support/authorization-server.ts';
import type {SeedApi} from '../support/seed-api.ts';
import {seedClient} from '../support/seed-vault.ts';
import type {Reply} from '../support/serve.ts';
import {once} from '../support/stage.ts';
import {test} from '../support/test.ts';

test.override('serverOptions', {accessTokenSeconds: 60});

const json = (body: unknown, status = 200, headers: Reply['headers'] = []): Reply => ({
	status,
	headers: [['content-type', 'application/json'], ...headers],
	body: JSON.stringify(body),
});

const html = (status: number): Reply => ({
	status,
	headers: [['content-type', 'text/html; charset=utf-8']],
	body: '<html>sign in</html>',
});

const nothing = (): undefined => undefined;

const grantTypes = ({tokenRequests}: AuthorizationServer): Array<string | null> =>
	tokenRequests.map(({parameters}) => parameters.get('grant_type'));

describe('a token is renewed before it is sent', () => {
	test.for<[lifetime: number, leeway: number | undefined, margin: number]>([
		[3600, undefined, 30],
		[3600, 60, 60],
		[60, undefined, 6],
		[60, 3, 3],
		[60, 0, 0],
		[10, 60, 1],
		[300_000, 1000, 1000],
	])(
		'a token of %d seconds, with a leeway of %s, is renewed %d seconds before it expires [R28]',
		async ([lifetime, leeway, margin], {server, watch}) => {
			const clock = createClock();
			const auth = watch(createAuth(appOptions(server, {leeway, now: clock.now})));
			await auth.setToken({...(await server.mint()), expires_in: lifetime});
			clock.advance(lifetime - margin - 1);
			await auth.fetch(`${server.api}/me`);
			expect(server.tokenRequests).toHaveLength(0);
			clock.advance(1);
			await auth.fetch(`${server.api}/me`);
			await auth.fetch(`${server.api}/me`);
			expect(server.tokenRequests).toHaveLength(1);
			expect(server.calls.map(({status}) => status)).toEqual([200, 200, 200]);
		},
	);

	test('a token that lives shorter than the leeway is granted once for a hundred calls in a third of its lifetime [R28, F-34]', async ({
		server,
		watch,
	}) => {
		const clock = createClock();
		server.onTokenAnswer((_request, {body}) => json({...(body as object), expires_in: 30}));
		const auth = watch(createAuth(serviceOptions(server, {leeway: 60, now: clock.now})));
		for (let count = 0; count < 100; count++) {
			await auth.getToken();
			clock.advance(0.1);
		}
		expect(server.tokenRequests).toHaveLength(1);
	});

	test('the lifetime of a token counts from before the request was sent [R27]', async ({server, watch}) => {
		const clock = createClock();
		const auth = watch(createAuth(serviceOptions(server, {now: clock.now})));
		const start = clock.seconds();
		server.onToken(once(() => clock.advance(5)));
		expect(await auth.getToken()).toMatchObject({issued_at: start, expires_at: start + 60});
	});

	test('a token without a known expiry is used until a 401 [R26]', async ({server, watch}) => {
		const clock = createClock();
		const auth = watch(createAuth(appOptions(server, {now: clock.now})));
		const {access_token, refresh_token} = await server.mint();
		await auth.setToken({access_token, refresh_token, token_type: 'Bearer'});
		clock.advance(10 * 365 * 86_400);
		expect(await auth.getToken()).toMatchObject({access_token});
		expect((await auth.fetch(`${server.api}/me`)).status).toBe(200);
		expect(server.tokenRequests).toHaveLength(0);
		await server.expire(access_token);
		expect((await auth.fetch(`${server.api}/me`)).status).toBe(200);
		expect(server.tokenRequests).toHaveLength(1);
	});

	test('a stored token that is older than its lifetime is renewed before the call [F-85]', async ({server, watch}) => {
		const store = memoryDriver();
		const {access_token, refresh_token} = await server.mint();
		await store.set({access_token, refresh_token, token_type: 'Bearer', ...expired});
		const auth = watch(createAuth(appOptions(server, {store})));
		expect((await auth.fetch(`${server.api}/me`)).status).toBe(200);
		expect(server.calls.map(({status}) => status)).toEqual([200]);
		expect(server.tokenRequests).toHaveLength(1);
	});

	test('a token that is expired on arrival serves the waiting calls, and each further call makes one grant [F-27]', async ({
		server,
		watch,
	}) => {
		server.onTokenAnswer((_request, {body}) => json({...(body as object), expires_in: 0}));
		const auth = watch(createAuth(appOptions(server)));
		await signIn(server, auth, expired);
		const first = await Promise.all(Array.from({length: 10}, () => auth.fetch(`${server.api}/me`)));
		expect(first.map(({status}) => status)).toEqual(Array(10).fill(200));
		expect(server.tokenRequests).toHaveLength(1);
		expect((await auth.fetch(`${server.api}/me`)).status).toBe(200);
		expect(server.tokenRequests).toHaveLength(2);
	});
});

describe('a clock that is wrong', () => {
	test('a clock that is an hour ahead causes one early renewal, and not one for each call [F-80]', async ({
		server,
		watch,
	}) => {
		const clock = createClock();
		const auth = watch(createAuth(appOptions(server, {now: clock.now})));
		await signIn(server, auth);
		clock.advance(3600);
		for (let count = 0; count < 5; count++) expect((await auth.fetch(`${server.api}/me`)).status).toBe(200);
		expect(server.tokenRequests).toHaveLength(1);
	});

	test('a clock that is an hour behind makes the expiry unknown: the token is used until a 401 [F-81, R84]', async ({
		server,
		watch,
	}) => {
		const clock = createClock();
		const auth = watch(createAuth(appOptions(server, {now: clock.now})));
		const {access_token} = await signIn(server, auth);
		clock.advance(-3600);
		expect((await auth.fetch(`${server.api}/me`)).status).toBe(200);
		expect(await auth.getToken({minimumLifetime: 86_400})).toMatchObject({access_token});
		expect(server.tokenRequests).toHaveLength(0);
		await server.expire(access_token);
		expect((await auth.fetch(`${server.api}/me`)).status).toBe(200);
		expect(server.tokenRequests).toHaveLength(1);
	});

	test('a laptop that wakes after eight hours makes one grant [F-82]', async ({server, watch}) => {
		const clock = createClock();
		const auth = watch(createAuth(appOptions(server, {now: clock.now})));
		await signIn(server, auth);
		clock.advance(8 * 3600);
		const answers = await Promise.all(Array.from({length: 10}, () => auth.fetch(`${server.api}/me`)));
		expect(answers.map(({status}) => status)).toEqual(Array(10).fill(200));
		expect(server.tokenRequests).toHaveLength(1);
	});

	test('a laptop that sleeps eight hours during a grant serves the waiting calls, and all others with one more grant [F-82]', async ({
		server,
		watch,
	}) => {
		const clock = createClock();
		const auth = watch(createAuth(appOptions(server, {now: clock.now})));
		await signIn(server, auth, expired);
		server.onToken(once(() => clock.advance(8 * 3600)));
		for (const grants of [1, 2, 2]) {
			const answers = await Promise.all(Array.from({length: 10}, () => auth.fetch(`${server.api}/me`)));
			expect(answers.map(({status}) => status)).toEqual(Array(10).fill(200));
			expect(server.tokenRequests).toHaveLength(grants);
		}
	});

	test('a server whose clock is wrong costs one retry, and then its 401 reaches the caller [F-83]', async ({
		server,
		watch,
	}) => {
		const auth = watch(createAuth(appOptions(server)));
		await signIn(server, auth);
		server.onCall(() => ({status: 401, headers: [['www-authenticate', 'Bearer error="invalid_token"']]}));
		for (let count = 0; count < 5; count++) expect((await auth.fetch(`${server.api}/me`)).status).toBe(401);
		expect([server.calls.length, server.tokenRequests.length]).toEqual([6, 1]);
	});

	test('nobody waits for a clock that stands still [F-84]', async ({server, watch}) => {
		const auth = watch(createAuth(appOptions(server, {now: () => 1_800_000_000_000})));
		await signIn(server, auth, expired);
		server.onToken(once(() => ({status: 503})));
		await expect(auth.getToken()).rejects.toBeInstanceOf(TokenResponseError);
		await expect(auth.getToken()).rejects.toBeInstanceOf(TokenResponseError);
		expect(server.tokenRequests).toHaveLength(1);
	});
});

describe('a renewal that fails', () => {
	type Row = [title: string, answer: Reply, error: object];
	const transient = {retryable: true};
	const lasting = {retryable: false};

	const rows: Row[] = [
		['F-01: reset', {reset: true}, {name: 'TokenNetworkError', code: 'network', ...transient}],
		[
			'F-04: 500 with HTML',
			html(500),
			{name: 'TokenResponseError', code: 'unexpected_status', status: 500, ...transient},
		],
		['408', {status: 408}, {code: 'unexpected_status', status: 408, ...transient}],
		['425', {status: 425}, {code: 'unexpected_status', status: 425, ...transient}],
		['F-07: 429', {status: 429}, {code: 'unexpected_status', status: 429, ...transient}],
		['502', {status: 502}, {code: 'unexpected_status', status: 502, ...transient}],
		['F-06: 503, empty', {status: 503, body: ''}, {code: 'unexpected_status', status: 503, ...transient}],
		['503 with invalid_grant', json({error: 'invalid_grant'}, 503), {error: 'invalid_grant', ...transient}],
		['503 with an OAuth error', json({error: 'x'}, 503), {name: 'OAuthError', error: 'x', status: 503, ...transient}],
		['F-44: server_error', json({error: 'server_error'}, 400), {error: 'server_error', ...transient}],
		['F-44: temporarily_unavailable', json({error: 'temporarily_unavailable'}, 400), transient],
		['F-44: slow_down', json({error: 'slow_down'}, 400), {error: 'slow_down', ...transient}],
		['404 with HTML', html(404), {code: 'unexpected_status', ...transient}],
		['F-16, F-17: 200 with HTML', html(200), {name: 'TokenResponseError', code: 'not_json', status: 200, ...transient}],
		['F-19: 200 with half of a JSON', {body: '{"access_token":"at', status: 200}, {code: 'not_json', ...transient}],
		['F-20: 200 with nothing', {body: ''}, {code: 'not_json', ...transient}],
		[
			'F-20: 200 with a list',
			json([{access_token: 'at', token_type: 'Bearer'}]),
			{code: 'invalid_response', ...lasting},
		],
		['F-12: 204', {status: 204}, {code: 'not_json', status: 204, ...transient}],
		['404', {status: 404}, {code: 'unexpected_status', status: 404, ...lasting}],
		['F-09: 302', {status: 302, headers: [['location', '/']]}, {code: 'unexpected_redirect', ...lasting}],
		['F-10: 307', {status: 307, headers: [['location', '/']]}, {code: 'unexpected_redirect', ...lasting}],
		['F-24: no access token', json({token_type: 'Bearer'}), {code: 'invalid_response', ...lasting}],
		[
			'F-37: another token type',
			json({access_token: 'at', token_type: 'mac'}),
			{code: 'unsupported_token_type', ...lasting},
		],
		[
			'F-44: invalid_client',
			json({error: 'invalid_client'}, 400),
			{name: 'OAuthError', error: 'invalid_client', ...lasting},
		],
		[
			'F-44: unauthorized_client',
			json({error: 'unauthorized_client'}, 400),
			{error: 'unauthorized_client', ...lasting},
		],
		['F-44: unsupported_grant_type', json({error: 'unsupported_grant_type'}, 400), {name: 'OAuthError', ...lasting}],
		['F-44: invalid_request', json({error: 'invalid_request'}, 400), {error: 'invalid_request', ...lasting}],
		['F-44: invalid_scope', json({error: 'invalid_scope'}, 400), {error: 'invalid_scope', ...lasting}],
		['F-44: an unknown code', json({error: 'whatever'}, 400), {error: 'whatever', code: 'oauth_error', ...lasting}],
		[
			'R35: 200 with an error beside a token',
			json({error: 'whatever', access_token: 'not-to-be-used', token_type: 'Bearer'}),
			{error: 'whatever', ...lasting},
		],
		[
			'R37: a Basic challenge',
			json({error: 'invalid_grant'}, 401, [['www-authenticate', 'Basic realm="as"']]),
			{error: 'invalid_client', ...lasting},
		],
		['F-123: 422', json({scope: 'no'}, 422), {name: 'OAuthError', error: 'invalid_request', status: 422, ...lasting}],
	];

	test.for(rows)(
		'a renewal that fails with %s keeps the session, is reported, and is not repeated at once [R66]',
		async ([, answer, error], {server, watch}) => {
			const clock = createClock();
			const auth = watch(createAuth(appOptions(server, {now: clock.now})));
			await signIn(server, auth, expired);
			const events = record(auth);
			const recover = server.onToken(() => answer);
			const [first, ...others] = await Promise.all(
				[auth.getToken(), auth.fetch(`${server.api}/me`), auth.refresh()].map(promise =>
					promise.catch((error: unknown) => error),
				),
			);
			expect(first).toMatchObject(error);
			expect(isRegrantError(first)).toBe(true);
			expect(others).toEqual([first, first]);
			expect(others.every(other => other === first)).toBe(true);
			expect([server.calls.length, server.tokenRequests.length]).toEqual([0, 1]);
			expect(gist(events)).toEqual([`refresh-failed ${(first as TokenResponseError).code}`]);
			recover();
			await expect(auth.fetch(`${server.api}/me`)).rejects.toBe(first);
			expect(server.tokenRequests).toHaveLength(1);
			clock.advance(1);
			expect((await auth.fetch(`${server.api}/me`)).status).toBe(200);
			expect(server.tokenRequests).toHaveLength(2);
			expect(gist(events).slice(1)).toEqual(['token refresh']);
		},
	);

	test.for<[title: string, body: BodyInit | null]>([
		['F-02: nothing', null],
		['F-03: a body that stalls', new ReadableStream({start: controller => controller.enqueue(new Uint8Array([123]))})],
	])(
		'a renewal that fails with %s ends at the deadline, and the next call tries again',
		async ([, body], {server, watch}) => {
			const store = memoryDriver();
			const clock = createClock();
			const auth = watch(createAuth(appOptions(server, {store, timeout: 2_000, now: clock.now})));
			const patient = watch(createAuth(appOptions(server, {store, now: clock.now})));
			await signIn(server, auth, expired);
			const recover = server.onToken(() => (body ? new Response(body) : new Promise(() => {})));
			const error = await auth.getToken().catch((error: unknown) => error);
			expect(error).toBeInstanceOf(TokenNetworkError);
			expect(error).toMatchObject({code: 'timeout', retryable: true});
			expect(server.tokenRequests).toHaveLength(1);
			recover();
			clock.advance(1);
			expect((await patient.fetch(`${server.api}/me`)).status).toBe(200);
			expect(server.tokenRequests).toHaveLength(2);
		},
	);

	test.for([301, 302, 303, 307, 308])(
		'a renewal that gets a %d to B sends nothing to B [R15, F-09, F-10]',
		async (status, {server, serve, watch}) => {
			const b = await serve(() => json({access_token: 'of-another-server', token_type: 'Bearer'}));
			const auth = watch(createAuth(appOptions(server)));
			await signIn(server, auth, expired);
			server.onToken(() => ({status, headers: [['location', `${b.origin}/token`]]}));
			await expect(auth.getToken()).rejects.toMatchObject({code: 'unexpected_redirect', status, retryable: false});
			expect(b.requests).toEqual([]);
		},
	);

	test('a valid token is still used after a failed renewal, also by getToken within the leeway [F-07]', async ({
		server,
		watch,
	}) => {
		const clock = createClock();
		const auth = watch(createAuth(appOptions(server, {now: clock.now})));
		const {access_token} = await signIn(server, auth);
		clock.advance(55);
		const events = record(auth);
		server.onToken(() => ({status: 503}));
		expect((await auth.fetch(`${server.api}/me`)).status).toBe(200);
		expect(await auth.getToken()).toMatchObject({access_token});
		expect(await auth.getToken({minimumLifetime: 3})).toMatchObject({access_token});
		expect((await ky.get(`${server.api}/me`, {hooks: auth.hooks})).status).toBe(200);
		expect(server.calls.map(({authorization}) => authorization)).toEqual(Array(2).fill(`Bearer ${access_token}`));
		expect(server.tokenRequests).toHaveLength(1);
		expect(gist(events)).toEqual(['refresh-failed unexpected_status']);
		await expect(auth.refresh()).rejects.toBeInstanceOf(TokenResponseError);
		await expect(auth.getToken({minimumLifetime: 50})).rejects.toBeInstanceOf(TokenResponseError);
		clock.advance(6);
		await expect(auth.getToken()).rejects.toBeInstanceOf(TokenResponseError);
	});

	test('a call whose renewal fails after a 401 gets the error, and not the 401', async ({server, watch}) => {
		const auth = watch(createAuth(appOptions(server)));
		const {access_token} = await signIn(server, auth);
		await server.expire(access_token);
		server.onToken(() => ({status: 503}));
		const promises = [
			auth.fetch(`${server.api}/me`),
			ky.get(`${server.api}/me`, {hooks: auth.hooks, throwHttpErrors: false}),
		];
		for (const promise of promises)
			await expect(promise).rejects.toMatchObject({name: 'TokenResponseError', status: 503});
	});

	test('a 502 after the rotation keeps the session, and the next refresh ends it [F-05]', async ({server, watch}) => {
		server.referee.expectLoss();
		const clock = createClock();
		const auth = watch(createAuth(appOptions(server, {now: clock.now})));
		await signIn(server, auth, expired);
		const events = record(auth);
		server.onTokenAnswer(once(() => ({status: 502})));
		await expect(auth.getToken()).rejects.toMatchObject({status: 502, retryable: true});
		clock.advance(1);
		await expect(auth.getToken()).rejects.toMatchObject({name: 'SessionEndedError', reason: 'invalid_grant'});
		expect(gist(events)).toEqual(['refresh-failed unexpected_status', 'session-ended invalid_grant']);
		expect(server.tokenRequests.map(({status}) => status)).toEqual([502, 400]);
	});
});

describe('a cool-down', () => {
	async function failWith(
		server: AuthorizationServer,
		auth: Auth,
		headers: NonNullable<Reply['headers']>,
		status = 503,
	): Promise<unknown> {
		const recover = server.onToken(() => ({status, headers}));
		const error = await auth.getToken().catch((error: unknown) => error);
		recover();
		return error;
	}

	const clockStart = Math.floor(Date.now() / 1000) * 1000;

	test.for<[title: string, header: [string, string] | undefined, seconds: number, retryAfter: number | undefined]>([
		['F-06: Retry-After: 1', ['retry-after', '1'], 1, 1000],
		['F-07: Retry-After: 120', ['retry-after', '120'], 120, 120_000],
		['F-07: a date two minutes away', ['retry-after', new Date(clockStart + 120_000).toUTCString()], 120, 120_000],
		['F-07: no header', undefined, 1, undefined],
		['F-08: Retry-After: -5', ['retry-after', '-5'], 1, undefined],
		['F-08: Retry-After: 0x10', ['retry-after', '0x10'], 1, undefined],
		['F-08: Retry-After: 1.5', ['retry-after', '1.5'], 1, undefined],
		['F-08: garbage', ['retry-after', 'soon'], 1, undefined],
		['F-08: a date in the past', ['retry-after', new Date(clockStart - 120_000).toUTCString()], 1, undefined],
		['F-08: a huge number', ['retry-after', '1000000000'], 3600, 3_600_000],
		['F-08: a number beyond all numbers', ['retry-after', '9'.repeat(400)], 3600, 3_600_000],
		['F-08: a date in a hundred years', ['retry-after', new Date(clockStart + 3e12).toUTCString()], 3600, 3_600_000],
	])(
		'after %s nobody sends a token request until the back-off is over',
		async ([, header, seconds, retryAfter], {server, watch}) => {
			let time = clockStart;
			const auth = watch(createAuth(appOptions(server, {now: () => time})));
			await signIn(server, auth, expired);
			const error = await failWith(server, auth, header ? [header] : [], 429);
			expect(error).toMatchObject({status: 429, retryable: true});
			expect((error as TokenResponseError).retryAfter).toBe(retryAfter);
			time += seconds * 1000 - 1;
			await expect(auth.getToken()).rejects.toBe(error);
			expect(server.tokenRequests).toHaveLength(1);
			time += 1;
			await auth.getToken();
			expect(server.tokenRequests).toHaveLength(2);
		},
	);

	test('after X-Retry-In: 1500 nobody sends a token request until the back-off is over [F-124]', async ({
		seedApi,
		watch,
	}) => {
		const clock = createClock();
		const auth = watch(createAuth(seedOptions(seedApi, {now: clock.now})));
		seedApi.throttle({'X-Retry-In': '1500'});
		await expect(auth.getToken()).rejects.toMatchObject({retryAfter: 1500});
		clock.advance(1.499);
		await expect(auth.getToken()).rejects.toMatchObject({retryAfter: 1500});
		expect(seedApi.tokenRequests).toHaveLength(1);
		clock.advance(0.001);
		await auth.getToken();
		expect(seedApi.tokenRequests).toHaveLength(2);
	});

	test('our own back-off doubles from one second to thirty, and a success resets it [F-07]', async ({
		server,
		watch,
	}) => {
		const clock = createClock();
		const auth = watch(createAuth(appOptions(server, {now: clock.now})));
		await signIn(server, auth, expired);
		const fail = async (seconds: number): Promise<void> => {
			const before = server.tokenRequests.length;
			const error = await failWith(server, auth, []);
			expect(server.tokenRequests).toHaveLength(before + 1);
			clock.advance(seconds - 0.001);
			await expect(auth.getToken()).rejects.toBe(error);
			expect(server.tokenRequests).toHaveLength(before + 1);
			clock.advance(0.001);
		};
		for (const seconds of [1, 2, 4, 8, 16, 30, 30]) await fail(seconds);
		await auth.getToken();
		clock.advance(3600);
		await fail(1);
		await auth.getToken();
	});

	test('a back-off is shared by waiting callers, new callers, and all with the same store [F-06]', async ({
		server,
		watch,
	}) => {
		const clock = createClock();
		const store = memoryDriver();
		const options = appOptions(server, {now: clock.now, store});
		const [auth, other] = [watch(createAuth(options)), watch(createAuth(options))];
		await signIn(server, auth, expired);
		const events = record(other);
		server.onToken(() => ({status: 503, headers: [['retry-after', '1']]}));
		const call = (): Array<Promise<unknown>> => [
			auth.getToken(),
			auth.refresh(),
			auth.fetch(`${server.api}/me`),
			other.getToken(),
			other.refresh(),
			ky.get(`${server.api}/me`, {hooks: other.hooks}),
		];
		const errors = await Promise.all([...call(), ...call()].map(promise => promise.catch((error: unknown) => error)));
		errors.push(...(await Promise.all(call().map(promise => promise.catch((error: unknown) => error)))));
		expect(errors.every(error => error === errors[0])).toBe(true);
		expect([server.calls.length, server.tokenRequests.length]).toEqual([0, 1]);
		expect(gist(events)).toEqual(['refresh-failed unexpected_status']);
	});

	test('a back-off can be over for one session, and go on for another', async ({server, watch}) => {
		const clock = createClock();
		const auth = watch(createAuth(appOptions(server, {now: clock.now})));
		const other = watch(createAuth(appOptions(server, {now: clock.now})));
		await signIn(server, auth, expired);
		await signIn(server, other, expired);
		await failWith(server, auth, []);
		await other.getToken();
		await expect(auth.getToken()).rejects.toMatchObject({status: 503});
	});
});

describe('a refresh token that has died', () => {
	test('a rejected refresh token ends the session once if there is no grant [F-44]', async ({server, watch}) => {
		const store = memoryDriver();
		const auth = watch(createAuth(appOptions(server, {store})));
		await signIn(server, auth, expired);
		const events = record(auth);
		server.onToken(() => json({error: 'invalid_grant', error_description: 'gone'}, 400));
		const calls = [
			auth.getToken(),
			auth.refresh(),
			auth.fetch(`${server.api}/me`),
			ky.get(`${server.api}/me`, {hooks: auth.hooks}),
		];
		const errors = await Promise.all(calls.map(promise => promise.catch((error: unknown) => error)));
		for (const error of errors) {
			expect(error).toBeInstanceOf(SessionEndedError);
			expect(error).toMatchObject({reason: 'invalid_grant', code: 'session_ended', retryable: false});
			const {cause} = error as SessionEndedError;
			expect(cause).toBeInstanceOf(OAuthError);
			expect(cause).toMatchObject({error: 'invalid_grant', error_description: 'gone', status: 400});
		}
		expect(await store.get()).toBe(undefined);
		await expect(auth.getToken()).rejects.toMatchObject({reason: 'no_session'});
		expect((await auth.fetch(`${server.api}/me`)).status).toBe(401);
		expect(server.calls.map(({authorization}) => authorization)).toEqual([undefined]);
		expect(server.tokenRequests).toHaveLength(1);
		expect(gist(events)).toEqual(['session-ended invalid_grant']);
	});

	test('a rejected refresh token ends the session, even if the answer has a nonce [R103]', async ({server, watch}) => {
		const auth = watch(createAuth(appOptions(server)));
		await signIn(server, auth, expired);
		server.onToken(() => json({error: 'invalid_grant'}, 400, [['dpop-nonce', 'a nonce']]));
		await expect(auth.getToken()).rejects.toMatchObject({name: 'SessionEndedError', reason: 'invalid_grant'});
		expect(server.tokenRequests).toHaveLength(1);
	});

	test('a rejected refresh token is never sent again, even if the store does not forget it [R68]', async ({
		server,
		watch,
	}) => {
		const shared = createSharedRecord();
		const store = {...shared.realm(), delete: async () => Promise.reject(new Error('no'))};
		const auth = watch(createAuth(appOptions(server, {store})));
		await signIn(server, auth, expired);
		const events = record(auth);
		server.onToken(() => json({error: 'invalid_grant'}, 400));
		const outcomes: string[] = [];
		for (let count = 0; count < 100; count++) outcomes.push(await outcomeOf(auth.getToken()));
		expect(outcomes[0]).toBe('SessionEndedError invalid_grant');
		expect(outcomes.every(outcome => outcome.startsWith('SessionEndedError'))).toBe(true);
		expect(server.tokenRequests).toHaveLength(1);
		expect(gist(events).filter(type => type.startsWith('session-ended'))).toHaveLength(1);
	});

	test('a grant without a refresh token does not wait for a store that takes no writes, and a refresh does [R70, F-141]', async ({
		server,
		watch,
	}) => {
		const shared = createSharedRecord();
		const store = {...shared.realm(), set: async () => Promise.reject(new Error('no'))};
		const auth = watch(createAuth(serviceOptions(server, {store, timeout: 2_000})));
		shared.value = {access_token: 'old', token_type: 'Bearer', ...expired};
		expect((await auth.fetch(`${server.api}/me`)).status).toBe(200);
		expect(server.tokenRequests).toHaveLength(1);

		const spent = createSharedRecord();
		const full = {...spent.realm(), set: async () => Promise.reject(new Error('no'))};
		const user = watch(createAuth(appOptions(server, {store: full})));
		spent.value = {...(await server.mint()), ...expired};
		expect(await outcomeOf(user.getToken())).toBe('StoreError');
		expect(server.tokenRequests).toHaveLength(1);
	});

	test('a thousand calls at once send a rejected refresh token once [R68]', async ({server, watch}) => {
		const auth = watch(createAuth(appOptions(server)));
		await signIn(server, auth, expired);
		server.onToken(() => json({error: 'invalid_grant'}, 400));
		const outcomes = await Promise.all(Array.from({length: 1000}, () => outcomeOf(auth.getToken())));
		expect(new Set(outcomes)).toEqual(new Set(['SessionEndedError invalid_grant']));
		expect(server.tokenRequests).toHaveLength(1);
	});

	test('a 422 that names the refresh token rejects it, too [F-122]', async ({server, watch}) => {
		const auth = watch(createAuth(appOptions(server)));
		await signIn(server, auth, expired);
		server.onToken(({parameters}) => json({refresh_token: `${parameters.get('refresh_token')} is not valid`}, 422));
		await expect(auth.getToken()).rejects.toMatchObject({reason: 'invalid_grant', cause: {status: 422}});
	});

	test('a rejected refresh token does not end the session if the store now holds another one [R67]', async ({
		server,
		watch,
	}) => {
		const shared = createSharedRecord();
		const {subscribe: _, ...store} = shared.realm();
		const auth = watch(createAuth(appOptions(server, {store})));
		const {refresh_token} = await signIn(server, auth, expired);
		const theirs = await server.mint();
		const events = record(auth);
		server.onToken(
			once(() => {
				shared.write({...theirs, ...expired});
				return json({error: 'invalid_grant'}, 400);
			}),
		);
		expect((await auth.fetch(`${server.api}/me`)).status).toBe(200);
		expect(server.tokenRequests.map(({parameters}) => parameters.get('refresh_token'))).toEqual([
			refresh_token,
			theirs.refresh_token,
		]);
		expect(gist(events).filter(type => type.startsWith('session-ended'))).toEqual([]);
		expect(gist(events).at(-1)).toBe('token refresh');
	});

	test('a rejected refresh token does not end the session if the store now holds a valid token [R67]', async ({
		server,
		watch,
	}) => {
		const shared = createSharedRecord();
		const {subscribe: _, ...store} = shared.realm();
		const auth = watch(createAuth(appOptions(server, {store})));
		await signIn(server, auth, expired);
		const theirs = await server.mint();
		const theirRecord = {
			...theirs,
			issued_at: Math.floor(Date.now() / 1000),
			expires_at: Math.floor(Date.now() / 1000) + 60,
		};
		server.onToken(() => {
			shared.write(theirRecord);
			return json({error: 'invalid_grant'}, 400);
		});
		expect((await auth.fetch(`${server.api}/me`)).status).toBe(200);
		expect(server.calls.map(({authorization}) => authorization)).toEqual([`Bearer ${theirs.access_token}`]);
		expect(server.tokenRequests).toHaveLength(1);
		expect(shared.value).toEqual(theirRecord);
	});

	test('the new refresh token of an otherwise unusable answer is stored, beside the old access token [F-119]', async ({
		server,
		watch,
	}) => {
		const store = memoryDriver();
		const clock = createClock();
		const auth = watch(createAuth(appOptions(server, {store, now: clock.now})));
		const answers: Array<(body: object) => object> = [
			body => ({...body, access_token: 'a\r\nb'}),
			body => ({...body, token_type: 'mac'}),
			body => ({...body, token_type: 42}),
		];
		const sent: Array<string | null> = [];
		server.onTokenAnswer(({parameters}, {body}) => {
			sent.push(parameters.get('refresh_token'), (body as {refresh_token: string}).refresh_token);
			const spoil = answers.shift();
			return spoil && json(spoil(body as object));
		});
		const {access_token} = await signIn(server, auth);
		for (const code of ['invalid_response', 'unsupported_token_type', 'invalid_response']) {
			await expect(auth.refresh()).rejects.toMatchObject({name: 'TokenResponseError', code, retryable: false});
			expect(await store.get()).toMatchObject({access_token, refresh_token: sent.at(-1)});
			clock.advance(10);
		}
		expect((await auth.refresh()).access_token).not.toBe(access_token);
		expect(sent.length).toBe(8);
		for (const index of [1, 3, 5]) expect(sent[index]).toBe(sent[index + 1]);
	});

	test.for<[title: string, change: object]>([
		['F-40: left out', {refresh_token: undefined}],
		['F-42: null', {refresh_token: null}],
		['F-42: empty', {refresh_token: ''}],
	])('the old refresh token is kept if a new one is %s', async ([, change], {serve, watch}) => {
		const sent: string[] = [];
		const {origin} = await serve((_request, {body}) => {
			sent.push(new URLSearchParams(body).get('refresh_token') ?? '');
			return json({access_token: `at${sent.length}`, token_type: 'Bearer', refresh_token: 'rt-other', ...change});
		});
		const auth = watch(createAuth({tokenEndpoint: `${origin}/token`, clientId: 'app'}));
		await auth.setToken({access_token: 'at', token_type: 'Bearer', refresh_token: 'rt-first'});
		await auth.refresh();
		await auth.refresh();
		expect(sent).toEqual(['rt-first', 'rt-first']);
	});
});

const seedScope = '/accounts.read /accounts.write';

const seedOptions = (seedApi: SeedApi, more: Partial<AuthOptions> = {}): AuthOptions => ({
	tokenEndpoint: seedApi.tokenEndpoint,
	revocationEndpoint: seedApi.revocationEndpoint,
	clientId: seedClient.clientId,
	clientAuthentication: clientSecretPost(seedClient.secret),
	encoding: 'json',
	grant: {grant_type: 'client_credentials', scope: seedScope},
	origins: [seedApi.api],
	...more,
});

describe('the refresh token of a client_credentials answer', () => {
	const start = async (
		seedApi: SeedApi,
		watch: <A extends Auth>(auth: A) => A,
	): Promise<{
		auth: Auth;
		events: ReturnType<typeof record>;
		refreshToken: () => string;
	}> => {
		const store = memoryDriver();
		const auth = watch(createAuth(seedOptions(seedApi, {store: storeOf(store)})));
		const events = record(auth);
		await auth.getToken();
		return {auth, events, refreshToken: () => (store.get() as {refresh_token: string}).refresh_token};
	};
	const kinds = ({tokenRequests}: SeedApi): unknown[] =>
		tokenRequests.map(({parameters, status}) => [parameters['grant_type'], status]);

	test('a refresh token from client_credentials is kept and used, and its rejection causes one grant [R38, F-127]', async ({
		seedApi,
		watch,
	}) => {
		const {auth, events, refreshToken} = await start(seedApi, watch);
		const {access_token} = await auth.getToken();
		seedApi.expire(access_token);
		expect((await auth.fetch(`${seedApi.api}/accounts`)).status).toBe(200);
		const {access_token: second} = await auth.getToken();
		seedApi.expire(second);
		seedApi.kill(refreshToken());
		const answers = await Promise.all(Array.from({length: 10}, () => auth.fetch(`${seedApi.api}/accounts`)));
		expect(answers.map(({status}) => status)).toEqual(Array(10).fill(200));
		expect(kinds(seedApi)).toEqual([
			['client_credentials', 200],
			['refresh_token', 200],
			['refresh_token', 422],
			['client_credentials', 200],
		]);
		expect(gist(events)).toEqual(['token grant', 'token refresh', 'token grant']);
	});

	test('a rejected refresh token from client_credentials is not sent again if the next grant fails for now [F-127]', async ({
		seedApi,
		watch,
	}) => {
		const {auth, events, refreshToken} = await start(seedApi, watch);
		const {access_token} = await auth.getToken();
		seedApi.expire(access_token);
		seedApi.kill(refreshToken());
		const recover = seedApi.onToken(({parameters}) =>
			parameters['grant_type'] === 'client_credentials' ? {reset: true} : undefined,
		);
		await expect(auth.fetch(`${seedApi.api}/accounts`)).rejects.toMatchObject({name: 'TokenNetworkError'});
		expect(refreshToken()).toBe(undefined);
		recover();
		const status = async (): Promise<unknown> =>
			auth.fetch(`${seedApi.api}/accounts`).then(({status}) => status, nothing);
		await expect.poll(status).toBe(200);
		expect(seedApi.tokenRequests.map(({parameters}) => parameters['grant_type'])).toEqual([
			'client_credentials',
			'refresh_token',
			'client_credentials',
			'client_credentials',
		]);
		expect(gist(events)).toEqual(['token grant', 'refresh-failed network', 'token grant']);
	});

	test('a rejected refresh token from client_credentials is not sent again if the next grant is refused [F-127]', async ({
		seedApi,
		watch,
	}) => {
		const {auth, refreshToken} = await start(seedApi, watch);
		seedApi.kill(refreshToken());
		seedApi.onToken(({parameters}) =>
			parameters['grant_type'] === 'client_credentials' ? json({error: 'invalid_client'}, 401) : undefined,
		);
		for (let count = 0; count < 3; count++) {
			await expect(auth.refresh()).rejects.toMatchObject({
				name: 'OAuthError',
				error: 'invalid_client',
				retryable: false,
			});
		}
		expect(seedApi.tokenRequests.filter(({parameters}) => parameters['grant_type'] === 'refresh_token')).toHaveLength(
			1,
		);
	});

	test('each renewal is a grant if client_credentials brings no refresh token [F-127]', async ({server, watch}) => {
		const auth = watch(createAuth(serviceOptions(server)));
		await auth.getToken();
		await auth.refresh();
		expect(grantTypes(server)).toEqual(['client_credentials', 'client_credentials']);
	});
});

describe('a grant that is a function', () => {
	test('a grant function is called for each grant, with its client, and may be asynchronous', async ({
		server,
		watch,
	}) => {
		const calls: unknown[][] = [];
		const grant = async (...given: unknown[]): Promise<AuthTokenRequest> => {
			calls.push(given);
			await settle();
			return serviceGrant;
		};
		const auth = watch(createAuth(serviceOptions(server, {grant})));
		await Promise.all([auth.getToken(), auth.getToken()]);
		await auth.refresh();
		const client = {clientId: service.clientId, tokenEndpoint: server.tokenEndpoint, issuer: undefined};
		expect(calls).toEqual([[client], [client]]);
		expect(server.tokenRequests).toHaveLength(2);
	});

	test.for<[title: string, fail: () => never | Promise<never>]>([
		[
			'throws',
			() => {
				throw new Error('mine');
			},
		],
		['rejects', async () => Promise.reject(new Error('mine'))],
	])(
		'a grant function that %s fails the waiting calls, and is called again for new ones [R61]',
		async ([, fail], {server, watch}) => {
			let isFailing = true;
			const auth = watch(createAuth(serviceOptions(server, {grant: () => (isFailing ? fail() : serviceGrant)})));
			const events = record(auth);
			const outcomes = await Promise.all([auth.getToken(), auth.fetch(`${server.api}/me`)].map(outcomeOf));
			expect(outcomes).toEqual(['Error', 'Error']);
			isFailing = false;
			expect((await auth.fetch(`${server.api}/me`)).status).toBe(200);
			expect(server.tokenRequests).toHaveLength(1);
			expect(gist(events)).toEqual(['token grant']);
		},
	);

	test('a grant function that fails lets a token that is still valid go on being used', async ({server, watch}) => {
		const clock = createClock();
		const grant = (): never => {
			throw new Error('mine');
		};
		const auth = watch(createAuth(serviceOptions(server, {grant, now: clock.now})));
		await auth.setToken({access_token: 'first', expires_in: 600});
		clock.advance(580);
		expect(await auth.getToken()).toMatchObject({access_token: 'first'});
		expect(await outcomeOf(auth.getToken({minimumLifetime: 30}))).toBe('Error');
		const abort = AbortSignal.abort(new Error('stopped'));
		await expect(auth.getToken({signal: abort})).rejects.toThrow('stopped');
		clock.advance(20);
		expect(await outcomeOf(auth.getToken())).toBe('Error');
	});

	test('a grant function that returns no token request is a ConfigError', async ({server, watch, canaries}) => {
		canaries.plant('hunter2hunter2');
		const grant = (): AuthTokenRequest => ({grant_type: 'client_credentials', scope: 'a  hunter2hunter2'});
		const auth = watch(createAuth(serviceOptions(server, {grant})));
		await expect(auth.getToken()).rejects.toBeInstanceOf(ConfigError);
		expect(server.tokenRequests).toHaveLength(0);
	});

	test('a grant function that hangs is given up at the deadline, and the next call calls it again', async ({
		server,
		watch,
	}) => {
		let isHanging = true;
		const grant = async (): Promise<AuthTokenRequest> => (isHanging ? new Promise<never>(() => {}) : serviceGrant);
		const store = memoryDriver();
		const clock = createClock();
		const auth = watch(createAuth(serviceOptions(server, {store, grant, timeout: 1_000, now: clock.now})));
		const patient = watch(createAuth(serviceOptions(server, {store, grant, now: clock.now})));
		await expect(auth.getToken()).rejects.toMatchObject({code: 'timeout', retryable: true});
		isHanging = false;
		clock.advance(1);
		expect((await patient.fetch(`${server.api}/me`)).status).toBe(200);
	});

	const waysIn: ReadonlyArray<[title: string, use: (auth: Auth, url: string) => PromiseLike<unknown>]> = [
		['getToken', auth => auth.getToken()],
		['refresh', auth => auth.refresh()],
		['auth.fetch', (auth, url) => auth.fetch(url)],
		['ky', (auth, url) => ky.get(url, {hooks: auth.hooks, retry: 0})],
	];

	test.for(waysIn.flatMap(([title, use]) => [[title, 'at once', use] as const, [title, 'later', use] as const]))(
		'a grant function that uses its own session, by %s, %s, is an error and not a deadlock',
		async ([, when, use], {server, watch}) => {
			let isWrong = true;
			const store = memoryDriver();
			const clock = createClock();
			const patient = watch(createAuth(serviceOptions(server, {store, now: clock.now})));
			const auth: Auth = watch(
				createAuth(
					serviceOptions(server, {
						store,
						timeout: 1_000,
						now: clock.now,
						grant: async () => {
							if (!isWrong) return serviceGrant;
							if (when === 'later') await settle();
							await use(auth, `${server.api}/me`);
							return serviceGrant;
						},
					}),
				),
			);
			const outcomes = await Promise.all(
				[auth.getToken(), auth.fetch(`${server.api}/me`)].map(promise => promise.catch((error: unknown) => error)),
			);
			for (const error of outcomes) expect(isRegrantError(error)).toBe(true);
			expect(server.tokenRequests).toHaveLength(0);
			isWrong = false;
			clock.advance(1);
			await expect.poll(() => outcomeOf(patient.fetch(`${server.api}/me`))).toBe('fulfilled');
		},
	);

	test('a grant function whose own session has ended fails the calls: they are not sent without a token', async ({
		server,
		watch,
	}) => {
		const other = watch(createAuth(appOptions(server)));
		await other.setToken({access_token: 'dead', ...expired});
		const grant = async (): Promise<TokenRequest> => {
			const {access_token} = await other.getToken();
			return {grant_type: 'urn:ietf:params:oauth:grant-type:token-exchange', subject_token: access_token};
		};
		const auth = watch(createAuth(serviceOptions(server, {grant})));
		expect(await outcomeOf(auth.fetch(`${server.api}/me`))).toBe('SessionEndedError no_refresh_token');
		expect(server.calls).toHaveLength(0);
	});

	test('a grant function may use another session', async ({server, watch}) => {
		const other = watch(createAuth(appOptions(server)));
		await signIn(server, other, expired);
		const grant = async (): Promise<AuthTokenRequest> => {
			await other.fetch(`${server.api}/me`);
			return serviceGrant;
		};
		const auth = watch(createAuth(serviceOptions(server, {grant})));
		expect((await auth.fetch(`${server.api}/me`)).status).toBe(200);
		expect(grantTypes(server)).toEqual(['refresh_token', 'client_credentials']);
	});
});

describe('a grant of type refresh_token', () => {
	const sentTokens = (requests: readonly EndpointRequest[]): Array<string | null> =>
		requests.map(({parameters}) => parameters.get('refresh_token'));

	test('a grant of type refresh_token begins a session, and its refresh token is used once', async ({
		server,
		watch,
	}) => {
		const {refresh_token} = await server.mint();
		const auth = watch(createAuth(appOptions(server, {grant: {grant_type: 'refresh_token', refresh_token}})));
		const events = record(auth);
		expect((await auth.fetch(`${server.api}/me`)).status).toBe(200);
		await auth.refresh();
		await auth.refresh();
		const sent = sentTokens(server.tokenRequests);
		expect(sent[0]).toBe(refresh_token);
		expect(new Set(sent).size).toBe(3);
		expect(gist(events)).toEqual(['token grant', 'token refresh', 'token refresh']);
	});

	test.for(['the same', 'a function that gives the same'])(
		'a grant of type refresh_token is not used again when the session ends: %s was used before',
		async (kind, {server, watch}) => {
			const {refresh_token} = await server.mint();
			const request: AuthTokenRequest = {grant_type: 'refresh_token', refresh_token};
			const auth = watch(createAuth(appOptions(server, {grant: kind === 'the same' ? request : () => request})));
			const events = record(auth);
			await auth.getToken();
			await auth.refresh();
			server.onToken(() => json({error: 'invalid_grant'}, 400));
			await expect(auth.refresh()).rejects.toMatchObject({name: 'SessionEndedError', reason: 'invalid_grant'});
			for (let count = 0; count < 2; count++) expect(await outcomeOf(auth.getToken())).toMatch(/^SessionEndedError/);
			const sent = sentTokens(server.tokenRequests);
			expect(sent).toHaveLength(3);
			expect(new Set(sent).size).toBe(3);
			expect(gist(events)).toEqual(['token grant', 'token refresh', 'session-ended invalid_grant']);
		},
	);

	test('a grant of type refresh_token is not used again after a sign-out', async ({server, watch}) => {
		const {refresh_token} = await server.mint();
		const auth = watch(createAuth(appOptions(server, {grant: {grant_type: 'refresh_token', refresh_token}})));
		await auth.getToken();
		await auth.signOut();
		expect(await outcomeOf(auth.getToken())).toMatch(/^SessionEndedError/);
		expect(server.tokenRequests).toHaveLength(1);
	});

	test('a grant of type refresh_token that is a function may give another one each time', async ({server, watch}) => {
		const auth = watch(
			createAuth(
				appOptions(server, {
					grant: async () => ({grant_type: 'refresh_token', refresh_token: (await server.mint()).refresh_token}),
				}),
			),
		);
		await auth.getToken();
		await auth.signOut();
		await auth.getToken();
		server.onToken(once(() => json({error: 'invalid_grant'}, 400)));
		await auth.refresh();
		expect(server.tokenRequests.map(({status}) => status)).toEqual([200, 200, 400, 200]);
		expect(new Set(sentTokens(server.tokenRequests)).size).toBe(4);
	});

	test('a grant of type refresh_token that is refused ends in SessionEndedError, and is not sent again', async ({
		server,
		watch,
	}) => {
		const grant: AuthTokenRequest = {grant_type: 'refresh_token', refresh_token: 'dead-from-the-beginning'};
		const auth = watch(createAuth(appOptions(server, {grant})));
		for (let count = 0; count < 3; count++) expect(await outcomeOf(auth.getToken())).toMatch(/^SessionEndedError/);
		expect((await auth.fetch(`${server.api}/me`).catch(() => undefined))?.status ?? 401).toBe(401);
		expect(server.tokenRequests).toHaveLength(1);
	});

	test('a grant of type refresh_token whose server does not rotate is used again', async ({serve, watch}) => {
		let count = 0;
		const {origin, requests} = await serve(() => json({access_token: `at${++count}`, token_type: 'Bearer'}));
		const grant: AuthTokenRequest = {grant_type: 'refresh_token', refresh_token: 'rt-for-ever'};
		const auth = watch(createAuth({tokenEndpoint: origin, clientId: 'app', grant}));
		await auth.getToken();
		await auth.refresh();
		await auth.signOut();
		expect(await auth.getToken()).toMatchObject({access_token: 'at3'});
		expect(requests).toHaveLength(3);
	});
});

describe("a client authentication of one's own", () => {
	test("a client authentication of one's own is called for each request [R110]", async ({server, watch}) => {
		let count = 0;
		const grant = {grant_type: 'client_credentials', scope: '/accounts.read'} as const;
		const auth = watch(
			createAuth(
				serviceOptions(server, {
					grant,
					clientAuthentication: async ({clientId, tokenEndpoint, parameters}) => {
						count++;
						await settle();
						expect([clientId, tokenEndpoint, parameters.get('grant_type')]).toEqual([
							service.clientId,
							server.tokenEndpoint,
							'client_credentials',
						]);
						parameters.set('client_id', clientId);
						parameters.set('client_secret', service.secret);
					},
				}),
			),
		);
		await auth.getToken();
		await auth.refresh();
		expect(count).toBe(2);
		expect(server.tokenRequests.map(({status}) => status)).toEqual([200, 200]);
	});

	test("a client authentication of one's own that throws fails the waiting calls, and is called again for new ones [R61]", async ({
		server,
		watch,
	}) => {
		let isFailing = true;
		const auth = watch(
			createAuth(
				appOptions(server, {
					clientAuthentication({clientId, parameters}) {
						if (isFailing) throw new Error('mine');
						parameters.set('client_id', clientId);
					},
				}),
			),
		);
		await signIn(server, auth, expired);
		expect(await outcomeOf(auth.getToken())).toBe('Error');
		isFailing = false;
		expect((await auth.fetch(`${server.api}/me`)).status).toBe(200);
	});
});

describe('waitUntil', () => {
	test('waitUntil gets a promise that ends with the grant, and never rejects', async ({server, watch}) => {
		const clock = createClock();
		const given: Array<Promise<unknown>> = [];
		const waitUntil = (promise: Promise<unknown>): void => void given.push(promise);
		const auth = watch(createAuth(appOptions(server, {waitUntil, now: clock.now})));
		await signIn(server, auth, expired);
		const gate = createGate();
		const recover = server.onToken(gate.pass);
		const waiting = auth.getToken();
		await gate.reached;
		expect(given).toHaveLength(1);
		const ended = vi.fn<() => void>();
		void given[0]?.then(ended);
		await settle();
		expect(ended).not.toHaveBeenCalled();
		gate.open();
		await waiting;
		await given[0];
		recover();
		for (const answer of [
			{reset: true},
			{status: 503},
			json({error: 'invalid_client'}, 400),
			json({error: 'invalid_grant'}, 400),
		]) {
			server.onToken(once(() => answer));
			clock.advance(60);
			await expect(auth.refresh()).rejects.toBeInstanceOf(Error);
		}
		expect(given).toHaveLength(5);
		expect((await Promise.allSettled(given)).map(({status}) => status)).toEqual(Array(5).fill('fulfilled'));
	});

	test('waitUntil gets a promise that ends with the revocation of a late token', async ({server, watch}) => {
		const given: Array<Promise<unknown>> = [];
		const auth = watch(createAuth(appOptions(server, {waitUntil: promise => given.push(promise)})));
		await signIn(server, auth, expired);
		const gate = createGate();
		server.onTokenAnswer(gate.pass);
		const waiting = outcomeOf(auth.getToken());
		await gate.reached;
		server.onRevocation(() => ({reset: true}));
		const leaving = outcomeOf(auth.signOut());
		gate.open();
		expect([await waiting, await leaving]).toEqual(['SessionEndedError signed_out', 'TokenNetworkError']);
		await expect.poll(() => server.revocationRequests.length).toBe(2);
		expect((await Promise.allSettled(given)).map(({status}) => status)).toEqual(Array(given.length).fill('fulfilled'));
		expect(given.length).toBeGreaterThan(1);
	});
});

describe('a renewal whose owner is gone', () => {
	// Timers with these two delays are the session's, and do nothing. All other timers work.
	const platform = setTimeout;
	const withoutDeadlines = (task: () => void, delay?: number): NodeJS.Timeout =>
		delay === 100 || delay === 200 ? platform(() => {}, 0) : platform(task, delay);

	test('waiting calls fail at their deadline if the owner of a renewal is gone, and the next call begins a new one [R61, F-107]', async ({
		server,
		watch,
	}) => {
		const reached = createGate();
		const own: typeof fetch = async () => {
			reached.open();
			return new Promise(() => {});
		};
		const store = memoryDriver();
		const auth = watch(createAuth(appOptions(server, {store, fetch: own, timeout: 100})));
		const patient = watch(createAuth(appOptions(server, {store})));
		await signIn(server, auth, expired);
		// On Workers, all timers end with the request that started them.
		vi.stubGlobal('setTimeout', withoutDeadlines);
		void auth.getToken();
		await reached.pass();
		await settle();
		vi.unstubAllGlobals();
		const waiters = await Promise.all([auth.getToken(), auth.fetch(`${server.api}/me`)].map(outcomeOf));
		expect(waiters).toEqual(['TokenNetworkError', 'TokenNetworkError']);
		expect((await patient.fetch(`${server.api}/me`)).status).toBe(200);
		expect(server.tokenRequests).toHaveLength(1);
	});

	test('listeners hear every event, even if the owner of a renewal is gone [R61]', async ({server, watch}) => {
		const reached = createGate();
		const own: typeof fetch = async (...given) => {
			if (reached.isOpen()) return fetch(...given);
			reached.open();
			return new Promise(() => {});
		};
		const auth = watch(createAuth(appOptions(server, {fetch: own, timeout: 100})));
		await signIn(server, auth, expired);
		const events = record(auth);
		vi.stubGlobal('setTimeout', withoutDeadlines);
		void auth.getToken();
		await reached.pass();
		await settle();
		vi.unstubAllGlobals();
		expect(await outcomeOf(auth.getToken())).toBe('TokenNetworkError');
		await outcomeOf(auth.signOut());
		expect(gist(events)).toContain('session-ended signed_out');
	});

	test('a renewal whose owner comes back late stores nothing if another one has begun [F-107]', async ({
		server,
		watch,
	}) => {
		const store = memoryDriver();
		const reached = createGate();
		const late = Promise.withResolvers<Response>();
		const own: typeof fetch = async () => {
			reached.open();
			return late.promise;
		};
		const auth = watch(createAuth(appOptions(server, {store, fetch: own, timeout: 100})));
		const patient = watch(createAuth(appOptions(server, {store})));
		await signIn(server, auth, expired);
		vi.stubGlobal('setTimeout', withoutDeadlines);
		const abandoned = outcomeOf(auth.getToken());
		await reached.pass();
		await settle();
		vi.unstubAllGlobals();
		expect(await outcomeOf(auth.getToken())).toBe('TokenNetworkError');
		const {access_token} = await patient.getToken();
		late.resolve(Response.json({access_token: 'late', token_type: 'Bearer', refresh_token: 'late', expires_in: 60}));
		await abandoned;
		await settle();
		expect(await auth.getToken()).toMatchObject({access_token});
		expect(await store.get()).toMatchObject({access_token});
	});
});

test("a session's own refresh asks for no scope, and a public client sends its id [R32]", async ({server, watch}) => {
	const auth = watch(createAuth(appOptions(server)));
	const {refresh_token} = await signIn(server, auth);
	await auth.refresh();
	expect(Object.fromEntries(server.tokenRequests[0]?.parameters ?? [])).toEqual({
		grant_type: 'refresh_token',
		refresh_token,
		client_id: app.clientId,
	});
});

test('a grant without a scope in its answer has the scope it asked for, and not that of the session before [R31]', async () => {
	const fetch = async (): Promise<Response> => Response.json({access_token: 'granted', token_type: 'Bearer'});
	const auth = createAuth({
		tokenEndpoint: 'https://as.example/token',
		clientId: 'service',
		grant: {grant_type: 'client_credentials', scope: 'asked'},
		fetch,
	});
	await auth.setToken({access_token: 'set', token_type: 'Bearer', scope: 'before', expires_in: 0});
	expect(await auth.getToken()).toMatchObject({access_token: 'granted', scope: 'asked'});
});
