import ky, {type Options} from 'ky';
import {afterEach, beforeEach, describe, expect, onTestFinished, vi} from 'vitest';
import {type Auth, createAuth, createSession, type TokenScheme} from '../../src/index.ts';
import type {CapturedRequest, Handler, Reply, Served} from '../support/serve.ts';
import {test as base} from '../support/test.ts';

const redirectTo = (location: string | URL, status = 302): Reply => ({
	status,
	headers: [['location', String(location)]],
	body: 'moved',
});

/** Two origins whose responses the test sets. The session lists A in its `origins`, but not B. */
interface Places {
	readonly a: Served & {answer: Handler};
	readonly b: Served & {answer: Handler};
	readonly auth: Auth;
	/** The number of token requests so far. */
	readonly grants: () => number;
}

const test = base.extend('places', async ({serve, watch}): Promise<Places> => {
	const start = async (): Promise<Places['a']> => {
		const place: {answer: Handler} = {answer: () => ({body: 'arrived'})};
		const served = await serve((request, captured) => place.answer(request, captured));
		return Object.assign(place, served);
	};
	const [a, b] = [await start(), await start()];
	let grants = 0;
	const auth = watch(
		createAuth({
			tokenEndpoint: 'https://as.example/token',
			clientId: 'app',
			origins: [a.origin],
			fetch: async () => Response.json({access_token: `at${++grants + 1}`, token_type: 'Bearer'}),
		}),
	);
	await auth.setToken({access_token: 'at1', token_type: 'Bearer', refresh_token: 'rt1'});
	return {a, b, auth, grants: () => grants};
});

const authorizations = ({requests}: Served): Array<string | undefined> =>
	requests.map(({headers}) => headers['authorization']);

/** The tests for both kinds of platform. A user sees no difference between the two. */
function describeRedirects(send: (auth: Auth, url: string, options?: Options) => Promise<Response>): void {
	test.for([301, 302, 303, 307, 308])(
		'a %d to another origin does not carry Authorization there [R42]',
		async (status, {places}) => {
			const {a, b, auth, grants} = places;
			a.answer = () => redirectTo(`${b.origin}/there`, status);
			const response = await send(auth, `${a.origin}/here`, {method: 'POST', body: 'text'});
			expect([response.status, await response.text()]).toEqual([200, 'arrived']);
			expect(authorizations(a)).toEqual(['Bearer at1']);
			expect(authorizations(b)).toEqual([undefined]);
			expect(b.requests).toMatchObject([
				status > 303 ? {method: 'POST', path: '/there', body: 'text'} : {method: 'GET', path: '/there', body: ''},
			]);
			expect(grants()).toBe(0);
		},
	);

	test('a redirect back from another origin does not bring Authorization back [R42]', async ({places}) => {
		const {a, b, auth} = places;
		a.answer = (_request, {path}) => (path === '/here' ? redirectTo(`${b.origin}/there`) : {body: 'home'});
		b.answer = () => redirectTo(`${a.origin}/home`);
		expect(await (await send(auth, `${a.origin}/here`)).text()).toBe('home');
		expect(authorizations(a)).toEqual(['Bearer at1', undefined]);
		expect(authorizations(b)).toEqual([undefined]);
	});

	test('a redirect within the origin keeps Authorization [R42]', async ({places}) => {
		const {a, auth} = places;
		a.answer = (_request, {path}) => (path === '/v1/here?a' ? redirectTo('there?b#c', 307) : {body: path});
		expect(await (await send(auth, `${a.origin}/v1/here?a`)).text()).toBe('/v1/there?b');
		expect(authorizations(a)).toEqual(['Bearer at1', 'Bearer at1']);
	});

	test('a 401 of another origin makes no grant [F-70, R56]', async ({places}) => {
		const {a, b, auth, grants} = places;
		a.answer = () => redirectTo(b.origin);
		b.answer = () => ({status: 401, headers: [['www-authenticate', 'Bearer error="invalid_token"']]});
		expect((await send(auth, a.origin, {throwHttpErrors: false})).status).toBe(401);
		expect([grants(), a.requests.length, b.requests.length]).toEqual([0, 1, 1]);
		expect(authorizations(b)).toEqual([undefined]);
	});

	test('a 401 after a redirect within the origin renews, and the original URL is resent [F-69]', async ({places}) => {
		const {a, auth, grants} = places;
		a.answer = (_request, {path, headers}) => {
			if (path === '/here') return redirectTo('/there', 307);
			return headers['authorization'] === 'Bearer at2' ? {body: 'arrived'} : {status: 401};
		};
		expect(await (await send(auth, `${a.origin}/here`, {method: 'POST', body: 'text'})).text()).toBe('arrived');
		expect(a.requests.map(({path, body}) => [path, body])).toEqual([
			['/here', 'text'],
			['/there', 'text'],
			['/here', 'text'],
			['/there', 'text'],
		]);
		expect(grants()).toBe(1);
	});

	test('20 redirects are followed, and the 21st is a network error', async ({places}) => {
		const {a, auth, grants} = places;
		const countdown = (_request: Request, {path}: CapturedRequest): Reply => {
			const left = Number(path.slice(1));
			return left > 0 ? redirectTo(`/${left - 1}`) : {body: 'arrived'};
		};
		a.answer = countdown;
		expect(await (await send(auth, `${a.origin}/20`)).text()).toBe('arrived');
		expect(a.requests).toHaveLength(21);
		await expect(send(auth, `${a.origin}/21`)).rejects.toMatchObject(networkError(send));
		expect(grants()).toBe(0);
	});

	test.for<[status: number, method: string, then: string]>([
		[301, 'POST', 'GET'],
		[302, 'POST', 'GET'],
		[303, 'POST', 'GET'],
		[303, 'PUT', 'GET'],
		[301, 'PUT', 'PUT'],
		[302, 'DELETE', 'DELETE'],
		[307, 'POST', 'POST'],
		[308, 'PATCH', 'PATCH'],
		[303, 'HEAD', 'HEAD'],
		[303, 'GET', 'GET'],
		[302, 'HEAD', 'HEAD'],
	])('after %d, %s becomes %s, as the Fetch standard has it', async ([status, method, then], {places}) => {
		const {a, auth} = places;
		a.answer = (_request, {path}) => (path === '/here' ? redirectTo('/there', status) : {body: ''});
		const body = ['GET', 'HEAD'].includes(method) ? {} : {body: new Blob(['text'], {type: 'text/x-own'})};
		const headers = {'content-language': 'en', 'x-key': 'v'};
		await send(auth, `${a.origin}/here`, {method, headers, ...body});
		expect(a.requests[1]?.method).toBe(then);
		expect(a.requests[1]?.headers).toMatchObject({'x-key': 'v', authorization: 'Bearer at1'});
		const keepsBody = 'body' in body && method === then;
		expect(a.requests[1]?.body).toBe(keepsBody ? 'text' : '');
		if (method === then) return;
		const {'content-type': type, 'content-language': language} = a.requests[1]?.headers ?? {};
		expect([type, language]).toEqual([undefined, undefined]);
	});

	test('a Blob is sent again until a redirect leaves it behind, and stays behind then [F-156]', async ({places}) => {
		const {a, auth} = places;
		const next: Readonly<Record<string, Reply>> = {
			'/1': redirectTo('/2', 307),
			'/2': redirectTo('/3', 303),
			'/3': redirectTo('/4', 302),
		};
		a.answer = (_request, {path}) => next[path] ?? {body: 'arrived'};
		const body = new Blob(['text'], {type: 'text/x-own'});
		expect(await (await send(auth, `${a.origin}/1`, {method: 'POST', body})).text()).toBe('arrived');
		expect(a.requests.map(({method, body}) => `${method} ${body}`)).toEqual(['POST text', 'POST text', 'GET ', 'GET ']);
		expect(a.requests.map(({headers}) => headers['content-type'])).toEqual([
			'text/x-own',
			'text/x-own',
			undefined,
			undefined,
		]);
	});

	test.for([307, 308])('a stream that meets %d is a network error', async (status, {places}) => {
		const {a, b, auth, grants} = places;
		a.answer = () => redirectTo(b.origin, status);
		await expect(send(auth, a.origin, {method: 'POST', body: stream()})).rejects.toMatchObject(networkError(send));
		expect([a.requests.length, b.requests.length, grants()]).toEqual([1, 0, 0]);
	});

	test('a 303 drops the stream', async ({places}) => {
		const {a, b, auth} = places;
		a.answer = () => redirectTo(b.origin, 303);
		await send(auth, a.origin, {method: 'POST', body: stream()});
		expect(b.requests).toMatchObject([{method: 'GET', body: ''}]);
	});

	test("a redirect mode of the caller's own is kept", async ({places}) => {
		const {a, b, auth} = places;
		a.answer = () => redirectTo(b.origin);
		const response = await send(auth, a.origin, {redirect: 'manual', throwHttpErrors: false});
		expect([response.status, response.headers.get('location')]).toEqual([302, b.origin]);
		await expect(send(auth, a.origin, {redirect: 'error'})).rejects.toMatchObject(networkError(send));
		expect([a.requests.length, b.requests.length]).toEqual([2, 0]);
	});

	test.for(['ftp://127.0.0.1/', 'data:text/plain,x', 'javascript:1', 'http://', 'blob:http://127.0.0.1/x'])(
		'a redirect to %s is a network error',
		async (location, {places}) => {
			const {a, auth} = places;
			a.answer = () => redirectTo(location);
			await expect(send(auth, a.origin)).rejects.toMatchObject(networkError(send));
			expect(a.requests).toHaveLength(1);
		},
	);

	test('a redirect without a Location is an ordinary answer', async ({places}) => {
		const {a, auth} = places;
		a.answer = () => ({status: 302, body: 'nowhere'});
		const response = await send(auth, a.origin, {throwHttpErrors: false});
		expect([response.status, await response.text()]).toEqual([302, 'nowhere']);
	});

	test.for([300, 304])('%d is no redirect', async (status, {places}) => {
		const {a, b, auth} = places;
		a.answer = () => ({status, headers: [['location', b.origin]]});
		expect((await send(auth, a.origin, {throwHttpErrors: false})).status).toBe(status);
		expect(b.requests).toEqual([]);
	});

	test('an abort ends the call, wherever it has got to', async ({places}) => {
		const {a, b, auth} = places;
		const leaver = new AbortController();
		const reason = new Error('mine');
		a.answer = () => redirectTo(b.origin);
		b.answer = () => {
			leaver.abort(reason);
			return new Promise<Reply>(() => {});
		};
		await expect(send(auth, a.origin, {signal: leaver.signal})).rejects.toBe(reason);
	});
}

function stream(): ReadableStream<Uint8Array> {
	return new ReadableStream({
		start(controller) {
			controller.enqueue(new TextEncoder().encode('text'));
			controller.close();
		},
	});
}

const byKy = async (auth: Auth, url: string, options?: Options): Promise<Response> =>
	ky(url, {hooks: auth.hooks, retry: 0, ...options});

const byFetch = async (auth: Auth, url: string, options: Options = {}): Promise<Response> => {
	const {throwHttpErrors: _, ...init} = options;
	return auth.fetch(url, {...init, duplex: 'half'} as RequestInit);
};

/** A network error has one name in ky and another in `fetch`. */
const networkError = (send: unknown): {name: string} => ({name: send === byFetch ? 'TypeError' : 'NetworkError'});

describe('on a platform that is known to drop credentials', () => {
	describe('ky', () => {
		describeRedirects(byKy);
	});
	describe('auth.fetch', () => {
		describeRedirects(byFetch);
	});

	test('redirects are left to the platform', async ({places}) => {
		const {a, auth} = places;
		const modes: string[] = [];
		const own: typeof fetch = async input => {
			modes.push((input as Request).redirect);
			return fetch(input);
		};
		await byKy(auth, a.origin, {fetch: own});
		expect(modes).toEqual(['follow']);
	});
});

describe('on a platform that may carry credentials to wherever a redirect leads', () => {
	beforeEach(() => void vi.stubGlobal('navigator', {userAgent: 'Cloudflare-Workers'}));
	afterEach(() => void vi.unstubAllGlobals());

	/** Asserts that the platform follows no redirect. Every request that reaches a server was then sent by regrant itself. */
	const byHand =
		(send: typeof byKy): typeof byKy =>
		async (auth, url, options) => {
			const own: typeof fetch = async input => {
				const request = input as Request;
				expect(request.redirect).toBe(options?.redirect ?? 'manual');
				return fetch(request);
			};
			return send(auth, url, {...options, fetch: own});
		};

	describe('ky', () => {
		describeRedirects(byHand(byKy));
	});

	describe('auth.fetch', () => {
		beforeEach(() => {
			const platform = fetch;
			vi.stubGlobal('fetch', async (request: Request) => {
				expect(request.redirect).not.toBe('follow');
				return platform(request);
			});
		});
		describeRedirects(byFetch);
	});

	test.for<[title: string, hops: (a: string, b: string) => string]>([
		['another port', (_a, b) => `${b}/there`],
		['another name of the host', a => a.replace('127.0.0.1', 'localhost')],
		['a URL without a scheme', (_a, b) => b.replace('http:', '')],
	])(
		'all credentials stay behind on the way to %s, and other headers do not [F-129, R43]',
		async ([, target], {places}) => {
			const {a, b, auth} = places;
			const arrived: CapturedRequest[] = [];
			const stop: Handler = (_request, captured) => {
				arrived.push(captured);
				return {body: 'arrived'};
			};
			a.answer = (request, captured) =>
				captured.path === '/here' ? redirectTo(target(a.origin, b.origin), 307) : stop(request, captured);
			b.answer = stop;
			const credentials = {'proxy-authorization': 'Basic YTpi', cookie: 'a=b', dpop: 'proof'};
			const others = {'x-api-key': 'v', 'x-authorization': 'w', 'cookie-notice': 'x'};
			const headers = {...credentials, ...others};
			await byHand(byKy)(auth, `${a.origin}/here`, {headers});
			expect(a.requests[0]?.headers).toMatchObject({...headers, authorization: 'Bearer at1'});
			expect(arrived).toHaveLength(1);
			expect(arrived[0]?.headers).toMatchObject(others);
			for (const name of ['authorization', ...Object.keys(credentials)]) {
				expect(arrived[0]?.headers).not.toHaveProperty(name);
			}
		},
	);

	test('nothing that a scheme adds to a request follows to another origin, and it comes once to each hop [R42]', async ({
		places,
		watch,
	}) => {
		const {a, b} = places;
		a.answer = (_request, {path}) => redirectTo(path === '/here' ? '/there' : b.origin, 307);
		const scheme: TokenScheme = {
			header: 'x-token',
			apply: ({headers}, accessToken) => {
				headers.set('x-token', String(accessToken));
				headers.append('x-device-token', String(accessToken));
			},
		};
		const auth = watch(createSession({renew: () => undefined, scheme, origins: [a.origin]}));
		await auth.setToken({access_token: 'at1'});
		await byFetch(auth, `${a.origin}/here`, {headers: {'x-own': 'v'}});
		const arrived = [...a.requests, ...b.requests].map(({headers}) =>
			['x-own', 'x-token', 'x-device-token'].map(name => headers[name]),
		);
		expect(arrived).toEqual([
			['v', 'at1', 'at1'],
			['v', 'at1', 'at1'],
			['v', undefined, undefined],
		]);
	});

	test('the options for the platform are passed on at every hop', async ({places}) => {
		const {a, auth} = places;
		a.answer = (_request, {path}) => (path === '/here' ? redirectTo('/there') : {body: 'arrived'});
		const given: unknown[] = [];
		const own: typeof fetch = async (input, init) => {
			given.push({...init});
			return fetch(input);
		};
		const extra = {cf: {cacheTtl: 1}};
		await byKy(auth, `${a.origin}/here`, {fetch: own, ...extra});
		const ofTheCall = {signal: expect.any(AbortSignal) as unknown};
		expect(given).toEqual([
			{...ofTheCall, ...extra},
			{...ofTheCall, ...extra},
		]);
	});

	test('the body of a redirect is cancelled', async ({places}) => {
		const {a, auth} = places;
		const cancelled = vi.fn<() => void>();
		const body = new ReadableStream({pull: controller => controller.enqueue(new Uint8Array(1024)), cancel: cancelled});
		const answers = [new Response(body, {status: 302, headers: {location: '/there'}}), new Response('arrived')];
		const own: typeof fetch = async () => answers.shift() ?? Response.error();
		expect(await byKy(auth, a.origin, {fetch: own}).then(response => response.text())).toBe('arrived');
		expect(cancelled).toHaveBeenCalledOnce();
	});

	test.for<[title: string, answers: () => Response[], sent: string[]]>([
		['no redirect comes', () => [new Response('arrived')], ['text']],
		[
			'a redirect leaves the body behind',
			() => [new Response('', {status: 303, headers: {location: '/there'}}), new Response('arrived')],
			['text', ''],
		],
		['a redirect leads nowhere', () => [new Response('', {status: 307, headers: {location: 'http://'}})], ['text']],
		['the network fails', () => [], ['text']],
	])('the copy of a body for the next hop is cancelled if %s', async ([, answers, sent], {places}) => {
		const {a, auth} = places;
		const left = answers();
		const answerBodies = new Set<unknown>(left.map(({body}) => body));
		const bodies: string[] = [];
		const cancel = vi.spyOn(ReadableStream.prototype, 'cancel');
		onTestFinished(() => cancel.mockRestore());
		vi.stubGlobal('fetch', async (input: Request) => {
			bodies.push(await input.text());
			const answer = left.shift();
			if (!answer) throw new TypeError('fetch failed');
			return answer;
		});
		await byFetch(auth, a.origin, {method: 'POST', body: 'text'}).catch(() => {});
		expect(bodies).toEqual(sent);
		const cancelled = cancel.mock.contexts.filter(body => !answerBodies.has(body));
		expect(cancelled).toHaveLength(1);
	});

	test('a call without a token is left to the platform', async ({places}) => {
		const {b, auth} = places;
		const modes: string[] = [];
		const own: typeof fetch = async input => {
			modes.push((input as Request).redirect);
			return fetch(input);
		};
		await byKy(auth, b.origin, {fetch: own});
		expect(modes).toEqual(['follow']);
	});
});
