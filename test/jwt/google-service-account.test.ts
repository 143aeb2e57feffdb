import {decodeProtectedHeader} from 'jose';
import {describe, expect} from 'vitest';
import {ConfigError} from '../../src/errors.ts';
import {googleServiceAccount, type GoogleServiceAccountKey, type GoogleServiceAccountOptions} from '../../src/jwt.ts';
import {requestToken} from '../../src/oauth/token-endpoint.ts';
import {type GoogleTokenEndpoint, startGoogleTokenEndpoint} from '../support/google-token-endpoint.ts';
import {createTestKey} from '../support/keys.ts';
import {test as base} from '../support/test.ts';

const key = await createTestKey('RS256', 'key-1');
const email = 'reports@project.iam.gserviceaccount.com';
const scope = 'https://www.googleapis.com/auth/devstorage.read_only https://www.googleapis.com/auth/cloud-platform';

/** The whole file that Google issues for a service account. */
const fileOf = (token_uri: string): GoogleServiceAccountKey & Readonly<Record<string, string>> => ({
	type: 'service_account',
	project_id: 'project',
	private_key_id: 'key-1',
	private_key: key.pem,
	client_email: email,
	client_id: '123456789012345678901',
	auth_uri: 'https://accounts.google.com/o/oauth2/auth',
	token_uri,
	auth_provider_x509_cert_url: 'https://www.googleapis.com/oauth2/v1/certs',
	client_x509_cert_url: 'https://www.googleapis.com/robot/v1/metadata/x509/reports',
	universe_domain: 'googleapis.com',
});

const test = base.extend('google', async ({canaries}, {onCleanup}): Promise<GoogleTokenEndpoint> => {
	canaries.plant(key.jwk.d ?? '', 'private key');
	const google = await startGoogleTokenEndpoint({email, publicJwk: key.publicJwk, delegators: ['ada@example.com']});
	onCleanup(google.close);
	return google;
});

/** Requests a token with these options, as `createAuth` would. */
async function grantFor(
	json: string | GoogleServiceAccountKey,
	options: GoogleServiceAccountOptions = {scope},
): Promise<unknown> {
	const {grant, ...client} = googleServiceAccount(json, options);
	return requestToken(client, await grant(client));
}

describe('the file of a service account', () => {
	test('the file of a service account gets tokens at Google, as text and as an object', async ({google}) => {
		const file = fileOf(google.tokenEndpoint);
		for (const json of [JSON.stringify(file, undefined, '  '), file]) {
			await expect(grantFor(json)).resolves.toMatchObject({token_type: 'Bearer', scope});
		}
		expect(google.claims).toHaveLength(2);
		for (const {iat, exp, jti: _, ...claims} of google.claims) {
			expect(claims).toEqual({iss: email, aud: google.tokenEndpoint, scope});
			expect(Number(exp) - Number(iat)).toBe(3600);
		}
		const assertion = new URLSearchParams(google.requests[0]?.body).get('assertion') ?? '';
		expect(decodeProtectedHeader(assertion)).toEqual({alg: 'RS256', typ: 'JWT', kid: 'key-1'});
	});

	const line = '\n';
	const pretty = (token_uri: string): string => JSON.stringify(fileOf(token_uri), undefined, '  ');
	test.for<readonly [what: string, write: (file: string) => string]>([
		['whose line breaks in the key are real ones, as dotenv makes them', text => text.replaceAll('\\n', line)],
		['whose line breaks in the key were escaped twice', text => text.replaceAll('\\n', '\\\\n')],
		['in one line, with line breaks between the fields as \\n', text => text.replaceAll(line, '\\n')],
		['with the line breaks of Windows', text => text.replaceAll(line, '\r\n')],
		['with real line breaks of Windows in the key', text => text.replaceAll('\\n', '\r\n')],
		['with a byte order mark', text => `\uFEFF${text}`],
	])('the file of a service account gets tokens at Google if it is pasted text %s', async ([, write], {google}) => {
		await expect(grantFor(write(pretty(google.tokenEndpoint)))).resolves.toMatchObject({token_type: 'Bearer'});
	});

	test('a service account gets tokens for a user who has delegated, and for no other', async ({google, canaries}) => {
		const file = fileOf(google.tokenEndpoint);
		await grantFor(file, {scope, subject: 'ada@example.com'});
		expect(google.claims).toMatchObject([{sub: 'ada@example.com'}]);
		const error = await canaries.rejection(grantFor(file, {scope, subject: 'eve@example.com'}));
		expect(error).toMatchObject({code: 'oauth_error', error: 'unauthorized_client'});
	});

	test('the file of a service account names Google’s endpoint and the account, for `createAuth`', ({google}) => {
		const {tokenEndpoint, clientId} = googleServiceAccount(fileOf(google.tokenEndpoint), {scope});
		expect({tokenEndpoint, clientId}).toEqual({tokenEndpoint: google.tokenEndpoint, clientId: email});
	});

	test('a service account is refused by Google if its key was replaced there', async ({google, canaries}) => {
		const {pem} = await createTestKey('RS256');
		const error = await canaries.rejection(grantFor({...fileOf(google.tokenEndpoint), private_key: pem}));
		expect(error).toMatchObject({error: 'invalid_grant', error_description: 'Invalid JWT Signature.'});
	});
});

const file = fileOf('https://oauth2.googleapis.com/token');
const {private_key: _key, ...keyless} = file;
const {client_email: _email, ...nameless} = file;
const {token_uri: _uri, ...homeless} = file;
test.for<readonly [what: string, json: unknown, options: object | undefined, message: RegExp]>([
	['a variable that is not set', undefined, {scope}, /^googleServiceAccount\(json\): json is undefined$/],
	['text that is no JSON', file.private_key, {scope}, /json must be the JSON file of a service account$/],
	['a list', [file], {scope}, /json must be the JSON file/],
	['null', null, {scope}, /json must be the JSON file/],
	['a file of another type', {...file, type: 'authorized_user'}, {scope}, /type must be service_account$/],
	[
		'a file of another type, with other fields',
		{type: 'authorized_user', client_id: 'x'},
		{scope},
		/type must be service_account$/,
	],
	['a file without a key', keyless, {scope}, /private_key is undefined/],
	['a file without an account', nameless, {scope}, /client_email is missing$/],
	['a file without an endpoint', homeless, {scope}, /token_uri is missing$/],
	['a key that is none', {...file, private_key: 'secret'}, {scope}, /private_key must be a private key/],
	['no scope', file, undefined, /^scope is required/],
	['a scope that is a list', file, {scope: ['a']}, /^scope must be printable ASCII$/],
	['an empty subject', file, {scope, subject: ''}, /^subject must be text that is not empty$/],
])(
	'a field that cannot be used is refused, and the error names it without its value: %s',
	([, json, options, message], {canaries}) => {
		canaries.plant(file.private_key.split('\n')[3] ?? '', 'private key');
		let error: unknown;
		try {
			googleServiceAccount(json as string, options as {scope: string});
		} catch (thrown) {
			error = canaries.see(thrown);
		}
		expect(error).toBeInstanceOf(ConfigError);
		expect(error).toMatchObject({message: expect.stringMatching(message)});
	},
);
