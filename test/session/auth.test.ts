import {execFile} from 'node:child_process';
import {promisify} from 'node:util';
import ky from 'ky';
import {describe, expect} from 'vitest';
import {clientSecretBasic, ConfigError, createAuth, memoryStore, SessionEndedError} from '../../src/index.ts';
import {
	appOptions,
	createClock,
	createGate,
	expired,
	gist,
	record,
	serviceGrant,
	serviceOptions,
	signIn,
} from '../support/scenario.ts';
import {app, service} from '../support/authorization-server.ts';
import {test} from '../support/test.ts';

test.override('serverOptions', {accessTokenSeconds: 60});

describe('createAuth', () => {
	const right = {tokenEndpoint: 'https://as.example/token', clientId: 'app'};

	test.for<[title: string, options: object]>([
		['no tokenEndpoint', {tokenEndpoint: undefined}],
		['a relative tokenEndpoint', {tokenEndpoint: '/token'}],
		['a fragment (R8)', {tokenEndpoint: 'https://as.example/token#x'}],
		['userinfo (R8)', {tokenEndpoint: 'https://user:hunter2hunter2@as.example/token'}],
		['http beyond loopback (R9)', {tokenEndpoint: 'http://as.example/token'}],
		['a name that begins like loopback (R9)', {tokenEndpoint: 'http://localhost.evil.example/token'}],
		['an address of the local net (R9)', {tokenEndpoint: 'http://192.168.0.2/token'}],
		['http beyond loopback for revocation (R9)', {revocationEndpoint: 'http://as.example/revoke'}],
		['no clientId', {clientId: undefined}],
		['a clientId with a line break (R12)', {clientId: 'a\r\nhunter2hunter2'}],
		['a secret that is not ASCII (R12)', {clientAuthentication: clientSecretBasic('hunter2hunter2é')}],
		['http beyond loopback in origins (F-131)', {origins: ['http://api.example']}],
		['an origin that is no URL', {origins: ['api.example']}],
		['client_credentials without scope (R10)', {grant: {grant_type: 'client_credentials'}}],
		['a scope with two spaces (R10)', {grant: {grant_type: 'client_credentials', scope: 'a  b'}}],
		['the password grant (R111)', {grant: {grant_type: 'password', username: 'a', password: 'hunter2hunter2'}}],
		['dpop as a token type (R22)', {tokenTypes: ['DPoP']}],
		['a negative leeway', {leeway: -1}],
		['a leeway that is no number', {leeway: Number.NaN}],
		['no timeout at all', {timeout: 0}],
		['a store that is not one of regrant’s', {store: {get() {}, set() {}, delete() {}}}],
		['an option that it does not know', {tokenEndPoint: 'https://as.example'}],
	])('createAuth refuses %s before any I/O', ([, options], {canaries}) => {
		canaries.plant('hunter2hunter2');
		let error: unknown;
		try {
			createAuth({...right, fetch: () => Promise.reject(new Error('I/O')), ...options});
		} catch (thrown) {
			error = canaries.see(thrown);
		}
		expect(error).toBeInstanceOf(ConfigError);
		expect(error).toMatchObject({name: 'ConfigError', code: 'invalid_options', retryable: false});
	});

	test.for(['http://127.0.0.1:1/token', 'http://[::1]/token', 'http://localhost/token?tenant=a'])(
		'createAuth takes %s, since nobody else listens on loopback [R9]',
		tokenEndpoint => {
			expect(() => createAuth({...right, tokenEndpoint})).not.toThrow();
		},
	);

	test('createAuth reads and sends nothing before it is used', async ({server}) => {
		const touched: string[] = [];
		const touch = (name: string) => (): undefined => void touched.push(name);
		createAuth(
			serviceOptions(server, {
				fetch: async () => Promise.reject(new Error('used')),
				store: {get: touch('get'), set: touch('set'), delete: touch('delete'), subscribe: () => touch('subscribe')},
				now: () => touched.push('now'),
			}),
		);
		expect(touched).toEqual([]);
	});

	test('createAuth reads its options once: what is done to them later changes nothing', async ({server, watch}) => {
		const options = {...serviceOptions(server), origins: [server.api]};
		const auth = watch(createAuth(options));
		Object.assign(options, {tokenEndpoint: 'http://127.0.0.1:1/', clientId: 'other', grant: undefined});
		options.origins.length = 0;
		expect((await auth.fetch(`${server.api}/me`)).status).toBe(200);
	});
});

describe('getToken', () => {
	test('getToken gives the token without its refresh token', async ({server, watch}) => {
		const clock = createClock();
		const auth = watch(createAuth(appOptions(server, {now: clock.now})));
		const {access_token, scope} = await signIn(server, auth);
		expect(await auth.getToken()).toEqual({
			access_token,
			scope,
			token_type: 'Bearer',
			issued_at: clock.seconds(),
			expires_at: clock.seconds() + 60,
		});
		expect(server.tokenRequests).toHaveLength(0);
	});

	test('getToken grants a first token', async ({server, watch}) => {
		const auth = watch(createAuth(serviceOptions(server)));
		const {access_token} = await auth.getToken();
		expect(await server.isActive(access_token)).toBe(true);
		expect(await auth.getToken()).toMatchObject({access_token});
		expect(server.tokenRequests).toHaveLength(1);
	});

	test.for(['getToken', 'refresh'] as const)(
		'%s rejects with SessionEndedError(no_session) if there is nothing to get a token with',
		async (method, {server, watch}) => {
			const auth = watch(createAuth(appOptions(server)));
			const events = record(auth);
			const promise = auth[method]();
			await expect(promise).rejects.toBeInstanceOf(SessionEndedError);
			await expect(promise).rejects.toMatchObject({
				reason: 'no_session',
				code: 'session_ended',
				retryable: false,
			});
			expect(server.tokenRequests).toHaveLength(0);
			expect(events).toEqual([]);
		},
	);

	test('getToken returns a token without a refresh token for as long as it is valid', async ({server, watch}) => {
		const clock = createClock();
		const auth = watch(createAuth(appOptions(server, {now: clock.now})));
		const {access_token} = await server.mint();
		await auth.setToken({access_token, token_type: 'Bearer', expires_in: 60});
		await expect(auth.refresh()).rejects.toMatchObject({reason: 'no_refresh_token'});
		clock.advance(59);
		expect(await auth.getToken()).toMatchObject({access_token});
		clock.advance(2);
		await expect(auth.getToken()).rejects.toMatchObject({reason: 'no_refresh_token'});
	});

	test.for([-1, Number.NaN, Infinity])(
		'getToken refuses %s as minimumLifetime',
		async (minimumLifetime, {server, watch}) => {
			const auth = watch(createAuth(serviceOptions(server)));
			await expect(auth.getToken({minimumLifetime})).rejects.toBeInstanceOf(ConfigError);
			expect(server.tokenRequests).toHaveLength(0);
		},
	);

	test('getToken renews a token that is not good for minimumLifetime, and leaves one that is', async ({
		server,
		watch,
	}) => {
		const clock = createClock();
		const auth = watch(createAuth(appOptions(server, {now: clock.now})));
		const {access_token} = await signIn(server, auth);
		clock.advance(20);
		expect(await auth.getToken({minimumLifetime: 39})).toMatchObject({access_token});
		expect(server.tokenRequests).toHaveLength(0);
		const renewed = await auth.getToken({minimumLifetime: 41});
		expect(renewed.access_token).not.toBe(access_token);
		expect(renewed.expires_at).toBe(clock.seconds() + 60);
		expect(server.tokenRequests).toHaveLength(1);
	});

	test('getToken rejects with the reason of a signal that is aborted already, and grants nothing [F-73]', async ({
		server,
		watch,
	}) => {
		const auth = watch(createAuth(serviceOptions(server)));
		const reason = new Error('mine');
		await expect(auth.getToken({signal: AbortSignal.abort(reason)})).rejects.toBe(reason);
		await expect(auth.refresh({signal: AbortSignal.abort(reason)})).rejects.toBe(reason);
		expect(server.tokenRequests).toHaveLength(0);
	});
});

describe('refresh', () => {
	test('refresh renews a token that is still good, and resolves as getToken does', async ({server, watch}) => {
		const auth = watch(createAuth(appOptions(server)));
		const {access_token} = await signIn(server, auth);
		const events = record(auth);
		const renewed = await auth.refresh();
		expect(renewed.access_token).not.toBe(access_token);
		expect(renewed).not.toHaveProperty('refresh_token');
		expect(await auth.getToken()).toEqual(renewed);
		expect(gist(events)).toEqual(['token refresh']);
		expect(server.tokenRequests.map(({parameters}) => parameters.get('grant_type'))).toEqual(['refresh_token']);
	});

	test('a refresh is shared by everybody who asks while it is under way', async ({server, watch}) => {
		const auth = watch(createAuth(appOptions(server)));
		await signIn(server, auth, expired);
		const gate = createGate();
		server.onToken(gate.pass);
		const all = [auth.refresh(), auth.getToken(), auth.fetch(`${server.api}/me`)];
		await gate.reached;
		all.push(auth.refresh(), auth.getToken());
		gate.open();
		await Promise.all(all);
		expect(server.tokenRequests).toHaveLength(1);
	});

	test('refresh makes a grant if there is no refresh token', async ({server, watch}) => {
		const auth = watch(createAuth(serviceOptions(server)));
		const {access_token} = await auth.getToken();
		expect((await auth.refresh()).access_token).not.toBe(access_token);
		expect(server.tokenRequests).toHaveLength(2);
	});
});

describe('fetch', () => {
	test.for<[title: string, give: (url: string) => Parameters<typeof fetch>]>([
		['a string', url => [url, {method: 'PUT', headers: {'x-key': 'v'}, body: 'text'}]],
		['a URL', url => [new URL(url), {method: 'PUT', headers: {'x-key': 'v'}, body: 'text'}]],
		['a Request', url => [new Request(url, {method: 'PUT', headers: {'x-key': 'v'}, body: 'text'})]],
		[
			'a Request and options over it',
			url => [new Request(url, {headers: {'x-key': 'v'}}), {method: 'PUT', body: 'text'}],
		],
	])('auth.fetch takes %s, and sends it with the token', async ([, give], {server, watch}) => {
		const auth = watch(createAuth(appOptions(server)));
		const {access_token} = await signIn(server, auth);
		const response = await auth.fetch(...give(`${server.api}/me`));
		expect(await response.json()).toMatchObject({body: 'text'});
		expect(server.calls).toMatchObject([
			{method: 'PUT', authorization: `Bearer ${access_token}`, headers: {'x-key': 'v'}, body: 'text'},
		]);
	});

	test('auth.fetch needs origins', async ({server, watch}) => {
		const auth = watch(createAuth(serviceOptions(server, {origins: undefined})));
		await expect(auth.fetch(`${server.api}/me`)).rejects.toBeInstanceOf(ConfigError);
		expect([server.calls, server.tokenRequests]).toEqual([[], []]);
	});

	test('auth.fetch returns a 401 that persists', async ({server, watch}) => {
		const auth = watch(createAuth(appOptions(server)));
		await signIn(server, auth);
		server.onCall(
			() => new Response('no', {status: 401, headers: {'www-authenticate': 'Bearer error="invalid_token"'}}),
		);
		const response = await auth.fetch(`${server.api}/me`);
		expect([response.status, await response.text()]).toEqual([401, 'no']);
		expect([server.calls.length, server.tokenRequests.length]).toEqual([2, 1]);
	});
});

describe('hooks', () => {
	test('hooks make a request fail if neither origins nor baseUrl nor prefix say who may get the token', async ({
		server,
		watch,
	}) => {
		const auth = watch(createAuth(serviceOptions(server, {origins: undefined})));
		const promise = ky.get(`${server.api}/me`, {hooks: auth.hooks});
		await expect(promise).rejects.toBeInstanceOf(ConfigError);
		expect([server.calls, server.tokenRequests]).toEqual([[], []]);
	});

	test.for<[title: string, options: (api: string) => {baseUrl?: string | URL; prefix?: string | URL}]>([
		['baseUrl', api => ({baseUrl: api})],
		['baseUrl with a path', api => ({baseUrl: `${api}/v1/`})],
		['baseUrl that is a URL', api => ({baseUrl: new URL(api)})],
		['prefix', api => ({prefix: api})],
		['prefix with a path', api => ({prefix: `${api}/v1`})],
		['prefix on baseUrl', api => ({prefix: '/v1', baseUrl: api})],
	])(
		'hooks send the token to the origin of %s if there is no option origins',
		async ([, options], {server, serve, watch}) => {
			const elsewhere = await serve(() => new Response('no', {status: 401}));
			const auth = watch(createAuth(serviceOptions(server, {origins: undefined})));
			const api = ky.extend({hooks: auth.hooks, retry: 0, throwHttpErrors: false, ...options(server.api)});
			await api.get('me');
			await api.get(new URL(elsewhere.origin));
			expect(server.calls.map(({authorization}) => authorization)).toEqual([expect.stringMatching(/^Bearer /)]);
			expect(elsewhere.requests.map(({headers}) => headers['authorization'])).toEqual([undefined]);
			expect(server.tokenRequests).toHaveLength(1);
		},
	);

	test('hooks send the token to the origin of the baseUrl of a call', async ({server, watch}) => {
		const auth = watch(createAuth(serviceOptions(server, {origins: undefined})));
		const api = ky.extend({hooks: auth.hooks});
		expect((await api.get('me', {baseUrl: server.api})).status).toBe(200);
	});

	test('hooks ignore baseUrl if there is an option origins', async ({server, serve, watch}) => {
		const elsewhere = await serve(() => new Response('ok'));
		const auth = watch(createAuth(serviceOptions(server)));
		const api = ky.extend({hooks: auth.hooks, baseUrl: elsewhere.origin});
		await api.get('me');
		expect(elsewhere.requests.map(({headers}) => headers['authorization'])).toEqual([undefined]);
		expect((await api.get(`${server.api}/me`)).status).toBe(200);
	});

	test('hooks go together with hooks and with a fetch of the user', async ({server, watch}) => {
		const auth = watch(createAuth(appOptions(server)));
		await signIn(server, auth);
		const seen: string[] = [];
		const api = ky.extend({
			baseUrl: server.api,
			fetch: async (...given) => {
				seen.push('fetch');
				return fetch(...given);
			},
			hooks: {
				beforeRequest: [({request}) => request.headers.set('x-key', 'v')],
				afterResponse: [({response}) => void seen.push(String(response.status))],
			},
		});
		await api.extend({hooks: auth.hooks}).get('me');
		expect(seen).toEqual(['fetch', '200']);
		expect(server.calls[0]?.headers).toMatchObject({'x-key': 'v', authorization: expect.stringMatching(/^Bearer /)});
	});

	test('hooks work once even if an instance has them twice', async ({server, watch}) => {
		const auth = watch(createAuth(appOptions(server)));
		const {access_token} = await signIn(server, auth);
		await server.expire(access_token);
		const api = ky.extend({baseUrl: server.api, hooks: auth.hooks}).extend({hooks: auth.hooks});
		expect((await api.get('me')).status).toBe(200);
		expect([server.calls.length, server.tokenRequests.length]).toEqual([2, 1]);
		server.onCall(() => new Response('no', {status: 401}));
		expect((await api.get('me', {throwHttpErrors: false})).status).toBe(401);
		expect([server.calls.length, server.tokenRequests.length]).toEqual([4, 2]);
	});
});

describe('a session', () => {
	test('the session of one client does not affect another [R86]', async ({server, watch}) => {
		const [ours, theirs] = [watch(createAuth(appOptions(server))), watch(createAuth(appOptions(server)))];
		const events = record(theirs);
		await signIn(server, ours);
		await ours.refresh();
		await ours.signOut();
		expect(events).toEqual([]);
		await signIn(server, ours);
		const {access_token} = await signIn(server, theirs);
		await ours.signOut();
		expect(await theirs.getToken()).toMatchObject({access_token});
	});

	test('a session shows no secret however it is printed [R92, F-118]', async ({server, canaries}) => {
		const store = memoryStore();
		const clientAuthentication = clientSecretBasic(service.secret);
		const {client_secret: _, ...grant} = serviceGrant;
		const auth = createAuth(serviceOptions(server, {store, grant, clientAuthentication}));
		await auth.getToken();
		await auth.setToken(await server.mint());
		const client = createAuth(serviceOptions(server));
		await client.getToken();
		for (const value of [auth, store, clientAuthentication, client]) canaries.see(value);
		// If a value cannot be cloned, the error must not show a secret, either.
		for (const value of [auth, store]) canaries.see(attempt(() => structuredClone(value)));
	});

	const program = (body: string): string => `
		import {createAuth} from ${JSON.stringify(new URL('../../src/index.ts', import.meta.url).href)};
		const answer = {access_token: 'at', token_type: 'Bearer', expires_in: 3600, refresh_token: 'rt'};
		const options = {tokenEndpoint: 'https://as.example/token', clientId: ${JSON.stringify(app.clientId)}, timeout: 2 ** 29};
		${body}
		console.log('end');
	`;

	test.for<[title: string, body: string]>([
		['a session in memory', 'await createAuth(options).setToken(answer);'],
		[
			'a token that it has renewed',
			`const auth = createAuth({...options, fetch: async () => Response.json({...answer, access_token: 'at2'})});
			await auth.setToken(answer);
			auth.subscribe(() => {});
			await auth.refresh();`,
		],
		[
			'a renewal that failed',
			`const auth = createAuth({...options, fetch: async () => new Response('', {status: 503})});
			await auth.setToken(answer);
			await auth.refresh().catch(() => {});`,
		],
		[
			'the deadline of a renewal that hangs',
			`const auth = createAuth({...options, fetch: () => new Promise(() => {})});
			await auth.setToken(answer);
			auth.refresh().catch(() => {});`,
		],
	])('a session lets a process end with %s [R85]', {timeout: 60_000}, async ([, body]) => {
		const {stdout} = await promisify(execFile)(
			process.execPath,
			['--no-warnings', '--input-type=module', '--eval', program(body)],
			// A session that keeps its process alive does so for days. A busy machine needs seconds to start one.
			{timeout: 40_000},
		);
		expect(stdout).toBe('end\n');
	});
});

function attempt(task: () => unknown): unknown {
	try {
		return task();
	} catch (error) {
		return error;
	}
}

test.for(['http://api.example/', 'ftp://api.example/'])(
	'%s as a baseUrl is a ConfigError, and not a call without a token [R40]',
	async baseUrl => {
		const auth = createAuth({tokenEndpoint: 'https://as.example/token', clientId: 'client'});
		await auth.setToken({access_token: 'at', token_type: 'Bearer'});
		const carried: (string | null)[] = [];
		const fetch = async (request: RequestInfo | URL): Promise<Response> => {
			carried.push(new Request(request).headers.get('authorization'));
			return new Response('');
		};
		const call = ky.create({baseUrl, hooks: auth.hooks, fetch}).get('a');
		await expect(call).rejects.toThrow('baseUrl or prefix must be https, or be in allowInsecureOrigins');
		expect(carried).toEqual([]);
	},
);
