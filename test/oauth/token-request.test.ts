import * as fc from 'fast-check';
import * as v from 'valibot';
import {describe, expect} from 'vitest';
import {
	AuthTokenRequest,
	ConfigError,
	RevokeTokenRequest,
	type TokenClient,
	type TokenRequest,
	clientSecretBasic,
	clientSecretPost,
	createAuth,
	requestToken,
	revokeToken,
} from '../../src/index.ts';
import {seedClient} from '../support/seed-vault.ts';
import {test} from '../support/test.ts';

const granting = {grant_type: 'client_credentials', scope: '/accounts.read /accounts.write'} as const;
const refreshing = {grant_type: 'refresh_token', refresh_token: 'rt-canary-Vb2n'} as const;
const encodings = ['form', 'json'] as const;

/** Text that no message may show. Values that must be rejected begin with it. */
const canary = 'canary-3Fq8';

/** The request that was sent, and its decoded parameters. */
interface Sent {
	readonly request: Request;
	readonly body: string;
	readonly parameters: Readonly<Record<string, unknown>>;
}

/** A client whose endpoints grant every request, and record it. */
function staged(options: Partial<TokenClient> = {}): {readonly client: TokenClient; readonly sent: Sent[]} {
	const sent: Sent[] = [];
	const client: TokenClient = {
		tokenEndpoint: 'https://as.example/token',
		revocationEndpoint: 'https://as.example/revoke',
		clientId: 'client',
		fetch: async (input, init) => {
			const request = new Request(input, init);
			const body = await request.clone().text();
			const parameters = options.encoding === 'json' ? JSON.parse(body) : Object.fromEntries(new URLSearchParams(body));
			sent.push({request, body, parameters});
			return Response.json({access_token: 'at', token_type: 'Bearer'});
		},
		...options,
	};
	return {client, sent};
}

/** The parameters that are sent for this request. */
async function parametersOf(
	request: TokenRequest,
	options: Partial<TokenClient> = {},
): Promise<Readonly<Record<string, unknown>> | undefined> {
	const {client, sent} = staged(options);
	await requestToken(client, request);
	return sent[0]?.parameters;
}

/** The error of a request that is rejected before it is sent. */
async function refusal(request: unknown, options: Partial<TokenClient> = {}): Promise<unknown> {
	const {client, sent} = staged(options);
	const error = await requestToken(client, request as AuthTokenRequest).then(
		() => undefined,
		(reason: unknown) => reason,
	);
	expect(sent).toEqual([]);
	return error;
}

const unfit: readonly (readonly [what: string, value: unknown])[] = [
	['a line break', `${canary}\n`],
	['a header of its own', `${canary}\r\nx-evil: 1`],
	['NUL', `${canary}\0`],
	['a tab', `${canary}\t`],
	['DEL', `${canary}\x7F`],
	['a letter beyond ASCII', `${canary}é`],
	['a sign beyond Latin-1', `${canary}€`],
	['a number', 42],
	['a list', [canary]],
	['a record', {[canary]: canary}],
];

describe('a token request [R1]', () => {
	test('a token request is a POST with a form in UTF-8 by default', async ({serve}) => {
		const {origin, requests} = await serve(() => Response.json({access_token: 'at', token_type: 'Bearer'}));
		await requestToken({tokenEndpoint: `${origin}/token`, clientId: 'cli ent&'}, granting);
		expect(requests).toHaveLength(1);
		expect(requests[0]).toMatchObject({method: 'POST', path: '/token'});
		expect(requests[0]?.headers['content-type']).toMatch(/^application\/x-www-form-urlencoded\b/);
		const entries = [...new URLSearchParams(requests[0]?.body)];
		expect(entries).toHaveLength(3);
		expect(Object.fromEntries(entries)).toEqual({...granting, client_id: 'cli ent&'});
	});

	test('a token request has a JSON body where the client says so, whose values are strings', async ({serve}) => {
		const {origin, requests} = await serve(() => Response.json({access_token: 'at', token_type: 'Bearer'}));
		await requestToken({tokenEndpoint: `${origin}/token`, clientId: 'cli "ent', encoding: 'json'}, granting);
		expect(requests[0]).toMatchObject({method: 'POST', path: '/token'});
		expect(requests[0]?.headers['content-type']).toMatch(/^application\/json\b/);
		expect(JSON.parse(requests[0]?.body ?? '')).toEqual({...granting, client_id: 'cli "ent'});
	});

	test('a token request accepts JSON, and has no cache mode, which some Workers throw on [R16]', async () => {
		const inits: (RequestInit | undefined)[] = [];
		const {client, sent} = staged();
		const spying: typeof fetch = async (input, init) => {
			inits.push(init);
			return (client.fetch ?? fetch)(input, init);
		};
		await requestToken({...client, fetch: spying}, granting);
		expect(sent[0]?.request.headers.get('accept')).toMatch(/\bapplication\/json\b/);
		expect(inits.map(init => init?.cache)).toEqual([undefined]);
	});

	test('a token request does not follow redirects [R15]', async () => {
		const {client, sent} = staged();
		await requestToken(client, granting);
		expect(sent[0]?.request.redirect).toBe('manual');
	});

	test('a token request is made by a fetch without a receiver, which browsers would refuse', async () => {
		const receivers: unknown[] = [];
		const {client} = staged();
		const fetch = async function (this: unknown): Promise<Response> {
			receivers.push(this);
			return Response.json({access_token: 'at', token_type: 'Bearer'});
		};
		await requestToken({...client, fetch}, granting);
		expect(receivers.every(receiver => receiver === undefined || receiver === globalThis)).toBe(true);
	});

	test.for(encodings)('a token request has neither a credential nor a token in its URL: %s [R6]', async encoding => {
		const {client, sent} = staged({encoding, clientAuthentication: clientSecretPost(canary)});
		await requestToken(client, refreshing);
		await revokeToken(client, {token: refreshing.refresh_token});
		expect(sent.map(({request}) => request.url)).toEqual(['https://as.example/token', 'https://as.example/revoke']);
	});
});

describe('the field grant_type', () => {
	test.for(encodings)('client_credentials asks for the client’s own token: %s', async encoding => {
		expect(await parametersOf(granting, {encoding})).toEqual({...granting, client_id: 'client'});
	});

	test.for(encodings)('refresh_token asks for a new token: %s', async encoding => {
		expect(await parametersOf(refreshing, {encoding})).toEqual({...refreshing, client_id: 'client'});
	});

	test('the field grant_type is required', async ({canaries}) => {
		const error = canaries.see(await refusal({scope: '/accounts.read'}));
		expect(error).toBeInstanceOf(ConfigError);
		expect(error).toMatchObject({message: expect.stringContaining('grant_type')});
	});

	test('the field grant_type is never the password grant, which is a type error too [R111]', async ({canaries}) => {
		canaries.plant(canary, 'password');
		// @ts-expect-error -- the types have no such grant
		const asked: AuthTokenRequest = {grant_type: 'password', username: 'a', password: canary, scope: 'a'};
		expect(canaries.see(await refusal(asked))).toBeInstanceOf(ConfigError);
		expect(() => createAuth({...staged().client, grant: asked})).toThrow(ConfigError);
	});

	test.for<unknown>(['password', '', undefined, null, 42, ['client_credentials'], `${canary}\n`, `${canary}é`])(
		'the field grant_type is not %j [R11]',
		async (grant_type, {canaries}) => {
			canaries.plant(canary);
			const error = canaries.see(await refusal({...granting, ...refreshing, grant_type}));
			expect(error).toBeInstanceOf(ConfigError);
		},
	);
});

describe('a grant of another type', () => {
	const code = {
		grant_type: 'authorization_code',
		code: 'code-canary-Lr8s',
		redirect_uri: 'https://app.example/?a=b',
		code_verifier: 'verifier-canary-Xc1w',
	} as const;

	test.for(encodings)('a grant of another type sends the fields that it has: %s [R11]', async encoding => {
		expect(await parametersOf(code, {encoding})).toEqual({...code, client_id: 'client'});
		const exchange = {
			grant_type: 'urn:ietf:params:oauth:grant-type:token-exchange',
			subject_token: 'st',
			subject_token_type: 'urn:ietf:params:oauth:token-type:access_token',
			scope: 'a b',
		} as const;
		expect(await parametersOf(exchange, {encoding})).toEqual({...exchange, client_id: 'client'});
	});

	test('a grant of another type leaves out a field that is undefined, null or empty [R11]', async () => {
		const asked = {...code, a: undefined, b: null, c: '', scope: null};
		expect(await parametersOf(asked)).toEqual({...code, client_id: 'client'});
	});

	test('a grant of another type gives a name once for each item of a list in a form, and a list in JSON [R11]', async () => {
		const asked = {...code, resource: ['urn:a', 'urn:b'], audience: ['c']} as const;
		const {client, sent} = staged();
		await requestToken(client, asked);
		const form = new URLSearchParams(sent[0]?.body);
		expect([form.getAll('resource'), form.getAll('audience')]).toEqual([['urn:a', 'urn:b'], ['c']]);
		expect(await parametersOf(asked, {encoding: 'json'})).toEqual({...asked, client_id: 'client'});
	});

	test('a grant of another type carries the proof of the client, in its body or in a header [R5]', async () => {
		const clientAuthentication = clientSecretPost(seedClient.secret);
		expect(await parametersOf(code, {clientAuthentication})).toEqual({
			...code,
			client_id: 'client',
			client_secret: seedClient.secret,
		});
		const body = {...code, client_id: 'client', client_secret: seedClient.secret};
		expect(await parametersOf(body)).toEqual(body);
	});

	test.for<readonly [what: string, fields: object]>([
		['a number', {code: 42}],
		['a record', {code: {canary}}],
		['a list of numbers', {resource: [canary, 42]}],
		['a list of lists', {resource: [[canary]]}],
		['true', {code: true}],
	])(
		'a grant of another type has strings and lists of strings for fields, and not %s',
		async ([, fields], {canaries}) => {
			canaries.plant(canary);
			const error = canaries.see(await refusal({...code, ...fields}));
			expect(error).toMatchObject({
				name: 'ConfigError',
				message: expect.stringMatching(/^request\.\w+ must be a string or a list of strings/),
			});
		},
	);

	test.for<unknown>([`${canary}  b`, `${canary}"`, ` ${canary}`, [canary, 'b'], [canary], canary.concat('\n')])(
		'a grant of another type has a scope as the RFC has it, and not %j [R10]',
		async (scope, {canaries}) => {
			canaries.plant(canary);
			const error = canaries.see(await refusal({...code, scope}));
			expect(error).toMatchObject({name: 'ConfigError', message: expect.stringContaining('request.scope must be')});
		},
	);

	test('a grant of another type cannot name another client [R11]', async ({canaries}) => {
		canaries.plant(canary);
		expect(canaries.see(await refusal({...code, client_id: canary}))).toBeInstanceOf(ConfigError);
	});

	test('a grant of another type has the fields of its own alone [R39, R95]', async () => {
		const asked = Object.assign(Object.create({client_secret: canary, scope: '/inherited'}) as object, code);
		expect(await parametersOf(asked as TokenRequest)).toEqual({...code, client_id: 'client'});
	});

	test('a grant of another type may be the grant of a session', async () => {
		const {client, sent} = staged();
		const auth = createAuth({...client, grant: code});
		await expect(auth.getToken()).resolves.toMatchObject({access_token: 'at'});
		const other = createAuth({...client, grant: async () => ({...code, code: 'another'})});
		await other.getToken();
		expect(sent.map(({parameters}) => parameters['code'])).toEqual([code.code, 'another']);
	});

	test('a grant of another type redeems a code at a real server', async ({server, canaries}) => {
		const client = {tokenEndpoint: server.tokenEndpoint, clientId: 'app'};
		const error = await canaries.rejection(requestToken(client, code));
		expect(error).toMatchObject({name: 'OAuthError', error: 'invalid_grant', status: 400});
		expect(Object.fromEntries(server.tokenRequests[0]?.parameters ?? [])).toEqual({...code, client_id: 'app'});
	});
});

describe('the option parameters', () => {
	test.for(encodings)(
		'parameters are added to every token request, and not to a revocation: %s [R11]',
		async encoding => {
			const {client, sent} = staged({encoding, parameters: {audience: 'https://api.example', left_out: undefined}});
			await requestToken(client, granting);
			await requestToken(client, refreshing);
			await revokeToken(client, {token: 'rt'});
			const more = {audience: 'https://api.example', client_id: 'client'};
			expect(sent.map(({parameters}) => parameters)).toEqual([
				{...granting, ...more},
				{...refreshing, ...more},
				{token: 'rt', client_id: 'client'},
			]);
		},
	);

	test('the option parameters gives a name once for each item of a list in a form, and a list in JSON [R11]', async () => {
		const parameters = {resource: ['urn:a', 'urn:b']};
		const {client, sent} = staged({parameters});
		await requestToken(client, granting);
		expect(new URLSearchParams(sent[0]?.body).getAll('resource')).toEqual(parameters.resource);
		expect(await parametersOf(granting, {parameters, encoding: 'json'})).toMatchObject(parameters);
	});

	test('parameters may be a function, which is called for each request', async () => {
		let count = 0;
		const {client, sent} = staged({parameters: async () => ({nonce: String(++count)})});
		await requestToken(client, granting);
		const auth = createAuth({...client, grant: granting});
		await auth.getToken();
		await auth.refresh();
		expect(sent.map(({parameters}) => parameters['nonce'])).toEqual(['1', '2', '3']);
	});

	test.for<[title: string, parameters: unknown]>([
		['a URLSearchParams', new URLSearchParams('audience=a')],
		['a Map', new Map([['audience', 'a']])],
		['a function that gives a URLSearchParams', () => new URLSearchParams('audience=a')],
		['a function that gives a text', () => 'audience=a'],
		['a function that gives a list', async () => ['audience', 'a']],
	])(
		'parameters must be a plain object, and not %s, of which nothing would be sent [R11]',
		async ([, given], {canaries}) => {
			const {client, sent} = staged({parameters: given as TokenClient['parameters']});
			const error = await canaries.rejection(requestToken(client, granting));
			expect(error).toMatchObject({name: 'ConfigError', message: 'parameters must be a plain object'});
			expect(sent).toEqual([]);
		},
	);

	test('parameters may have a scope for servers that want one on a refresh', async () => {
		const parameters = {scope: '/accounts.read'};
		expect(await parametersOf(refreshing, {parameters})).toMatchObject({...refreshing, ...parameters});
		expect(await parametersOf({...refreshing, scope: 'a'}, {parameters})).toMatchObject({scope: 'a'});
		expect(await parametersOf({...granting, scope: null}, {parameters})).toMatchObject(parameters);
	});

	test('parameters work together with scope: null, as Auth0 needs it [R10]', async () => {
		const asked = {grant_type: 'client_credentials', scope: null} as const;
		expect(await parametersOf(asked, {parameters: {audience: 'https://api.example'}})).toEqual({
			grant_type: 'client_credentials',
			audience: 'https://api.example',
			client_id: 'client',
		});
	});

	const names = [
		'grant_type',
		'client_id',
		'client_secret',
		'client_assertion',
		'client_assertion_type',
		'refresh_token',
		'token',
		'token_type_hint',
	];
	test.for(names)('parameters with a name that regrant sets are refused: %s [R11]', async (name, {canaries}) => {
		canaries.plant(canary);
		const message = expect.stringContaining(`parameters.${name}`);
		for (const parameters of [{[name]: canary}, () => ({[name]: canary})]) {
			const error = canaries.see(await refusal(granting, {parameters}));
			expect(error).toMatchObject({name: 'ConfigError', message});
		}
		expect(() => createAuth({...staged().client, parameters: {[name]: canary}})).toThrow(`parameters.${name}`);
	});

	test.for<readonly [what: string, parameters: unknown]>([
		['a number', {audience: 42}],
		['a record', {audience: {canary}}],
		['a list of numbers', {resource: [canary, 42]}],
		['a scope with two spaces', {scope: `${canary}  b`}],
		['a scope in a list', {scope: [canary, 'b']}],
	])('the option parameters has strings and lists of strings, and not %s', async ([, parameters], {canaries}) => {
		canaries.plant(canary);
		for (const given of [parameters, () => parameters, async () => parameters]) {
			const error = canaries.see(await refusal(granting, {parameters: given as TokenClient['parameters']}));
			expect(error).toMatchObject({name: 'ConfigError', message: expect.stringContaining('parameters.')});
		}
	});

	test('the option parameters has its own properties alone [R39, R95]', async () => {
		const parameters = Object.assign(Object.create({audience: canary}) as object, {resource: 'urn:a'});
		expect(await parametersOf(granting, {parameters})).toEqual({...granting, resource: 'urn:a', client_id: 'client'});
	});

	test('parameters are copied', async () => {
		const parameters = {audience: 'a'};
		const {client, sent} = staged({parameters});
		const auth = createAuth({...client, grant: granting});
		parameters.audience = 'changed';
		await auth.getToken();
		expect(sent[0]?.parameters).toMatchObject({audience: 'a'});
	});

	test('a parameters function that hangs ends at the deadline', async ({canaries}) => {
		const options = {parameters: () => new Promise<never>(() => {}), timeout: 20};
		const error = canaries.see(await refusal(granting, options));
		expect(error).toMatchObject({name: 'TokenNetworkError', code: 'timeout'});
	});
});

describe('the option headers', () => {
	test.for(encodings)('headers are added to token requests and revocations: %s', async encoding => {
		const {client, sent} = staged({encoding, headers: {'x-moov-version': 'v2024.01.00'}});
		await requestToken(client, granting);
		await revokeToken(client, {token: 'rt'});
		for (const {request} of sent) {
			expect(request.headers.get('x-moov-version')).toBe('v2024.01.00');
			expect(request.headers.get('accept')).toBe('application/json');
		}
		expect(sent).toHaveLength(2);
	});

	test('headers may ask for another media type, and may be a Headers object', async () => {
		for (const headers of [{Accept: 'application/vnd.api+json'}, new Headers({accept: 'application/vnd.api+json'})]) {
			const {client, sent} = staged({headers: headers as Record<string, string>});
			await requestToken(client, granting);
			expect(sent[0]?.request.headers.get('accept')).toContain('application/vnd.api+json');
		}
	});

	test('headers cannot authenticate the client [R5]', async ({canaries}) => {
		canaries.plant(canary);
		for (const name of ['authorization', 'Authorization', 'content-type']) {
			const error = canaries.see(await refusal(granting, {headers: {[name]: canary}}));
			expect(error).toMatchObject({name: 'ConfigError', message: expect.stringContaining('headers')});
		}
	});
});

describe('the field client_id', () => {
	test.for(encodings)('the field client_id may be in the body: %s', async encoding => {
		const parameters = await parametersOf({...granting, client_id: 'client'}, {encoding});
		expect(parameters).toEqual({...granting, client_id: 'client'});
	});

	test('the field client_id takes the API’s own sample', async ({seedApi}) => {
		const {clientId, secret} = seedClient;
		const client = {tokenEndpoint: seedApi.tokenEndpoint, clientId, encoding: 'json'} as const;
		await requestToken(client, {...granting, client_id: clientId, client_secret: secret});
		expect(seedApi.tokenRequests).toMatchObject([{status: 200, parameters: {client_id: clientId}}]);
	});

	test('the field client_id must be the same as clientId [R11]', async ({canaries}) => {
		canaries.plant(canary);
		for (const client_id of [canary, 'Client', 'client ']) {
			expect(canaries.see(await refusal({...granting, client_id}))).toBeInstanceOf(ConfigError);
			const basic = {clientAuthentication: clientSecretBasic('secret')};
			expect(canaries.see(await refusal({...granting, client_id}, basic))).toBeInstanceOf(ConfigError);
		}
	});

	test('the field client_id may be left out, or be undefined [R11]', async () => {
		expect(await parametersOf({...granting, client_id: undefined})).toEqual({...granting, client_id: 'client'});
	});

	test.for(unfit)(
		'the field client_id is printable ASCII, and not one with %s [R12]',
		async ([, client_id], {canaries}) => {
			canaries.plant(canary);
			const error = canaries.see(await refusal({...granting, client_id}));
			expect(error).toBeInstanceOf(ConfigError);
			expect(error).toMatchObject({message: expect.stringContaining('client_id')});
		},
	);
});

describe('the field client_secret', () => {
	test.for(encodings)('the field client_secret may be in the body: %s', async encoding => {
		const parameters = await parametersOf({...granting, client_secret: seedClient.secret}, {encoding});
		expect(parameters).toEqual({...granting, client_id: 'client', client_secret: seedClient.secret});
	});

	test('the field client_secret is left out when it is empty or undefined [R11]', async () => {
		for (const client_secret of ['', undefined]) {
			expect(await parametersOf({...granting, client_secret})).toEqual({...granting, client_id: 'client'});
		}
	});

	test.for(unfit)(
		'the field client_secret is printable ASCII, and not one with %s [R12]',
		async ([, client_secret], {canaries}) => {
			canaries.plant(canary);
			const error = canaries.see(await refusal({...granting, client_secret}));
			expect(error).toBeInstanceOf(ConfigError);
			expect(error).toMatchObject({message: expect.stringContaining('client_secret')});
		},
	);
});

describe('the field scope', () => {
	test('the field scope is required with client_credentials, and the message says what to do without scopes [R10]', async ({
		canaries,
	}) => {
		for (const asked of [{...granting, scope: undefined}, {grant_type: 'client_credentials'}]) {
			const error = canaries.see(await refusal(asked));
			expect(error).toBeInstanceOf(ConfigError);
			expect(error).toMatchObject({
				message: expect.stringMatching(/^request\.scope is required: .*null if the server/),
			});
		}
		const grant = {grant_type: 'client_credentials'} as AuthTokenRequest;
		expect(() => createAuth({...staged().client, grant})).toThrow(/^grant\.scope is required: .*null if the server/);
	});

	test.for(encodings)(
		'the field scope is null for a server that has no scopes, and is then not sent: %s [R10]',
		async encoding => {
			const asked = {grant_type: 'client_credentials', scope: null} as const;
			expect(await parametersOf(asked, {encoding})).toEqual({grant_type: 'client_credentials', client_id: 'client'});
			expect(await parametersOf({...refreshing, scope: null}, {encoding})).toEqual({
				...refreshing,
				client_id: 'client',
			});
		},
	);

	test('the field scope may be left out of a refresh, or be undefined [R11]', async () => {
		expect(await parametersOf(refreshing)).toEqual({...refreshing, client_id: 'client'});
		expect(await parametersOf({...refreshing, scope: undefined})).toEqual({...refreshing, client_id: 'client'});
	});

	const good = ['/accounts.read', granting.scope, 'a', '!', "#$%&'()*+,-./:;<=>?@[]^_`{|}~", 'openid offline_access'];
	const rows = good.flatMap(scope => [granting, refreshing].map(request => ({scope, request: {...request, scope}})));
	test.for(rows)('the field scope may be $scope: $request.grant_type [R10]', async ({scope, request}) => {
		for (const encoding of encodings) {
			expect(await parametersOf(request, {encoding})).toMatchObject({scope});
		}
	});

	test.for<readonly [what: string, scope: unknown]>([
		['a quote', `${canary}"b`],
		['a backslash', String.raw`${canary}\b`],
		['two spaces', `${canary}  b`],
		['a leading space', ` ${canary}`],
		['a trailing space', `${canary} `],
		['a space alone', ' '],
		['a letter beyond ASCII', `${canary} é`],
		['a sign beyond Latin-1', `${canary} €`],
		['a tab', `${canary}\tb`],
		['a line break', `${canary}\nb`],
		['a line break at its end', `${canary}\n`],
		['NUL', `${canary}\0`],
		['DEL', `${canary}\x7F`],
		['a number', 42],
		['a list', [canary, 'b']],
	])(
		'the field scope is scope tokens with single spaces between, and not one with %s [R10]',
		async ([, scope], {canaries}) => {
			canaries.plant(canary);
			for (const request of [granting, refreshing]) {
				const error = canaries.see(await refusal({...request, scope}));
				expect(error).toBeInstanceOf(ConfigError);
				expect(error).toMatchObject({message: expect.stringContaining('scope must be scopes with single spaces')});
			}
		},
	);

	test('the field scope is not empty [R10]', async ({canaries}) => {
		expect(canaries.see(await refusal({...granting, scope: ''}))).toBeInstanceOf(ConfigError);
	});

	const character = fc.constantFrom(
		...Array.from({length: 0x7e - 0x20}, (_, index) => String.fromCodePoint(0x21 + index)).filter(
			text => !/["\\]/.test(text),
		),
	);
	const name = fc.string({unit: character, minLength: 1, maxLength: 20});

	test('the field scope arrives as it is, whatever its tokens [R10]', async () => {
		const scopes = fc.array(name, {minLength: 1, maxLength: 5}).map(names => names.join(' '));
		await fc.assert(
			fc.asyncProperty(scopes, fc.constantFrom(...encodings), async (scope, encoding) => {
				expect(await parametersOf({...granting, scope}, {encoding})).toMatchObject({scope});
			}),
			{numRuns: 200},
		);
	});

	test('the field scope is refused when it is anything else, and then shows in no message [R10]', async () => {
		const valid = /^[\x21\x23-\x5B\x5D-\x7E]+(?: [\x21\x23-\x5B\x5D-\x7E]+)*$/;
		const text = fc.oneof(
			fc.string({unit: 'binary', maxLength: 20}),
			fc.string({unit: fc.constantFrom(' ', '"', '\\', 'a', '\t', '\n', '\x7F', 'é'), maxLength: 10}),
		);
		const invalid = text.map(end => canary + end).filter(scope => !valid.test(scope));
		await fc.assert(
			fc.asyncProperty(invalid, async scope => {
				const error = await refusal({...granting, scope});
				expect(error).toBeInstanceOf(ConfigError);
				expect(String(error)).not.toContain(canary);
			}),
			{numRuns: 200},
		);
	});
});

describe('the field refresh_token', () => {
	test.for(encodings)('the field refresh_token is sent as it is: %s', async encoding => {
		const refresh_token = ' r"t\\%20+&=;~ ';
		expect(await parametersOf({...refreshing, refresh_token}, {encoding})).toMatchObject({refresh_token});
	});

	test('the field refresh_token is required with its grant, and not empty [R12]', async ({canaries}) => {
		for (const refresh_token of [undefined, null, '']) {
			const error = canaries.see(await refusal({...refreshing, refresh_token}));
			expect(error).toBeInstanceOf(ConfigError);
			expect(error).toMatchObject({message: expect.stringContaining('refresh_token')});
		}
		const error = canaries.see(await refusal({grant_type: 'refresh_token'}));
		expect(error).toMatchObject({name: 'ConfigError', message: expect.stringContaining('refresh_token')});
	});

	test.for(unfit)(
		'the field refresh_token is printable ASCII, and not one with %s [R12]',
		async ([, refresh_token], {canaries}) => {
			canaries.plant(canary);
			const error = canaries.see(await refusal({...refreshing, refresh_token}));
			expect(error).toBeInstanceOf(ConfigError);
			expect(error).toMatchObject({message: expect.stringContaining('refresh_token')});
		},
	);

	test('the field refresh_token arrives as it is, whatever it is made of [R12]', async () => {
		const tokens = fc.string({unit: 'grapheme-ascii', minLength: 1, maxLength: 60});
		await fc.assert(
			fc.asyncProperty(tokens, fc.constantFrom(...encodings), async (refresh_token, encoding) => {
				expect(await parametersOf({...refreshing, refresh_token}, {encoding})).toMatchObject({refresh_token});
			}),
			{numRuns: 200},
		);
	});

	test('the field refresh_token may be null or undefined beside client_credentials, as nullable models have it', async () => {
		for (const refresh_token of [null, undefined]) {
			const asked = {...granting, client_id: null, client_secret: null, refresh_token} as unknown as AuthTokenRequest;
			expect(await parametersOf(asked)).toEqual({...granting, client_id: 'client'});
		}
	});

	test('the field refresh_token is no field of client_credentials', async ({canaries}) => {
		canaries.plant(refreshing.refresh_token, 'refresh token');
		const error = canaries.see(await refusal({...granting, refresh_token: refreshing.refresh_token}));
		expect(error).toBeInstanceOf(ConfigError);
	});
});

describe('a request', () => {
	test.for<readonly [what: string, value: unknown]>([
		['undefined', undefined],
		['null', null],
		['a string', `grant_type=client_credentials&scope=${canary}`],
		['a list', [granting]],
		['URLSearchParams', new URLSearchParams({...granting, client_secret: canary})],
		['a function', () => granting],
		['empty', {}],
	])('a request that is %s is refused', async ([, value], {canaries}) => {
		canaries.plant(canary);
		expect(canaries.see(await refusal(value))).toBeInstanceOf(ConfigError);
	});

	test('a request with a misspelt field is refused, not sent without it', async ({canaries}) => {
		canaries.plant(canary);
		const error = canaries.see(await refusal({...refreshing, scopes: canary}));
		expect(error).toBeInstanceOf(ConfigError);
		expect(error).toMatchObject({message: expect.stringContaining('scopes')});
	});

	test('a request has the fields of its own alone [R39, R95]', async ({canaries}) => {
		const inherited = Object.create({scope: '/inherited', client_secret: canary}) as object;
		const asked = Object.assign(inherited, refreshing);
		expect(await parametersOf(asked as AuthTokenRequest)).toEqual({...refreshing, client_id: 'client'});
		const error = canaries.see(await refusal(Object.create(granting)));
		expect(error).toBeInstanceOf(ConfigError);
	});

	test('a request with a field called __proto__ pollutes nothing [R39]', async ({canaries}) => {
		const asked: unknown = JSON.parse('{"__proto__": {"grant_type": "client_credentials", "scope": "a"}}');
		expect(canaries.see(await refusal(asked))).toBeInstanceOf(ConfigError);
		expect({}).not.toHaveProperty('grant_type');
	});

	test('a request is not changed, and may be frozen', async () => {
		const asked = Object.freeze({...granting, client_secret: undefined});
		await parametersOf(asked);
		expect(asked).toEqual({...granting, client_secret: undefined});
	});
});

describe('AuthTokenRequest, as a schema of one’s own code,', () => {
	test.for<AuthTokenRequest>([
		granting,
		refreshing,
		{...granting, client_id: seedClient.clientId, client_secret: seedClient.secret},
		{...refreshing, scope: '/accounts.read', client_id: 'a', client_secret: 'b'},
		{grant_type: 'client_credentials', scope: null},
	])('AuthTokenRequest, as a schema of one’s own code, takes %j', request => {
		expect(v.safeParse(AuthTokenRequest, request)).toMatchObject({success: true, output: request});
		expect(v.is(AuthTokenRequest, request)).toBe(true);
	});

	test.for<readonly [what: string, value: unknown]>([
		['client_credentials without a scope', {grant_type: 'client_credentials'}],
		['refresh_token without a refresh token', {grant_type: 'refresh_token'}],
		['an empty refresh token', {...refreshing, refresh_token: ''}],
		['no grant type', {scope: 'a'}],
		['the password grant', {grant_type: 'password', username: 'a', password: canary}],
		['a scope with two spaces', {...granting, scope: `${canary}  b`}],
		['a secret with a line break', {...granting, client_secret: `${canary}\n`}],
		['an id beyond ASCII', {...granting, client_id: `${canary}é`}],
		['a refresh token with a line break', {...refreshing, refresh_token: `${canary}\r\n`}],
		['undefined', undefined],
		['a string', canary],
	])('AuthTokenRequest, as a schema of one’s own code, refuses %s, in messages without the value', ([, value]) => {
		const result = v.safeParse(AuthTokenRequest, value);
		expect(result.success).toBe(false);
		expect(result.issues?.map(({message}) => message).join('\n')).not.toContain(canary);
	});

	test('AuthTokenRequest tells the two grants apart for TypeScript', () => {
		const request: v.InferOutput<typeof AuthTokenRequest> = v.parse(AuthTokenRequest, refreshing);
		const token = request.grant_type === 'refresh_token' ? request.refresh_token : request.scope;
		expect(token).toBe(refreshing.refresh_token);
	});

	test('AuthTokenRequest, as a schema of one’s own code, is a Standard Schema', () => {
		expect(AuthTokenRequest['~standard'].validate(granting)).toMatchObject({value: granting});
	});
});

describe('RevokeTokenRequest, as a schema of one’s own code,', () => {
	test.for<RevokeTokenRequest>([
		{token: 'a'},
		{token: 'a', token_type_hint: 'access_token'},
		{token: 'a', token_type_hint: 'refresh_token', client_id: 'b', client_secret: 'c'},
	])('RevokeTokenRequest, as a schema of one’s own code, takes %j', request => {
		expect(v.safeParse(RevokeTokenRequest, request)).toMatchObject({success: true, output: request});
	});

	test.for<readonly [what: string, value: unknown]>([
		['no token', {token_type_hint: 'access_token'}],
		['an empty token', {token: ''}],
		['a token with a line break', {token: `${canary}\n`}],
		['an unknown hint', {token: 'a', token_type_hint: canary}],
		['a secret beyond ASCII', {token: 'a', client_secret: `${canary}é`}],
		['undefined', undefined],
	])('RevokeTokenRequest, as a schema of one’s own code, refuses %s, in messages without the value', ([, value]) => {
		const result = v.safeParse(RevokeTokenRequest, value);
		expect(result.success).toBe(false);
		expect(result.issues?.map(({message}) => message).join('\n')).not.toContain(canary);
	});
});
