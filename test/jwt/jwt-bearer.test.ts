import {decodeJwt, importJWK, jwtVerify} from 'jose';
import {describe, expect} from 'vitest';
import {ConfigError} from '../../src/errors.ts';
import {jwtBearer, type JwtBearerOptions} from '../../src/jwt.ts';
import {requestToken} from '../../src/oauth/token-endpoint.ts';
import {createTestKey} from '../support/keys.ts';
import {test} from '../support/test.ts';

const key = await createTestKey('PS256');
const verifyingKey = await importJWK(key.publicJwk, 'PS256');
const options: JwtBearerOptions = {key: key.jwk, issuer: 'reports', subject: 'ada@example.com'};
const client = {clientId: 'reports', tokenEndpoint: 'https://as.example/token'};

const claimsOf = async (more: Partial<JwtBearerOptions> = {}, issuer?: string): Promise<Record<string, unknown>> => {
	const {assertion} = await jwtBearer({...options, ...more})({...client, issuer});
	return decodeJwt(String(assertion));
};

test('a server that verifies assertions gives a token for one', async ({serve}) => {
	const seen = new Set<unknown>();
	const {origin} = await serve(async (_request, {url, body}) => {
		const parameters = new URLSearchParams(body);
		expect(Object.fromEntries(parameters)).toEqual({
			grant_type: 'urn:ietf:params:oauth:grant-type:jwt-bearer',
			assertion: expect.any(String),
			scope: 'reports.read',
			client_id: 'reports',
		});
		const {payload} = await jwtVerify(parameters.get('assertion') ?? '', verifyingKey, {
			algorithms: ['PS256'],
			issuer: 'reports',
			subject: 'ada@example.com',
			audience: url,
			requiredClaims: ['iat', 'exp', 'jti'],
		});
		if (seen.has(payload.jti)) return Response.json({error: 'invalid_grant'}, {status: 400});
		seen.add(payload.jti);
		return Response.json({access_token: `at-${seen.size}`, token_type: 'Bearer', expires_in: 60});
	});
	const target = {tokenEndpoint: `${origin}/token`, clientId: 'reports'};
	const grant = jwtBearer({...options, scope: 'reports.read'});
	await expect(requestToken(target, await grant(target))).resolves.toMatchObject({access_token: 'at-1'});
	await expect(requestToken(target, await grant(target))).resolves.toMatchObject({access_token: 'at-2'});
});

describe('the assertion of a grant', () => {
	test('the assertion of a grant names the issuer, the subject and the audience, and is valid for a minute', async () => {
		const {iat, jti: _, ...claims} = await claimsOf();
		const exp = Number(iat) + 60;
		expect(claims).toEqual({iss: 'reports', sub: 'ada@example.com', aud: client.tokenEndpoint, exp});
	});

	test('the assertion of a grant is about the issuer itself if there is no subject', async () => {
		expect(await claimsOf({subject: undefined})).toMatchObject({sub: 'reports'});
	});

	test("the audience of a grant's assertion is the option `audience`, or the server’s issuer if that is known", async () => {
		expect(await claimsOf({}, 'https://as.example')).toMatchObject({aud: 'https://as.example'});
		expect(await claimsOf({audience: 'https://other.example'}, 'https://as.example')).toMatchObject({
			aud: 'https://other.example',
		});
	});

	test('the assertion of a grant names people and tenants by any text', async () => {
		const claims = {tenant: 'Zürich', nested: {name: '日本'}};
		expect(await claimsOf({issuer: 'Müller', subject: 'jürgen@exämple.com', claims})).toMatchObject({
			iss: 'Müller',
			sub: 'jürgen@exämple.com',
			...claims,
		});
	});

	test('the assertion of a grant has no claim that was changed after it was checked', async () => {
		const claims: Record<string, unknown> = {tenant: 7};
		const grant = jwtBearer({...options, claims});
		Object.assign(claims, {tenant: 8, iss: 'evil', exp: 1e10});
		const {assertion} = await grant(client);
		expect(decodeJwt(String(assertion))).toMatchObject({tenant: 7, iss: 'reports'});
	});

	test('the assertion of a grant has further claims, a lifetime and a key id as the options say', async () => {
		const {iat, exp, tenant} = await claimsOf({claims: {tenant: {id: 7}}, lifetime: 5});
		expect([tenant, Number(exp) - Number(iat)]).toEqual([{id: 7}, 5]);
	});
});

test('jwtBearer requests no scope if the scope is null, as every other grant does', async ({serve}) => {
	const {origin, requests} = await serve(() => Response.json({access_token: 'at', token_type: 'Bearer'}));
	const target = {tokenEndpoint: `${origin}/token`, clientId: 'reports'};
	await requestToken(target, await jwtBearer({...options, scope: null})(target));
	expect(new URLSearchParams(requests[0]?.body).has('scope')).toBe(false);
});

test('jwtBearer without a client needs an audience', async () => {
	await expect(jwtBearer(options)()).rejects.toThrow(/^audience is required without a client$/);
	const {assertion} = await jwtBearer({...options, audience: 'https://as.example'})();
	expect(decodeJwt(String(assertion))).toMatchObject({aud: 'https://as.example'});
});

test.for<readonly [what: string, more: object, message: RegExp]>([
	['no key', {key: undefined}, /^jwtBearer\(\{key\}\): key is undefined/],
	['a public key', {key: key.publicJwk}, /^jwtBearer\(\{key\}\): key must be a private key/],
	['no issuer', {issuer: undefined}, /^issuer is required/],
	['an empty subject', {subject: ''}, /^subject must be/],
	['claims that are a list', {claims: []}, /^claims must be an object/],
	['a claim that regrant sets', {claims: {exp: 1}}, /^claims must be an object of JSON values, without/],
	['a claim that JSON cannot write', {claims: {amount: 1n}}, /^claims must be an object of JSON values/],
	['an empty scope', {scope: ''}, /^scope must be scopes with single spaces between/],
	['a scope with two spaces', {scope: 'a  b'}, /^scope must be scopes with single spaces between/],
	['an option of another name', {sub: 'ada'}, /^sub is not an option$/],
])('an option that cannot be used is refused by its name: %s', ([, more, message], {canaries}) => {
	canaries.plant(key.jwk.d ?? '', 'private key');
	let error: unknown;
	try {
		jwtBearer({...options, ...more});
	} catch (thrown) {
		error = canaries.see(thrown);
	}
	expect(error).toBeInstanceOf(ConfigError);
	expect(error).toMatchObject({message: expect.stringMatching(message)});
});
