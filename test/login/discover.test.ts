import * as fc from 'fast-check';
import {describe, expect} from 'vitest';
import {createAuth, isRegrantError} from '../../src/index.ts';
import {type AuthorizationServer, createLogin, deviceLogin, discover} from '../../src/login/login.ts';
import {holds} from '../support/property.ts';
import {type Answer, type CapturedRequest, refusedAt, type Served} from '../support/serve.ts';
import {test as base} from '../support/test.ts';

type Serve = (handler: (request: CapturedRequest) => Answer) => Promise<Served>;

/** The metadata document of a server at this origin. */
const metadataOf = (issuer: string): Record<string, unknown> => ({
	issuer,
	token_endpoint: `${issuer}/token`,
	revocation_endpoint: `${issuer}/revoke`,
	authorization_endpoint: `${issuer}/authorize`,
	device_authorization_endpoint: `${issuer}/device`,
	end_session_endpoint: `${issuer}/logout`,
	token_endpoint_auth_methods_supported: ['none', 'private_key_jwt'],
	code_challenge_methods_supported: ['S256'],
	dpop_signing_alg_values_supported: ['ES256'],
	authorization_response_iss_parameter_supported: true,
	scopes_supported: ['openid'],
});

/** A server with these documents at these paths. A document is sent as JSON with the status 200, unless it is a `Response`. */
const test = base.extend('documents', ({serve}) => {
	const start: Serve = handler => serve((_request, captured) => handler(captured));
	return async (documents: (origin: string) => Record<string, unknown>): Promise<Served> => {
		const served: Served = await start(({path}) => {
			const document = documents(served.origin)[path];
			if (document instanceof Response) return document;
			return document === undefined ? new Response('<h1>Not here</h1>', {status: 404}) : Response.json(document);
		});
		return served;
	};
});

const openId = '/.well-known/openid-configuration';
const oauth = '/.well-known/oauth-authorization-server';

/** The code and the message of an error. */
async function failureOf(work: Promise<unknown>): Promise<string> {
	const error: unknown = await work.then(
		() => undefined,
		reason => reason,
	);
	return isRegrantError(error) ? `${error.code}: ${error.message}` : String(error);
}

describe('discover', () => {
	test('discover finds the metadata where OpenID Connect has it', async ({documents}) => {
		const {origin, requests} = await documents(issuer => ({[openId]: metadataOf(issuer)}));
		const server = await discover(origin);
		expect(server).toEqual({
			issuer: origin,
			tokenEndpoint: `${origin}/token`,
			revocationEndpoint: `${origin}/revoke`,
			authorizationEndpoint: `${origin}/authorize`,
			deviceAuthorizationEndpoint: `${origin}/device`,
			endSessionEndpoint: `${origin}/logout`,
			metadata: metadataOf(origin),
		});
		expect(requests.map(({method, path, headers}) => [method, path, headers['accept']])).toEqual([
			['GET', openId, 'application/json'],
		]);
	});

	test('discover finds the metadata where RFC 8414 has it', async ({documents}) => {
		const {origin, requests} = await documents(issuer => ({[oauth]: {issuer, token_endpoint: `${issuer}/t`}}));
		expect(await discover(origin)).toMatchObject({tokenEndpoint: `${origin}/t`});
		expect(requests.map(({path}) => path)).toEqual([openId, oauth]);
	});

	test('discover ignores a page in place of a document, since single-page apps answer every path', async ({
		documents,
	}) => {
		const {origin} = await documents(issuer => ({
			[openId]: new Response('<!doctype html>', {headers: {'content-type': 'text/html'}}),
			[oauth]: metadataOf(issuer),
		}));
		expect(await discover(origin)).toMatchObject({issuer: origin});
	});

	test('discover ignores JSON that is not metadata', async ({documents}) => {
		const {origin} = await documents(issuer => ({[openId]: {error: 'not found'}, [oauth]: metadataOf(issuer)}));
		expect(await discover(origin)).toMatchObject({issuer: origin});
	});

	test.for([
		['/tenant/a', `/tenant/a${openId}`],
		['/tenant/a', `${oauth}/tenant/a`],
		['/tenant/a/', `/tenant/a${openId}`],
		['/', openId],
	] as const)('discover finds the metadata of an issuer with the path %s at %s', async ([path, place], {documents}) => {
		const {origin} = await documents(origin => ({[place]: {...metadataOf(origin), issuer: origin + path}}));
		expect(await discover(origin + path)).toMatchObject({issuer: origin + path, tokenEndpoint: `${origin}/token`});
	});

	test('discover finds endpoints of another origin, and leaves out those that are null or not there', async ({
		documents,
	}) => {
		const {origin} = await documents(issuer => ({
			[openId]: {issuer, token_endpoint: 'https://tokens.example/token?tenant=a', end_session_endpoint: null},
		}));
		const {metadata: _, ...server} = await discover(origin);
		expect(server).toEqual({issuer: origin, tokenEndpoint: 'https://tokens.example/token?tenant=a'});
	});
});

describe('an endpoint that the server does not have', () => {
	test.for(
		['revocation', 'authorization', 'device_authorization', 'end_session'].flatMap(name =>
			['', false, null].map(value => [`${name}_endpoint`, value] as const),
		),
	)('discover leaves out %s that is %j', async ([name, value], {documents}) => {
		const {origin} = await documents(issuer => ({[openId]: {...metadataOf(issuer), [name]: value}}));
		const {metadata, ...server} = await discover(origin);
		expect(Object.keys(server)).toHaveLength(5);
		expect(server).toHaveProperty('tokenEndpoint');
		expect(metadata).toHaveProperty(name, value);
	});

	test.for(['', false, null])('discover refuses metadata whose token_endpoint is %j', async (value, {documents}) => {
		const {origin} = await documents(issuer => ({[openId]: {...metadataOf(issuer), token_endpoint: value}}));
		expect(await failureOf(discover(origin))).toBe('login_failed: The server has no token_endpoint');
	});
});

describe('discover refuses', () => {
	test.for([
		['a slash at the end', (issuer: string) => `${issuer}/`],
		['another path', (issuer: string) => `${issuer}/other`],
		['another origin', () => 'https://evil.example'],
		['another case', (issuer: string) => issuer.toUpperCase()],
	] as const)('discover refuses metadata of another issuer: %s [R108]', async ([, change], {documents}) => {
		const {origin} = await documents(issuer => ({[openId]: {...metadataOf(issuer), issuer: change(issuer)}}));
		expect(await failureOf(discover(origin))).toBe(
			`login_failed: The issuer is ${change(origin)}: discover takes it letter by letter`,
		);
	});

	test('discover refuses another issuer without quoting it [R108]', async ({documents}) => {
		const {origin} = await documents(issuer => ({[openId]: {...metadataOf(issuer), issuer: 'https://a\u001b[2J'}}));
		expect(await failureOf(discover(origin))).toBe(
			'login_failed: The issuer is another one: discover takes it letter by letter',
		);
	});

	test('discover refuses metadata of another issuer, even if the right one may be at the other place [R108]', async ({
		documents,
	}) => {
		const {origin, requests} = await documents(issuer => ({
			[openId]: {...metadataOf(issuer), issuer: 'https://evil.example'},
			[oauth]: metadataOf(issuer),
		}));
		expect(await failureOf(discover(origin))).toContain('login_failed');
		expect(requests).toHaveLength(1);
	});

	test.for(
		['token', 'revocation', 'authorization', 'device_authorization', 'end_session'].flatMap(name =>
			[
				'http://as.example/x',
				'https://user@as.example/x',
				'https://as.example/x#y',
				'/x',
				'javascript:0',
				42,
				['https://as.example/x'],
				{},
			].map(value => [`${name}_endpoint`, value] as const),
		),
	)('discover refuses %s that is %j', async ([name, value], {documents}) => {
		const {origin} = await documents(issuer => ({[openId]: {...metadataOf(issuer), [name]: value}}));
		expect(await failureOf(discover(origin))).toMatch(`login_failed: ${name} of the server must be an https URL`);
	});

	test('discover refuses metadata without a token endpoint', async ({documents}) => {
		const {origin} = await documents(issuer => ({[openId]: {issuer}}));
		expect(await failureOf(discover(origin))).toBe('login_failed: The server has no token_endpoint');
	});

	test.for([
		['http://as.example', 'issuer must be'],
		['as.example', 'issuer must be'],
		['https://as.example?tenant=a', 'issuer must be'],
		['https://as.example#a', 'issuer must be'],
		['https://user:pass@as.example', 'issuer must be'],
		['', 'issuer must be'],
		[undefined, 'issuer must be'],
		[['https://as.example'], 'issuer must be'],
	] as const)('discover refuses %j as an issuer', async ([issuer, message]) => {
		const failure = await failureOf(discover(issuer as string));
		expect(failure).toContain(`invalid_options: ${message}`);
		expect(failure).not.toContain('pass');
	});

	test.for([
		[{timeout: 0}, 'timeout must be milliseconds'],
		[{fetch: 'x'}, 'fetch must be a function'],
		[{cache: true}, 'cache is not an option'],
		[{allowInsecureOrigins: 'x'}, 'allowInsecureOrigins must be a list of http origins'],
	] as const)('discover refuses the options %j', async ([options, message]) => {
		expect(await failureOf(discover('https://as.example', options as object))).toBe(`invalid_options: ${message}`);
	});
});

describe('discover is bounded', () => {
	test('discover follows no redirect, neither to another origin nor within one', async ({documents, serve}) => {
		const evil = await serve(() => Response.json({issuer: 'x'}));
		const {origin} = await documents(issuer => ({
			[openId]: new Response(null, {status: 302, headers: {location: `${evil.origin}/`}}),
			[oauth]: new Response(null, {status: 307, headers: {location: '/metadata'}}),
			'/metadata': metadataOf(issuer),
		}));
		expect(await failureOf(discover(origin))).toBe(
			`unexpected_redirect: GET ${origin} answered 307 and no metadata: is the issuer right?`,
		);
		expect(evil.requests).toEqual([]);
	});

	test('discover does not use a document that a fetch of your own got by a redirect', async ({documents}) => {
		const {origin} = await documents(issuer => ({
			[openId]: new Response(null, {status: 302, headers: {location: '/metadata'}}),
			'/metadata': metadataOf(issuer),
		}));
		const follow: typeof fetch = (url, init) => fetch(url, {...init, redirect: 'follow'});
		expect(await failureOf(discover(origin, {fetch: follow}))).toContain('and no metadata');
	});

	test('discover stops reading a document after 1 MiB', async ({documents}) => {
		const {origin} = await documents(issuer => ({
			[openId]: {...metadataOf(issuer), padding: 'x'.repeat(2 ** 20)},
		}));
		expect(await failureOf(discover(origin))).toContain('and no metadata');
	});

	test('discover has one deadline for all of its requests together', async ({serve}) => {
		const {origin} = await serve(async () => new Promise(() => {}));
		let requests = 0;
		const counted: typeof fetch = (url, init) => {
			requests++;
			return fetch(url, init);
		};
		const failure = await failureOf(discover(origin, {timeout: 300, fetch: counted}));
		expect(failure).toBe(`timeout: GET ${origin}: no answer within 300 ms`);
		expect(requests).toBe(1);
	});

	test('discover tells a server in trouble from one without metadata', async ({documents}) => {
		const busy = await documents(() => ({[openId]: new Response(null, {status: 503, headers: {'retry-after': '7'}})}));
		await expect(discover(busy.origin)).rejects.toMatchObject({
			code: 'unexpected_status',
			status: 503,
			retryable: true,
			retryAfter: 7000,
		});
		const pages = await documents(() => ({[openId]: new Response('<html>'), [oauth]: new Response('<html>')}));
		await expect(discover(pages.origin)).rejects.toMatchObject({code: 'not_json', status: 200});
		const json = await documents(() => ({[openId]: {}, [oauth]: {}}));
		await expect(discover(json.origin)).rejects.toMatchObject({code: 'invalid_response', status: 200});
		const none = await documents(() => ({}));
		await expect(discover(none.origin)).rejects.toMatchObject({
			code: 'unexpected_status',
			status: 404,
			retryable: false,
		});
	});

	test("a server that cannot be reached is a network error with the platform's code", async ({serve}) => {
		const origin = refusedAt((await serve(() => new Response())).origin);
		await expect(discover(origin)).rejects.toMatchObject({
			code: 'network',
			platformCode: 'ECONNREFUSED',
			retryable: true,
			message: `GET ${origin}: ECONNREFUSED`,
		});
	});
});

describe('what discover gives', () => {
	const served = async (change: Record<string, unknown> = {}): Promise<AuthorizationServer> =>
		discover('https://as.example', {
			fetch: async () => Response.json({...metadataOf('https://as.example'), ...change}),
		});

	test('what discover gives is spread into createAuth, createLogin and deviceLogin', async () => {
		const server = await served();
		expect(() => createAuth({...server, clientId: 'app', origins: ['https://api.example']})).not.toThrow();
		const storage = new Map<string, string>();
		const login = createLogin({
			...server,
			clientId: 'app',
			redirectUri: 'https://app.example/callback',
			storage: {
				getItem: key => storage.get(key),
				setItem: (key, value) => storage.set(key, value),
				removeItem: key => storage.delete(key),
			},
		});
		expect(await login.start()).toMatch(/^https:\/\/as\.example\/authorize\?/);
		const device = deviceLogin({...server, clientId: 'app', fetch: async () => Response.json({error: 'x'})}, () => {});
		await expect(device).rejects.toMatchObject({code: 'oauth_error', error: 'x'});
	});

	test('discovered metadata lets an error say which client authentication the server takes', async () => {
		const refuse: typeof fetch = async () => Response.json({error: 'invalid_client'}, {status: 401});
		const client = {...(await served()), clientId: 'app', origins: ['https://api.example'], fetch: refuse};
		const auth = createAuth({...client, grant: {grant_type: 'client_credentials', scope: null}});
		await expect(auth.getToken()).rejects.toMatchObject({
			error: 'invalid_client',
			message: 'POST https://as.example answered 401: invalid_client. The server takes none or private_key_jwt',
		});
	});

	test('discovered metadata survives JSON, so it can be stored', async () => {
		const server = await served();
		expect(JSON.parse(JSON.stringify(server))).toEqual(server);
	});

	test('discovered metadata has lists of names where names are expected, or nothing', async () => {
		const strange = [42, 'none', [42], ['a b'], [{}], {}, null, ['x'.repeat(51)]];
		for (const value of strange) {
			const {metadata} = await served({
				token_endpoint_auth_methods_supported: value,
				code_challenge_methods_supported: value,
				dpop_signing_alg_values_supported: value,
				claims_supported: value,
			});
			expect(metadata).not.toHaveProperty('token_endpoint_auth_methods_supported');
			expect(metadata).not.toHaveProperty('code_challenge_methods_supported');
			expect(metadata).not.toHaveProperty('dpop_signing_alg_values_supported');
			expect(metadata['claims_supported']).toEqual(value);
		}
	});

	test('discover returns a server with these endpoints or throws an error of ours, whatever the document says', async ({
		annotate,
	}) => {
		const url = fc.oneof(
			fc.webUrl(),
			fc.webUrl({validSchemes: ['http', 'https', 'ftp', 'javascript'], withFragments: true}),
			fc.string(),
			fc.jsonValue(),
		);
		const document = fc.dictionary(
			fc.oneof(fc.constantFrom(...Object.keys(metadataOf('')), '__proto__', 'constructor'), fc.string()),
			fc.oneof(url, fc.jsonValue()),
		);
		const property = fc.asyncProperty(document, async record => {
			const issuer = 'https://as.example';
			const body = JSON.stringify({...record, issuer});
			const server = await discover(issuer, {fetch: async () => new Response(body)}).catch((error: unknown) => error);
			if (server instanceof Error) {
				expect(isRegrantError(server)).toBe(true);
				return;
			}
			const {metadata: _, issuer: found, ...endpoints} = server as AuthorizationServer;
			expect(found).toBe(issuer);
			for (const endpoint of Object.values(endpoints)) {
				const {protocol, username, password, hash} = new URL(endpoint);
				expect([protocol, username, password, hash]).toEqual(['https:', '', '', '']);
			}
			expect(Object.keys(endpoints)).toContain('tokenEndpoint');
		});
		await holds(property, {annotate});
	});
});
