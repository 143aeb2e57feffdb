import {gzipSync} from 'node:zlib';
import ky from 'ky';
import {describe, expect, vi} from 'vitest';
import {
	ConfigError,
	OAuthError,
	type RevokeTokenRequest,
	type TokenClient,
	TokenNetworkError,
	TokenResponseError,
	type TokenScheme,
	clientSecretBasic,
	clientSecretPost,
	createAuth,
	requestToken,
	revokeToken,
} from '../../src/index.ts';
import {app, service, servicePost} from '../support/authorization-server.ts';
import {seedClient} from '../support/seed-vault.ts';
import {type Answer, refusedAt} from '../support/serve.ts';
import {test} from '../support/test.ts';

const granting = {grant_type: 'client_credentials', scope: '/accounts.read /accounts.write'} as const;
const bearer = {access_token: 'at-canary-Jw6s', token_type: 'Bearer'} as const;
const secret = 'cs-canary-Kd82';
const refreshing = {grant_type: 'refresh_token', refresh_token: 'rt-canary-Vb2n'} as const;

const ok = (): Response => Response.json(bearer);

/** A client with both endpoints at this origin. */
const at = (origin: string, options: Partial<TokenClient> = {}): TokenClient => ({
	tokenEndpoint: `${origin}/token`,
	revocationEndpoint: `${origin}/revoke`,
	clientId: 'client',
	clientAuthentication: clientSecretBasic(secret),
	...options,
});

/** The two kinds of request. The same rules apply to both. */
const calls: readonly (readonly [name: string, call: (client: TokenClient) => Promise<unknown>])[] = [
	['a token request', client => requestToken(client, refreshing)],
	['a revocation', client => revokeToken(client, {token: refreshing.refresh_token})],
];

describe('the URL of an endpoint', () => {
	test.for(calls)('the URL of an endpoint keeps its query: %s [R8]', async ([, call], {serve}) => {
		const {origin, requests} = await serve(ok);
		const client = at(origin, {
			tokenEndpoint: `${origin}/t?tenant=a&x=%20y`,
			revocationEndpoint: new URL(`${origin}/t?tenant=a&x=%20y`),
		});
		await call(client);
		expect(requests.map(({path}) => path)).toEqual(['/t?tenant=a&x=%20y']);
	});

	test.for([
		'https://as.example/token',
		'https://as.example:8443/token?tenant=a',
		'HTTPS://AS.EXAMPLE/token',
		'https://192.168.0.2/token',
		'http://localhost/token',
		'http://LOCALHOST:3000/token',
		'http://127.0.0.1:1/token',
		'http://127.8.9.10/token',
		'http://127.255.255.254:8080/token',
		'http://[::1]/token',
		'http://[::1]:9000/token',
		'http://as.localhost/token',
		'http://a.b.LOCALHOST:8080/token',
	])('the URL of an endpoint may be %s [R9]', async tokenEndpoint => {
		for (const endpoint of [tokenEndpoint, new URL(tokenEndpoint)]) {
			const client = {
				tokenEndpoint: endpoint,
				revocationEndpoint: endpoint,
				clientId: 'client',
				fetch: async () => ok(),
			};
			await expect(requestToken(client, granting)).resolves.toMatchObject(bearer);
			await expect(revokeToken(client, {token: 'rt'})).resolves.toBeUndefined();
			expect(() => createAuth(client)).not.toThrow();
		}
	});

	const password = 'pw-canary-Tq7z';
	const refused: readonly (readonly [id: string, what: string, url: unknown])[] = [
		['R8', 'a fragment', 'https://as.example/token#x'],
		['R8', 'an empty fragment', 'https://as.example/token#'],
		['R8 F-116', 'a user and a password', `https://user:${password}@as.example/token`],
		['R8 F-116', 'a user', `https://${password}@as.example/token`],
		['R8 F-116', 'a password', `https://:${password}@as.example/token`],
		['R8 F-116', 'a user on loopback', `http://user:${password}@127.0.0.1/token`],
		['R9 F-131', 'http', 'http://as.example/token'],
		['R9 F-131', 'http at a name that begins like localhost', 'http://localhost.evil.example/token'],
		['R9 F-131', 'http at a name that ends like localhost', 'http://evil-localhost/token'],
		['R9 F-131', 'http at a name that ends like a subdomain of localhost', 'http://as.localhost.evil.example/token'],
		['R9 F-131', 'http at a container', 'http://keycloak:8080/token'],
		['R9 F-131', 'http at a name that begins like loopback', 'http://127.0.0.1.evil.example/token'],
		['R9 F-131', 'http at another name that begins like loopback', 'http://127.evil.example/token'],
		['R9 F-131', 'http at no address', 'http://0.0.0.0/token'],
		['R9 F-131', 'http in the local network', 'http://192.168.0.2/token'],
		['R9 F-131', 'http at ten', 'http://10.0.0.1/token'],
		['R9 F-131', 'http at an IPv6 address', 'http://[::2]/token'],
		['R9 F-131', 'http at no IPv6 address', 'http://[::]/token'],
		['R9 F-131', 'a user that looks like loopback', 'http://127.0.0.1@evil.example/token'],
		['R9', 'ftp', 'ftp://as.example/token'],
		['R9', 'ws', 'ws://127.0.0.1/token'],
		['R9', 'a script', 'javascript:alert(1)'],
		['R9', 'data', `data:application/json,${JSON.stringify(bearer)}`],
		['R9', 'a file', 'file:///etc/passwd'],
		['R8', 'a path alone', '/token'],
		['R8', 'no scheme', 'as.example/token'],
		['R8', 'a host alone', '//as.example/token'],
		['R8 R94', 'no URL at all', `https://${password} /token`],
		['R8', 'nothing', ''],
		['R8', 'null', null],
		['R8', 'a number', 42],
		['R8', 'an object', {href: 'https://as.example/token'}],
		['R8', 'a list', ['https://as.example/token']],
		['R8', 'an object that reads as one', {toString: () => 'https://as.example/token'}],
	];

	test.for(refused)('the URL of an endpoint (%s) is refused with %s [R94]', async ([, , url], {canaries}) => {
		canaries.plant(password, 'password in a URL');
		const asked: unknown[] = [];
		const fetch = async (...given: unknown[]): Promise<Response> => {
			asked.push(given);
			return ok();
		};
		const tokenClient = {tokenEndpoint: url as string, clientId: 'client', fetch};
		const revocationClient = {...tokenClient, tokenEndpoint: 'https://as.example/', revocationEndpoint: url as string};
		for (const attempt of [
			() => requestToken(tokenClient, granting),
			() => revokeToken(revocationClient, {token: 'rt'}),
			async () => createAuth(tokenClient),
			async () => createAuth(revocationClient),
		]) {
			expect(await canaries.rejection(attempt())).toBeInstanceOf(ConfigError);
		}
		expect(asked).toEqual([]);
	});

	describe('allowInsecureOrigins', () => {
		const allowInsecureOrigins = ['http://keycloak:8080', new URL('http://AS.internal:80/path')];
		const client = (tokenEndpoint: string): TokenClient => ({
			tokenEndpoint,
			revocationEndpoint: tokenEndpoint,
			clientId: 'client',
			allowInsecureOrigins,
			fetch: async () => ok(),
		});

		test.for(['http://keycloak:8080/realms/a/token', 'HTTP://KEYCLOAK:8080', 'http://as.internal/token'])(
			'allowInsecureOrigins accepts http for an endpoint of such an origin: %s [R9]',
			async tokenEndpoint => {
				await expect(requestToken(client(tokenEndpoint), granting)).resolves.toMatchObject(bearer);
				await expect(revokeToken(client(tokenEndpoint), {token: 'rt'})).resolves.toBeUndefined();
				expect(() => createAuth(client(tokenEndpoint))).not.toThrow();
			},
		);

		test.for([
			'http://keycloak/token',
			'http://keycloak:8081/token',
			'http://keycloak.evil.example:8080/token',
			'http://evil.example/?http://keycloak:8080',
			'http://user@keycloak:8080/token',
			'http://keycloak:8080@evil.example/token',
			'ws://keycloak:8080/token',
			'http://keycloak:8080/token#x',
		])('allowInsecureOrigins accepts nothing else: %s [R9]', async (tokenEndpoint, {canaries}) => {
			expect(await canaries.rejection(requestToken(client(tokenEndpoint), granting))).toBeInstanceOf(ConfigError);
			expect(() => createAuth(client(tokenEndpoint))).toThrow(ConfigError);
		});

		test('allowInsecureOrigins is refused in a browser, where nobody knows the network [R9]', async ({canaries}) => {
			vi.stubGlobal('document', {});
			try {
				const asked = requestToken(client('https://as.example/token'), granting);
				expect(await canaries.rejection(asked)).toMatchObject({
					name: 'ConfigError',
					message: expect.stringContaining('allowInsecureOrigins'),
				});
				expect(() => createAuth(client('https://as.example/token'))).toThrow(ConfigError);
			} finally {
				vi.unstubAllGlobals();
			}
		});
	});

	test('the error of a wrong endpoint URL names the option [R8]', () => {
		const client = {tokenEndpoint: 'https://as.example/', clientId: 'client'};
		expect(() => createAuth({...client, tokenEndpoint: 'http://as.example/'})).toThrow(/tokenEndpoint/);
		expect(() => createAuth({...client, revocationEndpoint: 'http://as.example/'})).toThrow(/revocationEndpoint/);
	});
});

describe('a redirect [R15]', () => {
	const statuses = [
		['F-09', 301],
		['F-09', 302],
		['F-09', 303],
		['F-10', 307],
		['F-10', 308],
	] as const;
	const rows = statuses.flatMap(([id, status]) => calls.map(([name, call]) => ({id, status, name, call})));

	test.for(rows)(
		'a $status to another origin is not followed: $name [$id]',
		async ({status, call}, {serve, canaries}) => {
			canaries.plant(secret, 'client secret');
			canaries.plant(refreshing.refresh_token, 'refresh token');
			const other = await serve(ok);
			const {origin, requests} = await serve(() => ({status, headers: [['location', `${other.origin}/token`]]}));
			const error = await canaries.rejection(call(at(origin)));
			expect(error).toBeInstanceOf(TokenResponseError);
			expect(error).toMatchObject({code: 'unexpected_redirect', retryable: false});
			expect(requests).toHaveLength(1);
			expect(other.requests).toEqual([]);
		},
	);

	test.for(calls)(
		'a redirect to the same origin is not followed either: %s [F-11]',
		async ([, call], {serve, canaries}) => {
			const {origin, requests} = await serve((_request, {path}) =>
				path === '/there?key=canary' ? ok() : {status: 307, headers: [['location', '/there?key=canary']]},
			);
			const error = await canaries.rejection(call(at(origin)));
			expect(error).toMatchObject({
				name: 'TokenResponseError',
				code: 'unexpected_redirect',
				message: expect.not.stringContaining('there'),
			});
			expect(requests).toHaveLength(1);
		},
	);

	test.for([300, 304, 305, 399])('a status of %i is a redirect', async (status, {serve, canaries}) => {
		const {origin} = await serve(() => ({status}));
		const error = await canaries.rejection(requestToken(at(origin), granting));
		expect(error).toMatchObject({code: 'unexpected_redirect', retryable: false, status});
	});

	test('a redirect without a target is a redirect, too', async ({serve, canaries}) => {
		const {origin} = await serve(() => ({status: 302, headers: [['content-type', 'text/html']], body: '<html>'}));
		const error = await canaries.rejection(requestToken(at(origin), granting));
		expect(error).toMatchObject({code: 'unexpected_redirect', retryable: false, status: 302});
	});

	test('a redirect that a browser hides is a redirect, too', async ({canaries}) => {
		const hidden = Object.defineProperties(new Response(null), {
			type: {value: 'opaqueredirect'},
			status: {value: 0},
			ok: {value: false},
		});
		const client = at('https://as.example', {fetch: async () => hidden});
		const error = await canaries.rejection(requestToken(client, granting));
		expect(error).toMatchObject({code: 'unexpected_redirect', retryable: false, status: 0});
	});

	test('a redirect with a token in its body gives no token', async ({serve, canaries}) => {
		canaries.plant(bearer.access_token, 'access token');
		const {origin} = await serve(() => ({
			status: 302,
			headers: [
				['location', '/there'],
				['content-type', 'application/json'],
			],
			body: JSON.stringify(bearer),
		}));
		const error = await canaries.rejection(requestToken(at(origin), granting));
		expect(error).toMatchObject({code: 'unexpected_redirect'});
	});
});

/** A body that gives one part at a time. `seen` tells how many bytes were read, and whether the body was cancelled. */
function streamed(parts: Iterable<Uint8Array>): {
	readonly body: ReadableStream<Uint8Array>;
	readonly seen: {bytes: number; isCancelled: boolean};
} {
	const iterator = parts[Symbol.iterator]();
	const seen = {bytes: 0, isCancelled: false};
	const body = new ReadableStream<Uint8Array>(
		{
			pull(controller) {
				const {done, value} = iterator.next();
				if (done) return controller.close();
				seen.bytes += value.length;
				return controller.enqueue(value);
			},
			cancel() {
				seen.isCancelled = true;
			},
		},
		{highWaterMark: 0},
	);
	return {body, seen};
}

function* repeat(part: Uint8Array, times: number): Generator<Uint8Array> {
	for (let time = 0; time < times; time++) yield part;
}

const encode = (text: string): Uint8Array => new TextEncoder().encode(text);
const kibibytes = (count: number): Uint8Array => new Uint8Array(count * 1024).fill(0x20);
const mebibyte = 1024 * 1024;

describe('the deadline [R18]', () => {
	/** A deadline in milliseconds. A busy machine has sent the request before it, too. */
	const timeout = 2_000;

	test.for(calls)('the deadline ends the wait for headers: %s [F-02]', async ([, call], {serve, canaries}) => {
		const {origin, requests} = await serve(() => new Promise<Answer>(() => {}));
		const error = await canaries.rejection(call(at(origin, {timeout})));
		expect(error).toBeInstanceOf(TokenNetworkError);
		expect(error).toMatchObject({code: 'timeout', retryable: true});
		expect(requests).toHaveLength(1);
	});

	test('the deadline ends the wait for a body that stalls [F-03]', async ({serve, canaries}) => {
		let started = 0;
		const {origin} = await serve(() => ({
			headers: [['content-type', 'application/json']],
			body: new ReadableStream<Uint8Array>({
				start(controller) {
					started++;
					controller.enqueue(encode('{"access_token":'));
				},
			}),
		}));
		const error = await canaries.rejection(requestToken(at(origin, {timeout}), granting));
		expect(error).toBeInstanceOf(TokenNetworkError);
		expect(error).toMatchObject({code: 'timeout', retryable: true});
		expect(started).toBe(1);
	});

	test('the deadline covers headers and body together, even if neither alone is late', async ({canaries}) => {
		const pause = (): Promise<void> => new Promise(resolve => setTimeout(resolve, 80));
		const slow = async (): Promise<Response> => {
			await pause();
			const parts = [encode('{"access_token":'), encode('"at","token_type":"Bearer"}')];
			const body = new ReadableStream<Uint8Array>({
				async pull(controller) {
					await pause();
					const part = parts.shift();
					return part ? controller.enqueue(part) : controller.close();
				},
			});
			return new Response(body);
		};
		const late = at('https://as.example', {timeout: 120, fetch: slow});
		const error = await canaries.rejection(requestToken(late, granting));
		expect(error).toMatchObject({name: 'TokenNetworkError', code: 'timeout'});
		await expect(requestToken({...late, timeout: 60_000}, granting)).resolves.toMatchObject({access_token: 'at'});
	});

	test('the deadline holds for a fetch that knows nothing of signals', async ({canaries}) => {
		const client = at('https://as.example', {timeout: 30, fetch: () => new Promise<Response>(() => {})});
		const error = await canaries.rejection(requestToken(client, granting));
		expect(error).toMatchObject({name: 'TokenNetworkError', code: 'timeout', retryable: true});
	});

	test('the deadline leaves no timer behind, whatever comes of the request [R85]', async ({canaries}) => {
		vi.useFakeTimers();
		try {
			await requestToken(at('https://as.example', {fetch: async () => ok()}), granting);
			expect(vi.getTimerCount()).toBe(0);
			const failing = at('https://as.example', {fetch: () => Promise.reject(new TypeError('fetch failed'))});
			await canaries.rejection(requestToken(failing, granting));
			expect(vi.getTimerCount()).toBe(0);
		} finally {
			vi.useRealTimers();
		}
	});

	test('the deadline aborts what is under way', async ({canaries}) => {
		const signals: (AbortSignal | null | undefined)[] = [];
		const fetch = (_input: unknown, init?: RequestInit): Promise<Response> => {
			signals.push(init?.signal);
			return new Promise((_resolve, reject) => {
				init?.signal?.addEventListener('abort', () => reject(init.signal?.reason as Error));
			});
		};
		const client = at('https://as.example', {timeout: 30, fetch});
		const error = await canaries.rejection(requestToken(client, granting));
		expect(error).toMatchObject({name: 'TokenNetworkError', code: 'timeout'});
		expect(signals.map(signal => signal?.aborted)).toEqual([true]);
	});
});

describe('the limit of a body [R19]', () => {
	test('the limit of a body is 1 MiB: the rest of 20 MB is not read [F-14]', async ({canaries}) => {
		const {body, seen} = streamed(repeat(kibibytes(64), 320));
		const client = at('https://as.example', {fetch: async () => new Response(body)});
		const error = await canaries.rejection(requestToken(client, granting));
		expect(error).toBeInstanceOf(TokenResponseError);
		expect(error).toMatchObject({code: 'body_too_large', retryable: false, status: 200});
		expect(seen.bytes).toBeLessThanOrEqual(1.1 * mebibyte);
		expect(seen.isCancelled).toBe(true);
	});

	test('the limit of a body holds over a socket: the server is told to stop [F-14]', async ({serve, canaries}) => {
		let isCancelled = false;
		const {origin} = await serve(() => ({
			headers: [['content-type', 'application/json']],
			body: new ReadableStream<Uint8Array>({
				pull: controller => controller.enqueue(kibibytes(64)),
				cancel: () => {
					isCancelled = true;
				},
			}),
		}));
		const error = await canaries.rejection(requestToken(at(origin), granting));
		expect(error).toMatchObject({name: 'TokenResponseError', code: 'body_too_large'});
		await expect.poll(() => isCancelled).toBe(true);
	});

	test('the limit of a body counts decoded bytes [F-15]', async ({serve, canaries}) => {
		const bomb = gzipSync(Buffer.concat([Buffer.alloc(20 * mebibyte, 0x20), Buffer.from(JSON.stringify(bearer))]));
		const {origin} = await serve(() => ({
			headers: [
				['content-type', 'application/json'],
				['content-encoding', 'gzip'],
			],
			body: new Uint8Array(bomb),
		}));
		expect(bomb.length).toBeLessThan(mebibyte / 8);
		const error = await canaries.rejection(requestToken(at(origin), granting));
		expect(error).toMatchObject({name: 'TokenResponseError', code: 'body_too_large'});
	});

	test('the limit of a body does not believe a short content-length', async ({canaries}) => {
		const {body} = streamed(repeat(kibibytes(64), 320));
		const answer = new Response(body, {headers: {'content-length': '10'}});
		const client = at('https://as.example', {fetch: async () => answer});
		const error = await canaries.rejection(requestToken(client, granting));
		expect(error).toMatchObject({code: 'body_too_large'});
	});

	test.for([
		['takes', 0, undefined],
		['does not take', 1, 'body_too_large'],
	] as const)('the limit %s a body of 1 MiB and %i bytes', async ([, beyond, code], {canaries}) => {
		const text = JSON.stringify(bearer);
		const padded = text + ' '.repeat(mebibyte + beyond - text.length);
		const client = at('https://as.example', {fetch: async () => new Response(padded)});
		const outcome = await requestToken(client, granting).catch((error: unknown) => canaries.see(error));
		expect(outcome).toMatchObject(code ? {code} : bearer);
	});

	test('the limit of a body holds for an error answer too', async ({canaries}) => {
		const {body, seen} = streamed(repeat(kibibytes(64), 320));
		const client = at('https://as.example', {fetch: async () => new Response(body, {status: 500})});
		const error = await canaries.rejection(requestToken(client, granting));
		expect(error).toBeInstanceOf(TokenResponseError);
		expect(seen).toMatchObject({isCancelled: true});
		expect(seen.bytes).toBeLessThanOrEqual(1.1 * mebibyte);
	});

	test('the limit of a body does not split a character between two parts', async ({canaries}) => {
		const bytes = encode(JSON.stringify({error: 'invalid_scope', error_description: 'aéb'}));
		const middle = bytes.indexOf(0xc3) + 1;
		const {body} = streamed([bytes.slice(0, middle), bytes.slice(middle)]);
		const client = at('https://as.example', {fetch: async () => new Response(body, {status: 400})});
		const error = await canaries.rejection(requestToken(client, granting));
		expect(error).toMatchObject({error_description: 'a?b'});
	});

	test('the limit of a body lets an answer come in many parts', async () => {
		const bytes = encode(JSON.stringify(bearer));
		const {body} = streamed(Array.from(bytes, (_byte, index) => bytes.slice(index, index + 1)));
		const client = at('https://as.example', {fetch: async () => new Response(body)});
		await expect(requestToken(client, granting)).resolves.toMatchObject(bearer);
	});
});

describe('a network that fails [F-01]', () => {
	test.for(calls)('a network failure by a reset is a TokenNetworkError: %s', async ([, call], {serve, canaries}) => {
		canaries.plant(secret, 'client secret');
		const {origin, requests} = await serve(() => ({reset: true}));
		const error = await canaries.rejection(call(at(origin)));
		expect(error).toBeInstanceOf(TokenNetworkError);
		expect(error).toMatchObject({code: 'network', retryable: true});
		expect(requests).toHaveLength(1);
	});

	test.for(calls)(
		'a network failure by a refused connection is a TokenNetworkError: %s',
		async ([, call], {serve, canaries}) => {
			const {origin} = await serve(ok);
			const error = await canaries.rejection(call(at(refusedAt(origin))));
			expect(error).toMatchObject({name: 'TokenNetworkError', code: 'network', retryable: true});
		},
	);

	test('a network failure in the middle of a body is a TokenNetworkError', async ({serve, canaries}) => {
		const {origin} = await serve(() => ({
			headers: [
				['content-type', 'application/json'],
				['content-length', '1000'],
			],
			body: new ReadableStream<Uint8Array>({
				start: controller => controller.enqueue(encode('{"access_token":')),
				pull: controller => controller.error(new Error('broken')),
			}),
		}));
		const error = await canaries.rejection(requestToken(at(origin), granting));
		expect(error).toMatchObject({name: 'TokenNetworkError', code: 'network', retryable: true});
	});

	test.for<readonly [what: string, fetch: () => unknown]>([
		['rejects with a TypeError', async () => Promise.reject(new TypeError('fetch failed'))],
		['rejects with something else', async () => Promise.reject(new Error('blocked'))],
		['rejects with undefined', async () => Promise.reject(undefined)],
		[
			'throws at once',
			() => {
				throw new TypeError('Failed to fetch');
			},
		],
		['is aborted by somebody else', async () => Promise.reject(new DOMException('gone', 'AbortError'))],
	])('a fetch that %s is a TokenNetworkError', async ([, fetch], {canaries}) => {
		const client = at('https://as.example', {fetch: fetch as typeof globalThis.fetch});
		const error = await canaries.rejection(requestToken(client, granting));
		expect(error).toMatchObject({name: 'TokenNetworkError', code: 'network', retryable: true});
	});

	test('the cause of a network failure is at most a TypeError of the platform', async ({serve, canaries}) => {
		const {origin} = await serve(() => ({reset: true}));
		const error = await canaries.rejection(requestToken(at(origin), granting));
		const {cause} = error as Error;
		expect(cause === undefined || cause instanceof TypeError).toBe(true);
	});

	test('the call after a network failure succeeds', async ({serve, canaries}) => {
		let answers = 0;
		const {origin, requests} = await serve(() => (answers++ === 0 ? {reset: true} : ok()));
		await canaries.rejection(requestToken(at(origin), granting));
		await expect(requestToken(at(origin), granting)).resolves.toMatchObject(bearer);
		expect(requests).toHaveLength(2);
	});
});

describe('one request is made, whatever the answer', () => {
	const statuses = [201, 204, 206, 400, 401, 403, 404, 408, 422, 425, 429, 500, 502, 503, 504];
	test.for(statuses)(
		'one token request is made if the server answers %i [R7, F-04, F-12]',
		async (status, {serve, canaries}) => {
			const {origin, requests} = await serve(() => ({status, headers: [['retry-after', '0']]}));
			await canaries.rejection(requestToken(at(origin), granting));
			expect(requests).toHaveLength(1);
		},
	);
});

describe('a token request of a session [R17]', () => {
	test('a token request of a session does not go through the ky instance that it serves', async ({server, watch}) => {
		const auth = watch(
			createAuth({
				tokenEndpoint: server.tokenEndpoint,
				clientId: service.clientId,
				clientAuthentication: clientSecretBasic(service.secret),
				grant: granting,
			}),
		);
		const urls: string[] = [];
		const api = ky.extend({
			baseUrl: server.api,
			headers: {'x-mine': 'of the API alone'},
			hooks: {beforeRequest: [({request}) => void urls.push(request.url)]},
		});
		await api.extend({hooks: auth.hooks}).get('/accounts');
		expect(urls).toEqual([`${server.api}/accounts`]);
		expect(server.tokenRequests).toHaveLength(1);
		expect(server.tokenRequests[0]?.headers).not.toHaveProperty('x-mine');
		expect(server.calls[0]?.headers).toHaveProperty('x-mine');
	});
});

describe('the scheme at the token endpoint', () => {
	test.for<[title: string, answer: object, error: string | undefined]>([
		['the error code', {error: 'use_dpop_nonce'}, 'use_dpop_nonce'],
		['nothing of a success', bearer, undefined],
		['nothing of an error that is no text', {...bearer, error: {toString: 1}}, undefined],
	])('the scheme at the token endpoint reads the error of the answer: %s', async ([, answer, error]) => {
		const read: unknown[] = [];
		const scheme: TokenScheme = {
			header: 'authorization',
			apply: () => {},
			review: response => void read.push(response.error),
		};
		const client = at('https://as.example', {scheme, fetch: async () => Response.json(answer)});
		await requestToken(client, refreshing).catch(() => {});
		expect(read).toEqual([error]);
	});

	const never = async (): Promise<never> => new Promise(() => {});

	test('the scheme at the token endpoint is given up at the deadline', async () => {
		const scheme: TokenScheme = {header: 'authorization', apply: never};
		const client = at('https://as.example', {scheme, timeout: 20, fetch: async () => ok()});
		await expect(requestToken(client, refreshing)).rejects.toMatchObject({code: 'timeout', retryable: true});
	});

	test.for<[title: string, review: () => Promise<never>]>([
		['hangs', never],
		['rejects', async () => Promise.reject(new Error('mine'))],
	])('the scheme at the token endpoint loses no answer if its review %s', async ([, review]) => {
		const scheme: TokenScheme = {header: 'authorization', apply: () => {}, review};
		const client = at('https://as.example', {scheme, timeout: 20, fetch: async () => ok()});
		expect(await requestToken(client, refreshing)).toMatchObject(bearer);
	});

	test('the scheme at the token endpoint asks for a second request, whose authentication has a deadline too', async () => {
		let count = 0;
		const client = at('https://as.example', {
			scheme: {header: 'authorization', apply: () => {}, review: () => 'resend'},
			clientAuthentication: async () => (count++ ? never() : undefined),
			timeout: 20,
			fetch: async () => Response.json({error: 'use_dpop_nonce'}, {status: 400}),
		});
		await expect(requestToken(client, refreshing)).rejects.toMatchObject({code: 'timeout'});
		expect(count).toBe(2);
	});
});

describe('revokeToken [R106]', () => {
	test('revokeToken revokes a refresh token at a real server, and with it its access token', async ({
		server,
		canaries,
	}) => {
		const {refresh_token, access_token} = await server.mint();
		const client = {
			tokenEndpoint: server.tokenEndpoint,
			revocationEndpoint: server.revocationEndpoint,
			clientId: app.clientId,
		};
		await revokeToken(client, {token: refresh_token, token_type_hint: 'refresh_token'});
		expect(server.revocationRequests).toMatchObject([{method: 'POST', status: 200, path: '/token/revocation'}]);
		expect(Object.fromEntries(server.revocationRequests[0]?.parameters ?? [])).toEqual({
			token: refresh_token,
			token_type_hint: 'refresh_token',
			client_id: app.clientId,
		});
		expect(await server.isActive(access_token)).toBe(false);
		const error = await canaries.rejection(requestToken(client, {grant_type: 'refresh_token', refresh_token}));
		expect(error).toMatchObject({name: 'OAuthError', error: 'invalid_grant', status: 400, retryable: false});
	});

	test('revokeToken succeeds if the server does not know the token', async ({server}) => {
		const client = {
			tokenEndpoint: server.tokenEndpoint,
			revocationEndpoint: server.revocationEndpoint,
			clientId: app.clientId,
		};
		await expect(revokeToken(client, {token: 'unknown'})).resolves.toBeUndefined();
	});

	test('revokeToken revokes at Moov’s API, which answers 204', async ({seedApi, canaries}) => {
		const client = {
			tokenEndpoint: seedApi.tokenEndpoint,
			revocationEndpoint: seedApi.revocationEndpoint,
			clientId: seedClient.clientId,
			clientAuthentication: clientSecretBasic(seedClient.secret),
			encoding: 'json',
		} as const;
		const {refresh_token = ''} = await requestToken(client, granting);
		await revokeToken(client, {token: refresh_token, token_type_hint: 'refresh_token'});
		expect(seedApi.revocationRequests).toMatchObject([{status: 204, parameters: {token: refresh_token}}]);
		expect(seedApi.revocationRequests[0]?.headers['content-type']).toMatch(/^application\/json\b/);
		const error = await canaries.rejection(requestToken(client, {grant_type: 'refresh_token', refresh_token}));
		expect(error).toMatchObject({status: 422});
	});

	test.for<readonly [what: string, options: Partial<TokenClient>, extra: object, authorization: string | undefined]>([
		['by Basic', {clientAuthentication: clientSecretBasic(secret)}, {}, `Basic ${btoa(`client:${secret}`)}`],
		[
			'by a post',
			{clientAuthentication: clientSecretPost(secret)},
			{client_id: 'client', client_secret: secret},
			undefined,
		],
		['as a public client', {clientAuthentication: undefined}, {client_id: 'client'}, undefined],
		[
			'by a function of one’s own',
			{clientAuthentication: async ({parameters}) => parameters.set('client_assertion', 'x')},
			{client_assertion: 'x'},
			undefined,
		],
	])('revokeToken authenticates %s', async ([, options, extra, authorization], {serve}) => {
		const {origin, requests} = await serve(() => ({status: 200}));
		await revokeToken(at(origin, options), {token: 'rt', token_type_hint: 'refresh_token'});
		expect(requests).toMatchObject([{method: 'POST', path: '/revoke'}]);
		expect(Object.fromEntries(new URLSearchParams(requests[0]?.body))).toEqual({
			token: 'rt',
			token_type_hint: 'refresh_token',
			...extra,
		});
		expect(requests[0]?.headers['authorization']).toBe(authorization);
	});

	test('revokeToken authenticates by client_id and client_secret in the request', async ({serve}) => {
		const {origin, requests} = await serve(() => ({status: 200}));
		const {clientId, secret: client_secret} = servicePost;
		const client = at(origin, {clientId, clientAuthentication: undefined});
		await revokeToken(client, {token: 'rt', client_id: clientId, client_secret});
		expect(Object.fromEntries(new URLSearchParams(requests[0]?.body))).toEqual({
			token: 'rt',
			client_id: clientId,
			client_secret,
		});
	});

	test.for<readonly [what: string, answer: Answer]>([
		['200 with nothing', {status: 200}],
		['200 with a page', {status: 200, headers: [['content-type', 'text/html']], body: '<html>'}],
		['200 with an object', {status: 200, headers: [['content-type', 'application/json']], body: '{}'}],
		['204', {status: 204}],
		// RFC 7009 §2.2 says 200, but NestJS answers every POST with 201. [R15]
		['201', {status: 201}],
		['202 with an object', {status: 202, headers: [['content-type', 'application/json']], body: '{}'}],
	])('revokeToken takes %s for success', async ([, answer], {serve}) => {
		const {origin} = await serve(() => answer);
		await expect(revokeToken(at(origin), {token: 'rt'})).resolves.toBeUndefined();
	});

	test.for<readonly [status: number, retryable: boolean]>([
		[400, false],
		[404, false],
		[408, true],
		[429, true],
		[500, true],
		[503, true],
	])('revokeToken takes a bare %i for failure', async ([status, retryable], {serve, canaries}) => {
		const {origin, requests} = await serve(() => ({status, headers: [['retry-after', '7']]}));
		const error = await canaries.rejection(revokeToken(at(origin), {token: 'rt'}));
		expect(error).toMatchObject({name: 'TokenResponseError', code: 'unexpected_status', status, retryable});
		expect(requests).toHaveLength(1);
	});

	test('revokeToken rejects with a retryable error after a 503, and says when to retry', async ({serve, canaries}) => {
		const {origin} = await serve(() => ({status: 503, headers: [['retry-after', '7']]}));
		const error = await canaries.rejection(revokeToken(at(origin), {token: 'rt'}));
		expect(error).toMatchObject({status: 503, retryable: true, retryAfter: 7000});
	});

	test.for<readonly [error: string, status: number, retryable: boolean]>([
		['unsupported_token_type', 400, false],
		['invalid_client', 401, false],
		['temporarily_unavailable', 503, true],
	])('revokeToken rejects with an OAuthError for %s', async ([error, status, retryable], {serve, canaries}) => {
		canaries.plant('rt-canary-Pz5u', 'refresh token');
		const {origin} = await serve(() =>
			Response.json({error, error_description: 'The token rt-canary-Pz5u is no good'}, {status}),
		);
		const rejected = await canaries.rejection(revokeToken(at(origin), {token: 'rt-canary-Pz5u'}));
		expect(rejected).toBeInstanceOf(OAuthError);
		expect(rejected).toMatchObject({error, status, retryable});
	});

	test('revokeToken rejects with the names of the fields that a 422 names', async ({serve, canaries}) => {
		canaries.plant('rt-canary-Pz5u', 'refresh token');
		const {origin} = await serve(() =>
			Response.json({token: 'rt-canary-Pz5u is unknown', token_type_hint: 'x', other: 'y'}, {status: 422}),
		);
		const request: RevokeTokenRequest = {token: 'rt-canary-Pz5u', token_type_hint: 'access_token'};
		const error = await canaries.rejection(revokeToken(at(origin), request));
		expect(error).toMatchObject({name: 'OAuthError', error: 'invalid_request', status: 422, retryable: false});
		expect(new Set((error as OAuthError).fields)).toEqual(new Set(['token', 'token_type_hint']));
	});

	test('revokeToken needs a revocationEndpoint', async ({canaries}) => {
		const {revocationEndpoint: _, ...client} = at('https://as.example', {
			fetch: () => Promise.reject(new Error('I/O')),
		});
		const error = await canaries.rejection(revokeToken(client, {token: 'rt'}));
		expect(error).toBeInstanceOf(ConfigError);
		expect(error).toMatchObject({message: expect.stringContaining('revocationEndpoint')});
	});

	const canary = 'rt-canary-Pz5u';
	test.for<readonly [what: string, request: unknown]>([
		['no token', {}],
		['an empty token', {token: ''}],
		['a token with a line break', {token: `${canary}\n`}],
		['a token beyond ASCII', {token: `${canary}é`}],
		['a token that is a number', {token: 42}],
		['an unknown hint', {token: canary, token_type_hint: canary}],
		['a client id with a line break', {token: canary, client_id: `${canary}\r\n`}],
		['a client secret beyond ASCII', {token: canary, client_secret: `${canary}€`}],
		['two authentications', {token: canary, client_secret: canary}],
		['a field that is not known', {token: canary, hint: 'refresh_token'}],
		['null', null],
	])('revokeToken sends nothing with %s [R12, R94]', async ([, request], {canaries}) => {
		canaries.plant(canary, 'refresh token');
		canaries.plant(secret, 'client secret');
		const asked: unknown[] = [];
		const client = at('https://as.example', {
			fetch: async (...given) => {
				asked.push(given);
				return ok();
			},
		});
		const error = await canaries.rejection(revokeToken(client, request as RevokeTokenRequest));
		expect(error).toBeInstanceOf(ConfigError);
		expect(asked).toEqual([]);
	});
});
