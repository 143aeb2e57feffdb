import * as fc from 'fast-check';
import {describe, expect, vi} from 'vitest';
import {
	type AuthTokenRequest,
	type ClientAuthentication,
	type ClientAuthenticationContext,
	ConfigError,
	OAuthError,
	type TokenClient,
	clientSecretBasic,
	clientSecretPost,
	createAuth,
	none,
	requestToken,
} from '../../src/index.ts';
import {app, awkward, service, servicePost} from '../support/authorization-server.ts';
import {accountScopes} from '../support/clients.ts';
import {seedClient} from '../support/seed-vault.ts';
import {test} from '../support/test.ts';

const request = {grant_type: 'client_credentials', scope: accountScopes} as const;

/** What a captured request says about the client. */
interface Seen {
	readonly authorization: string | undefined;
	readonly body: Readonly<Record<string, string>>;
}

/** A client whose token endpoint grants every request, and records it. */
function staged(options: Partial<TokenClient> = {}): {readonly client: TokenClient; readonly seen: Seen[]} {
	const seen: Seen[] = [];
	const client: TokenClient = {
		tokenEndpoint: 'https://as.example/token',
		clientId: 'client',
		fetch: async (input, init) => {
			const sent = new Request(input, init);
			const text = await sent.text();
			seen.push({
				authorization: sent.headers.get('authorization') ?? undefined,
				body: options.encoding === 'json' ? JSON.parse(text) : Object.fromEntries(new URLSearchParams(text)),
			});
			return Response.json({access_token: 'at', token_type: 'Bearer'});
		},
		...options,
	};
	return {client, seen};
}

/** The request that a client with these options sends. */
async function sent(options: Partial<TokenClient>, asked: AuthTokenRequest = request): Promise<Seen | undefined> {
	const {client, seen} = staged(options);
	await requestToken(client, asked);
	return seen[0];
}

const basic = (id: string, secret: string): string => `Basic ${btoa(`${id}:${secret}`)}`;
const plainSecret = 'dNC-hg7sVm22jc3g_Eogtyu0_1Mqh_4-';

describe('clientSecretBasic', () => {
	test('clientSecretBasic form-encodes id and secret, so that a real server takes the most awkward ones [R2]', async ({
		server,
	}) => {
		const {clientId, secret} = awkward;
		const client = {
			tokenEndpoint: server.tokenEndpoint,
			clientId,
			clientAuthentication: clientSecretBasic(secret),
		};
		const token = await requestToken(client, request);
		expect(token).toMatchObject({access_token: expect.any(String), scope: accountScopes});
		expect(server.tokenRequests).toHaveLength(1);
		expect(await server.isActive(token.access_token)).toBe(true);
	});

	test('clientSecretBasic form-encodes for Moov’s API too [R2]', async ({seedApi}) => {
		const client = {
			tokenEndpoint: seedApi.tokenEndpoint,
			clientId: seedClient.clientId,
			clientAuthentication: clientSecretBasic(seedClient.secret),
		};
		await expect(requestToken(client, request)).resolves.toMatchObject({scope: accountScopes});
	});

	test('clientSecretBasic with `raw` encodes nothing, which a server that decodes refuses [R2]', async ({
		server,
		canaries,
	}) => {
		const secret = '50%zz-canary-4Hq8';
		canaries.plant(secret, 'client secret');
		const client = (encoding?: 'raw'): TokenClient => ({
			tokenEndpoint: server.tokenEndpoint,
			clientId: service.clientId,
			clientAuthentication: clientSecretBasic(secret, encoding && {encoding}),
		});
		const raw = await canaries.rejection(requestToken(client('raw'), request));
		expect(raw).toMatchObject({error: 'invalid_request', status: 400});
		const encoded = await canaries.rejection(requestToken(client(), request));
		expect(encoded).toMatchObject({error: 'invalid_client', status: 401});
		expect(server.tokenRequests.map(({headers}) => headers['authorization'])).toEqual([
			basic(service.clientId, secret),
			basic(service.clientId, '50%25zz-canary-4Hq8'),
		]);
	});

	test('clientSecretBasic encodes as a form does, over UTF-8, with a plus for a space [R3]', async () => {
		const headers = new Headers();
		await clientSecretBasic('secret')({
			clientId: ' %&+£€',
			tokenEndpoint: 'https://as.example/token',
			parameters: new URLSearchParams(),
			headers,
		});
		expect(headers.get('authorization')).toBe(basic('+%25%26%2B%C2%A3%E2%82%AC', 'secret'));
	});

	test.for([
		['the default', undefined],
		['raw', {encoding: 'raw'} as const],
	] as const)('clientSecretBasic leaves * - . _ as they are: %s [R4]', async ([, options]) => {
		const clientId = 'a*b-c.d_e';
		const seen = await sent({clientId, clientAuthentication: clientSecretBasic(plainSecret, options)});
		expect(seen?.authorization).toBe(basic(clientId, plainSecret));
	});

	test('clientSecretBasic encodes every other character [R2]', async () => {
		const {clientId, secret} = awkward;
		const seen = await sent({clientId, clientAuthentication: clientSecretBasic(secret)});
		expect(seen?.authorization).toBe(
			basic('we%3Aird+%25%26%2B-_.%21%7E*%27%28%29', 's3%3Acr+et%25%26%2B%3D%2F%3F%23-_.%21%7E*%27%28%29'),
		);
	});

	test('clientSecretBasic with `raw` sends id and secret as they are [R2]', async () => {
		const clientId = 'a b%&+';
		const seen = await sent({clientId, clientAuthentication: clientSecretBasic(awkward.secret, {encoding: 'raw'})});
		expect(seen?.authorization).toBe(basic(clientId, awkward.secret));
	});

	test('clientSecretBasic with `raw` refuses an id with a colon, where nobody could tell the id from the secret [R4]', async ({
		canaries,
	}) => {
		canaries.plant(awkward.secret, 'client secret');
		const {client, seen} = staged({
			clientId: awkward.clientId,
			clientAuthentication: clientSecretBasic(awkward.secret, {encoding: 'raw'}),
		});
		const error = await canaries.rejection(requestToken(client, request));
		expect(error).toBeInstanceOf(ConfigError);
		expect(() => createAuth(client)).toThrow(ConfigError);
		expect(seen).toEqual([]);
	});

	test('clientSecretBasic with `raw` takes a secret with a colon [R4]', async () => {
		const seen = await sent({clientAuthentication: clientSecretBasic('a:b:c', {encoding: 'raw'})});
		expect(seen?.authorization).toBe(basic('client', 'a:b:c'));
	});

	test.for(['form', 'base64', '', true, 1])('clientSecretBasic knows no encoding but `raw`, and not %j', encoding => {
		const make = (): unknown =>
			createAuth({
				...staged().client,
				clientAuthentication: clientSecretBasic(plainSecret, {encoding: encoding as 'raw'}),
			});
		expect(make).toThrow(ConfigError);
	});

	test.for(['form', 'json'] as const)(
		'clientSecretBasic puts nothing of the client in a %s body [R5]',
		async encoding => {
			const seen = await sent({encoding, clientAuthentication: clientSecretBasic(plainSecret)});
			expect(seen?.body).toEqual(request);
		},
	);

	test('clientSecretBasic round-trips any printable id and secret through the decoder of RFC 6749 appendix B [R2, R12]', async () => {
		const printable = fc.string({unit: 'grapheme-ascii', minLength: 1, maxLength: 40});
		const decode = (text: string): string => decodeURIComponent(text.replaceAll('+', ' '));
		await fc.assert(
			fc.asyncProperty(printable, printable, async (clientId, secret) => {
				const seen = await sent({clientId, clientAuthentication: clientSecretBasic(secret)});
				const [scheme, credentials = ''] = seen?.authorization?.split(' ') ?? [];
				expect([scheme, ...atob(credentials).split(':').map(decode)]).toEqual(['Basic', clientId, secret]);
			}),
			{numRuns: 200},
		);
	});

	test('clientSecretBasic with `raw` round-trips any printable id without a colon, and any printable secret [R2]', async () => {
		const printable = fc.string({unit: 'grapheme-ascii', minLength: 1, maxLength: 40});
		const id = printable.filter(text => !text.includes(':'));
		await fc.assert(
			fc.asyncProperty(id, printable, async (clientId, secret) => {
				const seen = await sent({clientId, clientAuthentication: clientSecretBasic(secret, {encoding: 'raw'})});
				expect(seen?.authorization).toBe(basic(clientId, secret));
			}),
			{numRuns: 200},
		);
	});
});

describe('clientSecretPost', () => {
	test('clientSecretPost puts id and secret in the body, and nothing in a header [R5]', async ({server}) => {
		const {clientId, secret} = servicePost;
		const client = {
			tokenEndpoint: server.tokenEndpoint,
			clientId,
			clientAuthentication: clientSecretPost(secret),
		};
		await expect(requestToken(client, request)).resolves.toMatchObject({scope: accountScopes});
		const [{headers, parameters} = {headers: {}, parameters: new URLSearchParams()}] = server.tokenRequests;
		expect(headers).not.toHaveProperty('authorization');
		expect(Object.fromEntries(parameters)).toEqual({...request, client_id: clientId, client_secret: secret});
	});

	test('clientSecretPost puts them in a JSON body too [R1]', async ({seedApi}) => {
		const {clientId, secret} = seedClient;
		const client = {
			tokenEndpoint: seedApi.tokenEndpoint,
			clientId,
			clientAuthentication: clientSecretPost(secret),
			encoding: 'json',
		} as const;
		await expect(requestToken(client, request)).resolves.toMatchObject({scope: accountScopes});
		expect(seedApi.tokenRequests).toMatchObject([
			{status: 200, parameters: {...request, client_id: clientId, client_secret: secret}},
		]);
		expect(seedApi.tokenRequests[0]?.headers).not.toHaveProperty('authorization');
	});

	test.for(['form', 'json'] as const)(
		'clientSecretPost round-trips any printable id and secret in a %s body [R12]',
		async encoding => {
			const printable = fc.string({unit: 'grapheme-ascii', minLength: 1, maxLength: 40});
			await fc.assert(
				fc.asyncProperty(printable, printable, async (clientId, secret) => {
					const seen = await sent({encoding, clientId, clientAuthentication: clientSecretPost(secret)});
					expect(seen).toEqual({
						authorization: undefined,
						body: {...request, client_id: clientId, client_secret: secret},
					});
				}),
				{numRuns: 100},
			);
		},
	);
});

describe('none', () => {
	test.for<[string, {clientAuthentication?: ClientAuthentication}]>([
		['given', {clientAuthentication: none()}],
		['left out, since it is the default', {}],
	])('none sends the id in the body and no proof at all: %s [R14]', async ([, given], {server}) => {
		const {refresh_token, access_token} = await server.mint();
		const client = {tokenEndpoint: server.tokenEndpoint, clientId: app.clientId, ...given};
		const token = await requestToken(client, {grant_type: 'refresh_token', refresh_token});
		expect(token.access_token).not.toBe(access_token);
		const [{headers, parameters} = {headers: {}, parameters: new URLSearchParams()}] = server.tokenRequests;
		expect(headers).not.toHaveProperty('authorization');
		expect(Object.fromEntries(parameters)).toEqual({
			grant_type: 'refresh_token',
			refresh_token,
			client_id: app.clientId,
		});
	});
});

describe('a secret', () => {
	const factories = {clientSecretBasic, clientSecretPost};
	const badSecrets: readonly unknown[] = [
		'',
		'canary-6Tz1\r\nx-evil: 1',
		'canary-6Tz1\n',
		'canary-6Tz1\0',
		'canary-6Tz1\t',
		'canary-6Tz1-é',
		'canary-6Tz1-€',
		'canary-6Tz1\x7F',
		'\ncanary-6Tz1',
		undefined,
		null,
		42,
		['canary-6Tz1'],
		{secret: 'canary-6Tz1'},
	];
	const rows = Object.entries(factories).flatMap(([name, factory]) =>
		badSecrets.map(secret => ({name, factory, secret: secret as string, shown: JSON.stringify(secret)})),
	);
	test.for(rows)(
		'a secret of $name that is $shown is refused and not shown [R12, R94]',
		async ({factory, secret}, {canaries}) => {
			canaries.plant('canary-6Tz1', 'client secret');
			const {client, seen} = staged();
			const ask = async (): Promise<unknown> =>
				requestToken({...client, clientAuthentication: factory(secret)}, request);
			expect(await canaries.rejection(ask())).toBeInstanceOf(ConfigError);
			const create = async (): Promise<unknown> => createAuth({...client, clientAuthentication: factory(secret)});
			expect(await canaries.rejection(create())).toBeInstanceOf(ConfigError);
			expect(seen).toEqual([]);
		},
	);
});

test.for([
	['clientSecretBasic', clientSecretBasic],
	['clientSecretPost', clientSecretPost],
] as const)(
	'%s says that its secret is undefined, as if its environment variable is not set',
	async ([name, factory]) => {
		const client = {...staged().client, clientAuthentication: factory(undefined as unknown as string)};
		await expect(requestToken(client, request)).rejects.toThrow(`${name}(secret): secret is undefined`);
		expect(() => createAuth(client)).toThrow(`${name}(secret): secret is undefined`);
		const other = {...client, clientAuthentication: factory('canary\n')};
		await expect(requestToken(other, request)).rejects.toThrow(`${name}(secret): secret must be printable ASCII`);
	},
);

describe('a client that would authenticate twice [R5]', () => {
	const client_secret = 'canary-Lw5e-in-the-request';
	const twice: readonly (readonly [what: string, method: ClientAuthentication, asked: AuthTokenRequest])[] = [
		['by Basic and by client_secret in the request', clientSecretBasic(plainSecret), {...request, client_secret}],
		[
			'by Basic and by client_id and client_secret in the request',
			clientSecretBasic(plainSecret),
			{...request, client_id: 'client', client_secret},
		],
		[
			'by raw Basic and by client_secret in the request',
			clientSecretBasic(plainSecret, {encoding: 'raw'}),
			{...request, client_secret},
		],
		['by a post and by another client_secret', clientSecretPost(plainSecret), {...request, client_secret}],
		[
			'by an assertion and by client_secret in the request',
			({parameters}) => parameters.set('client_assertion', 'assertion'),
			{...request, client_secret},
		],
		[
			'by a header and a secret of its own function',
			({parameters, headers}) => {
				headers.set('authorization', 'Basic eDp5');
				parameters.set('client_secret', plainSecret);
			},
			request,
		],
		[
			'by a header and an assertion of its own function',
			({parameters, headers}) => {
				headers.set('authorization', 'Basic eDp5');
				parameters.set('client_assertion', 'assertion');
			},
			request,
		],
	];

	test.for(twice)('%s: requestToken sends nothing', async ([, clientAuthentication, asked], {canaries}) => {
		canaries.plant(client_secret, 'client secret');
		canaries.plant(plainSecret, 'client secret');
		const {client, seen} = staged({clientAuthentication});
		expect(await canaries.rejection(requestToken(client, asked))).toBeInstanceOf(ConfigError);
		expect(seen).toEqual([]);
	});

	test.for(twice)('%s: a session sends nothing', async ([, clientAuthentication, grant], {canaries, watch}) => {
		canaries.plant(client_secret, 'client secret');
		canaries.plant(plainSecret, 'client secret');
		const {client, seen} = staged({clientAuthentication});
		const start = async (): Promise<unknown> => watch(createAuth({...client, grant})).getToken();
		expect(await canaries.rejection(start())).toBeInstanceOf(ConfigError);
		expect(seen).toEqual([]);
	});
});

describe('a client authentication of one’s own', () => {
	/** A `private_key_jwt` without a signature. */
	function assertions(): {readonly method: ClientAuthentication; readonly made: string[]} {
		const made: string[] = [];
		const method: ClientAuthentication = async ({parameters}) => {
			await Promise.resolve();
			const assertion = `assertion-${crypto.randomUUID()}`;
			made.push(assertion);
			parameters.set('client_assertion_type', 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer');
			parameters.set('client_assertion', assertion);
		};
		return {method, made};
	}

	test.for(['form', 'json'] as const)(
		'a client authentication of one’s own adds to a %s body, and may take its time',
		async encoding => {
			const {method, made} = assertions();
			const seen = await sent({encoding, clientAuthentication: method});
			expect(seen?.body).toEqual({
				...request,
				client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
				client_assertion: made[0],
			});
		},
	);

	test('a client authentication of one’s own adds to the headers', async () => {
		const seen = await sent({clientAuthentication: async ({headers}) => headers.set('authorization', 'Custom abc')});
		expect(seen?.authorization).toBe('Custom abc');
	});

	test.for(['form', 'json'] as const)(
		'a client authentication of one’s own is told the client, the endpoint and the request, with a %s body',
		async encoding => {
			const contexts: ClientAuthenticationContext[] = [];
			const clientAuthentication: ClientAuthentication = context => void contexts.push(context);
			await sent({encoding, tokenEndpoint: new URL('https://as.example/token?tenant=a'), clientAuthentication});
			expect(contexts).toMatchObject([{clientId: 'client', tokenEndpoint: 'https://as.example/token?tenant=a'}]);
			expect(contexts[0]?.parameters).toBeInstanceOf(URLSearchParams);
			expect(Object.fromEntries(contexts[0]?.parameters ?? [])).toEqual(request);
			expect(contexts[0]?.headers).toBeInstanceOf(Headers);
		},
	);

	test('a client authentication of one’s own is asked anew for each request [R110]', async () => {
		const {method, made} = assertions();
		const {client, seen} = staged({clientAuthentication: method});
		await requestToken(client, request);
		await requestToken(client, request);
		expect(made).toHaveLength(2);
		expect(seen.map(({body}) => body['client_assertion'])).toEqual(made);
	});

	test('a client authentication of one’s own is asked anew for each grant of a session [R110]', async ({watch}) => {
		const {method, made} = assertions();
		const {client, seen} = staged({clientAuthentication: method});
		const auth = watch(createAuth({...client, grant: request}));
		await auth.refresh();
		await auth.refresh();
		expect(made).toHaveLength(2);
		expect(seen.map(({body}) => body['client_assertion'])).toEqual(made);
	});

	test.for<readonly [what: string, method: ClientAuthentication]>([
		['overrides the grant type', ({parameters}) => parameters.set('grant_type', 'password')],
		['overrides the scope', ({parameters}) => parameters.set('scope', '/everything')],
		['repeats the grant type', ({parameters}) => parameters.append('grant_type', 'client_credentials')],
		['repeats a name of its own', ({parameters}) => ['a', 'b'].forEach(value => parameters.append('resource', value))],
		['takes the grant type away', ({parameters}) => parameters.delete('grant_type')],
	])(
		'a client authentication of one’s own may not touch a parameter of the request: one that %s [R11]',
		async ([, clientAuthentication], {canaries}) => {
			const {client, seen} = staged({clientAuthentication});
			expect(await canaries.rejection(requestToken(client, request))).toBeInstanceOf(ConfigError);
			expect(seen).toEqual([]);
		},
	);
});

describe('a wrong secret [R7]', () => {
	test.for<readonly [what: string, method: ClientAuthentication]>([
		['by Basic', clientSecretBasic('wrong-canary-9Yb3')],
		['by a post', clientSecretPost('wrong-canary-9Yb3')],
	])('%s is sent once, and no other method is tried', async ([, clientAuthentication], {server, canaries}) => {
		canaries.plant('wrong-canary-9Yb3', 'client secret');
		const client = {tokenEndpoint: server.tokenEndpoint, clientId: service.clientId, clientAuthentication};
		const error = await canaries.rejection(requestToken(client, request));
		expect(error).toBeInstanceOf(OAuthError);
		expect(error).toMatchObject({error: 'invalid_client', status: 401, retryable: false});
		expect(server.tokenRequests).toHaveLength(1);
	});
});

describe('the message of invalid_client', () => {
	const base64Secret = 'Zm9v+YmFyL/canary==';

	/** The error of a token request with this response. */
	async function refused(options: Partial<TokenClient>, answer: Response): Promise<unknown> {
		return requestToken({...staged().client, ...options, fetch: async () => answer}, request).then(
			() => undefined,
			(error: unknown) => error,
		);
	}
	const invalidClient = (): Response => Response.json({error: 'invalid_client'}, {status: 401});

	test.for<readonly [what: string, options: Partial<TokenClient>]>([
		['a secret like base64', {clientAuthentication: clientSecretBasic(base64Secret)}],
		['an id with a colon', {clientId: 'urn:client', clientAuthentication: clientSecretBasic(plainSecret)}],
		['a secret with a space', {clientAuthentication: clientSecretBasic('a canary secret')}],
	])(
		'the message of invalid_client says that the server may not decode, with %s [R2, R4]',
		async ([, options], {canaries}) => {
			canaries.plant(base64Secret, 'client secret');
			canaries.plant('a canary secret', 'client secret');
			const challenge = new Response(null, {status: 401, headers: {'www-authenticate': 'Basic realm="as"'}});
			for (const answer of [invalidClient(), challenge]) {
				const error = canaries.see(await refused(options, answer));
				expect(error).toMatchObject({name: 'OAuthError', error: 'invalid_client'});
				const {message} = error as Error;
				for (const text of ['Encoding changed', "{encoding: 'raw'}", 'clientSecretPost'])
					expect(message).toContain(text);
			}
		},
	);

	test.for<readonly [what: string, options: Partial<TokenClient>, answer: () => Response]>([
		['an encoding that changed nothing', {clientAuthentication: clientSecretBasic(plainSecret)}, invalidClient],
		[
			'`raw`, which encodes nothing',
			{clientAuthentication: clientSecretBasic(base64Secret, {encoding: 'raw'})},
			invalidClient,
		],
		['a post', {clientAuthentication: clientSecretPost(base64Secret)}, invalidClient],
		['no secret', {}, invalidClient],
		[
			'another error',
			{clientAuthentication: clientSecretBasic(base64Secret)},
			() => Response.json({error: 'invalid_scope'}, {status: 400}),
		],
	])('the message of invalid_client says nothing of that with %s [R4]', async ([, options, answer], {canaries}) => {
		canaries.plant(base64Secret, 'client secret');
		const error = canaries.see(await refused(options, answer()));
		expect(error).toBeInstanceOf(OAuthError);
		expect((error as Error).message).not.toMatch(/raw|clientSecretPost/);
	});

	test('the message of invalid_client is right: a server that does not decode takes the raw secret, and not the encoded one [R4]', async () => {
		const fetch: typeof globalThis.fetch = async (input, init) => {
			const sent = new Request(input, init).headers.get('authorization');
			return sent === basic('client', base64Secret)
				? Response.json({access_token: 'at', token_type: 'Bearer'})
				: invalidClient();
		};
		const client = (encoding?: 'raw'): TokenClient => ({
			...staged().client,
			clientAuthentication: clientSecretBasic(base64Secret, encoding && {encoding}),
			fetch,
		});
		await expect(requestToken(client(), request)).rejects.toThrow(/raw/);
		await expect(requestToken(client('raw'), request)).resolves.toMatchObject({access_token: 'at'});
	});
});

describe('in a browser [R13, F-130]', () => {
	const places: Readonly<Record<string, Readonly<Record<string, unknown>>>> = {
		'a page': {document: {}},
		'a worker': {
			WorkerLocation: () => {},
			WorkerGlobalScope: () => {},
			navigator: {userAgent: 'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 Chrome/156.0.0.0 Safari/537.36'},
		},
	};
	const methods: readonly (readonly [what: string, options: Partial<TokenClient>, asked: AuthTokenRequest])[] = [
		['a secret for Basic', {clientAuthentication: clientSecretBasic(plainSecret)}, request],
		['a secret for raw Basic', {clientAuthentication: clientSecretBasic(plainSecret, {encoding: 'raw'})}, request],
		['a secret for the body', {clientAuthentication: clientSecretPost(plainSecret)}, request],
		['a secret in the request', {}, {...request, client_secret: plainSecret}],
	];
	const rows = Object.entries(places).flatMap(([place, globals]) =>
		methods.map(([what, options, asked]) => ({place, globals, what, options, asked})),
	);

	/** Runs the task with the globals of a browser. */
	async function within<T>(globals: Readonly<Record<string, unknown>>, task: () => Promise<T>): Promise<T> {
		for (const [name, value] of Object.entries(globals)) vi.stubGlobal(name, value);
		try {
			return await task();
		} finally {
			vi.unstubAllGlobals();
		}
	}

	test.for(rows)('$what is refused: $place', async ({globals, options, asked}, {canaries}) => {
		canaries.plant(plainSecret, 'client secret');
		const {client, seen} = staged(options);
		const error = await within(globals, async () => canaries.rejection(requestToken(client, asked)));
		expect(error).toBeInstanceOf(ConfigError);
		expect(seen).toEqual([]);
	});

	test.for(rows)('$what is refused by a session too: $place', async ({globals, options, asked}, {canaries, watch}) => {
		canaries.plant(plainSecret, 'client secret');
		const {client, seen} = staged(options);
		const start = async (): Promise<unknown> => watch(createAuth({...client, grant: () => asked})).getToken();
		const error = await within(globals, async () => canaries.rejection(start()));
		expect(error).toBeInstanceOf(ConfigError);
		expect(seen).toEqual([]);
	});

	test.for(rows)('$what is refused when the session is created: $place', ({globals, options, asked}) =>
		within(globals, async () => {
			expect(() => createAuth({...staged(options).client, grant: asked})).toThrow(ConfigError);
		}),
	);

	test.for(rows)('$what passes with allowSecretInBrowser: $place', async ({globals, options, asked}) => {
		const {client, seen} = staged({...options, allowSecretInBrowser: true});
		await within(globals, () => requestToken(client, asked));
		await within(globals, () => createAuth({...client, grant: asked}).getToken());
		expect(seen).toHaveLength(2);
	});

	test.for(rows)('$what is refused with allowSecretInBrowser: false: $place', async ({globals, options, asked}) => {
		const {client} = staged({...options, allowSecretInBrowser: false});
		await within(globals, () => expect(requestToken(client, asked)).rejects.toThrow(ConfigError));
	});

	test.for(Object.entries(places))('a client without a secret passes: %s', async ([, globals]) => {
		const {client, seen} = staged();
		await within(globals, () => requestToken(client, request));
		await within(globals, () => createAuth({...client, grant: request}).getToken());
		expect(seen).toHaveLength(2);
	});

	test.for(methods)('on a server, %s passes', async ([, options, asked]) => {
		expect(await sent(options, asked)).toBeDefined();
	});
});
