import {inspect} from 'node:util';
import {describe, expect} from 'vitest';
import {
	type AuthOptions,
	ConfigError,
	customStore,
	type TokenClient,
	clientSecretBasic,
	clientSecretPost,
	createAuth,
	memoryStore,
	requestToken,
	revokeToken,
	tokenHeader,
} from '../../src/index.ts';
import {test} from '../support/test.ts';

const granting = {grant_type: 'client_credentials', scope: '/accounts.read'} as const;
const canary = 'canary-8Hn4wq';

/** Valid options, and a list of everything that is read or sent with them. */
function workable(): {readonly options: AuthOptions; readonly touched: string[]} {
	const touched: string[] = [];
	const note =
		<T>(what: string, value: T) =>
		(): T => {
			touched.push(what);
			return value;
		};
	const options: AuthOptions = {
		tokenEndpoint: 'https://as.example/token',
		revocationEndpoint: 'https://as.example/revoke',
		clientId: 'client',
		clientAuthentication: clientSecretBasic('secret'),
		allowSecretInBrowser: false,
		grant: note('grant', granting),
		encoding: 'form',
		allowInsecureOrigins: ['http://keycloak:8080', new URL('http://as.internal/')],
		issuer: 'https://as.example',
		authorizationEndpoint: 'https://as.example/authorize',
		deviceAuthorizationEndpoint: 'https://as.example/device',
		endSessionEndpoint: new URL('https://as.example/logout'),
		parameters: note('parameters', {audience: 'https://api.example', resource: ['urn:a', 'urn:b']}),
		headers: {'x-moov-version': 'v2024.01.00'},
		keep: ['id_token'],
		scheme: tokenHeader('x-amz-access-token'),
		isUnauthorized: note('isUnauthorized', false),
		requireToken: true,
		endsSession: note('endsSession', false),
		expiresIn: 'auto',
		tokenTypes: ['opaque'],
		origins: ['https://api.example', new URL('http://127.0.0.1:3000')],
		store: customStore({
			get: note('get', undefined),
			set: note('set', undefined),
			delete: note('delete', undefined),
		}),
		leeway: 30,
		timeout: 10_000,
		fetch: async () => note('fetch', Response.json({access_token: 'at', token_type: 'Bearer'}))(),
		waitUntil: note('waitUntil', undefined),
		now: note('now', 0),
	};
	return {options, touched};
}

const aFunction = (): string => canary;
const notFunctions = [canary, 42, true, null, {}, [], {call: aFunction}];

const notEndpoints = [
	canary,
	'',
	42,
	null,
	{},
	'http://as.example',
	`https://${canary}@as.example`,
	'https://as.example/#a',
];

/** Invalid values for every option. */
const wrong: Readonly<Record<keyof AuthOptions, readonly unknown[]>> = {
	tokenEndpoint: [
		canary,
		'',
		42,
		true,
		null,
		{},
		aFunction,
		`http://${canary}.example/`,
		`https://as.example/#${canary}`,
		`http://${canary}-localhost/`,
		['https://as.example/'],
		{toString: () => 'https://as.example/'},
	],
	revocationEndpoint: [
		canary,
		'',
		42,
		true,
		null,
		{},
		aFunction,
		`http://${canary}.example/`,
		['https://as.example/'],
		{href: 'https://as.example/'},
	],
	clientId: [
		'',
		42,
		true,
		null,
		{},
		[canary],
		aFunction,
		`${canary}\n`,
		`${canary}é`,
		`${canary}\0`,
		new URL('https://a/'),
	],
	clientAuthentication: [canary, 42, true, null, {}, [clientSecretBasic(canary)], {basic: canary}],
	allowSecretInBrowser: [canary, 1, 0, '', 'true', null, {}, []],
	grant: [
		canary,
		42,
		true,
		null,
		{},
		[granting],
		{grant_type: 'password', username: 'a', password: canary},
		{grant_type: 'client_credentials'},
		{grant_type: 'authorization_code', code: 42},
		{grant_type: 'authorization_code', code: {canary}},
		{grant_type: 'authorization_code', scope: `${canary}  b`},
		{grant_type: 'client_credentials', scope: `${canary}  b`},
		{grant_type: 'refresh_token', refresh_token: `${canary}\n`},
		{...granting, client_secret: `${canary}é`},
		{...granting, secret: canary},
		Promise.resolve(granting),
	],
	allowInsecureOrigins: [
		canary,
		'http://keycloak:8080',
		42,
		true,
		null,
		{},
		aFunction,
		[canary],
		[42],
		[null],
		['https://as.example'],
		['ws://as.example'],
		['//as.example'],
		[`http://${canary}@as.example`, `http://${canary} /`],
		new Set(['http://keycloak:8080']),
	],
	issuer: ['', 42, true, null, {}, [canary], aFunction, `${canary}\n`],
	authorizationEndpoint: notEndpoints,
	deviceAuthorizationEndpoint: notEndpoints,
	endSessionEndpoint: notEndpoints,
	// The fields of `metadata` are not checked, because only messages use them.
	metadata: [canary, 42, true, null, [canary], aFunction],
	parameters: [
		canary,
		42,
		true,
		null,
		[canary],
		{audience: 42},
		{audience: {canary}},
		{resource: [canary, 42]},
		{resource: [[canary]]},
		{scope: `${canary}  b`},
		{scope: [canary]},
		{grant_type: canary},
		{client_id: canary},
		{client_secret: canary},
		{client_assertion: canary},
		{client_assertion_type: canary},
		{refresh_token: canary},
		{token: canary},
		{token_type_hint: canary},
	],
	headers: [
		canary,
		42,
		true,
		null,
		[canary],
		[['x-a', canary]],
		{'x-a': 42},
		{'x-a': null},
		{'x-a': [canary]},
		{'x-a': `${canary}\nx-b: 1`},
		{'x-a': `${canary}€`},
		{'': canary},
		{'x a': canary},
		{authorization: canary},
		{Authorization: canary},
		{'Content-Type': canary},
	],
	keep: [canary, 'id_token', 42, true, null, {}, aFunction, [42], ['id_token', null], [[canary]]],
	scheme: [canary, 42, true, null, {}, [], aFunction, {header: 'x-a'}, {header: 'x-a', apply: canary}],
	isUnauthorized: notFunctions,
	requireToken: [canary, 1, 0, '', 'true', null, {}, []],
	endsSession: notFunctions,
	encoding: [canary, '', 'FORM', 'application/json', 42, true, null, {}, ['form']],
	expiresIn: [canary, '', 'AUTO', 42, true, null, {}, ['auto']],
	tokenTypes: [
		canary,
		'opaque',
		42,
		true,
		null,
		{},
		aFunction,
		[42],
		['opaque', null],
		['DPoP'],
		['opaque', 'dpop'],
		[[]],
	],
	// An entry that can never match is an error. Otherwise nobody would notice the mistake.
	origins: [
		[],
		['https://*.example.com'],
		canary,
		'https://api.example',
		42,
		true,
		null,
		{},
		[canary],
		[42],
		[null],
		['https://api.example', 'http://api.example'],
		['http://192.168.0.2'],
		['http://not-localhost'],
		[['https://api.example']],
		['ftp://api.example'],
		['/'],
		['//api.example'],
		['data:text/plain,x'],
		['javascript:1'],
		['file:///'],
		new Set(['https://api.example']),
	],
	store: [
		canary,
		42,
		true,
		null,
		{},
		[],
		memoryStore,
		{get: aFunction},
		{get: aFunction, set: aFunction},
		{get: aFunction, set: aFunction, delete: canary},
	],
	leeway: [canary, '30', -1, -7_654_321, Number.NaN, Number.POSITIVE_INFINITY, true, null, {}, [30]],
	timeout: [canary, '1000', 0, -1, -7_654_321, Number.NaN, Number.POSITIVE_INFINITY, true, null, {}, [1000]],
	fetch: notFunctions,
	waitUntil: notFunctions,
	now: [...notFunctions, new Date(0)],
};

const rows: readonly (readonly [what: string, name: string, value: unknown])[] = Object.entries(wrong).flatMap(
	([name, values]) =>
		values.map(value => [`${name}: ${inspect(value, {breakLength: Infinity})}`, name, value] as const),
);

describe('createAuth', () => {
	test('createAuth takes every option, and neither reads nor sends anything', () => {
		const {options, touched} = workable();
		expect(() => createAuth(options)).not.toThrow();
		expect(touched).toEqual([]);
	});

	test('createAuth needs only a token endpoint and a client id', () => {
		expect(() => createAuth({tokenEndpoint: 'https://as.example/token', clientId: 'client'})).not.toThrow();
	});

	test.for(['tokenEndpoint', 'clientId'] as const)('createAuth refuses to work without %s', name => {
		const {[name]: _, ...rest} = workable().options;
		expect(() => createAuth(rest as AuthOptions)).toThrow(ConfigError);
		expect(() => createAuth(rest as AuthOptions)).toThrow(name);
		expect(() => createAuth({...rest, [name]: undefined} as unknown as AuthOptions)).toThrow(name);
	});

	test.for(Object.keys(wrong).filter(name => name !== 'tokenEndpoint' && name !== 'clientId'))(
		'createAuth treats undefined for %s as left out',
		name => {
			const {options} = workable();
			expect(() => createAuth({...options, [name]: undefined})).not.toThrow();
		},
	);

	test.for(rows)('createAuth refuses %s', ([, name, value], {canaries}) => {
		canaries.plant(canary, 'option');
		canaries.plant('7654321', 'option');
		const {options, touched} = workable();
		let error: unknown;
		try {
			createAuth({...options, [name]: value});
		} catch (reason) {
			error = canaries.see(reason);
		}
		expect(error).toBeInstanceOf(ConfigError);
		expect(error).toMatchObject({code: 'invalid_options', retryable: false, message: expect.stringContaining(name)});
		expect(touched).toEqual([]);
	});

	test.for<readonly [options: object, message: string | RegExp]>([
		[{tokenEndpoint: undefined}, 'tokenEndpoint is required'],
		[{clientSecret: 'x'}, 'clientSecret is not an option: use clientAuthentication: clientSecretBasic(secret)'],
		[{client_secret: 'x'}, 'client_secret is not an option: use clientAuthentication: clientSecretBasic(secret)'],
		[{scope: 'a'}, 'scope is not an option: put it into grant'],
		[{audience: 'a'}, 'audience is not an option: use parameters'],
		[{resource: 'a'}, 'resource is not an option: use parameters'],
		[{grant: {grant_type: 'client_credentials'}}, /grant\.scope is required: .*null if the server has none/],
		[{grant: {...granting, audience: 'a'}}, 'grant.audience is not an option: use parameters'],
		[{tokenEndpoint: 'http://keycloak/token'}, 'allowInsecureOrigins'],
		[{origins: ['localhost:4101']}, 'origins[0] needs a scheme, as in https://api.example.com'],
		[{origins: []}, 'origins'],
		[{store: {get: aFunction, set: aFunction, delete: aFunction}}, 'customStore()'],
	])('createAuth says what to do about %j: %s', ([options, message]) => {
		expect(() => createAuth({...workable().options, ...options})).toThrow(message);
	});

	test.for([
		'clientID',
		'client_id',
		'clientSecret',
		'tokenURL',
		'token_endpoint',
		'origin',
		'leaway',
		'Fetch',
		'scope',
		'hooks',
		'',
	])('createAuth refuses an option that it does not know, and names it: %j', (name, {canaries}) => {
		canaries.plant(canary, 'option');
		const {options, touched} = workable();
		let error: unknown;
		try {
			createAuth({...options, [name]: canary});
		} catch (reason) {
			error = canaries.see(reason);
		}
		expect(error).toBeInstanceOf(ConfigError);
		expect(error).toMatchObject({message: expect.stringContaining(name)});
		expect(touched).toEqual([]);
	});

	test.for<readonly [what: string, value: unknown]>([
		['undefined', undefined],
		['null', null],
		['a string', canary],
		['a number', 42],
		['a function', aFunction],
		['an empty list', []],
		['an empty object', {}],
	])('createAuth refuses %s in place of options', ([, value], {canaries}) => {
		canaries.plant(canary, 'option');
		let error: unknown;
		try {
			createAuth(value as AuthOptions);
		} catch (reason) {
			error = canaries.see(reason);
		}
		expect(error).toBeInstanceOf(ConfigError);
	});

	test.for<readonly [name: keyof AuthOptions, values: readonly unknown[]]>([
		['leeway', [0, 0.5, 30, 86_400]],
		['timeout', [1, 50, 10_000, 600_000]],
		['tokenTypes', [[], ['opaque'], ['OPAQUE', 'token']]],
		[
			'origins',
			[
				['https://api.example'],
				[new URL('https://api.example/')],
				['http://localhost:3000', 'http://[::1]', 'http://api.localhost'],
				['http://keycloak:8080'],
				(url: URL) => url.hostname.endsWith('.example.com'),
			],
		],
		['encoding', ['form', 'json']],
		['expiresIn', ['auto', 'seconds', 'timestamp']],
		['allowSecretInBrowser', [true, false]],
		['clientId', ['a', ' ', '~', "we:ird %&+-_.!~*'()", 'a'.repeat(4096)]],
		[
			'grant',
			[
				granting,
				{grant_type: 'client_credentials', scope: null},
				() => granting,
				async () => granting,
				{grant_type: 'refresh_token', refresh_token: 'rt'},
				{grant_type: 'authorization_code', code: 'code', redirect_uri: 'https://app.example/'},
				{grant_type: 'urn:ietf:params:oauth:grant-type:token-exchange', resource: ['urn:a', 'urn:b']},
			],
		],
		[
			'parameters',
			[{}, {audience: 'a', resource: ['b', 'c'], scope: 'd e', left_out: undefined}, () => ({}), aFunction],
		],
		['headers', [{}, {'x-moov-version': 'v2024.01.00', Accept: 'application/vnd.api+json'}, new Headers({'x-a': 'b'})]],
		['keep', [[], ['id_token', 'instance_url']]],
		['scheme', [tokenHeader('authorization', 'Zoho-oauthtoken')]],
		['requireToken', [true, false]],
		['tokenEndpoint', ['http://keycloak:8080/token', 'http://as.localhost/token']],
		['store', [memoryStore()]],
	])('createAuth accepts this for %s: %j', ([name, values]) => {
		for (const value of values) {
			const {options} = workable();
			expect(() => createAuth({...options, [name]: value})).not.toThrow();
		}
	});

	test('createAuth refuses DPoP in tokenTypes, in any case [R22]', () => {
		for (const type of ['dpop', 'DPoP', 'DPOP', 'dPoP']) {
			expect(() => createAuth({...workable().options, tokenTypes: [type]})).toThrow(ConfigError);
		}
	});

	test('createAuth refuses two client authentications, at once or before anything is sent [R5]', async ({canaries}) => {
		canaries.plant(canary, 'client secret');
		for (const method of [clientSecretBasic('secret'), clientSecretPost('secret')]) {
			const {options, touched} = workable();
			const grant = {...granting, client_secret: canary};
			const start = async (): Promise<unknown> =>
				createAuth({...options, store: memoryStore(), clientAuthentication: method, grant}).getToken();
			expect(await canaries.rejection(start())).toBeInstanceOf(ConfigError);
			expect(touched).not.toContain('fetch');
		}
	});
});

describe('options', () => {
	test('options are copied: changing them afterwards has no effect', async () => {
		const sent: Request[] = [];
		const fetch = async (...given: Parameters<typeof globalThis.fetch>): Promise<Response> => {
			sent.push(new Request(...given));
			return Response.json({access_token: 'at', token_type: 'opaque'});
		};
		const tokenEndpoint = new URL('https://as.example/token');
		const tokenTypes = ['opaque'];
		const grant: {grant_type: 'client_credentials'; scope: string} = {...granting};
		const options: {-readonly [Name in keyof AuthOptions]: AuthOptions[Name]} = {
			tokenEndpoint,
			clientId: 'client',
			tokenTypes,
			grant,
			fetch,
		};
		const auth = createAuth(options);
		tokenEndpoint.pathname = '/changed';
		tokenTypes.pop();
		grant.scope = '/changed';
		options.clientId = 'changed';
		options.encoding = 'json';
		options.fetch = () => Promise.reject(new Error('changed'));
		await auth.getToken();
		expect(sent.map(({url}) => url)).toEqual(['https://as.example/token']);
		expect(Object.fromEntries(new URLSearchParams(await sent[0]?.text()))).toEqual({...granting, client_id: 'client'});
	});

	test('options are not changed, and may be frozen', async () => {
		const {options} = workable();
		const frozen = Object.freeze({
			...options,
			store: memoryStore(),
			origins: Object.freeze(['https://a']),
			headers: Object.freeze({'x-a': 'b'}),
			parameters: Object.freeze({resource: Object.freeze(['b', 'c'])}),
			keep: Object.freeze(['id_token']),
		});
		const before = {...frozen};
		const auth = createAuth(frozen);
		await auth.getToken();
		expect({...frozen}).toEqual(before);
	});

	test('options may have a store that is frozen', async () => {
		const auth = createAuth({...workable().options, store: Object.freeze(memoryStore())});
		await expect(auth.getToken()).resolves.toMatchObject({access_token: 'at'});
	});

	test('options are read as own properties [R95]', () => {
		const {options} = workable();
		expect(() => createAuth(Object.create(options) as AuthOptions)).toThrow(ConfigError);
		const inherited = Object.assign(Object.create({encoding: canary, tokenTypes: 42}) as object, options);
		expect(() => createAuth(inherited)).not.toThrow();
	});

	test('options may be an object without a prototype', () => {
		const {options} = workable();
		expect(() => createAuth(Object.assign<object, AuthOptions>(Object.create(null) as object, options))).not.toThrow();
	});

	test('an option called __proto__ pollutes nothing [R39]', () => {
		const options = JSON.parse(
			'{"tokenEndpoint": "https://as.example/", "clientId": "a", "__proto__": {"encoding": "json"}}',
		) as AuthOptions;
		expect(() => createAuth(options)).toThrow(ConfigError);
		expect({}).not.toHaveProperty('encoding');
	});

	test('the options of one client do not affect another [R86]', async () => {
		const made = ['a', 'b'].map(clientId => {
			const fetch = async (...given: Parameters<typeof globalThis.fetch>): Promise<Response> => {
				const parameters = new URLSearchParams(await new Request(...given).text());
				return Response.json({access_token: `at-${parameters.get('client_id')}`, token_type: 'Bearer'});
			};
			return createAuth({tokenEndpoint: 'https://as.example/token', clientId, grant: granting, fetch});
		});
		const tokens = await Promise.all(made.map(auth => auth.getToken()));
		expect(tokens.map(({access_token}) => access_token)).toEqual(['at-a', 'at-b']);
	});
});

describe('requestToken and revokeToken', () => {
	const names: readonly (keyof TokenClient)[] = [
		'tokenEndpoint',
		'revocationEndpoint',
		'clientId',
		'clientAuthentication',
		'encoding',
		'expiresIn',
		'tokenTypes',
		'timeout',
		'fetch',
	];
	const clientRows = rows.filter(([, name]) => names.some(known => known === name));

	test.for(clientRows)('requestToken and revokeToken refuse %s', async ([, name, value], {canaries}) => {
		canaries.plant(canary, 'option');
		canaries.plant('7654321', 'option');
		const {options, touched} = workable();
		const client: Record<string, unknown> = {};
		for (const known of names) client[known] = options[known];
		client[name] = value;
		for (const error of [
			await canaries.rejection(requestToken(client as unknown as TokenClient, granting)),
			await canaries.rejection(revokeToken(client as unknown as TokenClient, {token: 'rt'})),
		]) {
			expect(error).toBeInstanceOf(ConfigError);
			expect(error).toMatchObject({message: expect.stringContaining(name)});
		}
		expect(touched).toEqual([]);
	});

	test.for<unknown>([undefined, null, canary, 42, {}])(
		'requestToken and revokeToken refuse %j in place of a client',
		async (client, {canaries}) => {
			canaries.plant(canary, 'option');
			expect(await canaries.rejection(requestToken(client as TokenClient, granting))).toBeInstanceOf(ConfigError);
			expect(await canaries.rejection(revokeToken(client as TokenClient, {token: 'rt'}))).toBeInstanceOf(ConfigError);
		},
	);

	test('requestToken and revokeToken refuse an option that they do not know', async ({canaries}) => {
		canaries.plant(canary, 'option');
		const client = {tokenEndpoint: 'https://as.example/token', clientId: 'client', client_secret: canary};
		const error = await canaries.rejection(requestToken(client, granting));
		expect(error).toMatchObject({name: 'ConfigError', message: expect.stringContaining('client_secret')});
	});
});

describe('what every object inherits has no effect on a request [F-93, R95]', () => {
	const evil = {
		clientSecret: canary,
		client_secret: canary,
		client_id: canary,
		clientAuthentication: () => {
			throw new Error(canary);
		},
		allowSecretInBrowser: true,
		encoding: 'json',
		expiresIn: 'timestamp',
		tokenTypes: ['mac'],
		timeout: 1,
		fetch: () => Promise.reject(new Error(canary)),
		store: {},
		origins: ['https://evil.example'],
		grant: {grant_type: 'client_credentials', scope: canary},
		headers: {'x-evil': canary},
		method: 'PUT',
		body: canary,
		redirect: 'follow',
		credentials: 'include',
		cache: 'no-store',
		mode: 'no-cors',
		integrity: canary,
		referrer: 'https://evil.example',
		keepalive: true,
		retry: 5,
		scope: canary,
		refresh_token: canary,
		revocationEndpoint: 'https://evil.example/',
	};
	/** The members that the platform would read from an init, own or inherited. */
	const memberNames = [
		'body',
		'cache',
		'credentials',
		'integrity',
		'keepalive',
		'method',
		'mode',
		'redirect',
		'referrer',
	];

	/** Makes one token request. Returns what was sent, and the result. */
	async function exchange(): Promise<unknown> {
		const sent: unknown[] = [];
		const fetch = async (input: unknown, init: RequestInit = {}): Promise<Response> => {
			const headers = [...new Headers(init.headers)];
			sent.push([input, headers, memberNames.map(name => Reflect.get(init, name) as unknown)]);
			return Response.json({access_token: 'at', token_type: 'Bearer', expires_in: 60});
		};
		const client = {tokenEndpoint: 'https://as.example/token', clientId: 'client', fetch, now: () => 0};
		const token = await requestToken(client, granting);
		return {sent, token: {...token}};
	}

	async function polluted<T>(enumerable: boolean, task: () => Promise<T>): Promise<T> {
		const root: object = Object.prototype;
		for (const [name, value] of Object.entries(evil)) {
			Object.defineProperty(root, name, {value, configurable: true, enumerable, writable: true});
		}
		try {
			return await task();
		} finally {
			for (const name of Object.keys(evil)) Reflect.deleteProperty(root, name);
		}
	}

	test.for([
		['out of sight', false],
		['by assignment', true],
	] as const)('%s', async ([, enumerable]) => {
		const clean = await exchange();
		expect(await polluted(enumerable, exchange)).toEqual(clean);
	});
});
