import * as fc from 'fast-check';
import * as v from 'valibot';
import {describe, expect} from 'vitest';
import {
	AuthToken,
	type AuthTokenRequest,
	OAuthError,
	type TokenClient,
	TokenResponseError,
	type TokenSet,
	createAuth,
	isRegrantError,
	requestToken,
} from '../../src/index.ts';
import {test} from '../support/test.ts';

/** 2026-11-23T10:00:00.900Z, in milliseconds since the epoch. */
const now = 1_795_428_000_900;
const issued_at = 1_795_428_000;

const granting = {grant_type: 'client_credentials', scope: '/accounts.read /accounts.write'} as const;
const refreshing = {grant_type: 'refresh_token', refresh_token: 'rt-canary-old-Vb2n'} as const;
const bearer = {access_token: 'at-canary-Jw6s', token_type: 'Bearer'} as const;

/** A response body as text, which need not be valid JSON. */
interface Text {
	readonly text: string;
	readonly type?: string | undefined;
	readonly status?: number;
}

const json = (value: unknown): Text => ({text: JSON.stringify(value), type: 'application/json'});
const form = (fields: Readonly<Record<string, string>>): Text => ({
	text: new URLSearchParams(fields).toString(),
	type: 'application/x-www-form-urlencoded',
});

/** Makes a token request with this response, and returns the token. */
async function read(
	{text, type, status = 200}: Text,
	request: AuthTokenRequest = granting,
	options: Partial<TokenClient> = {},
): Promise<TokenSet> {
	const answer = async (): Promise<Response> =>
		// The body is sent as bytes, because `Response` adds a content type to a string.
		new Response(new TextEncoder().encode(text), {status, headers: type === undefined ? {} : {'content-type': type}});
	const client = {tokenEndpoint: 'https://as.example/token', clientId: 'client', fetch: answer, now: () => now};
	return requestToken({...client, ...options}, request);
}

describe('an answer is a JSON object [R20]', () => {
	test.for<readonly [what: string, type: string | undefined]>([
		['JSON', 'application/json'],
		['JSON with a character set', 'application/json;charset=UTF-8'],
		['JSON of some vendor', 'application/vnd.api+json'],
		['text', 'text/plain'],
		['HTML', 'text/html'],
		['bytes', 'application/octet-stream'],
		['something that is not in the grammar', 'jason'],
		['nothing at all', undefined],
	])('an answer is read as JSON, whatever its media type is: %s [F-18]', async ([, type]) => {
		await expect(read({...json({...bearer, expires_in: 60}), type})).resolves.toEqual({
			...bearer,
			scope: granting.scope,
			expires_at: issued_at + 60,
			issued_at,
		});
	});

	test.for<readonly [id: string, what: string, text: string]>([
		['F-20', 'a list', JSON.stringify([bearer])],
		['F-20', 'null', 'null'],
		['F-20', 'a string', JSON.stringify(bearer.access_token)],
		['F-20', 'a number', '42'],
		['F-20', 'true', 'true'],
		['R20', 'an empty list', '[]'],
		['R20', 'an empty object', '{}'],
	])('an answer must be a JSON object: %s and not %s', async ([, , text], {canaries}) => {
		canaries.plant(bearer.access_token, 'access token');
		const error = await canaries.rejection(read({text, type: 'application/json'}));
		expect(error).toBeInstanceOf(TokenResponseError);
		expect(error).toMatchObject({code: 'invalid_response', retryable: false, status: 200});
	});

	test.for<readonly [id: string, what: string, answer: Text]>([
		['F-20', 'nothing', {text: '', type: 'application/json'}],
		['F-19', 'truncated JSON', {text: JSON.stringify(bearer).slice(0, -3), type: 'application/json'}],
		['F-19', 'JSON with something after it', {text: `${JSON.stringify(bearer)}}`, type: 'application/json'}],
		['F-17', 'a login page', {text: `<html>${bearer.access_token}</html>`, type: 'text/html'}],
		['F-16', 'a captive portal', {text: `<!doctype html>${bearer.access_token}`, type: 'text/html; charset=utf-8'}],
		['F-121', 'a form declared as JSON', {...form(bearer), type: 'application/json'}],
		['F-121', 'a form declared as nothing', {...form(bearer), type: undefined}],
		['F-121', 'a form declared as text', {...form(bearer), type: 'text/plain'}],
		['F-19', 'the token alone', {text: bearer.access_token, type: 'text/plain'}],
	])('an answer that is %s is not JSON: %s', async ([, , answer], {canaries}) => {
		canaries.plant(bearer.access_token, 'access token');
		canaries.plant('<html>', 'body');
		const error = await canaries.rejection(read(answer));
		expect(error).toBeInstanceOf(TokenResponseError);
		expect(error).toMatchObject({code: 'not_json', retryable: true, status: 200});
	});

	test('the last one of duplicate keys in an answer counts [F-21]', async () => {
		const text = '{"access_token":"first","token_type":"mac","access_token":"second","token_type":"Bearer"}';
		await expect(read({text})).resolves.toMatchObject({access_token: 'second'});
	});

	test('unknown members of an answer are ignored, and not kept [R34]', async () => {
		const token = await read(json({...bearer, id_token: 'x', foo: {bar: [1]}, issued_at: 2, client_secret: 's'}));
		expect(token).toEqual({...bearer, scope: granting.scope, issued_at});
	});

	test('a token may have any length [R34]', async () => {
		const tokens = {access_token: 'a'.repeat(8192), token_type: 'Bearer', refresh_token: 'r'.repeat(8192)};
		await expect(read(json(tokens))).resolves.toMatchObject(tokens);
	});

	test('a token is a plain JSON record', async () => {
		const token = await read(json({...bearer, refresh_token: 'rt', expires_in: 60}));
		expect(Object.getPrototypeOf(token)).toBe(Object.prototype);
		expect(JSON.parse(JSON.stringify(token))).toEqual(token);
		expect(Object.values(token)).not.toContain(undefined);
	});
});

describe('an answer that is declared as a form [F-120]', () => {
	const fields = {...bearer, expires_in: '900', refresh_token: 'rt+&=', scope: '/accounts.read'};
	const tokenSet = {...bearer, expires_at: issued_at + 900, refresh_token: 'rt+&=', scope: '/accounts.read', issued_at};

	test.for([
		'application/x-www-form-urlencoded',
		'application/x-www-form-urlencoded;charset=UTF-8',
		'Application/X-WWW-Form-Urlencoded ; charset=utf-8',
	])('an answer that is declared as a form is read as one: %s', async type => {
		await expect(read({...form(fields), type})).resolves.toEqual(tokenSet);
	});

	test('an answer that is declared as a form gives the token that JSON gives', async () => {
		await expect(read(json({...fields, expires_in: 900}))).resolves.toEqual(tokenSet);
	});

	test('Moov’s API answers a form with a form', async ({seedApi}) => {
		const asked = {...granting, client_id: '5clTR_MdVrrkgxw2', client_secret: 'dNC-hg7sVm22jc3g_Eogtyu0_1Mqh_4-'};
		const client = {tokenEndpoint: seedApi.tokenEndpoint, clientId: asked.client_id};
		for (const encoding of ['form', 'json'] as const) {
			const token = await requestToken({...client, encoding}, asked);
			expect(token).toMatchObject({
				token_type: 'Bearer',
				scope: granting.scope,
				refresh_token: expect.any(String),
				expires_at: expect.toSatisfy((at: number) => Math.abs(at - token.issued_at - 900) <= 1),
			});
		}
		expect(seedApi.tokenRequests.map(({headers}) => headers['content-type']?.split(';')[0])).toEqual([
			'application/x-www-form-urlencoded',
			'application/json',
		]);
	});

	test.for<readonly [what: string, text: string]>([
		['a known name twice', `${form(bearer).text}&access_token=other`],
		['the token type twice', `${form(bearer).text}&token_type=mac`],
		['no access token', 'token_type=Bearer'],
		['an empty access token', 'access_token=&token_type=Bearer'],
		['an unfit token', 'access_token=at-canary-Jw6s%0D%0Ax&token_type=Bearer'],
		['JSON', JSON.stringify(bearer)],
		['nothing', ''],
	])('an answer that is declared as a form is not usable with %s', async ([, text], {canaries}) => {
		canaries.plant(bearer.access_token, 'access token');
		const error = await canaries.rejection(read({text, type: 'application/x-www-form-urlencoded'}));
		expect(error).toMatchObject({name: 'TokenResponseError', code: 'invalid_response', retryable: false});
	});

	test('an answer that is declared as a form may be an error [R35]', async ({canaries}) => {
		const error = await canaries.rejection(read(form({error: 'invalid_scope', error_description: 'no such scope'})));
		expect(error).toBeInstanceOf(OAuthError);
		expect(error).toMatchObject({error: 'invalid_scope', error_description: 'no such scope', status: 200});
	});
});

describe('the field access_token', () => {
	test.for<readonly [id: string, what: string, fields: object]>([
		['F-24', 'missing', {}],
		['F-24', 'empty', {access_token: ''}],
		['F-24', 'a number', {access_token: 42}],
		['F-24', 'an object', {access_token: {value: bearer.access_token}}],
		['F-24', 'null', {access_token: null}],
		['F-24', 'a list', {access_token: [bearer.access_token]}],
		['F-24', 'true', {access_token: true}],
		['F-39', 'a header of its own', {access_token: `${bearer.access_token}\r\nx-evil: 1`}],
		['F-39', 'a line break at its end', {access_token: `${bearer.access_token}\n`}],
		['F-39', 'NUL', {access_token: `${bearer.access_token}\0`}],
		['F-39', 'a sign beyond Latin-1', {access_token: `${bearer.access_token}€`}],
		['F-39', 'a letter beyond ASCII', {access_token: `${bearer.access_token}Ā`}],
		['F-39', 'a letter of Latin-1', {access_token: `${bearer.access_token}é`}],
		['F-39', 'a space', {access_token: `${bearer.access_token} b`}],
		['F-39', 'a leading space', {access_token: ` ${bearer.access_token}`}],
		['F-39', 'a tab', {access_token: `${bearer.access_token}\tb`}],
		['F-39', 'DEL', {access_token: `${bearer.access_token}\x7F`}],
		['F-39', 'a space at its end', {access_token: `${bearer.access_token} `}],
	])('access_token is not usable (%s) if it is or has %s [R20, R21]', async ([, , fields], {canaries}) => {
		canaries.plant(bearer.access_token, 'access token');
		const error = await canaries.rejection(read(json({token_type: 'Bearer', ...fields})));
		expect(error).toBeInstanceOf(TokenResponseError);
		expect(error).toMatchObject({code: 'invalid_response', retryable: false, status: 200});
	});

	test.for([null, [], 'x', 42])(
		'a 422 with %j names no field, and is not an answer of OAuth [R20, F-123]',
		async (body, {canaries}) => {
			const error = await canaries.rejection(read({...json(body), status: 422}));
			expect(error).toMatchObject({name: 'TokenResponseError', code: 'unexpected_status', status: 422});
		},
	);

	test('the error of an unusable access_token names the field and what it should be [R21]', async ({canaries}) => {
		const error = await canaries.rejection(read(json({token_type: 'Bearer', access_token: 'a b'})));
		expect(error).toMatchObject({
			message: expect.stringContaining('access_token must be there, and be visible ASCII without spaces'),
		});
	});

	test.for([
		'a',
		'AZaz09-._~+/',
		'a=',
		'a==',
		'eyJhbGciOiJub25lIn0.e30.',
		'Atza|IwEBIJ',
		'42|Zq8XLm2x4Yy',
		'00D5g!AQ8AQ.x',
		'user:grant:secret',
		'a"b,c\\d=e',
		'==',
		"!#$%&'()*+,-./:;<=>?@[]^_`{|}~",
	])('access_token may be %s, since servers issue tokens of any visible ASCII [R21, F-39]', async access_token => {
		await expect(read(json({...bearer, access_token}))).resolves.toMatchObject({access_token});
		await expect(read(form({...bearer, access_token}))).resolves.toMatchObject({access_token});
	});

	test.for(['Atza|IwEBIJ', '00D5g!AQ8AQ.x', 'user:grant:secret', 'a"b,c'])(
		'the field access_token is sent as it is: %s [R21, F-39]',
		async (access_token, {serve}) => {
			const {origin, requests} = await serve(() => new Response('ok'));
			const auth = createAuth({tokenEndpoint: 'https://as.example/token', clientId: 'client', origins: [origin]});
			await auth.setToken({access_token});
			await auth.fetch(`${origin}/`);
			expect(requests[0]?.headers['authorization']).toBe(`Bearer ${access_token}`);
		},
	);
});

describe('the field token_type', () => {
	test.for(['Bearer', 'bearer', 'BEARER', 'bEaReR'])('the field token_type may be %s [R22, F-36]', async token_type => {
		const token = await read(json({...bearer, token_type}));
		expect(token.token_type.toLowerCase()).toBe('bearer');
	});

	test.for<readonly [what: string, fields: Readonly<Record<string, unknown>>]>([
		['left out', {}],
		['null', {token_type: null}],
		['empty', {token_type: ''}],
	])('the field token_type counts as Bearer when it is %s [R20, R22, F-35]', async ([, fields]) => {
		const answer = {access_token: bearer.access_token, ...fields};
		await expect(read(json(answer))).resolves.toMatchObject(bearer);
		await expect(read(json(answer), refreshing)).resolves.toMatchObject({
			...bearer,
			refresh_token: refreshing.refresh_token,
		});
	});

	test('the field token_type counts as Bearer when it is left out of a form [R20, F-35]', async () => {
		await expect(read(form({access_token: bearer.access_token}))).resolves.toMatchObject(bearer);
	});

	test.for<readonly [what: string, fields: object]>([
		['a number', {token_type: 42}],
		['a list', {token_type: ['Bearer']}],
		['an object', {token_type: {Bearer: true}}],
		['false', {token_type: false}],
	])('the field token_type is not usable when it is %s [F-35]', async ([, fields], {canaries}) => {
		canaries.plant(bearer.access_token, 'access token');
		const error = await canaries.rejection(read(json({access_token: bearer.access_token, ...fields})));
		expect(error).toBeInstanceOf(TokenResponseError);
		expect(error).toMatchObject({code: 'invalid_response', retryable: false});
	});

	test.for([
		['F-37', 'mac'],
		['F-37', 'N_A'],
		['F-38 R105', 'DPoP'],
		['F-38 R105', 'dpop'],
		['F-126', 'opaque'],
		['R22', 'Bearer '],
		['R22', 'Bearer, mac'],
	])('token_type is not supported (%s) if it is %s', async ([, token_type], {canaries}) => {
		canaries.plant(bearer.access_token, 'access token');
		const error = await canaries.rejection(read(json({...bearer, token_type})));
		expect(error).toBeInstanceOf(TokenResponseError);
		expect(error).toMatchObject({code: 'unsupported_token_type', retryable: false, status: 200});
	});

	test.for<readonly [listed: readonly string[], token_type: string]>([
		[['opaque'], 'opaque'],
		[['opaque'], 'Opaque'],
		[['OPAQUE'], 'opaque'],
		[['mac', 'opaque'], 'opaque'],
		[['opaque'], 'Bearer'],
		[[], 'Bearer'],
	])('the field token_type with tokenTypes %j may be %s [F-126, R22]', async ([tokenTypes, token_type]) => {
		const token = await read(json({...bearer, token_type}), granting, {tokenTypes});
		expect(token).toMatchObject({access_token: bearer.access_token, token_type: expect.any(String)});
	});

	test('a token type that tokenTypes does not name is refused [R22]', async ({canaries}) => {
		const error = await canaries.rejection(
			read(json({...bearer, token_type: 'mac'}), granting, {tokenTypes: ['opaque']}),
		);
		expect(error).toMatchObject({code: 'unsupported_token_type'});
	});

	test.for(['opaque', 'Bearer', 'bearer'])(
		'the field token_type is sent as Bearer when it is %s [F-126, F-36]',
		async (token_type, {serve}) => {
			const {origin, requests} = await serve(() => new Response('ok'));
			const auth = createAuth({
				tokenEndpoint: 'https://as.example/token',
				clientId: 'client',
				tokenTypes: ['opaque'],
				origins: [origin],
			});
			await auth.setToken({...bearer, token_type});
			await auth.fetch(`${origin}/`);
			expect(requests[0]?.headers['authorization']).toBe(`Bearer ${bearer.access_token}`);
		},
	);
});

describe('the field expires_in', () => {
	/** Takes the number as JSON text, because `JSON.stringify` would write some of these numbers in another way. */
	const withExpiry = (expires_in: string): Text => ({
		text: `{"access_token":"at","token_type":"Bearer","expires_in":${expires_in}}`,
		type: 'application/json',
	});

	test.for<readonly [id: string, expires_in: string, seconds: number | undefined]>([
		['R24', '3600', 3600],
		['R24', '1', 1],
		['F-25', '"3600"', 3600],
		['F-25', '"0060"', 60],
		['F-26', '-1', undefined],
		['F-26', '"-1"', undefined],
		['F-26', '-0.5', undefined],
		['F-26', '-1e308', undefined],
		['F-27', '0', 0],
		['F-27', '"0"', 0],
		['F-28', '1.5', 1],
		['F-28', '0.5', 0],
		['F-28', '59.999', 59],
		['F-29', '"abc"', undefined],
		['F-29', '""', undefined],
		['F-29', '" "', undefined],
		['F-30', 'null', undefined],
		['F-31', '1e308', undefined],
		['F-31', '1e999', undefined],
		['F-31', '-1e999', undefined],
		['F-31', '"Infinity"', undefined],
		['F-31', '"NaN"', undefined],
		['F-32', '3000000', 3_000_000],
		['F-33', '"12abc"', undefined],
		['F-33', '"0x10"', undefined],
		['F-33', '" 60 "', undefined],
		['F-33', '"60 "', undefined],
		['F-33', '"60\\n"', undefined],
		['F-33', '"1e3"', undefined],
		['F-33', '"1.5"', undefined],
		['F-33', '"+60"', undefined],
		['F-33', '"٣٦٠٠"', undefined],
		['R24', '"00000000060"', undefined],
		['R24', 'true', undefined],
		['R24', '[]', undefined],
		['R24', '[60]', undefined],
		['R24', '{}', undefined],
		['R24', '{"valueOf":60}', undefined],
		['R24', '315360000', 315_360_000],
	])('expires_in (%s) of %s is %s seconds [R24]', async ([, expires_in, seconds]) => {
		const token = await read(withExpiry(expires_in));
		expect(token.expires_at).toBe(seconds === undefined ? undefined : issued_at + seconds);
		expect(Object.hasOwn(token, 'expires_at')).toBe(seconds !== undefined);
	});

	test('a token without expires_in is neither expired nor eternal [R26]', async () => {
		expect(await read(json(bearer))).not.toHaveProperty('expires_at');
	});

	test.for<readonly [mode: TokenClient['expiresIn'], expires_in: string, expires_at: number | undefined]>([
		[undefined, '1736966581', 1_736_966_581],
		['auto', '1736966581', 1_736_966_581],
		['auto', '"1736966581"', 1_736_966_581],
		['auto', '1736966581.9', 1_736_966_581],
		['auto', '1895428000', 1_895_428_000],
		['auto', '315360000', issued_at + 315_360_000],
		['auto', '315360001', 315_360_001],
		['auto', '900', issued_at + 900],
		['auto', '253402300799', 253_402_300_799],
		['auto', '253402300800', undefined],
		['auto', '1736966581000', undefined],
		['seconds', '1736966581', issued_at + 1_736_966_581],
		['seconds', '900', issued_at + 900],
		['seconds', '0', issued_at],
		['seconds', '253402300799', undefined],
		['timestamp', '1736966581', 1_736_966_581],
		['timestamp', '"1736966581"', 1_736_966_581],
		['timestamp', '900', 900],
		['timestamp', '0', 0],
		['timestamp', '253402300800', undefined],
		['timestamp', '-1', undefined],
		['timestamp', 'null', undefined],
		['timestamp', '"12abc"', undefined],
	])('expires_in read as %s: %s expires at %s [F-125, R25]', async ([expiresIn, expires_in, expires_at]) => {
		const token = await read(withExpiry(expires_in), granting, expiresIn ? {expiresIn} : {});
		expect(token.expires_at).toBe(expires_at);
	});

	test('expires_in is a timestamp at Moov’s API, and seconds at another version of it [F-125]', async ({seedApi}) => {
		const asked = {...granting, client_id: '5clTR_MdVrrkgxw2', client_secret: 'dNC-hg7sVm22jc3g_Eogtyu0_1Mqh_4-'};
		const client = {tokenEndpoint: seedApi.tokenEndpoint, clientId: asked.client_id};
		const {expires_at = 0, issued_at: at} = await requestToken({...client, expiresIn: 'timestamp'}, asked);
		expect(Math.abs(expires_at - at - 900)).toBeLessThanOrEqual(1);
	});

	test('expires_in counts from before the request was sent [R27]', async () => {
		let clock = now;
		const token = await read(json(bearer), granting, {
			now: () => clock,
			fetch: async () => {
				clock += 5000;
				return Response.json({...bearer, expires_in: 10});
			},
		});
		expect(token).toMatchObject({issued_at, expires_at: issued_at + 10});
	});
});

describe('the field expires_at', () => {
	test.for<readonly [fields: object, expires_at: number | undefined]>([
		[{expires_at: issued_at + 60}, issued_at + 60],
		[{expires_at: `${issued_at + 60}`}, issued_at + 60],
		[{expires_at: issued_at + 60.9}, issued_at + 60],
		[{expires_at: 0}, 0],
		[{expires_at: 253_402_300_799}, 253_402_300_799],
		[{expires_at: 253_402_300_800}, undefined],
		[{expires_at: -1}, undefined],
		[{expires_at: null}, undefined],
		[{expires_at: '2026-11-23T10:00:00Z'}, undefined],
		[{expires_at: [issued_at]}, undefined],
		[{expires_at: issued_at + 60, expires_in: null}, issued_at + 60],
		[{expires_at: issued_at + 60, expires_in: 'soon'}, issued_at + 60],
		[{expires_at: issued_at + 60, expires_in: -1}, issued_at + 60],
		// The server's clock may differ from ours, so `expires_in` decides.
		[{expires_at: issued_at + 660, expires_in: 60}, issued_at + 60],
		[{expires_at: issued_at - 600, expires_in: 60}, issued_at + 60],
		[{expires_at: issued_at + 660, expires_in: 0}, issued_at],
	])('expires_at counts if expires_in is missing: %j expires at %s [R24]', async ([fields, expires_at]) => {
		const token = await read(json({...bearer, ...fields}));
		expect(token.expires_at).toBe(expires_at);
		expect(Object.hasOwn(token, 'expires_at')).toBe(expires_at !== undefined);
	});

	test.for(['auto', 'seconds', 'timestamp'] as const)(
		'expires_at is a Unix time, however expires_in is read: %s [R24]',
		async expiresIn => {
			await expect(read(json({...bearer, expires_at: 900}), granting, {expiresIn})).resolves.toMatchObject({
				expires_at: 900,
			});
		},
	);

	test('an answer with both times leaves no expired token in use if our clock is ten minutes behind [F-166]', async ({
		serve,
	}) => {
		let clock = now;
		let grants = 0;
		const {origin, requests} = await serve(() => new Response('ok'));
		const auth = createAuth({
			tokenEndpoint: 'https://as.example/token',
			clientId: 'client',
			grant: granting,
			origins: [origin],
			now: () => clock,
			fetch: async () => {
				const answer = {access_token: `at-${++grants}`, expires_in: 60, expires_at: issued_at + 600 + 60};
				return Response.json(answer);
			},
		});
		await auth.fetch(`${origin}/`);
		clock += 61_000;
		await auth.fetch(`${origin}/`);
		expect(requests.map(({headers}) => headers['authorization'])).toEqual(['Bearer at-1', 'Bearer at-2']);
	});

	test.for<readonly [given: unknown, kept: number | undefined]>([
		[issued_at + 60, issued_at + 60],
		[253_402_300_799, 253_402_300_799],
		[253_402_300_800, undefined],
		[-1, undefined],
		[issued_at + 60.5, issued_at + 60],
		[Number.NaN, undefined],
		[Number.POSITIVE_INFINITY, undefined],
		[1e308, undefined],
		[`${issued_at + 60}`, issued_at + 60],
		[null, undefined],
	])('expires_at of a session is a safe integer or absent: %s is %s [R24, R25]', async ([expires_at, kept]) => {
		const auth = createAuth({tokenEndpoint: 'https://as.example/token', clientId: 'client', now: () => now});
		await auth.setToken({...bearer, issued_at, expires_at: expires_at as number});
		const token = await auth.getToken();
		expect(token.expires_at).toBe(kept);
		expect(token).toMatchObject({...bearer, issued_at});
	});
});

describe('the field refresh_token', () => {
	test('refresh_token is kept, even from client_credentials [R38, F-127]', async () => {
		await expect(read(json({...bearer, refresh_token: 'rt-new'}))).resolves.toMatchObject({refresh_token: 'rt-new'});
	});

	test('a grant without refresh_token gives a session without one [R29]', async () => {
		expect(await read(json(bearer))).not.toHaveProperty('refresh_token');
	});

	test.for<readonly [id: string, what: string, fields: object, refresh_token: string]>([
		['F-40 R29', 'left out of a refresh, the old one is kept', {}, refreshing.refresh_token],
		['F-41 R29', 'rotated, it replaces the old one', {refresh_token: 'rt-new'}, 'rt-new'],
		['F-42 R30', 'empty in a refresh, the old one is kept', {refresh_token: ''}, refreshing.refresh_token],
		['F-42 R30', 'null in a refresh, the old one is kept', {refresh_token: null}, refreshing.refresh_token],
		['R12', 'may be any printable ASCII', {refresh_token: ' r"t\\ '}, ' r"t\\ '],
	])('%s %s', async ([, , fields, refresh_token]) => {
		await expect(read(json({...bearer, ...fields}), refreshing)).resolves.toMatchObject({refresh_token});
	});

	test('an empty or null refresh_token counts as left out [F-42, R30]', async () => {
		for (const refresh_token of ['', null]) {
			expect(await read(json({...bearer, refresh_token}))).not.toHaveProperty('refresh_token');
		}
	});

	test.for<readonly [what: string, refresh_token: unknown]>([
		['a number', 42],
		['a list', ['rt-canary-new-Xp4']],
		['an object', {token: 'rt-canary-new-Xp4'}],
		['false', false],
		['with a line break', 'rt-canary-new-Xp4\n'],
		['with NUL', 'rt-canary-new-Xp4\0'],
		['beyond ASCII', 'rt-canary-new-Xp4é'],
	])(
		'the field refresh_token is not usable when it is %s, in an error that does not show it',
		async ([, refresh_token], {canaries}) => {
			canaries.plant('rt-canary-new-Xp4', 'refresh token');
			canaries.plant(refreshing.refresh_token, 'refresh token');
			const error = await canaries.rejection(read(json({...bearer, refresh_token}), refreshing));
			expect(error).toMatchObject({name: 'TokenResponseError', code: 'invalid_response', retryable: false});
		},
	);

	test('a real server sends a new refresh_token each time [R29]', async ({server}) => {
		const {refresh_token} = await server.mint();
		const client = {tokenEndpoint: server.tokenEndpoint, clientId: 'app'};
		const first = await requestToken(client, {grant_type: 'refresh_token', refresh_token});
		expect(first.refresh_token).toEqual(expect.any(String));
		expect(first.refresh_token).not.toBe(refresh_token);
		const second = await requestToken(client, {
			grant_type: 'refresh_token',
			refresh_token: first.refresh_token ?? '',
		});
		expect(await server.isActive(second.access_token)).toBe(true);
	});
});

describe('the field scope [R31, F-43]', () => {
	const asked = {...refreshing, scope: '/accounts.read'};

	test.for<readonly [what: string, fields: object, request: AuthTokenRequest, scope: string]>([
		['absent, it is what was asked for', {}, granting, granting.scope],
		['absent in a refresh, it is what was asked for', {}, asked, asked.scope],
		['the same, it is that', {scope: granting.scope}, granting, granting.scope],
		['narrower, it is that', {scope: '/accounts.read'}, granting, '/accounts.read'],
		['other than asked for, it is that', {scope: '/else'}, granting, '/else'],
		['empty, it is none', {scope: ''}, granting, ''],
		['empty in a refresh, it is none', {scope: ''}, asked, ''],
		['absent in a refresh that asked for none, it is not known', {}, refreshing, ''],
		['null, it is what was asked for', {scope: null}, granting, granting.scope],
		['absent where the server has none, there is none', {}, {...granting, scope: null}, ''],
		['a list, it is joined by spaces', {scope: ['a', 'b:c']}, granting, 'a b:c'],
		['a list of one, it is that', {scope: ['/accounts.read']}, granting, '/accounts.read'],
		['a list with an empty text, that is left out', {scope: ['a', '', 'b', '']}, granting, 'a b'],
		['an empty list, it is none', {scope: []}, granting, ''],
	])('%s', async ([, fields, request, scope]) => {
		const token = await read(json({...bearer, ...fields}), request);
		expect(token.scope ?? '').toBe(scope);
	});

	test.for<unknown>([[['/accounts.read', 42]], [[['/accounts.read']]], 42, {a: 1}, true])(
		'the field scope is not usable when it is %j',
		async (scope, {canaries}) => {
			canaries.plant(bearer.access_token, 'access token');
			const error = await canaries.rejection(read(json({...bearer, scope})));
			expect(error).toMatchObject({name: 'TokenResponseError', code: 'invalid_response', retryable: false});
		},
	);

	test('scope of a real server is what it granted if it knows only a part [R33]', async ({server}) => {
		const {refresh_token} = await server.mint({scope: 'openid offline_access /accounts.read /accounts.write'});
		const client = {tokenEndpoint: server.tokenEndpoint, clientId: 'app'};
		const narrow = await requestToken(client, {
			grant_type: 'refresh_token',
			refresh_token,
			scope: 'openid /accounts.read',
		});
		expect(narrow.scope?.split(' ')).toEqual(expect.arrayContaining(['/accounts.read']));
		expect(narrow.scope?.split(' ')).not.toContain('/accounts.write');
		// The narrower request did not narrow the grant itself.
		const wide = await requestToken(client, {
			grant_type: 'refresh_token',
			refresh_token: narrow.refresh_token ?? '',
			scope: 'openid /accounts.read /accounts.write',
		});
		expect(wide.scope?.split(' ')).toContain('/accounts.write');
	});
});

describe('the fields that `keep` names', () => {
	const extra = {
		id_token: 'id-canary',
		instance_url: 'https://eu1.example',
		refresh_expires_in: 1800,
		patient: {id: [1]},
	};

	test('the fields that keep names stay in the token, whatever their type', async () => {
		const keep = ['id_token', 'instance_url', 'refresh_expires_in', 'patient', 'left_out'];
		const token = await read(json({...bearer, ...extra, other: 1}), granting, {keep});
		expect(token).toEqual({...bearer, ...extra, scope: granting.scope, issued_at});
	});

	test('keep names no fields by default', async () => {
		expect(await read(json({...bearer, ...extra}))).not.toHaveProperty('id_token');
	});

	test('keep cannot replace a field that regrant reads', async () => {
		const keep = ['access_token', 'expires_at', 'issued_at', 'scope', '__proto__'];
		const text = '{"access_token":"at","scope":["a"],"expires_at":1e99,"issued_at":1,"__proto__":{"polluted":true}}';
		const token = await read({text}, granting, {keep});
		expect(token).toMatchObject({access_token: 'at', token_type: 'Bearer', scope: 'a', issued_at});
		expect(token).not.toHaveProperty('expires_at');
		expect(token).not.toHaveProperty('polluted');
	});

	test('the fields that keep names survive a refresh that does not send them again', async () => {
		const answers = [
			{...bearer, refresh_token: 'rt-2', instance_url: 'https://eu2.example'},
			{...bearer, id_token: null, refresh_token: 'rt-3'},
		];
		const auth = createAuth({
			tokenEndpoint: 'https://as.example/token',
			clientId: 'client',
			keep: ['id_token', 'instance_url'],
			fetch: async () => Response.json(answers.shift()),
		});
		await auth.setToken({...bearer, ...extra, refresh_token: 'rt-1'});
		expect(await auth.getToken()).toMatchObject({id_token: extra.id_token, instance_url: extra.instance_url});
		expect(await auth.refresh()).toMatchObject({id_token: extra.id_token, instance_url: 'https://eu2.example'});
		expect(await auth.refresh()).toMatchObject({id_token: extra.id_token, instance_url: 'https://eu2.example'});
		expect(await auth.peek()).not.toHaveProperty('refresh_token');
		await auth.setToken({...bearer, refresh_token: 'rt-of-another-login'});
		expect(await auth.getToken()).not.toHaveProperty('id_token');
	});
});

describe('an answer of 200 with an error [R35]', () => {
	test.for<readonly [id: string, what: string, body: object]>([
		['F-22', 'alone', {error: 'invalid_grant'}],
		['F-23', 'beside a token', {...bearer, error: 'invalid_grant'}],
		['F-23', 'beside a token and a description', {...bearer, error: 'invalid_grant', error_description: 'no'}],
	])('%s is an OAuthError: %s', async ([, , body], {canaries}) => {
		canaries.plant(bearer.access_token, 'access token');
		const error = await canaries.rejection(read(json(body), refreshing));
		expect(error).toBeInstanceOf(OAuthError);
		expect(error).toMatchObject({code: 'oauth_error', error: 'invalid_grant', status: 200, retryable: false});
	});

	test.for([null, '', 42, []])('an error that is not text does not count: %j [R35, F-23]', async error => {
		await expect(read(json({...bearer, error}))).resolves.toMatchObject(bearer);
		await expect(read({...json({...bearer, error}), status: 201})).resolves.toMatchObject(bearer);
	});
});

describe('pollution [R39]', () => {
	/** Runs the task while every object inherits these members. Loops see them only if they are enumerable, as assigned members are. */
	async function polluted<T>(
		members: Readonly<Record<string, unknown>>,
		enumerable: boolean,
		task: () => Promise<T>,
	): Promise<T> {
		const root: object = Object.prototype;
		for (const [name, value] of Object.entries(members)) {
			Object.defineProperty(root, name, {value, configurable: true, enumerable, writable: true});
		}
		try {
			return await task();
		} finally {
			for (const name of Object.keys(members)) Reflect.deleteProperty(root, name);
		}
	}

	const kinds = [
		['by assignment', true],
		['out of sight', false],
	] as const;

	test.for([
		'{"__proto__": {"access_token": "at", "token_type": "Bearer"}}',
		'{"token_type": "Bearer", "__proto__": {"access_token": "at"}}',
		'{"constructor": {"prototype": {"access_token": "at"}}, "token_type": "Bearer"}',
		'{"prototype": {"access_token": "at"}, "token_type": "Bearer"}',
	])('a __proto__ in an answer adds no field: %s [F-91]', async (text, {canaries}) => {
		const error = await canaries.rejection(read({text, type: 'application/json'}));
		expect(error).toMatchObject({name: 'TokenResponseError', code: 'invalid_response'});
		expect({}).not.toHaveProperty('token_type');
		expect({}).not.toHaveProperty('access_token');
	});

	test('a __proto__ in an answer adds no token type [F-91]', async () => {
		const text = '{"access_token": "at", "__proto__": {"token_type": "mac"}}';
		await expect(read({text, type: 'application/json'})).resolves.toMatchObject({token_type: 'Bearer'});
	});

	test('a __proto__ in an answer is dropped [F-91]', async () => {
		const text = JSON.stringify(bearer).replace(
			'{',
			'{"__proto__":{"polluted":true,"refresh_token":"x"},"constructor":{"prototype":{"polluted":true}},"prototype":{"polluted":true},',
		);
		const token = await read({text, type: 'application/json'});
		expect(token).toEqual({...bearer, scope: granting.scope, issued_at});
		expect(token.refresh_token).toBeUndefined();
		expect({}).not.toHaveProperty('polluted');
	});

	test('a __proto__ in an error answer is dropped [F-91]', async ({canaries}) => {
		const text = '{"error":"invalid_scope","__proto__":{"error_description":"x","polluted":true}}';
		const error = await canaries.rejection(read({text, type: 'application/json', status: 400}));
		expect(error).toMatchObject({error: 'invalid_scope'});
		expect(error).not.toHaveProperty('error_description');
		expect({}).not.toHaveProperty('polluted');
	});

	test('a __proto__ in a form is dropped [F-91]', async ({canaries}) => {
		const error = await canaries.rejection(read(form({token_type: 'Bearer', ['__proto__']: 'at'})));
		expect(error).toMatchObject({code: 'invalid_response'});
	});

	describe.for(kinds)('of every object, %s, [F-92]', ([, enumerable]) => {
		test.for<readonly [answer: object, members: Readonly<Record<string, unknown>>]>([
			[{}, {access_token: 'at', token_type: 'Bearer'}],
			[{token_type: 'Bearer'}, {access_token: 'at'}],
		])('a polluted prototype adds no field to %j: %j', async ([answer, members], {canaries}) => {
			const outcome = await polluted(members, enumerable, () =>
				read(json(answer)).then(
					token => token,
					(error: unknown) => canaries.see(error),
				),
			);
			expect(outcome).toBeInstanceOf(TokenResponseError);
			expect(outcome).toMatchObject({code: 'invalid_response'});
		});

		test('a polluted prototype adds no token type', async () => {
			const token = await polluted({token_type: 'mac'}, enumerable, () => read(json({access_token: 'at'})));
			expect(token).toMatchObject({access_token: 'at', token_type: 'Bearer'});
		});

		test('a polluted prototype adds nothing to a token', async () => {
			const members = {refresh_token: 'evil', expires_in: 1, expires_at: 1, scope: '/evil', error: 'invalid_grant'};
			const token = await polluted(members, enumerable, () => read(json(bearer)));
			expect({...token}).toEqual({...bearer, scope: granting.scope, issued_at});
			expect(JSON.parse(JSON.stringify(token))).toEqual({...bearer, scope: granting.scope, issued_at});
		});

		test('a polluted prototype makes no answer an error', async ({canaries}) => {
			const members = {error: 'invalid_grant', error_description: 'evil', error_uri: 'evil'};
			const outcome = await polluted(members, enumerable, () =>
				read({...json({}), status: 404}).catch((error: unknown) => canaries.see(error)),
			);
			expect(outcome).toMatchObject({name: 'TokenResponseError', code: 'unexpected_status'});
		});
	});
});

describe('AuthToken, as a schema of one’s own code,', () => {
	test.for<unknown>([
		bearer,
		{...bearer, expires_in: 3600, refresh_token: 'rt', scope: granting.scope},
		{...bearer, expires_in: '3600'},
		{...bearer, token_type: 'opaque', expires_in: 1_736_966_581},
		{access_token: bearer.access_token},
		{access_token: bearer.access_token, token_type: null, refresh_token: null, scope: null, expires_at: issued_at},
		{...bearer, scope: ['a', 'b']},
	])('AuthToken, as a schema of one’s own code, takes %j', answer => {
		const result = v.safeParse(AuthToken, answer);
		expect(result).toMatchObject({success: true, output: {access_token: bearer.access_token}});
	});

	test.for<readonly [what: string, answer: unknown]>([
		['no access token', {token_type: 'Bearer'}],
		['an unfit access token', {...bearer, access_token: 'at-canary-Jw6s\r\nx-evil: 1'}],
		['a token type that is a number', {...bearer, token_type: 42}],
		['a scope that is a list of numbers', {...bearer, scope: [42]}],
		['a refresh token with a line break', {...bearer, refresh_token: 'rt-canary-new-Xp4\n'}],
		['null', null],
		['a string', bearer.access_token],
	])('AuthToken, as a schema of one’s own code, refuses %s, in messages without the value', ([, answer]) => {
		const result = v.safeParse(AuthToken, answer);
		expect(result.success).toBe(false);
		expect(result.issues?.map(({message}) => message).join('\n')).not.toMatch(/canary/);
	});
});

describe('whatever the answer,', () => {
	const printable = /^[\x20-\x7E]+$/;

	function expectUsable(token: TokenSet): void {
		expect(token.access_token).toMatch(/^[\x21-\x7E]+$/);
		expect(token.token_type).toMatch(/^bearer$/i);
		expect(token.issued_at).toBe(issued_at);
		if ('refresh_token' in token) expect(token.refresh_token).toMatch(printable);
		if ('scope' in token) expect(token.scope).toBeTypeOf('string');
		if ('expires_at' in token) expect(token.expires_at).toSatisfy(Number.isSafeInteger);
		expect(token.expires_at ?? 0).toBeGreaterThanOrEqual(0);
		expect(token.expires_at ?? 0).toBeLessThanOrEqual(253_402_300_799);
		expect(JSON.parse(JSON.stringify(token))).toEqual(token);
	}

	const anything = fc.jsonValue({maxDepth: 2});
	const or = <T>(likely: fc.Arbitrary<T>): fc.Arbitrary<unknown> =>
		fc.oneof(
			{weight: 3, arbitrary: likely},
			{weight: 1, arbitrary: anything},
			{weight: 1, arbitrary: fc.string({unit: 'binary'})},
		);
	const optional = {
		expires_in: or(
			fc.oneof(fc.double(), fc.integer(), fc.maxSafeInteger(), fc.constantFrom('60', '1e3', ' 60 ', '', '-1')),
		),
		refresh_token: or(fc.constantFrom('rt', '', null, 'r\n')),
		scope: or(fc.constantFrom<unknown>('a b', '', null, ['a', 'b'])),
		expires_at: or(fc.constantFrom(1_795_428_060, '1795428060')),
	};
	const required = {
		access_token: or(fc.constantFrom('at', 'a.b.c==', 'a|b!c:d', 'a b', 'a\r\n', 'ä', '')),
		token_type: or(fc.constantFrom('Bearer', 'bearer', 'BEARER', 'DPoP', 'mac')),
	};
	const refusal = {
		error: or(fc.constantFrom('invalid_grant', '', 'x\r\n', '\u{1F600}')),
		error_description: anything,
		error_uri: anything,
	};
	const answer = fc.oneof(
		fc.record({...required, ...optional, ...refusal}, {requiredKeys: []}),
		fc.record(optional, {requiredKeys: []}).map(fields => Object.assign({}, bearer, fields)),
	);

	test('any answer gives a usable token or an error of ours [R20, R25]', async ({canaries}) => {
		let usable = 0;
		await fc.assert(
			fc.asyncProperty(
				fc.oneof(answer, anything),
				fc.constantFrom<AuthTokenRequest>(granting, refreshing),
				fc.constantFrom<TokenClient['expiresIn']>('auto', 'seconds', 'timestamp'),
				async (value, request, expiresIn) => {
					try {
						const token = await read(json(value), request, {expiresIn});
						usable++;
						expectUsable(token);
					} catch (error) {
						if (!isRegrantError(error)) throw error;
						canaries.see(error);
					}
				},
			),
			{numRuns: 300},
		);
		expect(usable).toBeGreaterThan(0);
	});

	test('an answer of any status, type and text gives an error of ours [R20, R36]', async ({canaries}) => {
		const status = fc.oneof(fc.constantFrom(200, 201, 206, 400, 401, 422, 429, 503), fc.integer({min: 206, max: 599}));
		const type = fc.constantFrom(
			undefined,
			'application/json',
			'text/html',
			'application/x-www-form-urlencoded',
			'\u00FF/;=,"',
		);
		const text = fc.oneof(
			fc.string({unit: 'binary', maxLength: 60}),
			answer.map(value => JSON.stringify(value)),
			answer.map(value =>
				new URLSearchParams(
					Object.entries(value).map(([name, field]) => [
						name,
						typeof field === 'string' ? field : JSON.stringify(field),
					]),
				).toString(),
			),
		);
		await fc.assert(
			fc.asyncProperty(
				status.filter(code => code !== 304),
				type,
				text,
				async (code, contentType, body) => {
					try {
						expectUsable(await read({text: body, type: contentType, status: code}));
						// Any 2xx with a usable token is a success: NestJS answers every POST with 201. [R15, F-12]
						expect(Math.floor(code / 100)).toBe(2);
					} catch (error) {
						if (!isRegrantError(error)) throw error;
						canaries.see(error);
					}
				},
			),
			{numRuns: 300},
		);
	});
});
