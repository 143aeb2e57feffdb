import {inspect} from 'node:util';
import ky, {HTTPError, type KyInstance, NetworkError, type Options, TimeoutError} from 'ky';
import {describe, expect, vi} from 'vitest';
import {
	type Auth,
	type AuthOptions,
	ConfigError,
	createAuth,
	memoryStore,
	TokenNetworkError,
	TokenResponseError,
} from '../../src/index.ts';
import {
	appOptions,
	createClock,
	createGate,
	gist,
	expired,
	record,
	serviceOptions,
	settle,
	signIn,
} from '../support/scenario.ts';
import type {AuthorizationServer} from '../support/authorization-server.ts';
import {type Answer, type Reply} from '../support/serve.ts';
import {once} from '../support/stage.ts';
import {test} from '../support/test.ts';

test.override('serverOptions', {accessTokenSeconds: 60});

/** A ky instance for the API, as a user creates it. */
const apiOf = (server: AuthorizationServer, auth: Auth, options: Options = {}): KyInstance =>
	ky.extend({baseUrl: server.api, hooks: auth.hooks, retry: 0, ...options});

const countOf = ({calls, tokenRequests}: AuthorizationServer): {hits: number; grants: number} => ({
	hits: calls.length,
	grants: tokenRequests.length,
});

const refusal = (challenge?: string): Reply => ({
	status: 401,
	headers: challenge === undefined ? [] : [['www-authenticate', challenge]],
	body: 'refused',
});

/** A `fetch` of the user's own. It answers without a network, and records the requests. */
function fakeFetch(answer: (request: Request) => Response = () => new Response('ok')): {
	fetch: typeof fetch;
	requests: Request[];
	authorizations: Array<string | null>;
} {
	const requests: Request[] = [];
	const authorizations: Array<string | null> = [];
	return {
		requests,
		authorizations,
		fetch: async input => {
			if (!(input instanceof Request)) throw new Error('Not a Request');
			requests.push(input);
			authorizations.push(input.headers.get('authorization'));
			return answer(input);
		},
	};
}

/** A session that needs no server as long as its token is not renewed. */
async function offline(origin: string, more: Partial<AuthOptions> = {}): Promise<Auth> {
	const auth = createAuth({
		tokenEndpoint: 'https://as.example/token',
		clientId: 'app',
		origins: [origin],
		fetch: async () => Promise.reject(new Error('renewed')),
		...more,
	});
	await auth.setToken({access_token: 'at', token_type: 'Bearer', refresh_token: 'rt'});
	return auth;
}

describe('the token goes to the origins on the list alone', () => {
	test.for<[title: string, input: (b: URL) => string | URL | Request]>([
		['an absolute URL', ({href}) => href],
		['//b/', ({host}) => `//${host}/`],
		['/\\b/', ({host}) => `/\\${host}/`],
		['\\\\b/', ({host}) => `\\\\${host}/`],
		['a tab and //b/', ({host}) => `\t//${host}/`],
		['a scheme with a line feed in it', ({href}) => href.replace('h', 'h\n')],
		['spaces before it', ({href}) => `  ${href}`],
		['an upper case scheme', ({href}) => href.replace('http', 'HTTP')],
		['a URL object', url => url],
		['a Request', url => new Request(url)],
	])('the token is not sent to B, given as %s [R40, F-71]', async ([, input], {server, serve, watch}) => {
		const b = await serve(() => refusal('Bearer error="invalid_token"'));
		const auth = watch(createAuth(serviceOptions(server)));
		const api = apiOf(server, auth, {throwHttpErrors: false, retry: 2});
		expect((await api.get(input(new URL(b.origin)))).status).toBe(401);
		expect(b.requests.map(({headers}) => headers['authorization'])).toEqual([undefined]);
		expect(countOf(server)).toEqual({hits: 0, grants: 0});
	});

	test.for<[url: string, isAllowed: boolean, origin?: string]>([
		['https://api.example.com:8443/', false],
		['http://api.example.com/', false],
		['https://api.example.com.evil.com/', false],
		['https://notexample.com/', false],
		['https://evil.com/?https://api.example.com/', false],
		['https://evil.com/https://api.example.com/', false],
		['https://api.example.com./', false],
		['https://API.example.com/', true],
		['https://api.example.com:443/', true],
		['https://api.example.com', true],
		['https://xn--bcher-kva.example/', true, 'https://bücher.example'],
		['https://bücher.example/', true, 'https://xn--bcher-kva.example'],
		['https://api.example.com/', true, 'https://API.example.com:443/v1?x'],
		['http://127.0.0.1:8080/', true, 'http://127.0.0.1:8080'],
		['http://127.0.0.1:80/', false, 'http://127.0.0.1:8080'],
	])(
		'the token is sent to an origin that equals a listed one by URL.origin: %s, %s [F-72]',
		async ([url, isAllowed, origin = 'https://api.example.com']) => {
			const auth = await offline(origin);
			const {fetch, authorizations} = fakeFetch();
			await ky.get(url, {fetch, hooks: auth.hooks});
			expect(authorizations).toEqual([isAllowed ? 'Bearer at' : null]);
		},
	);

	test('the token is not sent over http beyond loopback: such a baseUrl is a ConfigError [F-131]', async ({
		server,
		watch,
	}) => {
		const auth = watch(createAuth(serviceOptions(server, {origins: undefined})));
		const {fetch, authorizations} = fakeFetch();
		const call = ky.get('accounts', {fetch, hooks: auth.hooks, baseUrl: 'http://api.example/'});
		await expect(call).rejects.toThrow('baseUrl or prefix must be https');
		expect(authorizations).toEqual([]);
		expect(server.tokenRequests).toHaveLength(0);
	});

	test('auth.fetch sends the token only to origins', async ({server, serve, watch}) => {
		const b = await serve(() => refusal());
		const auth = watch(createAuth(serviceOptions(server)));
		expect((await auth.fetch(b.origin)).status).toBe(401);
		expect(b.requests.map(({headers}) => headers['authorization'])).toEqual([undefined]);
		expect(server.tokenRequests).toHaveLength(0);
	});

	test.for<[hook: string, options: (request: Request) => Options]>([
		['beforeRequest', request => ({hooks: {beforeRequest: [() => request]}})],
		['beforeRetry', request => ({retry: {limit: 1, delay: () => 0}, hooks: {beforeRetry: [() => request]}})],
	])('the token is not sent to B if %s of the user leads there [R41]', async ([, options], {server, serve, watch}) => {
		const b = await serve(() => refusal());
		const auth = watch(createAuth(appOptions(server)));
		await signIn(server, auth);
		server.onCall(() => ({status: 503}));
		const api = apiOf(server, auth, {throwHttpErrors: status => status === 503}).extend(options(new Request(b.origin)));
		await api.get('me').catch(() => {});
		expect(b.requests.map(({headers}) => headers['authorization'])).toEqual([undefined]);
		expect(server.tokenRequests).toHaveLength(0);
	});

	test('the token is sent to A if beforeRequest leads back there [R41]', async ({server, watch}) => {
		const auth = watch(createAuth(appOptions(server)));
		await signIn(server, auth);
		const hooks = {beforeRequest: [() => new Request(`${server.api}/me`)]};
		expect((await apiOf(server, auth).extend({hooks}).get('https://elsewhere.example/')).status).toBe(200);
	});

	test.for<[title: string, call: (api: KyInstance, auth: Auth, origin: string) => PromiseLike<Response>]>([
		['headers of the call', api => api.get('me', {headers: {authorization: 'Basic YTpi'}})],
		['headers of the instance', api => api.extend({headers: {Authorization: 'Basic YTpi'}}).get('me')],
		[
			'a hook',
			api =>
				api
					.extend({hooks: {beforeRequest: [({request}) => request.headers.set('authorization', 'Basic YTpi')]}})
					.get('me'),
		],
		['a Request', (api, _auth, origin) => api(new Request(`${origin}/me`, {headers: {authorization: 'Basic YTpi'}}))],
		['auth.fetch', (_api, auth, origin) => auth.fetch(`${origin}/me`, {headers: {authorization: 'Basic YTpi'}})],
	])(
		'the caller’s own Authorization in %s is kept, and its 401 makes no grant [R44, F-68]',
		async ([, call], {server, watch}) => {
			const auth = watch(createAuth(serviceOptions(server)));
			const response = await call(apiOf(server, auth, {throwHttpErrors: false}), auth, server.api);
			expect(response.status).toBe(401);
			expect(server.calls.map(({authorization}) => authorization)).toEqual(['Basic YTpi']);
			expect(server.tokenRequests).toHaveLength(0);
		},
	);

	test('nothing that ky holds has the token, so no error of ky has it [R96, F-111]', async ({
		server,
		watch,
		canaries,
	}) => {
		const auth = watch(createAuth(appOptions(server)));
		const {access_token} = await signIn(server, auth);
		server.onCall(() => ({status: 403, body: 'no'}));
		const seen: Request[] = [];
		const hooks = {
			afterResponse: [({request}: {request: Request}) => void seen.push(request)],
		};
		const error = await apiOf(server, auth).extend({hooks}).post('me', {json: {}}).catch(canaries.see);
		expect(error).toBeInstanceOf(HTTPError);
		const {request, options} = error as HTTPError;
		expect(request.headers.has('authorization')).toBe(false);
		expect(seen.map(({headers}) => headers.has('authorization'))).toEqual([false]);
		expect(inspect([error, request, options, seen], {depth: 9, showHidden: true})).not.toContain(access_token);
		expect(server.calls[0]?.authorization).toBe(`Bearer ${access_token}`);
	});

	test('the token is sent in the header, and nowhere else [R45]', async ({server, watch}) => {
		const auth = watch(createAuth(appOptions(server)));
		const {access_token} = await signIn(server, auth);
		await apiOf(server, auth).post('me', {json: {a: 1}, searchParams: {b: 2}});
		expect(server.calls[0]?.path).toBe('/me?b=2');
		expect(server.calls[0]?.body).toBe('{"a":1}');
		const {authorization, ...others} = server.calls[0]?.headers ?? {};
		expect(authorization).toBe(`Bearer ${access_token}`);
		expect(JSON.stringify(others)).not.toContain(access_token);
	});

	test('a refresh token goes to the token and the revocation endpoint alone [R46]', async ({server, serve, watch}) => {
		const elsewhere = await serve(() => ({}));
		const auth = watch(createAuth(appOptions(server, {revocationEndpoint: server.revocationEndpoint})));
		await signIn(server, auth, expired);
		const api = apiOf(server, auth);
		await api.post('me', {json: {a: 1}});
		server.onCall(once(() => refusal('Bearer error="invalid_token"')));
		await api.get('me');
		server.onCall(once(() => ({status: 307, headers: [['location', elsewhere.origin]]})));
		await api.get('me');
		await auth.fetch(elsewhere.origin);
		await auth.signOut();
		const refreshTokens = [...server.issued].flatMap(([token, kind]) => (kind === 'refresh token' ? [token] : []));
		const holds = (request: unknown): boolean =>
			refreshTokens.some(token => JSON.stringify(request, ['method', 'path', 'headers', 'body']).includes(token));
		const {tokenRequests, revocationRequests, calls} = server;
		expect([tokenRequests, revocationRequests].map(requests => requests.map(holds))).toEqual([[true, true], [true]]);
		expect([calls.length, elsewhere.requests.length]).toEqual([4, 2]);
		const texts = [...calls, ...elsewhere.requests].map(request => inspect(request, {depth: 9}));
		expect(texts.filter(text => refreshTokens.some(token => text.includes(token)))).toEqual([]);
	});
});

describe('the fetch of the user', () => {
	test.for(['instance', 'call'])(
		'the fetch of the %s is called with a Request that has the token',
		async (where, {server, watch}) => {
			const auth = watch(createAuth(appOptions(server)));
			const {access_token} = await signIn(server, auth);
			const own = fakeFetch();
			const api = apiOf(server, auth, where === 'instance' ? {fetch: own.fetch} : {});
			expect(await api.get('me?a=b', where === 'call' ? {fetch: own.fetch} : {}).text()).toBe('ok');
			expect(own.requests.map(({url}) => url)).toEqual([`${server.api}/me?a=b`]);
			expect(own.authorizations).toEqual([`Bearer ${access_token}`]);
		},
	);

	/** What `fetch` is given beside the request: its signal, because in Node a copied request may no longer hear of an abort. */
	const ofTheCall = {signal: expect.any(AbortSignal) as unknown};

	test('the fetch of the user is given the referrer policy of the caller', async ({server, watch}) => {
		const auth = watch(createAuth(appOptions(server)));
		await signIn(server, auth);
		const own: typeof fetch = async (input, init) => {
			expect(new Request(input, init).referrerPolicy).toBe('no-referrer');
			return fetch(input, init);
		};
		const response = await apiOf(server, auth, {fetch: own}).get('me', {referrerPolicy: 'no-referrer'});
		expect(response.status).toBe(200);
	});

	test("the fetch of the user is called with the options that are neither ky's nor the platform's, at both sends", async ({
		server,
		watch,
	}) => {
		const auth = watch(createAuth(appOptions(server)));
		const {access_token} = await signIn(server, auth);
		await server.expire(access_token);
		const given: unknown[] = [];
		const own: typeof fetch = async (input, init) => {
			given.push({...init});
			return fetch(input);
		};
		const extra = {next: {revalidate: 5}, cf: {cacheTtl: 1}};
		await apiOf(server, auth, {fetch: own}).get('me', extra as Options);
		expect(given).toEqual([
			{...ofTheCall, ...extra},
			{...ofTheCall, ...extra},
		]);
		expect(countOf(server)).toEqual({hits: 2, grants: 1});
	});

	test('auth.fetch passes such options to the fetch of the place, at both sends', async ({server, watch}) => {
		const auth = watch(createAuth(appOptions(server, {fetch})));
		const {access_token} = await signIn(server, auth);
		await server.expire(access_token);
		const given: unknown[] = [];
		const platform = fetch;
		vi.stubGlobal('fetch', async (input: Request, init?: RequestInit) => {
			given.push({...init});
			return platform(input);
		});
		const extra = {next: {revalidate: 5}, cf: {cacheTtl: 1}};
		try {
			await auth.fetch(`${server.api}/me`, {method: 'PUT', ...extra});
		} finally {
			vi.unstubAllGlobals();
		}
		expect(given).toEqual([
			{...ofTheCall, ...extra},
			{...ofTheCall, ...extra},
		]);
		expect(server.calls.map(({method, status}) => [method, status])).toEqual([
			['PUT', 401],
			['PUT', 200],
		]);
	});

	test('a network error is not a 401, and makes no grant [R54]', async ({server, watch}) => {
		const auth = watch(createAuth(appOptions(server)));
		await signIn(server, auth);
		server.onCall(() => ({reset: true}));
		await expect(apiOf(server, auth).get('me')).rejects.toBeInstanceOf(NetworkError);
		await expect(auth.fetch(`${server.api}/me`)).rejects.toBeInstanceOf(TypeError);
		expect(countOf(server)).toEqual({hits: 2, grants: 0});
	});
});

describe('a 401', () => {
	const bearer = 'Bearer error="invalid_token"';

	test('a 401 counts as one without a challenge if a framework throws when the header is read [R53]', async ({
		server,
		watch,
	}) => {
		const auth = watch(createAuth(appOptions(server)));
		await server.expire((await signIn(server, auth)).access_token);
		const guarded = async (request: Request): Promise<Response> => {
			const response = await fetch(request);
			response.headers.get = () => {
				throw new Error('Not among the serialized headers');
			};
			return response;
		};
		const api = apiOf(server, auth, {fetch: guarded as typeof fetch});
		expect((await api.get('me', {throwHttpErrors: false})).status).toBe(200);
		expect(countOf(server)).toEqual({hits: 2, grants: 1});
	});

	test.for<[title: string, answer: Answer, grants: number]>([
		['F-45: Bearer with invalid_token', refusal(bearer), 1],
		['F-45: in capitals', refusal('BEARER ERROR="invalid_token"'), 1],
		['F-45: invalid_token without quotes', refusal('Bearer error=invalid_token'), 1],
		['F-46: Bearer without an error code', refusal('Bearer realm="api"'), 1],
		['F-46: Bearer alone', refusal('Bearer'), 1],
		['R53, F-47: no challenge', refusal(), 1],
		['F-48: another scheme', refusal('Basic realm="x"'), 0],
		['F-49: Basic and Bearer in one line', refusal(`Basic realm="x", ${bearer}`), 1],
		[
			'F-49: Basic and Bearer in two lines',
			{
				status: 401,
				headers: [
					['www-authenticate', 'Basic realm="x"'],
					['www-authenticate', bearer],
				],
			},
			1,
		],
		['F-50: insufficient_scope', refusal('Bearer error="insufficient_scope", scope="/accounts.write"'), 0],
		[
			'F-51: insufficient_user_authentication',
			refusal('Bearer error="insufficient_user_authentication", acr_values="x"'),
			0,
		],
		['R52: invalid_request', refusal('Bearer error="invalid_request"'), 0],
		['F-52, R101: DPoP nonce', refusal('DPoP error="use_dpop_nonce"'), 0],
		['F-53: Digest', refusal('Digest realm="x", nonce="y"'), 0],
		['F-53: garbage', refusal('=,=="'), 1],
		['F-53: an unterminated quote', refusal('Bearer error="invalid_token'), 1],
		['R52: 403 in its place', {status: 403, headers: [['www-authenticate', bearer]]}, 0],
		['R52: 400 in its place', {status: 400, headers: [['www-authenticate', bearer]]}, 0],
		['R65: 429 in its place', {status: 429, headers: [['www-authenticate', bearer]]}, 0],
		['R65: 503 in its place', {status: 503, headers: [['www-authenticate', bearer]]}, 0],
	])('a 401 with %s makes this many grants [R51]', async ([, answer, grants], {server, watch}) => {
		const auth = watch(createAuth(appOptions(server)));
		await signIn(server, auth);
		server.onCall(once(() => answer));
		const response = await apiOf(server, auth, {throwHttpErrors: false}).get('me');
		expect(response.status).toBe(grants === 1 ? 200 : answer.status);
		expect(countOf(server)).toEqual({hits: 1 + grants, grants});
		if (grants === 1) expect(server.calls[1]?.authorization).not.toBe(server.calls[0]?.authorization);
	});

	test('a 407 makes no grant [F-79]', async ({server, watch}) => {
		const auth = watch(createAuth(appOptions(server)));
		await signIn(server, auth);
		const own = fakeFetch(() => new Response(null, {status: 407, headers: {'www-authenticate': bearer}}));
		expect((await apiOf(server, auth, {fetch: own.fetch, throwHttpErrors: false}).get('me')).status).toBe(407);
		expect([own.requests.length, server.tokenRequests.length]).toEqual([1, 0]);
	});

	test('a 401 with a challenge of 64 kB is read quickly, and renews the token [F-53]', async ({server, watch}) => {
		const auth = watch(createAuth(appOptions(server)));
		await signIn(server, auth);
		const headers = {'www-authenticate': `${'Basic realm="x",'.repeat(2048)} ${', \t'.repeat(10_000)}${bearer}`};
		const own = fakeFetch(once(() => new Response(null, {status: 401, headers})) as () => Response);
		const answering: typeof fetch = async (...given) => (await own.fetch(...given)) ?? new Response('ok');
		expect(await apiOf(server, auth).get('me', {fetch: answering}).text()).toBe('ok');
		expect(server.tokenRequests).toHaveLength(1);
	});

	test('a challenge that asks for more can be read by the caller [R52]', async ({server, watch}) => {
		const auth = watch(createAuth(appOptions(server)));
		await signIn(server, auth);
		const error = await apiOf(server, auth)
			.post('accounts', {json: {}})
			.catch((error: unknown) => error);
		expect(error).toBeInstanceOf(HTTPError);
		const {response} = error as HTTPError;
		expect([response.status, response.headers.get('www-authenticate')]).toEqual([
			403,
			'Bearer error="insufficient_scope", scope="/accounts.write"',
		]);
		expect(countOf(server)).toEqual({hits: 1, grants: 0});
	});

	test.for(['GET', 'HEAD', 'OPTIONS', 'QUERY', 'PATCH', 'DELETE'])(
		'a 401 is handled for the method %s as for every other [F-79]',
		async (method, {server, watch}) => {
			const auth = watch(createAuth(appOptions(server)));
			await signIn(server, auth);
			const statuses = [401, 200];
			const own = fakeFetch(() => new Response(null, {status: statuses.shift() ?? 500}));
			expect((await apiOf(server, auth, {fetch: own.fetch})('me', {method})).status).toBe(200);
			expect(own.requests.map(request => request.method)).toEqual([method, method]);
			expect(server.tokenRequests).toHaveLength(1);
		},
	);

	test('a call without a session and a grant is sent unchanged, and its 401 reaches the caller [F-128]', async ({
		server,
		watch,
	}) => {
		const auth = watch(createAuth(appOptions(server)));
		expect((await auth.fetch(`${server.api}/me`)).status).toBe(401);
		await expect(apiOf(server, auth).get('me')).rejects.toBeInstanceOf(HTTPError);
		expect(server.calls.map(({authorization}) => authorization)).toEqual([undefined, undefined]);
		expect(server.tokenRequests).toHaveLength(0);
	});

	test('a 401 reaches the caller if nothing can renew the token, and ends the session', async ({server, watch}) => {
		const auth = watch(createAuth(appOptions(server)));
		const events = record(auth);
		await auth.setToken({access_token: 'not-known', token_type: 'Bearer'});
		expect((await auth.fetch(`${server.api}/me`)).status).toBe(401);
		expect(countOf(server)).toEqual({hits: 1, grants: 0});
		await expect(auth.getToken()).rejects.toMatchObject({reason: 'no_session'});
		expect(gist(events)).toEqual(['token set', 'session-ended no_refresh_token']);
	});

	test.for(['served', 'failed'])(
		'the body of a 401 is cancelled when the call is %s [R64]',
		async (kind, {server, watch}) => {
			const auth = watch(createAuth(appOptions(server)));
			await signIn(server, auth);
			if (kind === 'failed') server.onToken(() => ({status: 400, body: '{"error":"invalid_client"}'}));
			const cancelled = vi.fn<() => void>();
			const body = new ReadableStream({
				pull: controller => controller.enqueue(new Uint8Array(1024)),
				cancel: cancelled,
			});
			const answers = [new Response(body, {status: 401}), new Response('ok')];
			const own = fakeFetch(() => answers.shift() ?? Response.error());
			const promise = apiOf(server, auth, {fetch: own.fetch}).get('me').text();
			if (kind === 'served') expect(await promise).toBe('ok');
			else await expect(promise).rejects.toMatchObject({error: 'invalid_client'});
			expect(cancelled).toHaveBeenCalledOnce();
		},
	);

	test('a call with a late 401 is resent with the current token, and makes no grant [F-61, R57]', async ({
		server,
		watch,
	}) => {
		const auth = watch(createAuth(appOptions(server)));
		const {access_token} = await signIn(server, auth);
		const gate = createGate();
		const old = `Bearer ${access_token}`;
		server.onCall(async ({path, authorization}) => {
			if (path === '/me?late' && authorization === old) await gate.pass();
		});
		const late = Array.from({length: 5}, () => auth.fetch(`${server.api}/me?late`));
		await expect.poll(() => server.calls.length, {timeout: 20_000}).toBe(5);
		const {access_token: current} = await auth.refresh();
		await server.expire(access_token).catch(() => {}); // a server may end the old token when it issues the new one
		gate.open();
		expect((await Promise.all(late)).map(({status}) => status)).toEqual([200, 200, 200, 200, 200]);
		expect(countOf(server)).toEqual({hits: 10, grants: 1});
		expect(server.calls.slice(-5).map(({authorization}) => authorization)).toEqual(Array(5).fill(`Bearer ${current}`));
	});
});

describe('one auth retry a call', () => {
	const refuse = (server: AuthorizationServer): (() => void) =>
		server.onCall(() => refusal('Bearer error="invalid_token"'));

	test.for<[title: string, options: Options, hits: number]>([
		['by default', {retry: 2}, 2],
		['F-58: with retry: 0', {retry: 0}, 2],
		['with retry of statusCodes: [401]', {retry: {limit: 2, statusCodes: [401], delay: () => 0}}, 4],
		['with a timeout: false', {timeout: false}, 2],
		['with a totalTimeout', {totalTimeout: 20_000}, 2],
	])(
		"an endless 401 makes one grant and then is ky's HTTPError, %s [R50, F-54]",
		async ([, options, hits], {server, watch}) => {
			const auth = watch(createAuth(appOptions(server)));
			await signIn(server, auth);
			refuse(server);
			const error = await apiOf(server, auth, options)
				.get('me')
				.catch((error: unknown) => error);
			expect(error).toBeInstanceOf(HTTPError);
			expect(error).toMatchObject({name: 'HTTPError', data: 'refused', response: {status: 401}});
			expect(countOf(server)).toEqual({hits, grants: 1});
		},
	);

	test('an endless 401 is a plain response with throwHttpErrors: false [F-59]', async ({server, watch}) => {
		const auth = watch(createAuth(appOptions(server)));
		await signIn(server, auth);
		refuse(server);
		const response = await apiOf(server, auth, {throwHttpErrors: false, retry: 2}).get('me');
		expect([response.status, await response.text()]).toEqual([401, 'refused']);
		expect(countOf(server)).toEqual({hits: 2, grants: 1});
	});

	test('a single 401 is invisible to the caller, even with retry: 0 and throwHttpErrors: false [F-58, F-59]', async ({
		server,
		watch,
	}) => {
		const auth = watch(createAuth(appOptions(server)));
		for (const options of [{retry: 0}, {throwHttpErrors: false}, {retry: {limit: 2, statusCodes: [401]}}]) {
			const {access_token} = await signIn(server, auth);
			await server.expire(access_token);
			expect(await apiOf(server, auth, options).get('me').json()).toMatchObject({body: ''});
		}
		expect(countOf(server)).toEqual({hits: 6, grants: 3});
	});

	test.for([403, 500, 429])(
		'401, a grant, then %d: that answer, and no second grant [F-55]',
		async (status, {server, watch}) => {
			const auth = watch(createAuth(appOptions(server)));
			await signIn(server, auth);
			const answers = [refusal(), {status, body: 'then'}];
			server.onCall(() => answers.shift());
			const error = await apiOf(server, auth)
				.get('me')
				.catch((error: unknown) => error);
			expect(error).toMatchObject({name: 'HTTPError', data: 'then', response: {status}});
			expect(countOf(server)).toEqual({hits: 2, grants: 1});
		},
	);

	test("a 401 after a network retry of ky's renews the token and is resent once [F-56]", async ({server, watch}) => {
		const auth = watch(createAuth(appOptions(server)));
		await signIn(server, auth);
		const answers: Answer[] = [{status: 503}, refusal()];
		server.onCall(() => answers.shift());
		expect((await apiOf(server, auth, {retry: {limit: 2, delay: () => 0}}).get('me')).status).toBe(200);
		expect(server.calls.map(({status}) => status)).toEqual([503, 401, 200]);
		expect(server.tokenRequests).toHaveLength(1);
	});

	test("a resend after a 401 uses up none of ky's network retries [F-57]", async ({server, watch}) => {
		const auth = watch(createAuth(appOptions(server)));
		await signIn(server, auth);
		const answers: Answer[] = [refusal(), {status: 503}, {status: 503}];
		server.onCall(() => answers.shift());
		expect((await apiOf(server, auth, {retry: {limit: 2, delay: () => 0}}).get('me')).status).toBe(200);
		expect(server.calls.map(({status}) => status)).toEqual([401, 503, 503, 200]);
		expect(server.tokenRequests).toHaveLength(1);
	});

	test("a call is resent once, even if the 401s come in different attempts of ky's [R50]", async ({server, watch}) => {
		const auth = watch(createAuth(appOptions(server)));
		await signIn(server, auth);
		const answers: Answer[] = [refusal(), {status: 503}, refusal()];
		server.onCall(() => answers.shift());
		const promise = apiOf(server, auth, {retry: {limit: 2, delay: () => 0}}).get('me');
		await expect(promise).rejects.toMatchObject({name: 'HTTPError', response: {status: 401}});
		expect(server.calls.map(({status}) => status)).toEqual([401, 503, 401]);
		expect(server.tokenRequests).toHaveLength(1);
	});

	test("a network retry of ky's goes out with the token of that moment [F-60]", async ({server, watch}) => {
		const auth = watch(createAuth(appOptions(server)));
		await signIn(server, auth);
		server.onCall(
			once(async () => {
				await auth.refresh();
				return {status: 503};
			}),
		);
		await apiOf(server, auth, {retry: {limit: 2, delay: () => 0}}).get('me');
		const {access_token} = await auth.getToken();
		expect(server.calls.map(({authorization}) => authorization === `Bearer ${access_token}`)).toEqual([false, true]);
		expect(server.tokenRequests).toHaveLength(1);
	});

	test('an API that refuses every token costs one grant for a hundred calls [F-132, R69]', async ({server, watch}) => {
		const auth = watch(createAuth(appOptions(server)));
		await signIn(server, auth);
		refuse(server);
		const api = apiOf(server, auth, {throwHttpErrors: false});
		for (let count = 0; count < 100; count++) expect((await api.get('me')).status).toBe(401);
		expect(countOf(server)).toEqual({hits: 101, grants: 1});
	});

	test('a rejected new token makes a grant again after a minute [F-132]', async ({serve, watch}) => {
		const clock = createClock();
		let grants = 0;
		const {origin, requests} = await serve(() => refusal());
		const grantAnew: typeof fetch = async () =>
			Response.json({access_token: `at${++grants}`, token_type: 'Bearer', expires_in: 3600});
		const auth = watch(
			createAuth({
				tokenEndpoint: `${origin}/token`,
				clientId: 'app',
				origins: [origin],
				grant: {grant_type: 'client_credentials', scope: 'a'},
				fetch: grantAnew,
				now: clock.now,
			}),
		);
		for (let count = 0; count < 10; count++) await auth.fetch(origin);
		expect([grants, requests.length]).toEqual([2, 11]);
		clock.advance(59);
		await auth.fetch(origin);
		expect([grants, requests.length]).toEqual([2, 12]);
		clock.advance(2);
		await auth.fetch(origin);
		expect([grants, requests.length]).toEqual([3, 14]);
	});

	test('a rejected token makes a grant again once the API has accepted it [F-132]', async ({server, watch}) => {
		const auth = watch(createAuth(appOptions(server)));
		await signIn(server, auth);
		const api = apiOf(server, auth, {throwHttpErrors: false});
		const accept = refuse(server);
		for (let count = 0; count < 3; count++) await api.get('me');
		expect(countOf(server)).toEqual({hits: 4, grants: 1});
		accept();
		expect((await api.get('me')).status).toBe(200);
		const {access_token} = await auth.getToken();
		await server.expire(access_token);
		expect((await api.get('me')).status).toBe(200);
		expect(countOf(server)).toEqual({hits: 7, grants: 2});
	});

	test('an error of the renewal reaches the caller as it is, and ky does not repeat the call [F-133]', async ({
		server,
		watch,
	}) => {
		const auth = watch(createAuth(appOptions(server)));
		const {access_token} = await signIn(server, auth);
		await server.expire(access_token);
		const events = record(auth);
		server.onToken(() => ({reset: true}));
		const error = await apiOf(server, auth, {retry: {limit: 2, delay: () => 0}})
			.get('me')
			.catch((error: unknown) => error);
		expect(error).toBeInstanceOf(TokenNetworkError);
		expect(events).toEqual([{type: 'refresh-failed', error}]);
		expect(events[0]).toHaveProperty('error', error);
		expect(countOf(server)).toEqual({hits: 1, grants: 1});
	});
});

describe('a body', () => {
	const form = (): FormData => {
		const data = new FormData();
		data.set('a', 'ü');
		data.set('file', new Blob([new Uint8Array([0, 255, 13, 10])], {type: 'image/x'}), 'f.bin');
		return data;
	};
	const bytes = Uint8Array.from({length: 100_000}, (_, index) => index % 256);

	const bodies: ReadonlyArray<[title: string, options: () => Options]> = [
		['JSON', () => ({json: {a: 'ü', b: [1]}})],
		['text', () => ({body: 'text'})],
		['URLSearchParams', () => ({body: new URLSearchParams({a: 'b c'})})],
		['FormData', () => ({body: form()})],
		['a Blob', () => ({body: new Blob([bytes], {type: 'image/x'})})],
		['an ArrayBuffer', () => ({body: bytes.buffer})],
		['a Uint8Array', () => ({body: bytes.subarray(1)})],
		['JSON with onUploadProgress', () => ({json: {a: 1}, onUploadProgress: () => {}})],
	];

	test.for(bodies.flatMap(([title, options]) => [0, 2].map(retry => [title, retry, options] as const)))(
		'a body of %s is resent byte for byte, with retry: %d [F-64]',
		async ([, retry, options], {server, watch}) => {
			const auth = watch(createAuth(appOptions(server)));
			const {access_token} = await signIn(server, auth);
			await server.expire(access_token);
			await apiOf(server, auth, {retry}).post('me', options());
			expectResent(server);
		},
	);

	test.for(bodies.flatMap(([title, options]) => ('body' in options() ? [[title, options] as const] : [])))(
		'a body of %s is resent byte for byte by auth.fetch, also in a Request [F-64]',
		async ([, options], {server, watch}) => {
			const auth = watch(createAuth(appOptions(server)));
			for (const wrap of [false, true]) {
				const {access_token} = await signIn(server, auth);
				await server.expire(access_token);
				server.calls.length = 0;
				const init = {method: 'POST', body: options().body ?? null};
				await (wrap ? auth.fetch(new Request(`${server.api}/me`, init)) : auth.fetch(`${server.api}/me`, init));
				expectResent(server);
			}
		},
	);

	test('a Request as options of auth.fetch keeps its method, headers and body, as with the platform’s fetch, and is resent', async ({
		server,
		watch,
	}) => {
		const auth = watch(createAuth(appOptions(server)));
		const {access_token} = await signIn(server, auth);
		await server.expire(access_token);
		const init = {method: 'POST', body: 'text', headers: {'x-of-the-request': 'kept'}};
		expect((await auth.fetch(`${server.api}/me`, new Request('https://edge.example/other', init))).status).toBe(200);
		expect(server.calls.map(({method, body, headers}) => [method, body, headers['x-of-the-request']])).toEqual([
			['POST', 'text', 'kept'],
			['POST', 'text', 'kept'],
		]);
	});

	test('a body of a Request that is given to ky is resent byte for byte [F-64]', async ({server, watch}) => {
		const auth = watch(createAuth(appOptions(server)));
		const {access_token} = await signIn(server, auth);
		await server.expire(access_token);
		await apiOf(server, auth)(new Request(`${server.api}/me`, {method: 'POST', body: new Blob([bytes])}));
		expectResent(server);
	});

	const other = {method: 'POST', body: 'in place of the Blob', headers: {'content-type': 'text/x-own'}};
	const changes: ReadonlyArray<[title: string, hooks: Options['hooks']]> = [
		['a beforeRequest hook', {beforeRequest: [({request}) => new Request(request.url, other)]}],
		['a later init hook', {init: [options => void Object.assign(options, other)]}],
		[
			'an afterResponse hook',
			{
				afterResponse: [
					({request, retryCount}) =>
						retryCount > 0 ? undefined : ky.retry({request: new Request(request.url, other)}),
				],
			},
		],
	];

	test.for(changes)(
		'a body that %s puts in place of a Blob is sent, and resent [F-156]',
		async ([, hooks = {}], {server, watch}) => {
			const auth = watch(createAuth(appOptions(server)));
			const {access_token} = await signIn(server, auth);
			await server.expire(access_token);
			await apiOf(server, auth, {retry: 2}).post('me', {body: new Blob(['the Blob'], {type: 'image/x'}), hooks});
			const sent = server.calls.map(({bytes, headers}) => [Buffer.from(bytes).toString(), headers['content-type']]);
			const changed = ['in place of the Blob', 'text/x-own'];
			const whole = ['the Blob', 'image/x'];
			expect(sent).toEqual(hooks.afterResponse ? [whole, whole, changed] : [changed, changed]);
		},
	);

	function expectResent({calls}: AuthorizationServer): void {
		expect(calls.map(({status}) => status)).toEqual([401, 200]);
		const [first, second] = calls;
		expect(first?.bytes.length).toBeGreaterThan(0);
		expect(Buffer.compare(first?.bytes ?? new Uint8Array(), second?.bytes ?? new Uint8Array())).toBe(0);
		expect(second?.headers['content-type']).toBe(first?.headers['content-type']);
	}

	async function* chunks(): AsyncGenerator<Uint8Array> {
		yield new TextEncoder().encode('some ');
		yield new TextEncoder().encode('more');
	}

	const stream = (): ReadableStream<Uint8Array> =>
		new ReadableStream({
			start(controller) {
				controller.enqueue(new TextEncoder().encode('some '));
				controller.enqueue(new TextEncoder().encode('more'));
				controller.close();
			},
		});

	const streams: ReadonlyArray<
		[title: string, call: (api: KyInstance, auth: Auth, url: string) => PromiseLike<Response>]
	> = [
		['ky', api => api.post('me', {body: stream()})],
		['ky, with retry: 2', api => api.post('me', {body: stream(), retry: 2})],
		[
			'auth.fetch',
			(_api, auth, url) => auth.fetch(url, {method: 'POST', body: stream(), duplex: 'half'} as RequestInit),
		],
		[
			'auth.fetch, of an async iterable',
			(_api, auth, url) => auth.fetch(url, {method: 'POST', body: chunks(), duplex: 'half'} as unknown as RequestInit),
		],
	];

	test.for(streams)(
		"a body of a stream is not resent by %s: its 401 is the caller's, and the token is renewed [F-65, R62]",
		async ([, call], {server, watch}) => {
			const auth = watch(createAuth(appOptions(server)));
			const {access_token} = await signIn(server, auth);
			await server.expire(access_token);
			const response = await call(apiOf(server, auth, {throwHttpErrors: false}), auth, `${server.api}/me`);
			expect(response.status).toBe(401);
			expect(response.headers.get('www-authenticate')).toBe('Bearer error="invalid_token"');
			expect(server.calls.map(({body}) => body)).toEqual(['some more']);
			expect(server.tokenRequests.map(({status}) => status)).toEqual([200]);
			expect((await auth.fetch(`${server.api}/me`)).status).toBe(200);
			expect(countOf(server)).toEqual({hits: 2, grants: 1});
		},
	);

	test.for(streams)(
		'a body of a stream is sent after the renewal by %s, where expiry is near [R63]',
		async ([, call], {server, watch}) => {
			const auth = watch(createAuth(appOptions(server)));
			await signIn(server, auth, expired);
			const response = await call(apiOf(server, auth), auth, `${server.api}/me`);
			expect(await response.json()).toMatchObject({body: 'some more'});
			expect(countOf(server)).toEqual({hits: 1, grants: 1});
		},
	);

	test('a body of a stream is not teed, so nothing of it is kept [R62]', async ({server, watch}) => {
		const auth = watch(createAuth(appOptions(server)));
		await signIn(server, auth);
		const tee = vi.spyOn(ReadableStream.prototype, 'tee');
		try {
			const own: typeof fetch = async request => new Response(await (request as Request).text());
			expect(await apiOf(server, auth, {fetch: own}).post('me', {body: stream()}).text()).toBe('some more');
			expect(tee).not.toHaveBeenCalled();
		} finally {
			tee.mockRestore();
		}
	});

	test("a Request that is used twice is the platform's TypeError, as without regrant [F-66]", async ({
		server,
		watch,
	}) => {
		const auth = watch(createAuth(appOptions(server)));
		await signIn(server, auth);
		const request = new Request(`${server.api}/me`, {method: 'POST', body: 'text'});
		expect((await auth.fetch(request)).status).toBe(200);
		await expect(auth.fetch(request)).rejects.toBeInstanceOf(TypeError);
		expect(server.calls.map(({body}) => body)).toEqual(['text']);
	});
});

describe('many calls at once', () => {
	test(
		'a thousand 401s at once make one grant and get a thousand answers [F-62]',
		{timeout: 120_000},
		async ({server, watch}) => {
			const auth = watch(createAuth(appOptions(server)));
			const {access_token} = await signIn(server, auth);
			await server.expire(access_token);
			const api = apiOf(server, auth, {timeout: 60_000});
			const answers = await Promise.all(Array.from({length: 1000}, () => api.get('me')));
			expect(answers.every(({status}) => status === 200)).toBe(true);
			expect(server.tokenRequests).toHaveLength(1);
			for (const {body} of answers) void body?.cancel();
		},
	);

	test(
		'a thousand calls at once with an expired token make one grant and a thousand requests [R58]',
		{timeout: 120_000},
		async ({server, watch}) => {
			const auth = watch(createAuth(appOptions(server)));
			await signIn(server, auth, expired);
			const api = apiOf(server, auth, {timeout: 60_000});
			const answers = await Promise.all(Array.from({length: 1000}, () => api.get('me')));
			expect(answers.every(({status}) => status === 200)).toBe(true);
			expect(countOf(server)).toEqual({hits: 1000, grants: 1});
			for (const {body} of answers) void body?.cancel();
		},
	);

	test.for<[title: string, answer: Reply, coolsDown: boolean]>([
		['reset', {reset: true}, false],
		['503', {status: 503, headers: [['retry-after', '5']]}, true],
	])(
		'a thousand 401s at once, and a token endpoint that answers %s, make one grant and a thousand errors [F-63]',
		{timeout: 120_000},
		async ([, answer, coolsDown], {server, watch}) => {
			const clock = createClock();
			const auth = watch(createAuth(appOptions(server, {now: clock.now})));
			await signIn(server, auth);
			const all = 1000;
			let refused = 0;
			const gate = createGate();
			const own = fakeFetch(() => {
				if (++refused >= all) void settle().then(gate.open);
				return new Response('no', {status: 401});
			});
			const recover = server.onToken(async () => {
				await gate.pass();
				return answer;
			});
			const api = apiOf(server, auth, {fetch: own.fetch, timeout: 60_000});
			const errors = await Promise.all(Array.from({length: all}, () => api.get('me').catch((error: unknown) => error)));
			expect(errors.every(error => error instanceof (coolsDown ? TokenResponseError : TokenNetworkError))).toBe(true);
			expect(server.tokenRequests).toHaveLength(1);
			recover();
			clock.advance(5);
			await auth.refresh();
			expect(server.tokenRequests).toHaveLength(2);
			expect((await apiOf(server, auth).get('me')).status).toBe(200);
		},
	);
});

describe('a caller that leaves', () => {
	const reason = new Error('mine');
	const ways: ReadonlyArray<
		[title: string, call: (api: KyInstance, auth: Auth, url: string, signal: AbortSignal) => PromiseLike<unknown>]
	> = [
		['ky', (api, _auth, _url, signal) => api.get('me', {signal})],
		['auth.fetch', (_api, auth, url, signal) => auth.fetch(url, {signal})],
		['auth.fetch with a Request', (_api, auth, url, signal) => auth.fetch(new Request(url, {signal}))],
		['getToken', (_api, auth, _url, signal) => auth.getToken({signal})],
		['refresh', (_api, auth, _url, signal) => auth.refresh({signal})],
	];

	test.for(ways)(
		'a caller that aborts before sending, by %s, sends nothing and makes no grant [F-73]',
		async ([, call], {server, watch}) => {
			const auth = watch(createAuth(appOptions(server)));
			await signIn(server, auth, expired);
			await expect(call(apiOf(server, auth), auth, `${server.api}/me`, AbortSignal.abort(reason))).rejects.toBe(reason);
			expect(countOf(server)).toEqual({hits: 0, grants: 0});
		},
	);

	test.for(ways)(
		'a caller that aborts during a refresh, by %s, gets its own reason at once, and the others get their answers [F-73, F-74, R60]',
		async ([, call], {server, watch}) => {
			const auth = watch(createAuth(appOptions(server)));
			await signIn(server, auth, expired);
			const api = apiOf(server, auth);
			const gate = createGate();
			server.onToken(gate.pass);
			const leaver = new AbortController();
			const leaving = call(api, auth, `${server.api}/me`, leaver.signal);
			const staying = [api.get('me'), api.get('me'), auth.fetch(`${server.api}/me`)];
			await gate.reached;
			leaver.abort(reason);
			await expect(leaving).rejects.toBe(reason);
			gate.open();
			expect((await Promise.all(staying)).map(({status}) => status)).toEqual([200, 200, 200]);
			expect(countOf(server)).toEqual({hits: 3, grants: 1});
		},
	);

	test('a call that is aborted during the renewal after its 401 is not resent [F-73]', async ({server, watch}) => {
		const auth = watch(createAuth(appOptions(server)));
		const {access_token} = await signIn(server, auth);
		await server.expire(access_token);
		const gate = createGate();
		server.onToken(gate.pass);
		const leaver = new AbortController();
		const leaving = apiOf(server, auth).get('me', {signal: leaver.signal});
		await gate.reached;
		leaver.abort(reason);
		await expect(leaving).rejects.toBe(reason);
		gate.open();
		await auth.getToken();
		await settle();
		expect(countOf(server)).toEqual({hits: 1, grants: 1});
	});

	test('an abort after the renewal ends the call that is being resent [F-73]', async ({server, watch}) => {
		const auth = watch(createAuth(appOptions(server)));
		const {access_token} = await signIn(server, auth);
		await server.expire(access_token);
		const gate = createGate();
		server.onCall(async ({authorization}) => {
			if (authorization !== `Bearer ${access_token}`) await gate.pass();
		});
		const leaver = new AbortController();
		const leaving = auth.fetch(`${server.api}/me`, {signal: leaver.signal});
		await gate.reached;
		leaver.abort(reason);
		await expect(leaving).rejects.toBe(reason);
		gate.open();
	});

	test('a grant goes on and its token is stored even if all callers abort [F-75, R59]', async ({server, watch}) => {
		const auth = watch(createAuth(appOptions(server)));
		await signIn(server, auth, expired);
		const renewed = new Promise<void>(resolve => auth.subscribe(event => void (event.type === 'token' && resolve())));
		const gate = createGate();
		server.onToken(gate.pass);
		const leaver = new AbortController();
		const {signal} = leaver;
		const leaving = ways.map(([, call]) => call(apiOf(server, auth), auth, `${server.api}/me`, signal));
		await gate.reached;
		leaver.abort(reason);
		for (const promise of leaving) await expect(promise).rejects.toBe(reason);
		gate.open();
		await renewed;
		expect((await apiOf(server, auth).get('me')).status).toBe(200);
		expect(countOf(server)).toEqual({hits: 1, grants: 1});
	});

	test.for<[title: string, options: Options]>([
		['F-76: by timeout', {timeout: 50}],
		['F-77: by totalTimeout', {timeout: false, totalTimeout: 50}],
	])("a caller with %s gets ky's TimeoutError, and the grant goes on", async ([, options], {server, watch}) => {
		const auth = watch(createAuth(appOptions(server)));
		await signIn(server, auth, expired);
		const gate = createGate();
		server.onToken(gate.pass);
		const staying = auth.getToken();
		await expect(apiOf(server, auth, options).get('me')).rejects.toBeInstanceOf(TimeoutError);
		gate.open();
		const {access_token} = await staying;
		expect((await apiOf(server, auth).get('me')).status).toBe(200);
		expect(server.calls.map(({authorization}) => authorization)).toEqual([`Bearer ${access_token}`]);
		expect(server.tokenRequests).toHaveLength(1);
	});

	test('a caller with timeout: false is released by our own deadline [F-78]', async ({server, watch}) => {
		const store = memoryStore();
		const clock = createClock();
		// A caller waits twice as long, and must not give up before the request does: the next caller would share its failure.
		const auth = watch(createAuth(appOptions(server, {store, timeout: 2_000, now: clock.now})));
		const patient = watch(createAuth(appOptions(server, {store, now: clock.now})));
		await signIn(server, auth, expired);
		const recover = server.onToken(() => new Promise(() => {}));
		const error = await apiOf(server, auth, {timeout: false})
			.get('me')
			.catch((error: unknown) => error);
		expect(error).toBeInstanceOf(TokenNetworkError);
		expect(error).toMatchObject({code: 'timeout', retryable: true});
		recover();
		clock.advance(1);
		expect((await apiOf(server, patient, {timeout: false}).get('me')).status).toBe(200);
	});
});

test('a call from within a ky hook of the same instance is a call like any other', async ({server, watch}) => {
	const auth = watch(createAuth(appOptions(server)));
	await signIn(server, auth, expired);
	const api = apiOf(server, auth);
	const hooks = {beforeRequest: [async () => void (await api.get('me?inner').text())]};
	expect((await api.extend({hooks}).get('me')).status).toBe(200);
	expect(countOf(server)).toEqual({hits: 2, grants: 1});
});

test("the error about a missing origin reaches ky's caller unchanged", async ({server, watch}) => {
	const auth = watch(createAuth(serviceOptions(server, {origins: undefined})));
	const promise = ky.get(`${server.api}/me`, {hooks: auth.hooks, retry: {limit: 2, delay: () => 0}});
	await expect(promise).rejects.toBeInstanceOf(ConfigError);
});
