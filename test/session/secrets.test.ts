import {inspect} from 'node:util';
import * as fc from 'fast-check';
import ky from 'ky';
import {describe, expect, vi} from 'vitest';
import {
	type AuthOptions,
	type AuthTokenRequest,
	type ClientAuthentication,
	ConfigError,
	OAuthError,
	RegrantError,
	type StoreDriver,
	StoreError,
	type TokenClient,
	TokenNetworkError,
	clientSecretBasic,
	clientSecretPost,
	createAuth,
	isRegrantError,
	requestToken,
	revokeToken,
} from '../../src/index.ts';
import {type Canaries, createCanaries} from '../support/canaries.ts';
import type {Answer} from '../support/serve.ts';
import {memoryDriver, storeOf} from '../support/scenario.ts';
import {test} from '../support/test.ts';

const secret = 'cs-Zq8XcanaryLm2x4Yy';
const refreshToken = 'rt-Bk5VcanaryWd7q1Tt';
const accessToken = 'at-Hx3RcanaryPf9u6Ss';
const newAccessToken = 'at-Nn6EcanaryGc1o8Jj';
const newRefreshToken = 'rt-Mm2KcanaryVe4i7Dd';
const assertion = 'eyJhbGciOiJFUzI1NiJ9.Cc9canaryAssertion.Xx5sig';
const clientId = 'client';

const granting = {grant_type: 'client_credentials', scope: '/accounts.read'} as const;
const refreshing = {grant_type: 'refresh_token', refresh_token: refreshToken} as const;

function plantAll(canaries: Canaries): void {
	canaries.plant(secret, 'client secret');
	canaries.plant(refreshToken, 'refresh token');
	canaries.plant(accessToken, 'access token');
	canaries.plant(newAccessToken, 'new access token');
	canaries.plant(newRefreshToken, 'new refresh token');
	canaries.plant(assertion, 'client assertion');
	canaries.plant(btoa(`${clientId}:${secret}`), 'Basic credentials');
}

/** The ways in which a client can authenticate, each with its secret. */
const clients: readonly (readonly [what: string, options: Partial<TokenClient>, extra: {client_secret?: string}])[] = [
	['Basic', {clientAuthentication: clientSecretBasic(secret)}, {}],
	['raw Basic with JSON', {clientAuthentication: clientSecretBasic(secret, {encoding: 'raw'}), encoding: 'json'}, {}],
	['a post', {clientAuthentication: clientSecretPost(secret)}, {}],
	['a post of JSON', {clientAuthentication: clientSecretPost(secret), encoding: 'json'}, {}],
	['a secret in the request', {}, {client_secret: secret}],
	['an assertion', {clientAuthentication: ({parameters}) => parameters.set('client_assertion', assertion)}, {}],
	[
		'a Bearer header of its own',
		{clientAuthentication: ({headers}) => headers.set('authorization', `Bearer ${assertion}`)},
		{},
	],
	['nothing', {}, {}],
];

/** The parts of a request that a server may repeat, encoded and decoded. */
async function materialOf(request: Request): Promise<string[]> {
	const body = await request.text();
	const authorization = request.headers.get('authorization') ?? '';
	const credentials = authorization.split(' ')[1] ?? '';
	const isJson = request.headers.get('content-type')?.includes('json') === true;
	const values = isJson
		? Object.values(JSON.parse(body) as Record<string, string>)
		: [...new URLSearchParams(body).values()];
	const decoded = authorization.startsWith('Basic ') ? atob(credentials) : '';
	const all = [body, authorization, credentials, ...values, decoded, decoded.split(':')[1] ?? ''];
	return [...new Set(all.filter(text => text.length > 8)), all.join(' ')];
}

const json = (body: unknown, status = 400, headers: Readonly<Record<string, string>> = {}): Response =>
	new Response(JSON.stringify(body), {status, headers: {'content-type': 'application/json', ...headers}});

/** The places in a response where a server may repeat them. */
const places: readonly (readonly [where: string, answer: (text: string) => Response])[] = [
	['error', text => json({error: text})],
	['error, of 200', text => json({error: text}, 200)],
	['error, of 503', text => json({error: text}, 503)],
	['error_description', text => json({error: 'invalid_grant', error_description: `The value ${text} is wrong`})],
	['error_description, in quotes', text => json({error: 'invalid_request', error_description: `"${text}"`})],
	['error_description, beyond its cut', text => json({error: 'a', error_description: `${'x'.repeat(1010)}${text}`})],
	['error_description, twice', text => json({error: 'a', error_description: `${text} and ${text}`})],
	['error_description, cut off', text => json({error: 'a', error_description: `No: ${text.slice(0, 12)}…`})],
	['error_uri', text => json({error: 'a', error_uri: `https://as.example/?q=${text}`})],
	['error_uri, encoded', text => json({error: 'a', error_uri: `https://as.example/?q=${encodeURIComponent(text)}`})],
	['all three', text => json({error: text, error_description: text, error_uri: text}, 401)],
	['content-type', text => new Response('x', {status: 400, headers: {'content-type': text}})],
	['content-type, as its subtype', text => new Response('x', {headers: {'content-type': `text/${text}`}})],
	['content-type, as a parameter', text => json({error: 'a'}, 400, {'content-type': `text/plain; x="${text}"`})],
	['retry-after', text => json({error: 'slow_down'}, 429, {'retry-after': text})],
	['x-retry-in', text => new Response(null, {status: 429, headers: {'x-retry-in': text}})],
	[
		'www-authenticate',
		text => new Response(null, {status: 401, headers: {'www-authenticate': `Basic realm="${text}"`}}),
	],
	['location', text => new Response(null, {status: 302, headers: {location: `/?q=${encodeURIComponent(text)}`}})],
	['the status text', text => new Response(null, {status: 500, statusText: text})],
	['a page', text => new Response(`<html>${text}</html>`, {status: 500, headers: {'content-type': 'text/html'}})],
	['a page of 200', text => new Response(`<html>${text}</html>`, {headers: {'content-type': 'text/html'}})],
	['text alone', text => new Response(text)],
	['truncated JSON', text => new Response(`{"access_token":"${text}`)],
	['a name of a field', text => json({[text]: 'is unknown'}, 422)],
	['a name of a field, of 400', text => json({error: 'a', [text]: text})],
	['a value of a 422', text => json({refresh_token: `${text} is not valid`, scope: [text]}, 422)],
	['access_token', text => json({access_token: `${text}\r\n`, token_type: 'Bearer'}, 200)],
	['token_type', text => json({access_token: newAccessToken, token_type: text}, 200)],
	['scope', text => json({access_token: newAccessToken, token_type: 'Bearer', scope: [text, 42]}, 200)],
	['refresh_token', text => json({access_token: 'a', token_type: 'Bearer', refresh_token: `${text}é`}, 200)],
	['a name of a token', text => json({[text]: text, token_type: 'Bearer'}, 200)],
	['a list', text => json([text], 200)],
	['a string', text => json(text, 200)],
	['a form', text => new Response(new URLSearchParams({error: text, error_description: text}), {status: 400})],
];

/** A client whose server repeats what it receives. Each response repeats the next part of the request. */
function echoing(
	options: Partial<TokenClient>,
	answer: (text: string) => Response,
): {client: TokenClient; left(): number} {
	let index = 0;
	let count = 1;
	const client: TokenClient = {
		tokenEndpoint: 'https://as.example/token',
		revocationEndpoint: 'https://as.example/revoke',
		clientId,
		fetch: async (input, init) => {
			const material = await materialOf(new Request(input, init));
			count = material.length;
			return answer(material[index++] ?? '');
		},
		...options,
	};
	return {client, left: () => count - index};
}

// Revocations and sessions create their errors as token requests do, so the two most different clients are enough.
const fewClients = clients.filter(([what]) => ['Basic', 'a post of JSON'].includes(what));

describe('a server that repeats whatever it was sent, however the client proved itself, [R90, R93, F-112, F-113]', () => {
	test.for(places)(
		'no error of a token request shows a secret that the server repeats, in %s',
		async ([, answer], {canaries}) => {
			plantAll(canaries);
			for (const [, options, extra] of clients) {
				const {client, left} = echoing(options, answer);
				while (left() > 0) {
					const asked = requestToken(client, {...refreshing, ...extra});
					expect(await asked.catch((error: unknown) => canaries.see(error))).toBeInstanceOf(RegrantError);
				}
			}
		},
	);

	test.for(places)(
		'no error of a revocation shows a secret that the server repeats, in %s',
		async ([, answer], {canaries}) => {
			plantAll(canaries);
			for (const [, options, extra] of fewClients) {
				const {client, left} = echoing(options, answer);
				while (left() > 0) {
					await revokeToken(client, {token: refreshToken, ...extra}).catch((error: unknown) => canaries.see(error));
				}
			}
		},
	);

	test.for(places)(
		'no error and no event of a session shows a secret that the server repeats, in %s',
		async ([, answer], {canaries, watch}) => {
			plantAll(canaries);
			for (const [, options] of fewClients) {
				const {client, left} = echoing(options, answer);
				while (left() > 0) {
					const auth = watch(createAuth({...client, store: storeOf(memoryDriver())}));
					await auth.setToken({access_token: accessToken, token_type: 'Bearer', refresh_token: refreshToken});
					const error = await canaries.rejection(auth.refresh());
					expect(isRegrantError(error)).toBe(true);
				}
			}
		},
	);
});

describe('a server that repeats a token that it issued itself [R93, F-113]', () => {
	test.for(places)(
		'no error shows the access token of a session that the server repeats, in %s',
		async ([, answer], {canaries, watch}) => {
			plantAll(canaries);
			const auth = watch(
				createAuth({tokenEndpoint: 'https://as.example/token', clientId, fetch: async () => answer(accessToken)}),
			);
			await auth.setToken({access_token: accessToken, token_type: 'Bearer', refresh_token: refreshToken});
			const error = await canaries.rejection(auth.refresh());
			expect(isRegrantError(error)).toBe(true);
		},
	);

	test.for<readonly [what: string, body: object]>([
		['an error beside it', {error: 'invalid_grant'}],
		['an error that is it', {error: newAccessToken}],
		['a description that has it', {error: 'a', error_description: `${newAccessToken} or ${newRefreshToken}`}],
		['an address that has it', {error: 'a', error_uri: `https://as.example/${newRefreshToken}`}],
		['a bad type', {token_type: newAccessToken}],
		['a bad scope', {scope: [newRefreshToken, 42]}],
		['a bad expiry', {expires_in: newRefreshToken, token_type: 'mac'}],
		['a type of another kind', {token_type: {[newAccessToken]: newRefreshToken}}],
		['a bad refresh token', {refresh_token: [newRefreshToken]}],
		['a token that is unfit', {access_token: `${newAccessToken}\r\n`, error: 'a', error_description: newAccessToken}],
		['a refresh token that is unfit', {refresh_token: `${newRefreshToken}é`, error: `No ${newRefreshToken}`}],
		['half a character in a token', {access_token: `${newAccessToken}\uD800`, error: newAccessToken}],
	])('no error shows a token that the server repeats with %s', async ([, body], {canaries, watch}) => {
		plantAll(canaries);
		const answer = {access_token: newAccessToken, token_type: 'Bearer', refresh_token: newRefreshToken, ...body};
		const client = {tokenEndpoint: 'https://as.example/token', clientId, fetch: async () => json(answer, 200)};
		expect(await canaries.rejection(requestToken(client, granting))).toBeInstanceOf(RegrantError);
		const auth = watch(createAuth({...client, grant: granting}));
		expect(await canaries.rejection(auth.getToken())).toBeInstanceOf(RegrantError);
	});
});

describe('a secret that is not spelled as it is [R93]', () => {
	const awkward = 's3:c"r\\e t%&+=/?#canary';
	const hex = (character: string): string => character.charCodeAt(0).toString(16);
	const named: Readonly<Record<string, string>> = {'"': 'quot', '&': 'amp', '/': 'sol', '+': 'plus', '=': 'equals'};
	const special = /[^\w]/g;
	const spellings: readonly (readonly [how: string, spell: (text: string) => string])[] = [
		['as it is', String],
		['as a URL has it', encodeURIComponent],
		['as a URL has it in lower case', text => text.replace(special, one => `%${hex(one).padStart(2, '0')}`)],
		['as a URL has it that was encoded twice', text => encodeURIComponent(encodeURIComponent(text))],
		['as JSON has it with escaped slashes', text => JSON.stringify(text).slice(1, -1).replaceAll('/', '\\/')],
		['as JSON has it in numbers', text => text.replace(special, one => `\\u${hex(one).padStart(4, '0')}`)],
		['as HTML has it by name', text => text.replace(special, one => (named[one] ? `&${named[one]};` : one))],
		['as HTML has it by number', text => text.replace(special, one => `&#${one.charCodeAt(0)};`)],
		['as HTML has it by hexadecimal number', text => text.replace(special, one => `&#x${hex(one).toUpperCase()};`)],
		['as HTML has it within a URL', text => encodeURIComponent(text).replaceAll('%', '&#37;')],
		['as a form has it', text => new URLSearchParams({'': text}).toString().slice(1)],
		['as JSON has it', text => JSON.stringify(text).slice(1, -1)],
	];
	const rows = spellings.flatMap(([how, spell]) =>
		(['error', 'error_description', 'error_uri'] as const).map(name => ({how, spell, name})),
	);

	test.for(rows)('a secret in another spelling is masked in $name $how [F-155]', async ({spell, name}, {canaries}) => {
		for (const [, respell] of spellings) {
			canaries.plant(respell(awkward), 'awkward secret');
			// RFC 6749 does not allow these characters in an error, so each of them is replaced.
			canaries.plant(respell(awkward).replaceAll(/["\\]/g, '?'), 'cleaned secret');
		}
		const client = (clientAuthentication: ClientAuthentication | undefined): TokenClient => ({
			tokenEndpoint: 'https://as.example/token',
			clientId,
			clientAuthentication,
			fetch: async () => json({error: 'invalid_request', [name]: `The value ${spell(awkward)} is wrong`}),
		});
		for (const method of [clientSecretBasic(awkward), clientSecretPost(awkward)]) {
			expect(await canaries.rejection(requestToken(client(method), granting))).toBeInstanceOf(OAuthError);
		}
		const request = {grant_type: 'refresh_token', refresh_token: awkward} as const;
		expect(await canaries.rejection(requestToken(client(undefined), request))).toBeInstanceOf(OAuthError);
	});

	test('a short secret in another spelling is masked', async ({canaries}) => {
		canaries.plant('s3cr3t', 'short secret');
		const fetch = async (): Promise<Response> =>
			json({error: 's3cr3t', error_description: 'not s3cr3t', error_uri: 'https://as.example/s3cr3t'});
		const client = {tokenEndpoint: 'https://as.example/token', clientId, fetch};
		const method = {clientAuthentication: clientSecretBasic('s3cr3t')};
		expect(await canaries.rejection(requestToken({...client, ...method}, granting))).toBeInstanceOf(OAuthError);
		const request = {grant_type: 'refresh_token', refresh_token: 's3cr3t'} as const;
		expect(await canaries.rejection(requestToken(client, request))).toBeInstanceOf(OAuthError);
	});

	test('an error code is not masked by a refresh token of one letter [R93, F-113]', async () => {
		const fetch = async (): Promise<Response> => json({error: 'invalid_grant', error_description: 'no'});
		const auth = createAuth({tokenEndpoint: 'https://as.example/token', clientId, fetch});
		await auth.setToken({access_token: 'a', refresh_token: 'r'});
		await expect(auth.refresh()).rejects.toMatchObject({reason: 'invalid_grant', cause: {error: 'invalid_grant'}});
	});

	test('an error code that is masked for display still ends the session [R93, F-113]', async ({canaries}) => {
		plantAll(canaries);
		const error = 'bad_refresh_token';
		const client = {tokenEndpoint: 'https://as.example/token', clientId, fetch: async () => json({error}, 200)};
		const auth = createAuth(client);
		await auth.setToken({access_token: accessToken, refresh_token: error});
		expect(await canaries.rejection(auth.refresh())).toMatchObject({reason: 'invalid_grant'});
	});

	test.for<string>([
		'50 % of &lt;all&gt; "clients" \\u0041 are+wrong&#33;',
		'%zz &unknown; \\q &#xFFFFFFFF; &#9999999; %',
	])('the escapes of a text without a secret are kept: %s [F-155]', async (error_description, {canaries}) => {
		const client = {
			tokenEndpoint: 'https://as.example/token',
			clientId,
			clientAuthentication: clientSecretBasic(secret),
			fetch: async () => json({error: 'invalid_request', error_description}),
		};
		const error = await canaries.rejection(requestToken(client, granting));
		expect(error).toMatchObject({error_description: error_description.replaceAll('\\', '?')});
	});

	test('leaves nothing of a text in which a secret stands [R93, F-155]', async ({canaries}) => {
		plantAll(canaries);
		const error_description = `The secret ${secret} is no good, the client is`;
		const client = {
			tokenEndpoint: 'https://as.example/token',
			clientId,
			clientAuthentication: clientSecretBasic(secret),
			fetch: async () => json({error: 'invalid_client', error_description}),
		};
		const error = await canaries.rejection(requestToken(client, granting));
		expect(error).toMatchObject({error: 'invalid_client', error_description: '[masked]'});
	});

	test.for<[part: string, from: number, to?: number]>([
		['its tail', -8],
		['eight characters of its middle', 9, 17],
		['all but its first character', 1],
	])('a secret is masked if a server quotes %s [R93, F-155]', async ([, from, to]) => {
		const whole = 'Xq7/Lw2+Zt9=Bn4&Rm6%Kc1?';
		const spelled = [whole.slice(from, to), encodeURIComponent(whole.slice(from, to))];
		for (const part of spelled) {
			const client = {
				tokenEndpoint: 'https://as.example/token',
				clientId,
				clientAuthentication: clientSecretPost(whole),
				fetch: async () => json({error: 'invalid_client', error_description: `It ends in ${part}`}),
			};
			await expect(requestToken(client, granting)).rejects.toMatchObject({error_description: '[masked]'});
		}
	});

	test('a secret in a header of the client is masked, and the media type that it accepts is none [R93, F-155]', async () => {
		const key = 'api-key-Jr5vTq8w';
		const client = {tokenEndpoint: 'https://as.example/token', clientId, headers: {'x-api-key': key}};
		for (const [words, shown] of [
			[`The key ${key} is unknown`, '[masked]'],
			['Send application/json', 'Send application/json'],
		]) {
			const fetch = async (): Promise<Response> => json({error: 'invalid_request', error_description: words});
			await expect(requestToken({...client, fetch}, granting)).rejects.toMatchObject({error_description: shown});
		}
	});

	test('a description without a secret is kept', async ({canaries}) => {
		plantAll(canaries);
		const error_description = 'The refresh token is no good, the client is';
		const client = {
			tokenEndpoint: 'https://as.example/token',
			clientId,
			clientAuthentication: clientSecretBasic(secret),
			fetch: async () => json({error: 'invalid_grant', error_description}),
		};
		expect(await canaries.rejection(requestToken(client, refreshing))).toMatchObject({error_description});
	});

	test('a secret is masked wherever it stands, whatever stands around it', async () => {
		const token = fc.stringMatching(/^[A-Za-z0-9._-]{12,40}$/);
		const text = fc.string({unit: 'binary', maxLength: 40});
		await fc.assert(
			fc.asyncProperty(
				fc.record({
					client: token,
					refresh: token,
					before: text,
					after: text,
					place: fc.nat(places.length - 1),
					which: fc.constantFrom('client', 'refresh', 'proof'),
					length: fc.integer({min: 10, max: 60}),
					post: fc.boolean(),
				}),
				async ({client, refresh, before, after, place, which, length, post}) => {
					const own = createCanaries();
					const basic = btoa(`${clientId}:${new URLSearchParams({'': client}).toString().slice(1)}`);
					const proof = post ? client : basic;
					for (const planted of [client, refresh, proof]) own.plant(planted);
					const shown = {client, refresh, proof}[which].slice(0, length);
					// A header cannot contain these characters.
					const around = (given: string): string => given.replaceAll(/[^\x20-\x7E]/g, '').trim();
					const answer = (): Response => places[place]?.[1](`${around(before)}${shown}${around(after)}`) ?? json({});
					const options: TokenClient = {
						tokenEndpoint: 'https://as.example/token',
						clientId,
						clientAuthentication: post ? clientSecretPost(client) : clientSecretBasic(client),
						fetch: async () => {
							try {
								return answer();
							} catch {
								return json({error: `${around(before)}${shown}${around(after)}`});
							}
						},
					};
					const request = {grant_type: 'refresh_token', refresh_token: refresh} as const;
					await requestToken(options, request).catch((error: unknown) => own.see(error));
					own.scan();
				},
			),
			{numRuns: 200},
		);
	});
});

describe('a fetch of one’s own [R90]', () => {
	/** What a user's own `fetch` may do, given the request with all its secrets. */
	const ways: readonly (readonly [what: string, fetch: (request: Request, text: string, init: unknown) => unknown])[] =
		[
			[
				'throws an error that holds the request',
				(request, text, init) => {
					throw Object.assign(new Error(`POST failed: ${text}`), {request, init, body: text, config: {data: text}});
				},
			],
			[
				'throws a TypeError that holds the request',
				(request, text, init) => {
					throw Object.assign(new TypeError(`fetch failed: ${text}`), {request, init});
				},
			],
			[
				'rejects with a cause that holds it',
				async (request, text) =>
					Promise.reject(new TypeError('fetch failed', {cause: Object.assign(new Error(text), {request})})),
			],
			[
				'rejects with errors that hold it',
				async (_request, text) => Promise.reject(new AggregateError([new Error(text)], text)),
			],
			[
				'throws the body itself',
				(_request, text) => {
					throw text; // oxlint-disable-line typescript/only-throw-error -- a user's fetch may throw any value
				},
			],
			[
				'throws the request itself',
				request => {
					throw request; // oxlint-disable-line typescript/only-throw-error -- a user's fetch may throw any value
				},
			],
			[
				'rejects with an AbortError that names it',
				async (_request, text) => Promise.reject(new DOMException(text, 'AbortError')),
			],
			[
				'gives a body that fails with it',
				(_request, text) =>
					new Response(
						new ReadableStream({
							pull: controller => controller.error(Object.assign(new TypeError(text), {text})),
						}),
					),
			],
			['gives nothing', () => undefined],
			['gives null', () => null],
			['gives the text', (_request, text) => text],
			['gives the request', request => request],
			['gives an error response', () => Response.error()],
			[
				'gives a body that was read',
				async () => {
					const response = Response.json({access_token: accessToken, token_type: 'Bearer'});
					await response.text();
					return response;
				},
			],
			[
				'gives a body that is locked',
				() => {
					const response = Response.json({access_token: accessToken, token_type: 'Bearer'});
					response.body?.getReader();
					return response;
				},
			],
			[
				'gives something whose members throw',
				(_request, text) =>
					new Proxy(
						{},
						{
							get(_target, name) {
								if (name === 'then') return undefined;
								throw new Error(text);
							},
						},
					),
			],
		];
	test.for(ways)(
		'a fetch of your own that %s does not leak the request into an error',
		async ([, fetch], {canaries, watch}) => {
			plantAll(canaries);
			for (const [, options, extra] of clients) {
				const client: TokenClient = {
					tokenEndpoint: 'https://as.example/token',
					revocationEndpoint: 'https://as.example/revoke',
					clientId,
					fetch: async (input, init) => {
						const request = new Request(input, init);
						const text = `${await request.clone().text()} ${request.headers.get('authorization')}`;
						return fetch(request, text, init) as Response;
					},
					...options,
				};
				const auth = watch(createAuth(client));
				await auth.setToken({access_token: accessToken, token_type: 'Bearer', refresh_token: refreshToken});
				for (const error of [
					await canaries.rejection(requestToken(client, {...refreshing, ...extra})),
					await canaries.rejection(revokeToken(client, {token: refreshToken, ...extra})),
					await canaries.rejection(auth.refresh()),
				]) {
					expect(isRegrantError(error)).toBe(true);
				}
			}
		},
	);
});

describe('over a real socket [R90, F-112]', () => {
	const ways: readonly (readonly [what: string, answer: (text: string) => Answer])[] = [
		['resets', () => ({reset: true})],
		[
			'breaks off',
			text => ({
				body: new ReadableStream({
					start: c => c.enqueue(new TextEncoder().encode(text)),
					pull: c => c.error(new Error()),
				}),
			}),
		],
		['stalls', text => ({body: new ReadableStream({start: c => c.enqueue(new TextEncoder().encode(text))})})],
		['answers what is no HTTP', text => ({headers: [['content-encoding', 'gzip']], body: text})],
		['redirects', text => ({status: 307, headers: [['location', `/?${encodeURIComponent(text)}`]]})],
		['repeats it in a page', text => ({status: 502, headers: [['content-type', 'text/html']], body: `<p>${text}`})],
		['repeats it as JSON', text => ({status: 400, body: JSON.stringify({error: text, error_description: text})})],
	];
	test.for(ways)('no error shows what a server learned that %s', async ([way, answer], {serve, canaries}) => {
		plantAll(canaries);
		const {origin} = await serve((_request, {body, headers}) => answer(`${body} ${headers['authorization']}`));
		const endpoints = {tokenEndpoint: `${origin}/token`, revocationEndpoint: `${origin}/revoke`};
		const timeout = way === 'stalls' ? 20 : 5000;
		for (const [, options, extra] of clients) {
			const client = {...endpoints, clientId, timeout, ...options};
			const error = await canaries.rejection(requestToken(client, {...refreshing, ...extra}));
			expect(isRegrantError(error)).toBe(true);
			await revokeToken(client, {token: refreshToken, ...extra}).catch(canaries.see);
		}
	});

	test('no error shows a secret if there is no endpoint', async ({serve, canaries}) => {
		plantAll(canaries);
		const {origin, close} = await serve(() => ({status: 200}));
		await close();
		const client = {tokenEndpoint: `${origin}/token`, clientId, clientAuthentication: clientSecretBasic(secret)};
		expect(await canaries.rejection(requestToken(client, refreshing))).toBeInstanceOf(TokenNetworkError);
	});

	test('no error shows a secret if the real server refuses everything', async ({server, canaries}) => {
		plantAll(canaries);
		for (const [, options, extra] of clients) {
			const client = {...options, tokenEndpoint: server.tokenEndpoint, clientId};
			if (options.encoding === 'json') continue;
			const error = await canaries.rejection(requestToken(client, {...refreshing, ...extra}));
			expect(error).toBeInstanceOf(OAuthError);
		}
	});

	test('no error shows the refresh token that Moov’s API repeats', async ({seedApi, canaries}) => {
		const client = {
			tokenEndpoint: seedApi.tokenEndpoint,
			clientId: '5clTR_MdVrrkgxw2',
			clientAuthentication: clientSecretPost('dNC-hg7sVm22jc3g_Eogtyu0_1Mqh_4-'),
		};
		canaries.plant(refreshToken, 'refresh token');
		for (const encoding of ['form', 'json'] as const) {
			const error = await canaries.rejection(requestToken({...client, encoding}, refreshing));
			expect(error).toMatchObject({status: 422});
		}
	});
});

describe('a secret that the user put in the URL of an endpoint [F-117]', () => {
	const key = 'url-key-canary-Aa4';

	test.for<readonly [what: string, fetch: typeof fetch | undefined]>([
		['the platform’s', undefined],
		[
			'one that quotes the URL',
			async input => Promise.reject(new TypeError(`Failed to fetch ${new Request(input).url}`)),
		],
		[
			'one that holds the URL',
			async input =>
				Promise.reject(Object.assign(new TypeError('fetch failed'), {cause: {request: new Request(input)}})),
		],
	])(
		'no error shows a secret in an endpoint’s URL if the network fails under a fetch: %s',
		async ([, fetch], {serve, canaries}) => {
			canaries.plant(key, 'key in a URL');
			const {origin, close} = await serve(() => ({status: 200}));
			await close();
			for (const endpoint of [origin, 'http://127.0.0.1:1']) {
				const client = {tokenEndpoint: `${endpoint}/token?key=${key}`, clientId, fetch};
				expect(await canaries.rejection(requestToken(client, granting))).toBeInstanceOf(TokenNetworkError);
			}
		},
	);

	test('no error shows a secret in an endpoint’s URL if the platform’s fetch quotes the URL', async ({canaries}) => {
		canaries.plant(key, 'key in a URL');
		vi.stubGlobal('fetch', async (input: RequestInfo) => {
			throw new TypeError(`error sending request for url (${new Request(input).url})`);
		});
		try {
			const client = {tokenEndpoint: `https://as.example/token?key=${key}`, clientId};
			expect(await canaries.rejection(requestToken(client, granting))).toBeInstanceOf(TokenNetworkError);
		} finally {
			vi.unstubAllGlobals();
		}
	});

	test('no error shows a secret in an endpoint’s URL if the server answers', async ({serve, canaries}) => {
		canaries.plant(key, 'key in a URL');
		const {origin} = await serve(({url}) => ({status: 302, headers: [['location', url]]}));
		const client = {tokenEndpoint: `${origin}/token?key=${key}`, clientId};
		expect(await canaries.rejection(requestToken(client, granting))).toMatchObject({code: 'unexpected_redirect'});
	});

	test('a secret that the user put in the URL of an endpoint never reaches fetch as a password [F-116]', async ({
		canaries,
	}) => {
		canaries.plant(key, 'password in a URL');
		const fetch = vi.fn<typeof globalThis.fetch>();
		const client = {tokenEndpoint: `https://user:${key}@as.example/token`, clientId, fetch};
		expect(await canaries.rejection(requestToken(client, granting))).toBeInstanceOf(ConfigError);
		expect(fetch).not.toHaveBeenCalled();
	});
});

describe('a mistake of the user’s [R94]', () => {
	const valid: AuthOptions = {
		tokenEndpoint: 'https://as.example/token',
		clientId,
		fetch: () => Promise.reject(new Error('sent')),
	};
	const session =
		(options: object, run: (auth: ReturnType<typeof createAuth>) => unknown) => async (): Promise<unknown> =>
			run(createAuth({...valid, ...options}));
	const token =
		(request: unknown, options: object = {}): (() => Promise<unknown>) =>
		() =>
			requestToken({...valid, ...options}, request as AuthTokenRequest);

	test.for<readonly [what: string, fail: () => Promise<unknown>]>([
		['a secret with a line break', token(granting, {clientAuthentication: clientSecretBasic(`${secret}\n`)})],
		['a secret for the body, beyond ASCII', token(granting, {clientAuthentication: clientSecretPost(`${secret}é`)})],
		[
			'a raw secret with an id that has a colon',
			token(granting, {clientId: 'a:b', clientAuthentication: clientSecretBasic(secret, {encoding: 'raw'})}),
		],
		[
			'an encoding that is a secret',
			token(granting, {clientAuthentication: clientSecretBasic('x', {encoding: secret as 'raw'})}),
		],
		['a secret as an option', token(granting, {clientSecret: secret})],
		['a secret as the authentication', token(granting, {clientAuthentication: secret})],
		['a secret as the id', token(granting, {clientId: `${secret}\0`})],
		['a secret as the endpoint', token(granting, {tokenEndpoint: secret})],
		['a secret in an endpoint that is no URL', token(granting, {tokenEndpoint: `https://as.example:${secret}/`})],
		['a secret in the host of an endpoint', token(granting, {tokenEndpoint: `http://${secret}.example/`})],
		['a secret twice', token({...granting, client_secret: secret}, {clientAuthentication: clientSecretBasic(secret)})],
		['a secret in the scope', token({...granting, scope: `"${secret}"`})],
		['a secret as the grant type', token({grant_type: secret})],
		['a secret in a field that is not known', token({...granting, password: secret})],
		['a refresh token with a line break', token({...refreshing, refresh_token: `${refreshToken}\r\n`})],
		['a refresh token in a list', token({...refreshing, refresh_token: [refreshToken]})],
		['a refresh token beside another grant', token({...granting, refresh_token: refreshToken})],
		['a token as the request', token(refreshToken)],
		['a grant with a secret that is unfit', session({grant: {...granting, client_secret: `${secret}\n`}}, () => {})],
		[
			'a function for a grant with a secret that is unfit',
			session({grant: () => ({...granting, client_secret: `${secret}\n`})}, auth => auth.getToken()),
		],
		['a function for a grant that gives a secret', session({grant: () => secret}, auth => auth.getToken())],
		['a token type that is a token', session({tokenTypes: [accessToken, 42]}, () => {})],
		['an origin that is a token', session({origins: [accessToken]}, () => {})],
		['a store that is a token', session({store: accessToken}, () => {})],
		[
			'a token that is unfit for a header',
			session({}, auth => auth.setToken({access_token: `${accessToken}\r\nx: y`, token_type: 'Bearer'})),
		],
		['a token of a bad type', session({}, auth => auth.setToken({access_token: accessToken, token_type: 'mac'}))],
		[
			'a token whose type is a number',
			session({}, auth => auth.setToken({access_token: accessToken, token_type: 42} as never)),
		],
		['a token with a bad scope', session({}, auth => auth.setToken({access_token: accessToken, scope: [42]} as never))],
		['a store that is no driver', session({store: {get: accessToken}}, () => {})],
		['a secret among the parameters', token(granting, {parameters: {client_secret: secret}})],
		['a secret in a parameter that is no text', token(granting, {parameters: {audience: {secret}}})],
		['a secret in a header that cannot be sent', token(granting, {headers: {'x-key': `${secret}\n`}})],
		['a secret as a header of the client', token(granting, {headers: {authorization: secret}})],
		['a code that is no text', token({grant_type: 'authorization_code', code: {secret}})],
		['an insecure origin that is a secret', token(granting, {allowInsecureOrigins: [secret]})],
		['a token that is a string', session({}, auth => auth.setToken(accessToken as never))],
		[
			'a token with a bad refresh token',
			session({}, auth =>
				auth.setToken({access_token: accessToken, token_type: 'Bearer', refresh_token: `${refreshToken}é`}),
			),
		],
		['a lifetime that is a token', session({}, auth => auth.getToken({minimumLifetime: accessToken as never}))],
	])('no error shows the secret in a mistake of the user: %s', async ([, fail], {canaries}) => {
		plantAll(canaries);
		expect(isRegrantError(await canaries.rejection(fail()))).toBe(true);
	});
});

describe('a store that fails [R77, R90]', () => {
	const held = {access_token: accessToken, token_type: 'Bearer', refresh_token: refreshToken, issued_at: 0};
	const fail = (): never => {
		throw Object.assign(new Error(`QuotaExceeded: ${JSON.stringify(held)}`), {held});
	};
	const working = {get: (): unknown => undefined, set: (): void => {}, delete: (): void => {}};

	test.for<readonly [what: string, driver: StoreDriver]>([
		['to read', {...working, get: fail}],
		['to read, later', {...working, get: async () => fail()}],
		['to write', {...working, set: fail}],
		['to write, later', {...working, set: async () => fail()}],
		['to forget', {...working, delete: fail}],
		['to lock', {...working, get: () => held, lock: async () => fail()}],
		['to lock at once', {...working, get: () => held, lock: () => fail()}],
		['F-89 by giving text', {...working, get: () => JSON.stringify(held)}],
		['F-89 by giving another shape', {...working, get: () => ({tokens: held})}],
		[
			'F-90 by giving a token with a line break',
			{...working, get: () => ({...held, access_token: `${accessToken}\r\nx: y`})},
		],
		[
			'F-90 by giving a refresh token with a line break',
			{...working, get: () => ({...held, refresh_token: `${refreshToken}\n`})},
		],
	])('the error of a store that fails does not show the token: %s', async ([, driver], {canaries, watch}) => {
		plantAll(canaries);
		const auth = watch(
			createAuth({
				tokenEndpoint: 'https://as.example/token',
				clientId,
				store: storeOf(driver),
				timeout: 200,
				fetch: async () =>
					Response.json({access_token: newAccessToken, token_type: 'Bearer', refresh_token: newRefreshToken}),
			}),
		);
		const events: unknown[] = [];
		auth.subscribe(event => events.push(canaries.see(event)));
		for (const step of [
			() => auth.getToken(),
			() => auth.refresh(),
			() => auth.setToken(held),
			() => auth.signOut(),
		] as readonly (() => Promise<unknown>)[]) {
			const error = await step().then(
				() => undefined,
				(reason: unknown) => canaries.see(reason),
			);
			expect(error === undefined || isRegrantError(error)).toBe(true);
		}
		for (const event of events as {readonly error?: unknown}[]) {
			if (event.error instanceof StoreError) expect(event.error.cause).toBeUndefined();
		}
	});
});

describe('a token that is unfit for a header [R21, F-115]', () => {
	test.for(['\r\nx-evil: 1', '\n', '\0', '€', 'Ā', ' ', '\t'])(
		'a token with %j never reaches a header',
		async (end, {canaries}) => {
			canaries.plant(newAccessToken, 'access token');
			const set = vi.spyOn(Headers.prototype, 'set');
			const append = vi.spyOn(Headers.prototype, 'append');
			try {
				const auth = createAuth({
					tokenEndpoint: 'https://as.example/token',
					clientId,
					grant: granting,
					origins: ['https://api.example'],
					fetch: async () => Response.json({access_token: newAccessToken + end, token_type: 'Bearer'}),
				});
				expect(await canaries.rejection(auth.fetch('https://api.example/'))).toMatchObject({code: 'invalid_response'});
				const values = [...set.mock.calls, ...append.mock.calls].flat().join('\n');
				expect(values).not.toContain(newAccessToken);
			} finally {
				set.mockRestore();
				append.mockRestore();
			}
		},
	);
});

describe('what holds a secret [R92, F-118]', () => {
	async function signedIn(): Promise<{auth: ReturnType<typeof createAuth>; parts: unknown[]}> {
		const store = storeOf(memoryDriver());
		const clientAuthentication = clientSecretBasic(secret);
		const auth = createAuth({
			tokenEndpoint: 'https://as.example/token',
			clientId,
			clientAuthentication,
			store,
			grant: {...granting},
			origins: ['https://api.example'],
		});
		await auth.setToken({access_token: accessToken, token_type: 'Bearer', refresh_token: refreshToken});
		return {auth, parts: [auth, auth.hooks, auth.fetch, store, clientAuthentication, clientSecretPost(secret)]};
	}

	test('an Auth shows no secret, however it is printed', async ({canaries}) => {
		plantAll(canaries);
		const {parts} = await signedIn();
		for (const part of parts) {
			canaries.see(part);
			canaries.see(inspect(part, {showHidden: true, depth: 9, showProxy: true, getters: true}));
			canaries.see(JSON.stringify({part}));
			canaries.see(String(part));
		}
	});

	test('an Auth shows no secret when it is cloned', async ({canaries}) => {
		plantAll(canaries);
		const {parts} = await signedIn();
		for (const part of parts) {
			let outcome: unknown;
			try {
				outcome = structuredClone(part);
			} catch (error) {
				outcome = error;
			}
			canaries.see(outcome);
		}
	});

	test('what holds a secret shows nothing of it in an error of ky [R96, F-111]', async ({serve, canaries}) => {
		plantAll(canaries);
		const {origin, requests} = await serve(() => ({status: 403}));
		const {auth} = await signedIn();
		const own = createAuth({tokenEndpoint: 'https://as.example/token', clientId});
		await own.setToken({access_token: accessToken, token_type: 'Bearer'});
		const api = ky.extend({baseUrl: origin, hooks: own.hooks, retry: 0});
		const error = await canaries.rejection(api.get('/'));
		expect(error).toMatchObject({name: 'HTTPError'});
		expect(requests[0]?.headers['authorization']).toBe(`Bearer ${accessToken}`);
		expect(auth).toBeDefined();
	});

	test('getToken and refresh hand out the access token, and no refresh token', async ({canaries}) => {
		canaries.plant(refreshToken, 'refresh token');
		canaries.plant(newRefreshToken, 'refresh token');
		const auth = createAuth({
			tokenEndpoint: 'https://as.example/token',
			clientId,
			fetch: async () =>
				json({access_token: newAccessToken, token_type: 'Bearer', refresh_token: newRefreshToken}, 200),
		});
		await auth.setToken({access_token: accessToken, token_type: 'Bearer', refresh_token: refreshToken});
		expect(canaries.see(await auth.getToken())).toMatchObject({access_token: accessToken});
		expect(canaries.see(await auth.refresh())).toMatchObject({access_token: newAccessToken});
	});

	test('events do not hold the token', async ({canaries}) => {
		plantAll(canaries);
		const events: unknown[] = [];
		const auth = createAuth({
			tokenEndpoint: 'https://as.example/token',
			clientId,
			fetch: async () =>
				json({access_token: newAccessToken, token_type: 'Bearer', refresh_token: newRefreshToken}, 200),
		});
		auth.subscribe(event => events.push(canaries.see(event)));
		await auth.setToken({access_token: accessToken, token_type: 'Bearer', refresh_token: refreshToken});
		await auth.refresh();
		await auth.signOut();
		expect(events).toMatchObject([{type: 'token'}, {type: 'token'}, {type: 'session-ended'}]);
	});
});
