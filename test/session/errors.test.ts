import {createContext, runInContext} from 'node:vm';
import {build} from 'esbuild';
import ky from 'ky';
import {describe, expect, vi} from 'vitest';
import * as regrant from '../../src/index.ts';
import {
	type AuthTokenRequest,
	ConfigError,
	LockError,
	LoginError,
	OAuthError,
	RegrantError,
	RenewalError,
	RequestValidationError,
	ResponseValidationError,
	SessionEndedError,
	StoreError,
	type TokenClient,
	TokenNetworkError,
	TokenResponseError,
	clientSecretPost,
	createAuth,
	createSession,
	customStore,
	isRegrantError,
	requestToken,
} from '../../src/index.ts';
import {seedClient} from '../support/seed-vault.ts';
import type {Answer} from '../support/serve.ts';
import {test} from '../support/test.ts';

const granting = {grant_type: 'client_credentials', scope: '/accounts.read /accounts.write'} as const;
const refreshing = {grant_type: 'refresh_token', refresh_token: 'rt-canary-Vb2n'} as const;
const at = (origin: string): TokenClient => ({tokenEndpoint: `${origin}/token`, clientId: 'client'});

/** The error of a token request with this response. */
async function refused(
	answer: Response,
	request: AuthTokenRequest = granting,
	options: Partial<TokenClient> = {},
): Promise<unknown> {
	const client = {...at('https://as.example'), fetch: async () => answer, ...options};
	return requestToken(client, request).then(
		() => undefined,
		(error: unknown) => error,
	);
}

const json = (body: unknown, status: number, headers: Readonly<Record<string, string>> = {}): Response =>
	new Response(JSON.stringify(body), {status, headers: {'content-type': 'application/json', ...headers}});
const page = (status: number, text = '<!doctype html><title>secret page</title>'): Response =>
	new Response(text, {status, headers: {'content-type': 'text/html; charset=utf-8'}});
const bare = (status: number, headers: Readonly<Record<string, string>> = {}): Response =>
	new Response(null, {status, headers});

/** One error of each class that can occur without `endpoint`. */
const kinds: readonly (readonly [name: string, code: string, make: () => Promise<unknown>])[] = [
	['ConfigError', 'invalid_options', () => requestToken(at('http://as.example'), granting)],
	[
		'OAuthError',
		'oauth_error',
		async () => Promise.reject(await refused(json({error: 'invalid_client', error_description: 'Who?'}, 401))),
	],
	['TokenResponseError', 'unexpected_status', async () => Promise.reject(await refused(bare(503)))],
	[
		'TokenNetworkError',
		'network',
		() => requestToken({...at('https://as.example'), fetch: () => Promise.reject(new Error())}, granting),
	],
	[
		'StoreError',
		'store_write',
		() => {
			const fail = (): never => {
				throw new Error('full');
			};
			const store = customStore({get: () => undefined, set: fail, delete: fail});
			return createAuth({...at('https://as.example'), store}).setToken({access_token: 'at', token_type: 'Bearer'});
		},
	],
	[
		'LockError',
		'lock_timeout',
		() => {
			const store = customStore({
				get: () => undefined,
				set: () => {},
				delete: () => {},
				lock: <T>() => new Promise<T>(() => {}),
			});
			return createAuth({...at('https://as.example'), store, grant: granting, timeout: 1_000}).getToken();
		},
	],
	['RenewalError', 'renewal_failed', () => createSession({renew: () => Promise.reject(new Error('down'))}).getToken()],
	['LoginError', 'login_failed', () => Promise.reject(new LoginError('Begin another login'))],
	['SessionEndedError', 'session_ended', () => createAuth(at('https://as.example')).getToken()],
];

describe('every error', () => {
	test.for(kinds)(
		'%s says by its name, its code and its class what it is: %s',
		async ([name, code, make], {canaries}) => {
			const error = await canaries.rejection(make());
			expect(error).toBeInstanceOf(Error);
			expect(error).toBeInstanceOf(RegrantError);
			expect(error).toBeInstanceOf(Reflect.get(regrant, name));
			expect(error).toMatchObject({name, code, retryable: expect.any(Boolean), message: expect.stringMatching(/\w/)});
			expect((error as Error).stack).toContain(name);
			expect(String(error)).toBe(`${name}: ${(error as Error).message}`);
			expect(isRegrantError(error)).toBe(true);
		},
	);

	test.for(kinds)('%s has a JSON of its public facts alone', async ([, , make], {canaries}) => {
		const error = await canaries.rejection(make());
		const {name, code, message, retryable} = error as RegrantError;
		const {error: oauthError, status, retryAfter, reason} = error as Partial<OAuthError & SessionEndedError>;
		const facts = {name, code, message, error: oauthError, status, retryable, retryAfter, reason};
		const defined = Object.entries(facts).filter(([, value]) => value !== undefined);
		expect(JSON.parse(JSON.stringify(error))).toEqual(Object.fromEntries(defined));
		expect(Object.keys((error as RegrantError).toJSON())).toEqual(
			expect.arrayContaining(['name', 'code', 'message', 'retryable']),
		);
	});

	test.for(kinds)(
		'%s has no request, response, options, input or schema issue [R91]',
		async ([, , make], {canaries}) => {
			const error = await canaries.rejection(make());
			const allowed = [
				'name',
				'message',
				'stack',
				'code',
				'retryable',
				'error',
				'error_description',
				'error_uri',
				'status',
				'contentType',
				'retryAfter',
				'fields',
				'reason',
				'platformCode',
				'cause',
			];
			expect(allowed).toEqual(expect.arrayContaining(Object.getOwnPropertyNames(error)));
		},
	);

	test.for(kinds)('%s is not taken for one of ky’s, which knows its own by name [F-133]', async ([name]) => {
		expect(['HTTPError', 'NetworkError', 'TimeoutError', 'ForceRetryError', 'KyError']).not.toContain(name);
	});

	test('every error is a RegrantError, including those of an endpoint', () => {
		for (const kind of [
			ConfigError,
			OAuthError,
			TokenResponseError,
			TokenNetworkError,
			StoreError,
			LockError,
			LoginError,
			RenewalError,
			SessionEndedError,
			RequestValidationError,
			ResponseValidationError,
		]) {
			expect(kind.prototype).toBeInstanceOf(RegrantError);
			expect(Object.hasOwn(kind, 'name')).toBe(true);
		}
	});

	test.for(kinds)('%s survives a walk over it: no property of it throws', async ([, , make], {canaries}) => {
		const error = await canaries.rejection(make());
		const walk = (): unknown[] => Reflect.ownKeys(error as object).map(key => Reflect.get(error as object, key));
		expect(walk).not.toThrow();
	});
});

describe('isRegrantError', () => {
	test('isRegrantError knows the errors of another copy of the package', async ({canaries}) => {
		vi.resetModules();
		const copy = await import('../../src/index.ts');
		expect(copy.ConfigError).not.toBe(ConfigError);
		const error = await canaries.rejection(copy.requestToken(at('http://as.example'), granting));
		expect(error).not.toBeInstanceOf(RegrantError);
		expect(isRegrantError(error)).toBe(true);
		const own = await canaries.rejection(requestToken(at('http://as.example'), granting));
		expect(copy.isRegrantError(own)).toBe(true);
	});

	test('isRegrantError knows the errors of another realm', async ({canaries}) => {
		const {outputFiles} = await build({
			entryPoints: [new URL('../../src/index.ts', import.meta.url).pathname],
			bundle: true,
			format: 'iife',
			globalName: 'regrant',
			logLevel: 'silent',
			write: false,
		});
		const realm = createContext({URL, URLSearchParams, Headers, AbortController, setTimeout, clearTimeout});
		runInContext(outputFiles[0]?.text ?? '', realm);
		const error = await canaries.rejection(
			runInContext(
				'regrant.requestToken({tokenEndpoint: "http://as.example", clientId: "a"}, {}).catch(e => Promise.reject(e))',
				realm,
			) as Promise<unknown>,
		);
		expect(error).not.toBeInstanceOf(Error);
		expect(error).toMatchObject({name: 'ConfigError', code: 'invalid_options'});
		expect(isRegrantError(error)).toBe(true);
		const own = await canaries.rejection(requestToken(at('http://as.example'), granting));
		expect((realm['regrant'] as typeof regrant).isRegrantError(own)).toBe(true);
	});

	test.for<readonly [what: string, value: unknown]>([
		['undefined', undefined],
		['null', null],
		['a string', 'RegrantError'],
		['a number', 42],
		['a symbol', Symbol('regrant')],
		['an empty object', {}],
		['an Error', new Error('x')],
		['a TypeError', new TypeError('fetch failed')],
		['a DOMException', new DOMException('gone', 'AbortError')],
		['an Error that only has the name', Object.assign(new Error('x'), {name: 'OAuthError'})],
		['an Error that only has the code', Object.assign(new Error('x'), {code: 'invalid_options', retryable: false})],
		['a function', () => {}],
		['a list', []],
		['an object without a prototype', Object.create(null)],
	])('isRegrantError does not know %s', ([, value]) => {
		expect(isRegrantError(value)).toBe(false);
	});

	test('isRegrantError does not know an error of ky', async ({serve}) => {
		const {origin} = await serve(() => ({status: 403}));
		const error = await ky.get(origin, {retry: 0}).catch((reason: unknown) => reason);
		expect(error).toMatchObject({name: 'HTTPError'});
		expect(isRegrantError(error)).toBe(false);
	});

	test('isRegrantError narrows the type for TypeScript', async ({canaries}) => {
		const error = await canaries.rejection(requestToken(at('http://as.example'), granting));
		const code: regrant.RegrantErrorCode | undefined = isRegrantError(error) ? error.code : undefined;
		expect(code).toBe('invalid_options');
	});
});

describe('an error of the authorization server', () => {
	test.for<readonly [id: string, error: string, status: number, retryable: boolean]>([
		['F-44', 'invalid_grant', 400, false],
		['F-44', 'invalid_request', 400, false],
		['F-44', 'invalid_client', 400, false],
		['F-44', 'invalid_client', 401, false],
		['F-44', 'unauthorized_client', 400, false],
		['F-44', 'unsupported_grant_type', 400, false],
		['F-44', 'invalid_scope', 400, false],
		['F-44', 'something_of_its_own', 400, false],
		['F-44', 'access_denied', 403, false],
		['F-44', 'server_error', 400, true],
		['F-44', 'server_error', 500, true],
		['F-44', 'temporarily_unavailable', 400, true],
		['F-44', 'temporarily_unavailable', 503, true],
		['F-44', 'slow_down', 400, true],
		['F-44', 'slow_down', 429, true],
		['R36', 'invalid_request', 408, true],
		['R36', 'invalid_request', 425, true],
		['R36', 'invalid_request', 429, true],
		['R36', 'invalid_request', 500, true],
		['R36', 'something_of_its_own', 503, true],
		['R36', 'invalid_request', 404, false],
		['R36', 'invalid_scope', 422, false],
		['F-22', 'invalid_grant', 200, false],
		['F-22', 'temporarily_unavailable', 200, true],
	])('%s is an OAuthError: %s with %i', async ([, error, status, retryable], {canaries}) => {
		for (const request of [granting, refreshing]) {
			const rejected = canaries.see(await refused(json({error}, status), request));
			expect(rejected).toBeInstanceOf(OAuthError);
			expect(rejected).toMatchObject({code: 'oauth_error', error, status, retryable});
			for (const name of ['error_description', 'error_uri', 'retryAfter', 'fields', 'cause']) {
				expect(rejected).not.toHaveProperty(name);
			}
		}
	});

	test("an error of the authorization server has the server's words, but not in its message", async ({canaries}) => {
		const body = {
			error: 'invalid_scope',
			error_description: 'The scope is not for you!',
			error_uri: 'https://as.example/docs#scope',
		};
		const error = canaries.see(await refused(json({...body, other: 'not told'}, 400)));
		expect(error).toMatchObject(body);
		const {message} = error as Error;
		expect(message).toContain('invalid_scope');
		expect(message).toContain('400');
		for (const text of [body.error_description, body.error_uri, 'not told']) expect(message).not.toContain(text);
		expect(JSON.stringify(error)).not.toContain('not for you');
		expect(error).not.toHaveProperty('other');
	});

	test.for<unknown>([42, null, ['no'], {text: 'no'}, true])(
		'an error of the authorization server has no description if that is not a string: %j',
		async value => {
			const body = {error: 'invalid_scope', error_description: value, error_uri: value};
			const error = await refused(json(body, 400));
			expect(error).toMatchObject({error: 'invalid_scope'});
			expect(error).not.toHaveProperty('error_description');
			expect(error).not.toHaveProperty('error_uri');
		},
	);

	test.for<readonly [what: string, error: unknown]>([
		['a number', 42],
		['an object', {code: 'invalid_grant'}],
		['a list', ['invalid_grant']],
		['null', null],
		['true', true],
	])('an answer is not an OAuthError if its code is %s [R36]', async ([, error], {canaries}) => {
		const rejected = canaries.see(await refused(json({error}, 400)));
		expect(rejected).toBeInstanceOf(TokenResponseError);
		expect(rejected).toMatchObject({code: 'unexpected_status', status: 400, retryable: false});
	});

	test('an error of almost a megabyte of control characters is cut and cleaned [R36]', async ({canaries}) => {
		const text = '\0\r\n\u001B[31m"\\é'.repeat(25_000);
		const answer = json({error: text, error_description: text, error_uri: text}, 400);
		const size = (await answer.clone().arrayBuffer()).byteLength;
		expect(size).toBeGreaterThan(1024 * 1024);
		expect(canaries.see(await refused(answer))).toBeInstanceOf(RegrantError);
		const third = text.slice(0, text.length / 8);
		const error = canaries.see(await refused(json({error: third, error_description: third, error_uri: third}, 400)));
		expect(error).toBeInstanceOf(OAuthError);
		const {error: code, error_description = '', error_uri = '', message} = error as OAuthError;
		expect([code.length, error_description.length, error_uri.length]).toEqual([128, 1024, 1024]);
		for (const shown of [code, error_description, error_uri]) expect(shown).toMatch(/^[\x20-\x5B\x5D-\x7E]+$/);
		expect(message).toMatch(/^[\x20-\x7E]+$/);
	});

	test.for([
		['error', 128],
		['error_description', 1024],
		['error_uri', 1024],
	] as const)('%s of an error is cut at %i characters [R36]', async ([name, length], {canaries}) => {
		const error = canaries.see(await refused(json({error: 'invalid_scope', [name]: 'a'.repeat(100_000)}, 400)));
		expect(Reflect.get(error as object, name)).toBe('a'.repeat(length));
		const whole = await refused(json({error: 'invalid_scope', [name]: 'b'.repeat(length)}, 400));
		expect(Reflect.get(whole as object, name)).toBe('b'.repeat(length));
	});

	test.for<readonly [name: 'error' | 'error_description' | 'error_uri', given: string, shown: string]>([
		['error', 'invalid\r\nscope', 'invalid??scope'],
		['error', 'a"b\\c', 'a?b?c'],
		['error', 'invalid scope!', 'invalid scope!'],
		['error', 'aéb', 'a?b'],
		['error_description', 'a\tb\0c\u001B[31md\x7Fe', 'a?b?c?[31md?e'],
		['error_description', 'a"b\\c', 'a"b?c'],
		['error_description', 'The "scope" is unknown', 'The "scope" is unknown'],
		['error_description', '100 % [of] {it}!', '100 % [of] {it}!'],
		['error_description', 'aéb€c', 'a?b?c'],
		['error_uri', 'https://as.example/docs?a=b&c=%20#d', 'https://as.example/docs?a=b&c=%20#d'],
		['error_uri', 'https://as.example/\r\nx', 'https://as.example/??x'],
		['error_uri', 'https://as.example/"x"', 'https://as.example/?x?'],
		['error_uri', 'https://as.example/a b', 'https://as.example/a?b'],
	])('%s of an error is cleaned: %j becomes %j [R36]', async ([name, given, shown], {canaries}) => {
		const error = canaries.see(await refused(json({error: 'invalid_scope', [name]: given}, 400)));
		expect(Reflect.get(error as object, name)).toBe(shown);
	});

	test.for<readonly [what: string, answer: () => Response]>([
		['the code that says so', () => json({error: 'invalid_client'}, 401, {'www-authenticate': 'Basic realm="as"'})],
		['another code', () => json({error: 'invalid_grant'}, 401, {'www-authenticate': 'Basic realm="as"'})],
		['an object without a code', () => json({}, 401, {'www-authenticate': 'Basic'})],
		['nothing', () => bare(401, {'www-authenticate': 'Basic realm="as"'})],
		[
			'a page',
			() => new Response('<html>', {status: 401, headers: {'www-authenticate': 'basic', 'content-type': 'text/html'}}),
		],
		['another challenge before', () => bare(401, {'www-authenticate': 'Bearer realm="x", Basic realm="as"'})],
	])(
		'an answer that asks for Basic is a failed client authentication, with %s [R37]',
		async ([, answer], {canaries}) => {
			for (const request of [granting, refreshing]) {
				const error = canaries.see(await refused(answer(), request));
				expect(error).toBeInstanceOf(OAuthError);
				expect(error).toMatchObject({error: 'invalid_client', status: 401, retryable: false});
			}
		},
	);

	test('an answer that asks for another scheme and has no body is not an OAuthError [R37]', async ({canaries}) => {
		const error = canaries.see(await refused(bare(401, {'www-authenticate': 'Bearer realm="as"'})));
		expect(error).toMatchObject({name: 'TokenResponseError', code: 'unexpected_status', retryable: false});
	});

	test.for([400, 403, 407, 503])(
		'an answer of %i is not an OAuthError, whatever scheme it asks for [R37]',
		async (status, {canaries}) => {
			const headers = {'www-authenticate': 'Basic realm="as"'};
			const bareError = canaries.see(await refused(bare(status, headers)));
			expect(bareError).toMatchObject({name: 'TokenResponseError', code: 'unexpected_status', status});
			const error = canaries.see(await refused(json({error: 'invalid_scope'}, status, headers)));
			expect(error).toMatchObject({error: 'invalid_scope', status});
		},
	);

	test('a failed client authentication is invalid_client at a real server [R37]', async ({server, canaries}) => {
		const client = {tokenEndpoint: server.tokenEndpoint, clientId: 'service'};
		const error = await canaries.rejection(
			requestToken({...client, clientAuthentication: clientSecretPost('wrong-canary-9Yb3')}, granting),
		);
		expect(error).toMatchObject({name: 'OAuthError', error: 'invalid_client', status: 401, retryable: false});
		expect(server.tokenRequests).toHaveLength(1);
	});

	test.for<readonly [what: string, request: AuthTokenRequest, error: string]>([
		['a scope that the client may not have', {...granting, scope: 'openid'}, 'invalid_scope'],
		['a grant that the client may not use', {grant_type: 'refresh_token', refresh_token: 'x'}, 'invalid_request'],
	])('an error has what a real server says about %s', async ([, request, error], {server, canaries}) => {
		const client = {
			tokenEndpoint: server.tokenEndpoint,
			clientId: 'service-post',
			clientAuthentication: clientSecretPost('Zp3hQ8-uVe6_Jc5WfA2xGt1r'),
		};
		const rejected = await canaries.rejection(requestToken(client, request));
		expect(rejected).toMatchObject({name: 'OAuthError', error, status: 400, retryable: false});
	});

	test('a refresh that asks for more scopes is invalid_scope at a real server [R32]', async ({server, canaries}) => {
		const {refresh_token} = await server.mint({scope: 'openid offline_access /accounts.read'});
		const client = {tokenEndpoint: server.tokenEndpoint, clientId: 'app'};
		const wider = {grant_type: 'refresh_token', refresh_token, scope: '/accounts.read /accounts.write'} as const;
		const error = await canaries.rejection(requestToken(client, wider));
		expect(error).toMatchObject({name: 'OAuthError', error: 'invalid_scope', status: 400, retryable: false});
	});
});

describe('a 422 of the seed API', () => {
	test("a 422 of Moov's API that names the refresh token counts as invalid_grant [F-122]", async ({canaries}) => {
		canaries.plant(refreshing.refresh_token, 'refresh token');
		const body = {refresh_token: `${refreshing.refresh_token} is not valid`};
		const error = canaries.see(await refused(json(body, 422), refreshing));
		expect(error).toBeInstanceOf(OAuthError);
		expect(error).toMatchObject({error: 'invalid_grant', status: 422, retryable: false});
	});

	test("a 422 of Moov's API in a form counts as invalid_grant, too [F-122]", async ({canaries}) => {
		const body = new URLSearchParams({refresh_token: `${refreshing.refresh_token} is not valid`});
		canaries.plant(refreshing.refresh_token, 'refresh token');
		const error = canaries.see(await refused(new Response(body, {status: 422}), refreshing));
		expect(error).toMatchObject({name: 'OAuthError', error: 'invalid_grant', status: 422});
	});

	test.for(['form', 'json'] as const)(
		"a rejected refresh token gets a 422 from Moov's API: %s [F-122]",
		async (encoding, {seedApi, canaries}) => {
			const client = {
				tokenEndpoint: seedApi.tokenEndpoint,
				clientId: seedClient.clientId,
				clientAuthentication: clientSecretPost(seedClient.secret),
				encoding,
			};
			const {refresh_token = ''} = await requestToken(client, granting);
			seedApi.kill(refresh_token);
			const error = await canaries.rejection(requestToken(client, {grant_type: 'refresh_token', refresh_token}));
			expect(error).toMatchObject({name: 'OAuthError', error: 'invalid_grant', status: 422, retryable: false});
		},
	);

	test("a bad scope gets a 422 from Moov's API [F-123]", async ({seedApi, canaries}) => {
		const client = {
			tokenEndpoint: seedApi.tokenEndpoint,
			clientId: seedClient.clientId,
			clientAuthentication: clientSecretPost(seedClient.secret),
		};
		const error = await canaries.rejection(requestToken(client, {...granting, scope: '/unknown'}));
		expect(error).toMatchObject({
			name: 'OAuthError',
			error: 'invalid_request',
			status: 422,
			retryable: false,
			fields: ['scope'],
		});
		expect((error as Error).message).not.toContain('/unknown');
	});

	test.for<readonly [what: string, request: AuthTokenRequest, body: object, fields: readonly string[]]>([
		['the scope', granting, {scope: 'is bad'}, ['scope']],
		['several fields', granting, {scope: 'is bad', grant_type: ['is', 'bad']}, ['grant_type', 'scope']],
		['foreign fields too', granting, {scope: 'is bad', 'x-evil': 'y', constructor: 1}, ['scope']],
		['foreign fields alone', granting, {message: 'no'}, []],
		['a refresh token that was not sent', granting, {refresh_token: 'is bad'}, []],
		['the scope of a refresh', {...refreshing, scope: '/a'}, {scope: 'is bad'}, ['scope']],
		['a field of the client', granting, {client_secret: 'is bad', client_id: 'is bad'}, ['client_id', 'client_secret']],
	])(
		"a 422 of Moov's API that names %s lists the fields of the request [F-123]",
		async ([, request, body, fields], {canaries}) => {
			const options = {clientAuthentication: clientSecretPost('cs-canary-Kd82')};
			const error = canaries.see(await refused(json(body, 422), request, options));
			expect(error).toBeInstanceOf(OAuthError);
			expect(error).toMatchObject({error: 'invalid_request', status: 422, retryable: false});
			expect((error as OAuthError).fields?.toSorted((a, b) => a.localeCompare(b)) ?? []).toEqual(fields);
			expect(JSON.stringify(error)).not.toContain('is bad');
		},
	);

	test("a 422 of Moov's API with an OAuth error is that error [F-123]", async ({canaries}) => {
		const error = canaries.see(await refused(json({error: 'invalid_scope', scope: 'is bad'}, 422)));
		expect(error).toMatchObject({error: 'invalid_scope', status: 422, retryable: false});
	});

	test('a 422 that is a page is an unexpected answer', async ({canaries}) => {
		const error = canaries.see(await refused(page(422)));
		expect(error).toMatchObject({name: 'TokenResponseError', code: 'unexpected_status', retryable: true});
	});
});

describe('an answer that is nonsense', () => {
	test.for<readonly [id: string, what: string, answer: () => Response, code: string, retryable: boolean]>([
		['F-04', '500 with a page', () => page(500), 'unexpected_status', true],
		['F-05', 'a bare 502', () => bare(502), 'unexpected_status', true],
		['F-06', 'a bare 503', () => bare(503), 'unexpected_status', true],
		['F-06', '503 with JSON', () => json({message: 'later'}, 503), 'unexpected_status', true],
		['F-07', 'a bare 429', () => bare(429), 'unexpected_status', true],
		['§3', 'a bare 408', () => bare(408), 'unexpected_status', true],
		['§3', 'a bare 425', () => bare(425), 'unexpected_status', true],
		['§3', 'a bare 599', () => bare(599), 'unexpected_status', true],
		['§3', 'a bare 400', () => bare(400), 'unexpected_status', false],
		['§3', 'a bare 403', () => bare(403), 'unexpected_status', false],
		['§3', '404 with JSON', () => json({message: 'no'}, 404), 'unexpected_status', false],
		['§3', '400 with a list', () => json([{error: 'invalid_grant'}], 400), 'unexpected_status', false],
		['§3', '400 with text', () => new Response('no', {status: 400}), 'unexpected_status', false],
		['F-16', '400 with a page', () => page(400), 'unexpected_status', true],
		['F-16', '401 with a page', () => page(401), 'unexpected_status', true],
		['F-16', '403 with a page', () => page(403), 'unexpected_status', true],
		['F-16', '404 with a page', () => page(404), 'unexpected_status', true],
		['F-17', '200 with a page', () => page(200), 'not_json', true],
		['F-20', '200 with nothing', () => bare(200), 'not_json', true],
		// Any 2xx is a success, but these responses lack what a 200 must contain. [R15]
		['F-12', 'a bare 204', () => bare(204), 'not_json', true],
		['F-12', 'a bare 205', () => bare(205), 'not_json', true],
		['F-12', '201 with a page', () => page(201), 'not_json', true],
		['F-12', '202 without a token', () => json({status: 'accepted'}, 202), 'invalid_response', false],
		['F-20', '200 with null', () => json(null, 200), 'invalid_response', false],
	])('%s %s', async ([, , answer, code, retryable], {canaries}) => {
		canaries.plant('<!doctype', 'body');
		const {status} = answer();
		for (const request of [granting, refreshing]) {
			const error = canaries.see(await refused(answer(), request));
			expect(error).toBeInstanceOf(TokenResponseError);
			expect(error).toMatchObject({code, retryable, status});
			expect(error).not.toHaveProperty('retryAfter');
			expect(error).not.toHaveProperty('cause');
			expect((error as Error).message).toContain(String(status));
		}
	});

	test.for([200, 201, 202, 203, 206, 207, 299])(
		'an answer with a token and a status of %i is usable: any 2xx is success [R15, F-12]',
		async status => {
			for (const request of [granting, refreshing]) {
				expect(await refused(json({access_token: 'at', token_type: 'Bearer'}, status), request)).toBeUndefined();
			}
		},
	);

	test.for([200, 201])('an answer with a token and an empty error is usable, with %i [R35]', async status => {
		expect(await refused(json({access_token: 'at', token_type: 'Bearer', error: ''}, status))).toBeUndefined();
		expect(await refused(json({error: ''}, status))).toMatchObject({code: 'invalid_response', status});
	});

	test('a 400 with an empty error counts as one without a body [R35, R36]', async ({canaries}) => {
		const error = canaries.see(await refused(json({error: ''}, 400)));
		expect(error).toMatchObject({name: 'TokenResponseError', code: 'unexpected_status', status: 400, retryable: false});
	});

	test('the error of a 404 asks whether the endpoint is right', async ({canaries}) => {
		const message = 'POST https://as.example answered 404: is tokenEndpoint right?';
		for (const answer of [bare(404), page(404), json({message: 'no'}, 404)]) {
			expect(canaries.see(await refused(answer))).toMatchObject({code: 'unexpected_status', status: 404, message});
		}
	});

	test('the error of an unusable answer names the origin of its endpoint, and neither path nor query', async ({
		canaries,
	}) => {
		canaries.plant('canary-in-the-query', 'query');
		const tokenEndpoint = 'https://as.example:8443/realms/a?key=canary-in-the-query';
		for (const answer of [bare(500), json({}, 200), json({error: 'invalid_scope'}, 400), new Response('no')]) {
			const error = canaries.see(await refused(answer, granting, {tokenEndpoint}));
			expect((error as Error).message).toMatch(/^POST https:\/\/as\.example:8443 answered \d+: /);
		}
	});

	test('the error of an unusable answer has its media type', async ({canaries}) => {
		const error = canaries.see(await refused(page(500)));
		expect((error as TokenResponseError).contentType).toMatch(/^text\/html\b/);
		expect(canaries.see(await refused(bare(500)))).not.toHaveProperty('contentType');
	});

	test.for<readonly [code: string, body: unknown]>([
		['invalid_response', null],
		['invalid_response', {}],
		['invalid_response', {access_token: 'a b', token_type: 'Bearer'}],
		['unsupported_token_type', {access_token: 'at', token_type: 'mac'}],
	])(
		'the error of an unusable answer has its media type and its status, as %s of %j',
		async ([code, body], {canaries}) => {
			const error = canaries.see(await refused(json(body, 200)));
			expect(error).toMatchObject({code, status: 200, contentType: expect.stringMatching(/^application\/json\b/)});
		},
	);
});

describe('the wait that a server asks for', () => {
	const now = Date.UTC(2026, 10, 23, 10);
	const hour = 3_600_000;
	const after = (seconds: number): string => new Date(now + seconds * 1000).toUTCString();

	test.for<readonly [id: string, headers: Readonly<Record<string, string>>, retryAfter: number | undefined]>([
		['F-06', {'retry-after': '1'}, 1000],
		['F-07', {'retry-after': '120'}, 120_000],
		['F-07', {'retry-after': after(90)}, 90_000],
		['F-07', {'retry-after': 'Monday, 23-Nov-26 10:01:30 GMT'}, 90_000],
		['F-07', {'retry-after': 'Mon Nov 23 10:01:30 2026'}, 90_000],
		['F-07', {'retry-after': '0'}, 0],
		['F-07', {}, undefined],
		['F-08', {'retry-after': '-5'}, undefined],
		['F-08', {'retry-after': '0x10'}, undefined],
		['F-08', {'retry-after': 'garbage'}, undefined],
		['F-08', {'retry-after': 'Sometime soon'}, undefined],
		['F-08', {'retry-after': ''}, undefined],
		['F-08', {'retry-after': '1.5s'}, undefined],
		['F-08', {'retry-after': '2099-01-01'}, undefined],
		['F-08', {'retry-after': '2099-01-01T00:00:00Z'}, undefined],
		['F-08', {'retry-after': '1/2/2099'}, undefined],
		['F-08', {'retry-after': '3600'}, hour],
		['F-08', {'retry-after': '3601'}, hour],
		['F-08', {'retry-after': '1000000000'}, hour],
		['F-08', {'retry-after': '9'.repeat(400)}, hour],
		['F-08', {'retry-after': after(86_400)}, hour],
		['F-124', {'x-retry-after': '7'}, 7000],
		['F-124', {'x-retry-after': '7', 'x-retry-in': '1500'}, 7000],
		['F-124', {'x-retry-after': '7', 'retry-after': '2'}, 2000],
		['F-124', {'x-retry-after': '7', 'retry-after': 'garbage'}, 7000],
		['F-124', {'x-retry-after': '-7'}, undefined],
		['F-124', {'x-retry-after': '1e3'}, undefined],
		['F-124', {'x-retry-after': '99999999999'}, hour],
		['F-124', {'x-retry-in': '1500'}, 1500],
		['F-124', {'x-retry-in': '1'}, 1],
		['F-124', {'x-retry-in': '1500', 'retry-after': '2'}, 2000],
		['F-124', {'x-retry-in': '1500', 'retry-after': after(60)}, 60_000],
		['F-124', {'x-retry-in': '1500', 'retry-after': 'garbage'}, 1500],
		['F-124', {'x-retry-in': '1500', 'retry-after': '-5'}, 1500],
		['F-124', {'x-retry-in': '99999999999'}, hour],
		['F-124', {'x-retry-in': '-1'}, undefined],
		['F-124', {'x-retry-in': '0x10'}, undefined],
		['F-124', {'x-retry-in': 'garbage', 'retry-after': 'garbage'}, undefined],
	])('the wait of %s %j is %s milliseconds', async ([, headers, retryAfter], {canaries}) => {
		const options = {now: () => now};
		const response = canaries.see(await refused(bare(429, headers), granting, options));
		expect(response).toBeInstanceOf(TokenResponseError);
		expect((response as TokenResponseError).retryAfter).toBe(retryAfter);
		expect(response).toMatchObject({retryable: true});
		const oauth = canaries.see(await refused(json({error: 'slow_down'}, 503, headers), granting, options));
		expect(oauth).toBeInstanceOf(OAuthError);
		expect((oauth as OAuthError).retryAfter).toBe(retryAfter);
		expect(JSON.parse(JSON.stringify(oauth))).toMatchObject(retryAfter === undefined ? {} : {retryAfter});
	});

	test('the wait that a server asks for is ignored if it is not a number, whatever the clock says [F-08]', async ({
		canaries,
	}) => {
		for (const value of ['-5', '0x10', '1.5', '+5', '5 5']) {
			const error = canaries.see(await refused(bare(429, {'retry-after': value}), granting, {now: () => 0}));
			expect([value, (error as TokenResponseError).retryAfter]).toEqual([value, undefined]);
		}
	});

	test('the wait that a server asks for does not depend on the time zone [F-07]', async ({canaries}) => {
		vi.stubEnv('TZ', 'America/New_York');
		try {
			for (const date of [after(90), 'Monday, 23-Nov-26 10:01:30 GMT', 'Mon Nov 23 10:01:30 2026']) {
				const error = canaries.see(await refused(bare(429, {'retry-after': date}), granting, {now: () => now}));
				expect([date, (error as TokenResponseError).retryAfter]).toEqual([date, 90_000]);
			}
		} finally {
			vi.unstubAllEnvs();
		}
	});

	test.for<readonly [headers: Readonly<Record<string, string>>, retryAfter: number]>([
		[{'X-Retry-In': '1500'}, 1500],
		[{'Retry-After': '3'}, 3000],
		[{'Retry-After': '3', 'X-Retry-In': '1500'}, 3000],
	])("the wait that Moov's API asks for is read: %j [F-124]", async ([headers, retryAfter], {seedApi, canaries}) => {
		const client = {
			tokenEndpoint: seedApi.tokenEndpoint,
			clientId: seedClient.clientId,
			clientAuthentication: clientSecretPost(seedClient.secret),
		};
		seedApi.throttle(headers);
		const error = await canaries.rejection(requestToken(client, granting));
		expect(error).toMatchObject({status: 429, retryable: true, retryAfter});
		expect(seedApi.tokenRequests).toHaveLength(1);
	});
});

describe('over a real socket', () => {
	test.for<readonly [id: string, what: string, answer: Answer, expected: object]>([
		['F-06', '503', {status: 503, headers: [['retry-after', '1']]}, {status: 503, retryAfter: 1000, retryable: true}],
		[
			'F-04',
			'500 with a page',
			{status: 500, headers: [['content-type', 'text/html']], body: '<html>'},
			{code: 'unexpected_status', retryable: true},
		],
		['F-12', '204', {status: 204}, {code: 'not_json', retryable: true}],
		[
			'R37',
			'a Basic challenge in a line of its own',
			{
				status: 401,
				headers: [
					['www-authenticate', 'Bearer'],
					['www-authenticate', 'Basic realm="as"'],
				],
			},
			{error: 'invalid_client', retryable: false},
		],
	])('%s the error is the same: %s', async ([, , answer, expected], {serve, canaries}) => {
		const {origin, requests} = await serve(() => answer);
		const error = await canaries.rejection(requestToken(at(origin), granting));
		expect(error).toMatchObject(expected);
		expect(requests).toHaveLength(1);
	});
});

describe('the properties of a class', () => {
	test('TokenNetworkError has neither a status nor a wait', async ({canaries}) => {
		const client = {...at('https://as.example'), fetch: () => Promise.reject(new Error('x'))};
		const error = await canaries.rejection(requestToken(client, granting));
		expect(error).toMatchObject({name: 'TokenNetworkError', code: 'network', retryable: true});
		for (const name of ['status', 'retryAfter', 'contentType']) expect(error).not.toHaveProperty(name);
	});

	test('SessionEndedError has a reason', async ({canaries, server}) => {
		server.referee.expectLoss();
		const none = await canaries.rejection(createAuth(at('https://as.example')).getToken());
		expect(none).toMatchObject({reason: 'no_session', retryable: false});
		expect(none).not.toHaveProperty('cause');
		const token = await server.mint();
		const auth = createAuth({tokenEndpoint: server.tokenEndpoint, clientId: 'app'});
		await auth.setToken({...token, refresh_token: 'a-dead-one'});
		const dead = await canaries.rejection(auth.refresh());
		expect(dead).toBeInstanceOf(SessionEndedError);
		expect(dead).toMatchObject({reason: 'invalid_grant', retryable: false});
		const {cause} = dead as SessionEndedError;
		expect(cause === undefined || cause instanceof OAuthError).toBe(true);
	});

	test('StoreError and LockError say whether to try again', async ({canaries}) => {
		for (const [, , make] of kinds.filter(([name]) => ['StoreError', 'LockError'].includes(name))) {
			expect(await canaries.rejection(make())).toMatchObject({retryable: true});
		}
	});

	test('the name, the code and the facts cannot be assigned in TypeScript', async ({canaries}) => {
		const error = canaries.see(await refused(json({error: 'invalid_client'}, 401)));
		if (!(error instanceof OAuthError)) throw new Error('not an OAuthError');
		const assign = (): void => {
			// @ts-expect-error -- the property is read-only
			error.error = 'x';
			// @ts-expect-error -- the property is read-only
			error.code = 'oauth_error';
		};
		expect(assign).toBeTypeOf('function');
	});
});
