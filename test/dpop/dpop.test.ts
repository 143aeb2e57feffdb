import {decodeJwt, decodeProtectedHeader, EmbeddedJWK, jwtVerify} from 'jose';
import type {JWK} from 'oidc-provider';
import {describe, expect, vi} from 'vitest';
import {ConfigError} from '../../src/errors.ts';
import {dpop, type DpopAlgorithm, type DpopOptions, type TokenScheme} from '../../src/dpop.ts';
import {privateKeyJwt} from '../../src/jwt.ts';
import type {TokenClient} from '../../src/oauth/client.ts';
import {requestToken, revokeToken} from '../../src/oauth/token-endpoint.ts';
import type {TokenSet} from '../../src/token/token-set.ts';
import {accountScopes} from '../support/clients.ts';
import {thumbprintOf} from '../support/dpop-scheme.ts';
import {createTestKey} from '../support/keys.ts';
import {polluted} from '../faults/pollution.ts';
import type {Answer} from '../support/serve.ts';
import {test as base} from '../support/test.ts';

const clientKey = await createTestKey('ES256');
const test = base.override('serverOptions', {
	accessTokenSeconds: 60,
	clients: [
		{
			client_id: 'jwt-client',
			dpop_bound_access_tokens: true,
			token_endpoint_auth_method: 'private_key_jwt',
			grant_types: ['client_credentials'],
			response_types: [],
			redirect_uris: [],
			scope: accountScopes,
			token_endpoint_auth_signing_alg: 'ES256',
			jwks: {keys: [clientKey.publicJwk as JWK]},
		},
	],
});

const algorithms: readonly DpopAlgorithm[] = ['ES256', 'EdDSA'];
const granting = {grant_type: 'client_credentials', scope: null} as const;
const generate = (algorithm: object): Promise<CryptoKeyPair> =>
	crypto.subtle.generateKey(algorithm as EcKeyGenParams, false, ['sign', 'verify']);
const createExtractable = (): Promise<CryptoKeyPair> => crypto.subtle.generateKey(p256, true, ['sign', 'verify']);
const p256 = {name: 'ECDSA', namedCurve: 'P-256'};

/** The headers that a scheme sets on a request, with its proof and the claims of the proof. */
async function applied(
	scheme: TokenScheme,
	{url = 'https://api.example/a', method = 'GET', token = undefined as string | undefined} = {},
): Promise<{readonly headers: Headers; readonly proof: string; readonly claims: Record<string, unknown>}> {
	const headers = new Headers();
	await scheme.apply({url, method, headers}, token);
	const proof = headers.get('dpop') ?? '';
	return {headers, proof, claims: decodeJwt(proof)};
}

describe('a proof', () => {
	test.for(algorithms)('a proof is signed with %s by the key in its header', async algorithm => {
		const {proof} = await applied(dpop({algorithm}));
		const {protectedHeader} = await jwtVerify(proof, EmbeddedJWK, {typ: 'dpop+jwt', algorithms: [algorithm]});
		expect(Object.keys(protectedHeader).toSorted()).toEqual(['alg', 'jwk', 'typ']);
	});

	test('a proof has the public key, and nothing of the private one', async () => {
		const {jwk} = decodeProtectedHeader((await applied(dpop())).proof);
		expect(jwk).toEqual({kty: 'EC', crv: 'P-256', x: expect.any(String), y: expect.any(String)});
	});

	test('a proof is for one method and one URL, without query and fragment', async () => {
		const url = 'https://API.example:443/a%20b/../c?secret=1#there';
		const before = Math.floor(Date.now() / 1000);
		const {claims} = await applied(dpop(), {url, method: 'DELETE'});
		const {iat, jti, ...rest} = claims;
		expect(rest).toEqual({htm: 'DELETE', htu: 'https://api.example/c'});
		expect(iat).toBeGreaterThanOrEqual(before);
		expect(iat).toBeLessThanOrEqual(Date.now() / 1000);
		expect(jti).toMatch(/^[\da-f-]{36}$/);
	});

	test('a proof is a new one for each request [R104]', async () => {
		const scheme = dpop();
		const proofs = await Promise.all(Array.from({length: 20}, () => applied(scheme, {token: 'token'})));
		expect(new Set(proofs.map(({claims}) => claims['jti'])).size).toBe(20);
		const keys = new Set(proofs.map(({proof}) => JSON.stringify(decodeProtectedHeader(proof).jwk)));
		expect(keys.size).toBe(1);
	});

	test('a proof names the token that it goes with by its hash, and the token goes as DPoP [R105]', async () => {
		const scheme = dpop();
		// The token and its hash are the example of RFC 9449 §7.1.
		const token = 'Kz~8mXK1EalYznwH-LC-1fBAo.4Ljp~zsPE_NeO.gxU';
		for (const [sent, hash] of [
			[token, 'fUHyO2r2Z3DZ53EsNrWBb0xWXoaNy59IiKCAqksmQEo'],
			['other', expect.not.stringContaining('fUHy')],
			[token, 'fUHyO2r2Z3DZ53EsNrWBb0xWXoaNy59IiKCAqksmQEo'],
		] as const) {
			const {claims, headers} = await applied(scheme, {token: sent});
			expect(claims).toMatchObject({ath: hash});
			expect(headers.get('authorization')).toBe(`DPoP ${sent}`);
		}
	});

	test('a proof of a token request leaves the client’s authentication alone', async () => {
		const headers = new Headers({authorization: 'Basic abc'});
		await dpop().apply({url: 'https://as.example/token', method: 'POST', headers}, undefined);
		expect(headers.get('authorization')).toBe('Basic abc');
		expect(decodeJwt(headers.get('dpop') ?? '')).not.toHaveProperty('ath');
	});

	test('a proof is not changed by polluted prototypes [R95]', async () => {
		const properties = {
			nonce: 'evil',
			ath: 'evil',
			keyPair: 'evil',
			algorithm: 'EdDSA',
			store: {},
			toJSON: () => 'evil',
		};
		const headers = new Headers();
		await polluted(properties, async () =>
			dpop().apply({url: 'https://a.example/', method: 'GET', headers}, undefined),
		);
		const proof = headers.get('dpop') ?? '';
		await expect(jwtVerify(proof, EmbeddedJWK, {algorithms: ['ES256']})).resolves.toBeDefined();
		expect(decodeJwt(proof)).not.toHaveProperty('nonce');
	});
});

describe('a nonce', () => {
	const api = 'https://api.example/a';
	const request = {url: api, method: 'GET', headers: new Headers()};
	const challenge = 'DPoP error="use_dpop_nonce", error_description="Resource server requires nonce in DPoP proof"';
	const response = (status: number, headers: Record<string, string>): {status: number; headers: Headers} => ({
		status,
		headers: new Headers(headers),
	});
	const nonceAt = async (scheme: TokenScheme, url: string): Promise<unknown> =>
		(await applied(scheme, {url, token: 'token'})).claims['nonce'];

	test('a nonce that an API asks for makes the call go out once more, and is used for that origin from then on [R101]', async () => {
		const scheme = dpop();
		const asked = response(401, {'www-authenticate': challenge, 'dpop-nonce': 'n-1'});
		expect(await scheme.review?.(asked, request, 'token')).toBe('resend');
		expect(await nonceAt(scheme, 'https://api.example/b?x')).toBe('n-1');
		expect(await nonceAt(scheme, 'https://other.example/a')).toBeUndefined();
		expect(await nonceAt(scheme, 'https://api.example:8443/a')).toBeUndefined();
	});

	test('a nonce is taken from every answer, including a 200 [R102]', async () => {
		const scheme = dpop();
		for (const [status, nonce] of [
			[200, 'n-1'],
			[404, 'n-2'],
			[503, 'n-3'],
		] as const) {
			expect(await scheme.review?.(response(status, {'dpop-nonce': nonce}), request, 'token')).toBeUndefined();
			expect(await nonceAt(scheme, api)).toBe(nonce);
		}
		expect(await scheme.review?.(response(200, {}), request, 'token')).toBeUndefined();
		expect(await nonceAt(scheme, api)).toBe('n-3');
	});

	test.for<readonly [what: string, status: number, headers: Record<string, string>]>([
		['a refused token', 401, {'www-authenticate': 'DPoP error="invalid_token"', 'dpop-nonce': 'n'}],
		['no readable challenge', 401, {'dpop-nonce': 'n'}],
		['the challenge of another scheme', 401, {'www-authenticate': 'Bearer error="use_dpop_nonce"', 'dpop-nonce': 'n'}],
		['a challenge of 403', 403, {'www-authenticate': challenge, 'dpop-nonce': 'n'}],
		['a challenge without a nonce', 401, {'www-authenticate': challenge}],
		['an empty nonce', 401, {'www-authenticate': challenge, 'dpop-nonce': ''}],
		['two nonces', 401, {'www-authenticate': challenge, 'dpop-nonce': 'a, b'}],
		['a nonce with a quote', 401, {'www-authenticate': challenge, 'dpop-nonce': 'a"b'}],
	])('a nonce is not what the API asks for with %s: the call is not sent again [R103]', async ([, status, headers]) => {
		expect(await dpop().review?.(response(status, headers), request, 'token')).toBeUndefined();
	});

	test.for(['a"b', 'a\\b', 'a b', 'a, b', 'é'])('a header that is not a nonce is ignored: %s', async nonce => {
		const scheme = dpop();
		await scheme.review?.(response(200, {'dpop-nonce': nonce}), request, 'token');
		expect(await nonceAt(scheme, api)).toBeUndefined();
	});

	test('a nonce is ignored if a framework does not let us read the header', async () => {
		const headers = {
			get: () => {
				throw new Error('not serialised');
			},
		} as unknown as Headers;
		expect(await dpop().review?.({status: 401, headers}, request, 'token')).toBeUndefined();
	});
});

describe('a token request', () => {
	const bound = {access_token: 'at-canary-1', token_type: 'DPoP', refresh_token: 'rt-canary-1'};
	const at = (origin: string, scheme: TokenScheme = dpop()): TokenClient => ({
		tokenEndpoint: `${origin}/token?tenant=a`,
		revocationEndpoint: `${origin}/revoke`,
		clientId: 'client',
		scheme,
	});
	const nonceError = (nonce: string, error = 'use_dpop_nonce'): Answer =>
		Response.json({error}, {status: 400, headers: {'dpop-nonce': nonce}});

	test('a token request has a proof for its endpoint, and gives a DPoP token', async ({serve}) => {
		const {origin, requests} = await serve(() => Response.json(bound));
		await expect(requestToken(at(origin), granting)).resolves.toMatchObject(bound);
		expect(requests[0]?.headers).not.toHaveProperty('authorization');
		expect(decodeJwt(requests[0]?.headers['dpop'] ?? '')).toMatchObject({htm: 'POST', htu: `${origin}/token`});
	});

	test.for(['Bearer', 'bearer', 'N_A', '', null])(
		'a token request refuses a token of another type, and names the type that it wants: %s [R23]',
		async (token_type, {serve, canaries}) => {
			canaries.plant(bound.access_token, 'access token');
			const {origin, requests} = await serve(() => Response.json({...bound, token_type}));
			const error = await canaries.rejection(requestToken(at(origin), granting));
			expect(error).toMatchObject({code: 'unsupported_token_type', message: expect.stringContaining('dpop')});
			expect(requests).toHaveLength(1);
		},
	);

	test('a token request is sent twice if the server asks for a nonce, with two proofs; later requests are sent once [R100]', async ({
		serve,
	}) => {
		const {origin, requests} = await serve((_request, {headers}) =>
			decodeJwt(headers['dpop'] ?? '')['nonce'] === 'n-1' ? Response.json(bound) : nonceError('n-1'),
		);
		const client = at(origin);
		await requestToken(client, granting);
		await requestToken(client, granting);
		const proofs = requests.map(({headers}) => decodeJwt(headers['dpop'] ?? ''));
		expect(proofs.map(({nonce}) => nonce)).toEqual([undefined, 'n-1', 'n-1']);
		expect(new Set(proofs.map(({jti}) => jti)).size).toBe(3);
		expect(new Set(requests.map(({body}) => body)).size).toBe(1);
	});

	test('a token request is sent at most twice, even if the server asks for a nonce again and again', async ({
		serve,
		canaries,
	}) => {
		let count = 0;
		const {origin, requests} = await serve(() => nonceError(`n-${++count}`));
		const error = await canaries.rejection(requestToken(at(origin), granting));
		expect(error).toMatchObject({code: 'oauth_error', error: 'use_dpop_nonce'});
		expect(requests).toHaveLength(2);
	});

	test('a token request is sent once if the server refuses it for another reason and also sends a nonce [R103]', async ({
		serve,
		canaries,
	}) => {
		const {origin, requests} = await serve(() => nonceError('n-1', 'invalid_grant'));
		const error = await canaries.rejection(requestToken(at(origin), granting));
		expect(error).toMatchObject({code: 'oauth_error', error: 'invalid_grant'});
		expect(requests).toHaveLength(1);
	});

	test('a token request and a revocation share the nonces of their origin', async ({serve}) => {
		const {origin, requests} = await serve((_request, {path}) =>
			path === '/revoke' ? {} : Response.json(bound, {headers: {'dpop-nonce': 'n-1'}}),
		);
		const client = at(origin);
		await requestToken(client, granting);
		await revokeToken(client, {token: 'rt'});
		expect(decodeJwt(requests[1]?.headers['dpop'] ?? '')).toMatchObject({htu: `${origin}/revoke`, nonce: 'n-1'});
	});
});

describe('a real server', () => {
	test.for(algorithms)(
		'a real server binds tokens to a key of %s, through refreshes [R100]',
		async (algorithm, {server}) => {
			const scheme = dpop({algorithm});
			const client = {tokenEndpoint: server.tokenEndpoint, clientId: 'app', scheme};
			let token: Pick<TokenSet, 'access_token' | 'token_type' | 'refresh_token'> = await server.mint({
				jkt: await thumbprintOf(scheme),
			});
			for (let refreshes = 0; refreshes < 3; refreshes++) {
				token = await requestToken(client, {grant_type: 'refresh_token', refresh_token: token.refresh_token ?? ''});
				expect(token.token_type).toBe('DPoP');
				const found = await server.provider.AccessToken.find(token.access_token);
				expect(found?.jkt).toBe(await thumbprintOf(scheme));
			}
			// The server asked for a nonce once. The rejected request did not use up the refresh token.
			expect(server.tokenRequests.map(({status}) => status)).toEqual([400, 200, 200, 200]);
		},
	);

	test('a real server that asks for a nonce gets a new assertion with the new proof [R100, R110]', async ({server}) => {
		const client = {
			tokenEndpoint: server.tokenEndpoint,
			clientId: 'jwt-client',
			clientAuthentication: privateKeyJwt(clientKey.jwk),
			scheme: dpop(),
		};
		// The server accepts each assertion only once.
		await expect(requestToken(client, {...granting, scope: accountScopes})).resolves.toMatchObject({
			token_type: 'DPoP',
		});
		const ids = server.tokenRequests.map(({parameters}) => decodeJwt(parameters.get('client_assertion') ?? '').jti);
		expect(new Set(ids).size).toBe(2);
		expect(server.tokenRequests.map(({status}) => status)).toEqual([400, 200]);
	});

	test('a real server that wants proofs gives no token without one', async ({server, canaries}) => {
		const {tokenEndpoint} = server;
		const client = {tokenEndpoint, clientId: 'jwt-client', clientAuthentication: privateKeyJwt(clientKey.jwk)};
		const error = await canaries.rejection(requestToken(client, {...granting, scope: accountScopes}));
		expect(error).toMatchObject({code: 'oauth_error', error: 'invalid_grant'});
	});

	test('a real server gives no token to another key, and rejects the refresh token', async ({server, canaries}) => {
		const {refresh_token} = await server.mint({jkt: await thumbprintOf(dpop())});
		const client = {tokenEndpoint: server.tokenEndpoint, clientId: 'app', scheme: dpop()};
		const error = await canaries.rejection(requestToken(client, {grant_type: 'refresh_token', refresh_token}));
		expect(error).toMatchObject({code: 'oauth_error', error: 'invalid_grant'});
	});
});

describe('an option', () => {
	test('the key pair can be passed as an option, for either algorithm', async () => {
		for (const algorithm of algorithms) {
			const {cryptoKey, publicJwk} = await createTestKey(algorithm);
			const name = cryptoKey.algorithm as EcKeyAlgorithm;
			const publicKey = await crypto.subtle.importKey('jwk', publicJwk as JsonWebKey, name, true, ['verify']);
			const {proof} = await applied(dpop({keyPair: {privateKey: cryptoKey, publicKey}}));
			expect(decodeProtectedHeader(proof).alg).toBe(algorithm);
		}
	});

	const rows: ReadonlyArray<readonly [what: string, options: () => unknown, message: RegExp]> = [
		['a key pair that is a promise', () => ({keyPair: generate(p256)}), /^keyPair must be/],
		[
			'a key pair of another curve',
			async () => ({keyPair: await generate({...p256, namedCurve: 'P-384'})}),
			/^keyPair/,
		],
		[
			'a key pair whose parts are of two kinds',
			async () => ({
				keyPair: {
					privateKey: (await generate(p256)).privateKey,
					publicKey: (await generate({name: 'Ed25519'})).publicKey,
				},
			}),
			/^keyPair must be/,
		],
		[
			'a key pair of RSA',
			async () => ({
				keyPair: await generate({
					name: 'RSA-PSS',
					modulusLength: 2048,
					publicExponent: new Uint8Array([1, 0, 1]),
					hash: 'SHA-256',
				}),
			}),
			/^keyPair must be/,
		],
		[
			'a key pair whose private key is twice there',
			async () => {
				const {privateKey} = await createExtractable();
				return {keyPair: {privateKey, publicKey: privateKey}};
			},
			/^keyPair must be/,
		],
		[
			'a key pair whose public key cannot be shown',
			async () => {
				const {privateKey, publicKey} = await createExtractable();
				const jwk = await crypto.subtle.exportKey('jwk', publicKey);
				return {keyPair: {privateKey, publicKey: await crypto.subtle.importKey('jwk', jwk, p256, false, ['verify'])}};
			},
			/^keyPair must be/,
		],
		['a private key alone', async () => ({keyPair: (await generate(p256)).privateKey}), /^keyPair must be/],
		['an algorithm that is none', () => ({algorithm: 'HS256'}), /^algorithm must be ES256 or EdDSA$/],
		['a store that is none', () => ({store: {}}), /^store must be a function$/],
		['an option of another name', () => ({nonce: 'n'}), /^nonce is not an option$/],
	];
	test.for(rows)(
		'an option that cannot be used is refused, and the error names it: %s',
		async ([, options, message]) => {
			const given = (await options()) as DpopOptions;
			expect(() => dpop(given)).toThrow(ConfigError);
			expect(() => dpop(given)).toThrow(message);
		},
	);
});

test('the platform is not used before the first request [R83]', async () => {
	const generateKey = vi.spyOn(crypto.subtle, 'generateKey');
	const scheme = dpop();
	expect(generateKey).not.toHaveBeenCalled();
	await applied(scheme);
	await applied(scheme);
	expect(generateKey).toHaveBeenCalledTimes(1);
	generateKey.mockRestore();
});
