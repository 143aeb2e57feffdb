import {createLocalJWKSet, decodeJwt, decodeProtectedHeader, exportPKCS8, jwtVerify} from 'jose';
import type {ClientMetadata, JWK} from 'oidc-provider';
import {describe, expect, vi} from 'vitest';
import {ConfigError} from '../../src/errors.ts';
import {type AssertionOptions, type JwtAlgorithm, privateKeyJwt, type PrivateKey} from '../../src/jwt.ts';
import type {TokenClient} from '../../src/oauth/client.ts';
import {requestToken, revokeToken} from '../../src/oauth/token-endpoint.ts';
import {accountScopes} from '../support/clients.ts';
import {createTestKey, jwtAlgorithms, type TestKey} from '../support/keys.ts';
import {polluted} from '../faults/pollution.ts';
import {test as base} from '../support/test.ts';

const keys = new Map<JwtAlgorithm, TestKey>();
for (const algorithm of jwtAlgorithms) keys.set(algorithm, await createTestKey(algorithm));
const keyOf = (algorithm: JwtAlgorithm): TestKey => keys.get(algorithm) ?? expect.fail(`no key for ${algorithm}`);
const es256 = keyOf('ES256');

const p256 = await crypto.subtle.generateKey({name: 'ECDSA', namedCurve: 'P-256'}, true, ['sign', 'verify']);
const p384 = await crypto.subtle.generateKey({name: 'ECDSA', namedCurve: 'P-384'}, true, ['sign', 'verify']);
const rsa512 = await crypto.subtle.generateKey(
	{name: 'RSA-PSS', modulusLength: 2048, publicExponent: new Uint8Array([1, 0, 1]), hash: 'SHA-512'},
	true,
	['sign', 'verify'],
);
const rsa1024 = await crypto.subtle.generateKey(
	{name: 'RSASSA-PKCS1-v1_5', modulusLength: 1024, publicExponent: new Uint8Array([1, 0, 1]), hash: 'SHA-256'},
	true,
	['sign', 'verify'],
);
const ecdh = await crypto.subtle.generateKey({name: 'ECDH', namedCurve: 'P-256'}, true, ['deriveBits']);
const p384Pem = await exportPKCS8(p384.privateKey);
const rsa1024Pem = await exportPKCS8(rsa1024.privateKey);
const rsa1024Jwk = (await crypto.subtle.exportKey('jwk', rsa1024.privateKey)) as PrivateKey;
const certificate = `-----BEGIN CERTIFICATE-----\n${btoa('certificate')}\n-----END CERTIFICATE-----\n`;

const idOf = (algorithm: JwtAlgorithm): string => `jwt-client-${algorithm}`;

const test = base.override('serverOptions', {
	accessTokenSeconds: 60,
	clients: jwtAlgorithms.map((algorithm): ClientMetadata => ({
		client_id: idOf(algorithm),
		token_endpoint_auth_method: 'private_key_jwt',
		token_endpoint_auth_signing_alg: algorithm,
		grant_types: ['client_credentials'],
		response_types: [],
		redirect_uris: [],
		scope: accountScopes,
		jwks: {keys: [keyOf(algorithm).publicJwk as JWK]},
	})),
});

const request = {grant_type: 'client_credentials', scope: accountScopes} as const;

/** The bodies of a client's requests. Each holds an assertion of its own. */
async function assertionsOf(
	clientAuthentication: TokenClient['clientAuthentication'],
	{count = 1, ...more}: Partial<TokenClient> & {readonly count?: number} = {},
): Promise<URLSearchParams[]> {
	const bodies: URLSearchParams[] = [];
	const fetch: typeof globalThis.fetch = async (_, init) => {
		bodies.push(new URLSearchParams(await new Response(init?.body ?? null).text()));
		return Response.json({access_token: 'at', token_type: 'Bearer'});
	};
	const client = {tokenEndpoint: 'https://as.example/token', clientId: 'client', clientAuthentication, fetch, ...more};
	for (let index = 0; index < count; index++) await requestToken(client, request);
	return bodies;
}

async function claimsOf(options?: AssertionOptions, more?: Partial<TokenClient>): Promise<Record<string, unknown>> {
	const [body] = await assertionsOf(privateKeyJwt(es256.jwk, options), more);
	return decodeJwt(body?.get('client_assertion') ?? '');
}

const forms: ReadonlyArray<readonly [form: string, read: (key: TestKey) => PrivateKey]> = [
	['CryptoKey', ({cryptoKey}) => cryptoKey],
	['JWK', ({jwk}) => jwk],
	['PEM', ({pem}) => pem],
	['PEM with escaped line breaks', ({pem}) => pem.replaceAll('\n', '\\n')],
	['PEM with line breaks that were escaped twice', ({pem}) => pem.replaceAll('\n', '\\\\r\\\\n')],
	['PEM with the line breaks of Windows', ({pem}) => pem.replaceAll('\n', '\r\n')],
	['PEM in one line', ({pem}) => pem.replaceAll('\n', ' ')],
	['PEM after its certificate, as openssl pkcs12 writes them', ({pem}) => `Bag Attributes\n${certificate}${pem}`],
];

describe('a real server', () => {
	const rows = jwtAlgorithms.flatMap(algorithm => forms.map(([form, read]) => ({algorithm, form, read})));
	test.for(rows)(
		'a real server accepts an assertion that a $form signed with $algorithm [R110]',
		async ({algorithm, read}, {server}) => {
			const clientAuthentication = privateKeyJwt(read(keyOf(algorithm)), {algorithm, keyId: `kid-${algorithm}`});
			const client = {tokenEndpoint: server.tokenEndpoint, clientId: idOf(algorithm), clientAuthentication};
			// The server rejects an assertion that it has seen before.
			await expect(requestToken(client, request)).resolves.toMatchObject({scope: accountScopes});
			await expect(requestToken(client, request)).resolves.toMatchObject({scope: accountScopes});
			expect(server.tokenRequests.map(({status}) => status)).toEqual([200, 200]);
		},
	);

	test('a real server accepts the issuer as audience, and a revocation', async ({server}) => {
		const {issuer, tokenEndpoint, revocationEndpoint} = server;
		const clientAuthentication = privateKeyJwt(es256.jwk);
		const client = {issuer, tokenEndpoint, revocationEndpoint, clientId: idOf('ES256'), clientAuthentication};
		const {access_token} = await requestToken(client, request);
		await revokeToken(client, {token: access_token, token_type_hint: 'access_token'});
		expect(await server.isActive(access_token)).toBe(false);
		const [revocation] = server.revocationRequests;
		expect(decodeJwt(revocation?.parameters.get('client_assertion') ?? '')).toMatchObject({aud: issuer});
	});

	test('a real server refuses the assertion of another key, and the error holds nothing of it', async ({
		server,
		canaries,
	}) => {
		const {pem, jwk} = await createTestKey('ES256');
		canaries.plant(jwk.d ?? '', 'private key');
		const clientAuthentication = privateKeyJwt(pem);
		const client = {tokenEndpoint: server.tokenEndpoint, clientId: idOf('ES256'), clientAuthentication};
		const error = await canaries.rejection(requestToken(client, request));
		expect(error).toMatchObject({code: 'oauth_error', error: 'invalid_client', status: 401});
		canaries.plant(server.tokenRequests[0]?.parameters.get('client_assertion') ?? '', 'assertion');
	});
});

describe('an assertion', () => {
	test('an assertion is signed by the key, names the client and the endpoint, and expires in a minute', async () => {
		const before = Math.floor(Date.now() / 1000);
		const [body] = await assertionsOf(privateKeyJwt(es256.jwk));
		expect(body?.get('client_id')).toBe('client');
		expect(body?.get('client_assertion_type')).toBe('urn:ietf:params:oauth:client-assertion-type:jwt-bearer');
		const keySet = createLocalJWKSet({keys: [es256.publicJwk]});
		const {payload, protectedHeader} = await jwtVerify(body?.get('client_assertion') ?? '', keySet);
		expect(protectedHeader).toEqual({alg: 'ES256', typ: 'JWT', kid: 'kid-ES256'});
		const {iat = 0, jti, ...claims} = payload;
		expect(claims).toEqual({iss: 'client', sub: 'client', aud: 'https://as.example/token', exp: iat + 60});
		expect(iat).toBeGreaterThanOrEqual(before);
		expect(iat).toBeLessThanOrEqual(Date.now() / 1000);
		expect(jti).toMatch(/^[\da-f-]{36}$/);
	});

	test('an assertion is a new one for each request, with an id of its own [R110]', async () => {
		const bodies = await assertionsOf(privateKeyJwt(es256.pem), {count: 3});
		const ids = bodies.map(body => decodeJwt(body.get('client_assertion') ?? '').jti);
		expect(new Set(ids).size).toBe(3);
	});

	test('the audience of an assertion is the option `audience`, or the issuer if that is known', async () => {
		const issuer = 'https://as.example';
		expect(await claimsOf(undefined, {issuer})).toMatchObject({aud: issuer});
		expect(await claimsOf({audience: 'https://other.example'}, {issuer})).toMatchObject({aud: 'https://other.example'});
	});

	test('an assertion lasts as long as `lifetime` says', async () => {
		const {exp, iat} = await claimsOf({lifetime: 5});
		expect(Number(exp) - Number(iat)).toBe(5);
	});

	test('an assertion names the key by `keyId`, or else by the JWK', async () => {
		const headers = [];
		for (const method of [privateKeyJwt(es256.jwk, {keyId: 'mine'}), privateKeyJwt(es256.pem)]) {
			const [body] = await assertionsOf(method);
			headers.push(decodeProtectedHeader(body?.get('client_assertion') ?? ''));
		}
		expect(headers).toEqual([
			{alg: 'ES256', typ: 'JWT', kid: 'mine'},
			{alg: 'ES256', typ: 'JWT'},
		]);
	});

	test('an assertion goes into a JSON body as well', async () => {
		let body: Record<string, unknown> = {};
		const fetch: typeof globalThis.fetch = async (_, init) => {
			body = (await new Response(init?.body ?? null).json()) as typeof body;
			return Response.json({access_token: 'at'});
		};
		await assertionsOf(privateKeyJwt(es256.jwk), {encoding: 'json', fetch});
		expect(decodeJwt(String(body['client_assertion']))).toMatchObject({iss: 'client'});
	});
});

describe('the algorithm', () => {
	const {alg: _, ...bareRsa} = keyOf('RS256').jwk;
	const rows: ReadonlyArray<
		readonly [what: string, key: PrivateKey, options: AssertionOptions, expected: JwtAlgorithm]
	> = [
		...jwtAlgorithms.map(
			algorithm => [`the one of a CryptoKey: ${algorithm}`, keyOf(algorithm).cryptoKey, {}, algorithm] as const,
		),
		...jwtAlgorithms.map(algorithm => [`the one of a JWK: ${algorithm}`, keyOf(algorithm).jwk, {}, algorithm] as const),
		['ES256 for a PEM of P-256', es256.pem, {}, 'ES256'],
		['EdDSA for a PEM of Ed25519', keyOf('EdDSA').pem, {}, 'EdDSA'],
		['EdDSA for a JWK that calls it Ed25519', {...keyOf('EdDSA').jwk, alg: 'Ed25519'}, {}, 'EdDSA'],
		['RS256 for a PEM of RSA', keyOf('PS256').pem, {}, 'RS256'],
		['RS256 for a JWK of RSA without alg', bareRsa, {}, 'RS256'],
		['as asked for with a PEM of RSA', keyOf('RS256').pem, {algorithm: 'PS256'}, 'PS256'],
		['as asked for with a JWK of RSA without alg', bareRsa, {algorithm: 'PS256'}, 'PS256'],
	];
	test.for(rows)('the algorithm of an assertion is %s', async ([, key, options, expected]) => {
		const [body] = await assertionsOf(privateKeyJwt(key, options));
		expect(decodeProtectedHeader(body?.get('client_assertion') ?? '')).toMatchObject({alg: expected});
	});
});

describe('a key that cannot be used', () => {
	const {d: secret = '', ...publicJwk} = es256.jwk;
	const pkcs1 = keyOf('RS256').pem.replaceAll('PRIVATE', 'RSA PRIVATE');

	const wrong =
		/^privateKeyJwt\(key\): key must be a private key for ES256 or RS256 or PS256 or EdDSA: a CryptoKey, a JWK or PKCS #8 PEM$/;
	const rows: ReadonlyArray<readonly [what: string, key: unknown, options: AssertionOptions, message: RegExp]> = [
		['missing', undefined, {}, /^privateKeyJwt\(key\): key is undefined: a CryptoKey, a JWK or PKCS #8 PEM$/],
		['null', null, {}, wrong],
		['a number', 42, {}, wrong],
		['empty text', '', {}, wrong],
		['text that is no PEM', `canary-${secret}`, {}, wrong],
		['PEM of PKCS #1', pkcs1, {}, wrong],
		['PEM of an elliptic curve by openssl ecparam', es256.pem.replaceAll('PRIVATE', 'EC PRIVATE'), {}, wrong],
		['PEM that is encrypted', es256.pem.replaceAll('PRIVATE', 'ENCRYPTED PRIVATE'), {}, wrong],
		['PEM of a certificate', certificate, {}, wrong],
		['PEM that is empty', '-----BEGIN PRIVATE KEY----------END PRIVATE KEY-----', {}, wrong],
		['PEM of a public key', keyOf('RS256').pem.replaceAll('PRIVATE', 'PUBLIC'), {}, wrong],
		['a list', [es256.jwk], {}, wrong],
		['a public JWK', publicJwk, {}, wrong],
		['a symmetric JWK', {kty: 'oct', k: secret}, {}, wrong],
		['a JWK for another algorithm', {...keyOf('RS256').jwk, alg: 'RS512'}, {}, wrong],
		['a JWK for another algorithm than asked', keyOf('RS256').jwk, {algorithm: 'PS256'}, /a private key for PS256:/],
		['a public CryptoKey', p256.publicKey, {}, wrong],
		['a CryptoKey of another curve', p384.privateKey, {}, wrong],
		['a CryptoKey with another hash', rsa512.privateKey, {}, wrong],
		['a CryptoKey of RSA below 2048 bits', rsa1024.privateKey, {}, wrong],
		['a CryptoKey that does not sign', ecdh.privateKey, {}, wrong],
		['a CryptoKey for another algorithm than asked', es256.cryptoKey, {algorithm: 'RS256'}, /a private key for RS256:/],
	];
	test.for(rows)(
		'a key that cannot be used is refused at once, and not shown: %s',
		([, key, options, message], {canaries}) => {
			canaries.plant(secret, 'private key');
			const create = (): unknown => privateKeyJwt(key as PrivateKey, options);
			let error: unknown;
			try {
				create();
			} catch (thrown) {
				error = canaries.see(thrown);
			}
			expect(error).toBeInstanceOf(ConfigError);
			expect(error).toMatchObject({message: expect.stringMatching(message)});
		},
	);

	const half = es256.pem.split('\n').toSpliced(2).concat('-----END PRIVATE KEY-----').join('\n');
	const broken: ReadonlyArray<readonly [what: string, key: PrivateKey, options?: AssertionOptions]> = [
		['a PEM that is cut', half],
		['a PEM that is no base64', '-----BEGIN PRIVATE KEY-----\n§§§\n-----END PRIVATE KEY-----'],
		['a PEM of another curve', p384Pem],
		['a PEM of RSA below 2048 bits', rsa1024Pem],
		['a JWK of RSA below 2048 bits', rsa1024Jwk],
		['a PEM for another algorithm than asked', es256.pem, {algorithm: 'EdDSA'}],
		['a JWK whose parts do not fit', {...es256.jwk, d: 'AA'}],
		['a JWK of another curve', {...es256.jwk, crv: 'P-384'}],
		['a JWK for encryption', {...es256.jwk, use: 'enc'} as PrivateKey],
	];
	test.for(broken)(
		'a key that only the platform can reject is refused before anything is sent: %s',
		async ([, key, options], {canaries}) => {
			canaries.plant(secret, 'private key');
			const fetch = vi.fn<typeof globalThis.fetch>();
			const error = await canaries.rejection(assertionsOf(privateKeyJwt(key, options), {fetch}));
			expect(error).toBeInstanceOf(ConfigError);
			expect(error).toMatchObject({
				message: expect.stringMatching(/^privateKeyJwt\(key\): key must be a private key for /),
			});
			expect(fetch).not.toHaveBeenCalled();
		},
	);
});

test('a key that the platform finds out about when it signs is refused before anything is sent', async ({canaries}) => {
	const sign = vi.spyOn(crypto.subtle, 'sign').mockRejectedValueOnce(new DOMException('secret', 'OperationError'));
	const fetch = vi.fn<typeof globalThis.fetch>();
	const error = await canaries.rejection(assertionsOf(privateKeyJwt(es256.pem), {fetch}));
	expect(error).toMatchObject({
		code: 'invalid_options',
		message: expect.stringMatching(/^privateKeyJwt\(key\): key must/),
	});
	expect(fetch).not.toHaveBeenCalled();
	sign.mockRestore();
});

describe('an option that cannot be used', () => {
	test.for<readonly [option: string, options: unknown, message: RegExp]>([
		['algorithm', {algorithm: 'HS256'}, /^algorithm must be ES256 or RS256 or PS256 or EdDSA$/],
		['lifetime: 0', {lifetime: 0}, /^lifetime must be seconds$/],
		['lifetime: NaN', {lifetime: NaN}, /^lifetime must be seconds$/],
		['lifetime as text', {lifetime: '60'}, /^lifetime must be seconds$/],
		['audience', {audience: ''}, /^audience must be printable ASCII$/],
		['keyId', {keyId: 42}, /^keyId must be printable ASCII$/],
		['of another name', {alg: 'ES256'}, /^alg is not an option$/],
	])('an option that cannot be used is refused by its name: %s', ([, options, message]) => {
		expect(() => privateKeyJwt(es256.jwk, options as AssertionOptions)).toThrow(message);
	});
});

test('an RSA key in a JWK is never imported for another kind of key: that crashes Firefox', async () => {
	const {alg: _, ...jwk} = keyOf('RS256').jwk;
	const importKey = vi.spyOn(crypto.subtle, 'importKey');
	await assertionsOf(privateKeyJwt(jwk));
	await assertionsOf(privateKeyJwt(rsa1024Jwk)).catch(() => {});
	const names = importKey.mock.calls.map(([, , algorithm]) => (algorithm as Algorithm).name);
	expect(names.filter(name => !name.startsWith('RSA'))).toEqual([]);
	expect(() => privateKeyJwt(jwk, {algorithm: 'ES256'})).toThrow(/a private key for ES256:/);
	importKey.mockRestore();
});

test('a key that the platform imports as another curve is not used', async () => {
	// Firefox does this if it is asked to import an Ed25519 PEM as an ECDSA key.
	const {privateKey} = p384;
	const importKey = vi.spyOn(crypto.subtle, 'importKey').mockResolvedValueOnce(privateKey);
	const [body] = await assertionsOf(privateKeyJwt(keyOf('EdDSA').pem));
	expect(decodeProtectedHeader(body?.get('client_assertion') ?? '').alg).toBe('EdDSA');
	importKey.mockRestore();
});

test('the platform is not used before the first request [R83]', async () => {
	const importKey = vi.spyOn(crypto.subtle, 'importKey');
	const method = privateKeyJwt(es256.pem);
	expect(importKey).not.toHaveBeenCalled();
	await assertionsOf(method, {count: 2});
	expect(importKey).toHaveBeenCalledTimes(1);
	importKey.mockRestore();
});

test('polluted prototypes change no assertion [R95]', async () => {
	const {kid: _, ...jwk} = es256.jwk;
	const properties = {
		kid: 'evil',
		keyId: 'evil',
		audience: 'evil',
		algorithm: 'PS256',
		use: 'enc',
		toJSON: () => 'evil',
	};
	const parameters = new URLSearchParams();
	const context = {clientId: 'client', tokenEndpoint: 'https://as.example/token', parameters, headers: new Headers()};
	await polluted(properties, async () => privateKeyJwt(jwk)(context));
	const assertion = parameters.get('client_assertion') ?? '';
	expect(decodeProtectedHeader(assertion)).toEqual({alg: 'ES256', typ: 'JWT'});
	expect(decodeJwt(assertion).aud).toBe('https://as.example/token');
});
