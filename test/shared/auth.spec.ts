// Tests of what users can rely on, for every runtime. Each runtime passes its own test runner, servers and traits.
import ky, {type KyInstance} from 'ky';
import {
	type Auth,
	type AuthEvent,
	type AuthOptions,
	clientSecretBasic,
	clientSecretPost,
	createAuth,
	createSession,
	customStore,
	endpoint,
	isRegrantError,
	memoryStore,
	requestToken,
	revokeToken,
	type StoreDriver,
	tokenHeader,
} from 'regrant';
import * as v from 'valibot';
import type {LabClient} from './lab-client.ts';
import {gist, nameOf, reasonOf} from './outcome.ts';
import {textsOf} from './renderings.ts';
import type {Stores, Traits} from './run.ts';
import {createTrips, travel} from './whereabouts.ts';

/** What a runtime provides. */
export interface Runner {
	test(title: string, run: () => Promise<void>): void;
	/** Compares two JSON values, and throws if they differ. */
	equal(actual: unknown, expected: unknown): void;
	readonly lab: LabClient;
	readonly traits: Traits;
	readonly stores: Stores;
}

/** Defines the tests. The servers forget their recorded requests before each test. */
export function authSpec({test, equal, lab, traits, stores}: Runner): void {
	const optionsOf = (more: Partial<AuthOptions> = {}): AuthOptions => ({
		tokenEndpoint: lab.tokenEndpoint,
		revocationEndpoint: lab.revocationEndpoint,
		clientId: lab.app,
		origins: [lab.api],
		...more,
	});
	const expired = {expires_at: 1, issued_at: 0};

	interface Session {
		readonly auth: Auth;
		readonly api: KyInstance;
		readonly events: AuthEvent[];
		readonly access_token: string;
		readonly refresh_token: string;
	}

	/** Creates a session after a login. On request, its token is rejected by the API, or has already expired. */
	const signIn = async (
		state: 'alive' | 'dead' | 'over' = 'alive',
		more: Partial<AuthOptions> = {},
	): Promise<Session> => {
		const auth = createAuth(optionsOf(more));
		const events: AuthEvent[] = [];
		auth.subscribe(event => void events.push(event));
		const minted = await lab.mint();
		await auth.setToken({...minted, ...(state === 'over' && expired)});
		if (state === 'dead') await lab.expire(minted.access_token);
		return {auth, api: ky.extend({baseUrl: lab.api, hooks: auth.hooks, retry: 0}), events, ...minted};
	};

	/** Whether one of the values shows one of the secrets, in any of the ways in which this runtime can print a value. */
	const shows = (values: readonly unknown[], secrets: readonly string[]): boolean => {
		const texts = [...textsOf(values), ...values.map(value => traits.inspect?.(value) ?? '')];
		return texts.some(text => secrets.some(secret => text.includes(secret)));
	};

	const secretsAllowed = {allowSecretInBrowser: true};
	const serviceGrant = {grant_type: 'client_credentials', scope: '/accounts.read /accounts.write'} as const;
	/** Sends token requests to an endpoint that holds its answers back until the test releases them. */
	const heldEndpoint = `${lab.tokenEndpoint}?held`;
	const arrival = async (kind: 'grants' | 'calls'): Promise<void> => {
		while ((await lab.log())[kind].length === 0);
	};
	const statusesOf = async (calls: Array<Promise<Response>>): Promise<number[]> =>
		(await Promise.all(calls)).map(({status}) => status);

	// Token requests of a service.
	test('a service gets its token by HTTP Basic, whatever characters its secret has [R2]', async () => {
		for (const {clientId, secret} of [lab.service, lab.awkward]) {
			const auth = createAuth(
				optionsOf({clientId, clientAuthentication: clientSecretBasic(secret), grant: serviceGrant, ...secretsAllowed}),
			);
			const api = ky.extend({baseUrl: lab.api, hooks: auth.hooks, retry: 0});
			equal((await api.get('accounts')).status, 200);
		}
		const {grants} = await lab.log();
		equal(
			grants.map(({status, authorization}) => [status, authorization.slice(0, 6)]),
			[
				[200, 'Basic '],
				[200, 'Basic '],
			],
		);
	});

	test('a service gets its token with its secret in the body [R5]', async () => {
		const {clientId, secret} = lab.service;
		const auth = createAuth(
			optionsOf({clientId, clientAuthentication: clientSecretPost(secret), grant: serviceGrant, ...secretsAllowed}),
		);
		equal((await auth.fetch(`${lab.api}/accounts`)).status, 200);
		const [grant] = (await lab.log()).grants;
		equal([grant?.authorization, new URLSearchParams(grant?.body).get('client_secret')], ['', secret]);
	});

	test('a page that holds a secret is refused, and nothing else is [R13]', async () => {
		const {clientId, secret} = lab.service;
		const {origins: _, ...client} = {...optionsOf(), clientId};
		const request = {...serviceGrant, client_secret: secret};
		const holders: ReadonlyArray<() => unknown> = [
			() => createAuth({...client, clientAuthentication: clientSecretBasic(secret)}),
			() => createAuth({...client, clientAuthentication: clientSecretPost(secret)}),
			() => createAuth({...client, grant: request}),
			() => requestToken(client, request),
		];
		for (const hold of holders) {
			const error = await (async () => hold())().then(
				() => undefined,
				(reason: unknown) => reason,
			);
			equal(error && nameOf(error), traits.isPage ? 'ConfigError invalid_options' : undefined);
			equal(shows([error], [secret]), false);
		}
		equal((await lab.log()).grants.length, traits.isPage ? 0 : 1);
	});

	test('a token can be requested and revoked without a session', async () => {
		const {clientId, secret} = lab.service;
		const client = {...optionsOf(), clientId, clientAuthentication: clientSecretBasic(secret), ...secretsAllowed};
		const {origins: _, ...endpoint} = client;
		const token = await requestToken(endpoint, serviceGrant);
		equal([token.token_type.toLowerCase(), await lab.isActive(token.access_token)], ['bearer', true]);
		await revokeToken(endpoint, {token: token.access_token, token_type_hint: 'access_token'});
		equal(await lab.isActive(token.access_token), false);
	});

	test('a request for a token can be JSON, for servers that want it so', async () => {
		const body = encodeURIComponent('{"access_token":"staged","token_type":"bearer","expires_in":60}');
		const tokenEndpoint = `${lab.tokenEndpoint}?status=200&body=${body}`;
		const auth = createAuth(optionsOf({tokenEndpoint, encoding: 'json', grant: serviceGrant}));
		equal((await auth.getToken()).access_token, 'staged');
		const [grant] = (await lab.log()).grants;
		equal(grant?.type.split(';')[0], 'application/json');
		equal(JSON.parse(grant?.body ?? ''), {...serviceGrant, client_id: lab.app});
	});

	test('a client can prove itself in a way of its own [R6]', async () => {
		const {clientId, secret} = lab.service;
		const auth = createAuth(
			optionsOf({
				clientId,
				clientAuthentication: async ({clientId, parameters}) => {
					parameters.set('client_id', clientId);
					parameters.set('client_secret', secret);
				},
				grant: async () => serviceGrant,
				...secretsAllowed,
			}),
		);
		equal((await auth.fetch(`${lab.api}/accounts`)).status, 200);
		equal((await lab.log()).grants.length, 1);
	});

	test('a wrong secret is the client’s fault, and is asked about once [F-44]', async () => {
		const {clientId} = lab.service;
		const secret = 'of-somebody-else';
		const auth = createAuth(
			optionsOf({
				clientId,
				clientAuthentication: clientSecretBasic(secret),
				grant: serviceGrant,
				...secretsAllowed,
			}),
		);
		const error = await reasonOf(auth.getToken());
		equal([nameOf(error), (error as {error?: string}).error], ['OAuthError oauth_error', 'invalid_client']);
		equal(shows([error, auth], [secret, btoa(`${clientId}:${secret}`)]), false);
		equal((await lab.log()).grants.length, 1);
	});

	// The access token on calls.
	test('a call carries the token in its header [R45]', async () => {
		const {api, access_token} = await signIn();
		equal((await api.get('me?x=1')).status, 200);
		const {calls, grants} = await lab.log();
		equal(
			calls.map(({path, authorization}) => [path, authorization]),
			[['/me?x=1', `Bearer ${access_token}`]],
		);
		equal(grants.length, 0);
	});

	test('auth.fetch sends the token in its header, too', async () => {
		const {auth, access_token} = await signIn();
		equal((await auth.fetch(new URL('/me', lab.api))).status, 200);
		equal((await lab.log()).calls[0]?.authorization, `Bearer ${access_token}`);
	});

	test('an endpoint is called with the token, and checks what goes and what comes', async () => {
		const {api} = await signIn('dead');
		const send = endpoint({
			method: 'post',
			path: '{what}',
			params: v.object({what: v.string()}),
			json: v.object({amount: v.number()}),
			response: v.object({body: v.string()}),
		});
		equal(await send(api, {params: {what: 'me'}, json: {amount: 1204}}), {body: '{"amount":1204}'});
		equal(
			(await lab.log()).calls.map(({path, status}) => [path, status]),
			[
				['/me', 401],
				['/me', 200],
			],
		);
		const wrong = {params: {what: 'me'}, json: {amount: 'hunter2'}} as unknown as Parameters<typeof send>[1]; // no compiler has checked these values
		const refused = await reasonOf(send(api, wrong));
		const upwards = await reasonOf(send(api, {params: {what: '..'}, json: {amount: 1}}));
		const read = endpoint({method: 'get', path: 'me', response: v.object({subject: v.number()})});
		const unexpected = await reasonOf(read(api));
		equal([refused, upwards, unexpected].map(nameOf), [
			'RequestValidationError invalid_request',
			'RequestValidationError invalid_request',
			'ResponseValidationError invalid_api_response',
		]);
		equal(shows([refused, unexpected], ['hunter2', 'user-']), false);
		equal((await lab.log()).calls.length, 3);
	});

	test('an Authorization of the caller’s own stays, and its 401 grants nothing [R44, F-68]', async () => {
		const {api} = await signIn();
		const options = {headers: {authorization: 'Bearer of-my-own'}, throwHttpErrors: false};
		equal((await api.get('me', options)).status, 401);
		const {calls, grants} = await lab.log();
		equal([calls.map(({authorization}) => authorization), grants.length], [['Bearer of-my-own'], 0]);
	});

	test('an origin that is not listed gets no token, and its 401 grants nothing [R40, F-71]', async () => {
		const {auth, api} = await signIn();
		equal((await auth.fetch(`${lab.elsewhere}/`)).status, 401);
		equal((await api.get(`${lab.elsewhere}/`, {throwHttpErrors: false})).status, 401);
		const {elsewhere, grants} = await lab.log();
		equal([elsewhere.map(({authorization}) => authorization), grants.length], [['', ''], 0]);
	});

	test('without origins the token goes to the origin of baseUrl alone', async () => {
		const {tokenEndpoint, app} = lab;
		const auth = createAuth({tokenEndpoint, clientId: app});
		await auth.setToken(await lab.mint());
		const api = ky.extend({baseUrl: lab.api, hooks: auth.hooks, throwHttpErrors: false});
		equal([(await api.get('me')).status, (await api.get(`${lab.elsewhere}/`)).status], [200, 401]);
		equal((await lab.log()).elsewhere[0]?.authorization, '');
		equal(nameOf(await reasonOf(ky.get(`${lab.api}/me`, {hooks: auth.hooks}))), 'ConfigError invalid_options');
	});

	for (const part of [1, 2, 3, 4]) {
		test(`no token goes to an origin that is not listed, whatever URL and whatever redirects are tried, part ${part} [R40, R42, F-136, F-146]`, async () => {
			const {access_token} = await lab.mint();
			const seed = Math.floor(Math.random() * 2 ** 31);
			const trips = createTrips(lab.places, seed, 500, traits);
			const {answered, refused} = await travel(lab.places, access_token, trips);
			const {toListed, elsewhere} = await lab.carried(access_token);
			equal([seed, elsewhere], [seed, []]);
			// If few redirects had reached the allowed server, the test would prove nothing.
			equal([answered + refused, toListed > 100], [trips.length, true]);
		});
	}

	// A 401 and the single retry.
	test('twenty calls at once with a rejected token are answered after one grant [R57, F-62]', async () => {
		const {api} = await signIn('dead');
		const statuses = await statusesOf(Array.from({length: 20}, () => api.get('me')));
		equal(new Set(statuses).size === 1 && statuses[0], 200);
		equal((await lab.log()).grants.length, 1);
	});

	test('a session without a protocol asks its function once for twenty calls, and ends when it gives nothing', async () => {
		const tokens = [await lab.mint(), await lab.mint()];
		let asked = 0;
		const auth = createSession({renew: () => tokens[asked++], origins: [lab.api]});
		const api = ky.extend({baseUrl: lab.api, hooks: auth.hooks, retry: 0});
		const callAll = (): Array<Promise<Response>> => Array.from({length: 20}, () => api.get('me'));
		equal(new Set(await statusesOf(callAll())).size, 1);
		await lab.expire(tokens[0]?.access_token ?? '');
		equal([...new Set(await statusesOf(callAll())), asked], [200, 2]);
		await lab.expire(tokens[1]?.access_token ?? '');
		equal(nameOf(await reasonOf(api.get('me'))), 'SessionEndedError invalid_grant');
		equal([auth.status, asked], ['signed-out', 3]);
	});

	test('what a function of the user failed with can be read from the error, and is not printed', async () => {
		const secret = 'hunter2-of-the-backend';
		const failure = Object.assign(new Error(secret), {response: {status: 401}, request: {headers: {cookie: secret}}});
		for (const thrown of [failure, new Error(secret)]) {
			const auth = createSession({renew: async () => Promise.reject(thrown)});
			const events: AuthEvent[] = [];
			auth.subscribe(event => void events.push(event));
			await auth.setToken(await lab.mint());
			const error = (await reasonOf(auth.refresh())) as Error;
			equal([error.cause, (error.cause as Error).cause].includes(thrown), true);
			// Everything but the cause itself, which a program may read.
			const texts = [error, events].map(value => [traits.inspect?.(value), JSON.stringify(value), error.stack].join());
			equal(
				texts.some(text => text.includes(secret)),
				false,
			);
		}
	});

	test('an expired token is renewed before it is sent', async () => {
		const {api} = await signIn('over');
		equal((await api.get('me')).status, 200);
		const {calls, grants} = await lab.log();
		equal([calls.map(({status}) => status), grants.length], [[200], 1]);
	});

	test('an API that refuses every token gets one retry, and its last 401 is the caller’s [F-54, F-58]', async () => {
		const {api} = await signIn();
		const error = await reasonOf(api.get('me?status=401&www-authenticate=Bearer'));
		equal(nameOf(error), 'HTTPError');
		const {calls, grants} = await lab.log();
		equal([calls.length, grants.length], [2, 1]);
	});

	test('throwHttpErrors: false gives the 401 as an answer [F-59]', async () => {
		const {api} = await signIn();
		const response = await api.get('me?status=401&www-authenticate=Bearer&body=no', {throwHttpErrors: false});
		equal([response.status, await response.text()], [401, 'no']);
	});

	const challenges: ReadonlyArray<readonly [title: string, query: string, grants: number]> = [
		['invalid_token', 'www-authenticate=Bearer error="invalid_token"', 1],
		['no error code', 'www-authenticate=Bearer realm="api"', 1],
		['two schemes', 'www-authenticate=Basic realm="x", Bearer error="invalid_token"', 1],
		['a challenge that CORS hides', 'www-authenticate=Bearer&access-control-expose-headers=', 1],
		['no challenge', '', 1],
		['garbage', 'www-authenticate=Bearer error="', 1],
		// A page that may not read the challenge treats it as absent.
		['another scheme', 'www-authenticate=Basic realm="x"', 0],
		['insufficient_scope', 'www-authenticate=Bearer error="insufficient_scope", scope="a"', 0],
		['a DPoP nonce', 'www-authenticate=DPoP error="use_dpop_nonce"', 0],
	];
	for (const [title, query, count] of challenges) {
		test(`a 401 with ${title} ${count === 1 ? 'causes a grant' : 'causes none'} [R51]`, async () => {
			const {api} = await signIn();
			const response = await api.get(`me?status=401&times=1&${query}`, {throwHttpErrors: false});
			equal([response.status, (await lab.log()).grants.length], [count === 1 ? 200 : 401, count]);
		});
	}

	test('a 403 causes no grant [R52]', async () => {
		const {api} = await signIn();
		equal((await api.get('me?status=403', {throwHttpErrors: false})).status, 403);
		equal((await lab.log()).grants.length, 0);
	});

	test('ky keeps its own retries [F-56, F-57]', async () => {
		const {api} = await signIn('dead');
		const retry = {limit: 2, delay: () => 1};
		equal((await api.get('me?status=503&times=1', {retry})).status, 200);
		const {calls, grants} = await lab.log();
		equal([calls.map(({status}) => status), grants.length], [[503, 401, 200], 1]);
	});

	test('a late 401 sends the call again with the token that is current by then [R57, F-61]', async () => {
		const {auth, api} = await signIn('dead');
		const late = api.get('me?held');
		await arrival('calls');
		await auth.refresh();
		await lab.release();
		equal((await late).status, 200);
		equal((await lab.log()).grants.length, 1);
	});

	test('without a session a call goes without a token, and the 401 is the server’s [F-128]', async () => {
		const auth = createAuth(optionsOf());
		equal((await auth.fetch(`${lab.api}/me`)).status, 401);
		const {calls, grants} = await lab.log();
		equal([calls.map(({authorization}) => authorization), grants.length], [[''], 0]);
		equal(nameOf(await reasonOf(auth.getToken())), 'SessionEndedError no_session');
	});

	// Request bodies.
	const bodies: Readonly<Record<string, () => BodyInit>> = {
		text: () => 'grüße',
		'a form': () => new URLSearchParams({a: 'b c'}),
		'a Blob': () => new Blob(['{"a":1}'], {type: 'application/json'}),
		bytes: () => new TextEncoder().encode('bytes'),
		'a buffer': () => new TextEncoder().encode('buffer').buffer,
		nothing: () => '',
	};
	for (const [title, body] of Object.entries(bodies)) {
		test(`a body that is ${title} is sent again as it was [F-64]`, async () => {
			const {api} = await signIn('dead');
			// First without regrant, because runtimes differ in what they send.
			await ky.post(`${lab.api}/me`, {body: body(), throwHttpErrors: false, retry: 0});
			equal((await api.post('me', {body: body()})).status, 200);
			const {calls} = await lab.log();
			const [bare, ...ours] = calls.map(call => [call.method, call.type, call.body]);
			equal(ours, [bare, bare]);
		});
	}

	test('JSON and a form with a file are sent again as they were [F-64]', async () => {
		const {api} = await signIn('dead');
		equal(
			await api
				.post('me', {json: {amount: 1204}})
				.json<{body: string}>()
				.then(({body}) => body),
			'{"amount":1204}',
		);
		await lab.reset();
		const second = await signIn('dead');
		const form = new FormData();
		form.set('name', 'value');
		form.set('file', new File(['content'], 'name.txt', {type: 'text/plain'}));
		equal((await second.auth.fetch(`${lab.api}/me`, {method: 'POST', body: form})).status, 200);
		const {calls} = await lab.log();
		for (const {body, type} of calls) {
			const boundary = /boundary="?([^";]+)/.exec(type)?.[1] ?? 'none';
			equal([body.includes(boundary), body.includes('content'), body.includes('name.txt')], [true, true, true]);
		}
		equal(calls.length, 2);
	});

	test('the body of a Request is sent again as it was [F-64]', async () => {
		const {auth} = await signIn('dead');
		const request = new Request(`${lab.api}/me`, {method: 'PUT', body: 'of a request', headers: {'x-own': 'kept'}});
		equal((await auth.fetch(request)).status, 200);
		const {calls} = await lab.log();
		equal(
			calls.map(({method, status, body}) => [method, status, body]),
			[
				['PUT', 401, 'of a request'],
				['PUT', 200, 'of a request'],
			],
		);
		equal(request.headers.has('authorization'), false);
	});

	if (!traits.lacksStreams) {
		test('a stream is not sent again: the token is renewed, and the 401 is the caller’s [R62, F-65]', async () => {
			const {auth} = await signIn('dead');
			const body = new ReadableStream({
				start(controller) {
					controller.enqueue(new TextEncoder().encode('streamed'));
					controller.close();
				},
			});
			const init = {method: 'POST', body, duplex: 'half'} as RequestInit; // the DOM's types lack `duplex`
			equal((await auth.fetch(`${lab.api}/me`, init)).status, 401);
			const {calls, grants} = await lab.log();
			equal([calls.map(call => call.body), grants.length], [['streamed'], 1]);
			equal((await auth.fetch(`${lab.api}/me`)).status, 200);
		});
	}

	// Redirects.
	for (const status of [301, 302, 303, 307, 308]) {
		test(`a ${status} to another origin takes no token along [R42]`, async () => {
			const {auth, api} = await signIn();
			const path = `me?status=${status}&location=${encodeURIComponent(`${lab.elsewhere}/there`)}`;
			equal((await api.get(path, {throwHttpErrors: false})).status, 401);
			const posted = await auth.fetch(`${lab.api}/${path}`, {method: 'POST', body: 'posted'});
			equal(posted.status, 401);
			const {elsewhere, grants} = await lab.log();
			const method = status >= 307 ? 'POST' : 'GET';
			equal(
				elsewhere.map(seen => [seen.method, seen.path, seen.authorization, seen.body]),
				[
					['GET', '/there', '', ''],
					[method, '/there', '', method === 'POST' ? 'posted' : ''],
				],
			);
			// A 401 from another origin is no reason to renew [R56].
			equal(grants.length, 0);
		});

		test(`a ${status} of the token endpoint is not followed [R15, F-09, F-10]`, async () => {
			const location = encodeURIComponent(`${lab.elsewhere}/token`);
			const tokenEndpoint = `${lab.tokenEndpoint}?status=${status}&location=${location}`;
			const {auth} = await signIn('over', {tokenEndpoint});
			const error = await reasonOf(auth.refresh());
			equal(nameOf(error), 'TokenResponseError unexpected_redirect');
			equal((await lab.log()).elsewhere.length, 0);
		});
	}

	for (const status of [302, 307]) {
		test(`a ${status} within the API keeps the token [F-69]`, async () => {
			const {api} = await signIn();
			const path = `me?status=${status}&location=${encodeURIComponent('/me?there')}`;
			equal((await api.post(path, {body: 'posted'})).status, 200);
			const {calls, grants} = await lab.log();
			equal(
				calls.map(({method, body}) => [method, body]),
				[['POST', 'posted'], status === 307 ? ['POST', 'posted'] : ['GET', '']],
			);
			equal(grants.length, 0);
		});
	}

	test('a token in a header of another name goes to the API, and along no redirect to another origin [R42]', async () => {
		const {auth, access_token} = await signIn('alive', {scheme: tokenHeader('x-access-token')});
		const paths = [302, 307].map(
			status => `me?status=${status}&location=${encodeURIComponent(`${lab.elsewhere}/there`)}`,
		);
		// Browsers do not let anybody remove a header on a redirect, so such a redirect fails there.
		for (const path of paths) await auth.fetch(`${lab.api}/${path}`).catch(() => {});
		const {calls, elsewhere, grants} = await lab.log();
		equal(
			calls.map(({ownHeader, authorization}) => [ownHeader, authorization]),
			[
				[access_token, ''],
				[access_token, ''],
			],
		);
		equal(
			elsewhere.filter(({ownHeader, authorization}) => ownHeader || authorization),
			[],
		);
		equal(grants.length, 0);
	});

	test('the caller’s redirect: manual is kept', async () => {
		const {auth} = await signIn();
		const path = `me?status=302&location=${encodeURIComponent('/me?there')}`;
		const {status, type} = await auth.fetch(`${lab.api}/${path}`, {redirect: 'manual'});
		equal([302, 0].includes(status), true);
		equal(status === 0, type === 'opaqueredirect');
		equal((await lab.log()).calls.length, 1);
	});

	// Aborts and deadlines.
	test('a caller that aborts during a renewal does not affect the others [R60, F-74]', async () => {
		const {auth, api} = await signIn('dead', {tokenEndpoint: heldEndpoint});
		const caller = new AbortController();
		const leaving = reasonOf(auth.refresh({signal: caller.signal}));
		const staying = api.get('me');
		const reason = new Error('gone');
		await arrival('grants');
		caller.abort(reason);
		equal((await leaving) === reason, true);
		await lab.release();
		equal((await staying).status, 200);
	});

	test('when all callers abort, the grant still completes [R59, F-75]', async () => {
		const {auth, api, refresh_token} = await signIn('over', {tokenEndpoint: heldEndpoint});
		const caller = new AbortController();
		const calls = [auth.refresh({signal: caller.signal}), auth.getToken({signal: caller.signal})].map(reasonOf);
		await arrival('grants');
		caller.abort();
		equal((await Promise.all(calls)).map(nameOf), ['AbortError', 'AbortError']);
		await lab.release();
		equal((await api.get('me')).status, 200);
		const {grants} = await lab.log();
		equal([grants.length, new URLSearchParams(grants[0]?.body).get('refresh_token') === refresh_token], [1, true]);
	});

	test('a call that is aborted while it waits for a token rejects at once [F-73]', async () => {
		const {auth, api} = await signIn('over', {tokenEndpoint: heldEndpoint});
		const caller = new AbortController();
		const reason = new Error('gone');
		const call = reasonOf(api.get('me', {signal: caller.signal}));
		await arrival('grants');
		caller.abort(reason);
		const error = await call;
		equal(error === reason || (traits.losesReasons === true && nameOf(error) === 'AbortError'), true);
		await lab.release();
		await auth.getToken();
		equal((await lab.log()).calls.length, 0);
	});

	test('a call that is aborted while the API is slow rejects at once, and grants nothing', async () => {
		const {auth} = await signIn();
		const caller = new AbortController();
		const reason = new Error('gone');
		const call = reasonOf(auth.fetch(`${lab.api}/me?held`, {signal: caller.signal}));
		await arrival('calls');
		caller.abort(reason);
		const error = await call;
		const isCopy = traits.copiesReasons === true && String(error) === String(reason);
		equal(error === reason || isCopy || (traits.losesReasons === true && nameOf(error) === 'AbortError'), true);
		equal((await lab.log()).grants.length, 0);
	});

	test('a call whose signal is already aborted is not sent', async () => {
		const {auth, api} = await signIn();
		const gone = AbortSignal.abort();
		const errors = [auth.fetch(`${lab.api}/me`, {signal: gone}), auth.getToken({signal: gone})].map(reasonOf);
		equal((await Promise.all([...errors, reasonOf(api.get('me', {signal: gone}))])).map(nameOf), [
			'AbortError',
			'AbortError',
			'AbortError',
		]);
		equal((await lab.log()).calls.length, 0);
	});

	test('ky’s timeout ends a call that waits for a token, and the grant goes on [F-76]', async () => {
		const {auth, api} = await signIn('over', {tokenEndpoint: heldEndpoint});
		equal(nameOf(await reasonOf(api.get('me', {timeout: 50}))), 'TimeoutError');
		await lab.release();
		equal((await auth.getToken()).token_type.toLowerCase(), 'bearer');
		equal((await lab.log()).grants.length, 1);
	});

	test('a token endpoint that does not answer fails the call in time, and the session stays [F-02]', async () => {
		// A caller waits twice as long, and must not give up before the request does: on a busy machine, that may have begun late.
		const {auth, events} = await signIn('over', {tokenEndpoint: heldEndpoint, timeout: 2_000});
		equal(nameOf(await reasonOf(auth.getToken())), 'TokenNetworkError timeout');
		equal(gist(events), ['token set', 'refresh-failed timeout']);
	});

	// Failed renewals, and whether they end the session.
	const failures: ReadonlyArray<readonly [id: string, query: string, error: string]> = [
		['F-06', 'status=503&retry-after=1', 'TokenResponseError unexpected_status'],
		['F-07', 'status=429&retry-after=1', 'TokenResponseError unexpected_status'],
		['F-12', 'status=204', 'TokenResponseError not_json'],
		['F-17', 'status=200&body=<html>', 'TokenResponseError not_json'],
		['F-20', 'status=200&body=[]', 'TokenResponseError invalid_response'],
		['F-24', 'status=200&body={"token_type":"Bearer","access_token":""}', 'TokenResponseError invalid_response'],
		['F-37', 'status=200&body={"token_type":"mac","access_token":"a"}', 'TokenResponseError unsupported_token_type'],
		[
			'F-39',
			'status=200&body={"token_type":"Bearer","access_token":"a\\u20ac"}',
			'TokenResponseError invalid_response',
		],
		['F-22', 'status=200&body={"error":"invalid_scope"}', 'OAuthError oauth_error'],
	];
	for (const [id, query, name] of failures) {
		test(`${name} for ${query.replace(/&body=.*/, '')}, and the session stays [${id}]`, async () => {
			const tokenEndpoint = `${lab.tokenEndpoint}?${encodeURI(query)}`;
			const {auth, events, access_token, refresh_token} = await signIn('over', {tokenEndpoint});
			const error = await reasonOf(auth.refresh());
			equal([nameOf(error), isRegrantError(error)], [name, true]);
			equal(shows([error, events, auth], [access_token, refresh_token]), false);
			equal(
				events.some(({type}) => type === 'session-ended'),
				false,
			);
			equal((await lab.log()).grants.length, 1);
		});
	}

	test('a token endpoint that is not there is a network failure [F-01]', async () => {
		const {auth, events} = await signIn('over', {tokenEndpoint: 'http://127.0.0.1:9/token'});
		equal(nameOf(await reasonOf(auth.getToken())), 'TokenNetworkError network');
		equal(gist(events), ['token set', 'refresh-failed network']);
	});

	test('a rejected refresh token ends the session once, and is sent once [R66, R68]', async () => {
		const {auth, events} = await signIn('over');
		await auth.setToken({...(await lab.mint()), refresh_token: 'never-issued', ...expired});
		const calls = Array.from({length: 5}, async () => nameOf(await reasonOf(auth.getToken())));
		equal(new Set(await Promise.all(calls)).size, 1);
		equal(gist(events), ['token set', 'token set', 'session-ended invalid_grant']);
		equal((await lab.log()).grants.length, 1);
		equal((await auth.fetch(`${lab.api}/me`)).status, 401);
	});

	test('after a sign-out the refresh token is revoked, and a call goes without a token [R106, R107]', async () => {
		const {auth, events, refresh_token} = await signIn();
		await auth.signOut();
		equal(gist(events), ['token set', 'session-ended signed_out']);
		equal(await lab.isActive(refresh_token), false);
		equal((await auth.fetch(`${lab.api}/me`)).status, 401);
		equal(nameOf(await reasonOf(auth.getToken())), 'SessionEndedError no_session');
	});

	test('a sign-out wins over a refresh that is under way [R76]', async () => {
		const {auth} = await signIn('over', {tokenEndpoint: heldEndpoint});
		const refresh = reasonOf(auth.refresh());
		await arrival('grants');
		await auth.signOut();
		equal(nameOf(await refresh), 'SessionEndedError signed_out');
		await lab.release();
		equal(nameOf(await reasonOf(auth.getToken())), 'SessionEndedError no_session');
		// Waits for the late answer, so that it does not arrive during the next test.
		while ((await lab.log()).grants[0]?.status === 0);
	});

	// Secrets in errors and output.
	test('neither an Auth nor an error of ky’s shows a token [R90, R92]', async () => {
		const {auth, api, access_token, refresh_token} = await signIn();
		const error = await reasonOf(api.get('me?status=500'));
		equal(nameOf(error), 'HTTPError');
		equal(shows([error, auth, auth.hooks, api], [access_token, refresh_token]), false);
		const request = (error as {request?: Request}).request;
		equal(request?.headers.get('authorization') ?? null, null);
	});

	test('getToken and refresh give no refresh token away', async () => {
		const {auth} = await signIn();
		equal(
			[await auth.getToken(), await auth.refresh()].map(token => 'refresh_token' in token),
			[false, false],
		);
	});

	test('getToken gives a token that lives as long as is asked for', async () => {
		const {auth, access_token} = await signIn();
		equal((await auth.getToken({minimumLifetime: 10})).access_token === access_token, true);
		// No token of this server lives for an hour, so the newest one must do.
		const renewed = await auth.getToken({minimumLifetime: 3600});
		equal([renewed.access_token === access_token, (await lab.log()).grants.length], [false, 1]);
	});

	test('a listener that throws disturbs nobody, and one that left hears nothing', async () => {
		const {auth, events} = await signIn();
		const heard: string[] = [];
		const leave = auth.subscribe(({type}) => void heard.push(type));
		auth.subscribe(() => {
			throw new Error('of the listener');
		});
		await auth.refresh();
		leave();
		await auth.refresh();
		equal([gist(events), heard], [['token set', 'token refresh', 'token refresh'], ['token']]);
	});

	// Stores.
	test('two Auths on one store make one grant [R58]', async () => {
		const store = memoryStore();
		const first = await signIn('over', {store});
		const second = createAuth(optionsOf({store}));
		equal(await statusesOf([first.api.get('me'), second.fetch(`${lab.api}/me`)]), [200, 200]);
		equal((await lab.log()).grants.length, 1);
	});

	test('a store of one’s own with a lock keeps its holders apart [R71]', async () => {
		let record: unknown;
		let last: Promise<unknown> = Promise.resolve();
		let locked = 0;
		const createDriver = (): StoreDriver => ({
			get: () => record,
			set: token => void (record = structuredClone(token)),
			delete: () => void (record = undefined),
			lock: task => {
				locked++;
				const turn = last.then(() => task());
				last = turn.catch(() => {});
				return turn;
			},
		});
		const first = await signIn('over', {store: customStore(createDriver())});
		const second = createAuth(optionsOf({store: customStore(createDriver())}));
		equal(await statusesOf([first.api.get('me'), second.fetch(`${lab.api}/me`), first.api.get('me')]), [200, 200, 200]);
		equal([(await lab.log()).grants.length, locked >= 2], [1, true]);
	});

	test('a store that fails is reported, and the session goes on in memory [R77, R78]', async () => {
		const fail = (): never => {
			throw new Error('hunter2');
		};
		const store = customStore({get: fail, set: fail, delete: fail});
		const auth = createAuth(optionsOf({store}));
		const events: AuthEvent[] = [];
		auth.subscribe(event => void events.push(event));
		equal(nameOf(await reasonOf(auth.setToken({...(await lab.mint()), ...expired}))), 'StoreError store_write');
		equal((await auth.fetch(`${lab.api}/me`)).status, 200);
		equal(gist(events), ['store-failed store_read', 'token set', 'token refresh']);
		equal(shows(events, ['hunter2']), false);
	});

	for (const [name, createStore] of Object.entries(stores)) {
		test(`${name}: two holders share a session, with one grant for both`, async () => {
			const first = await signIn('over', {store: createStore()});
			const second = createAuth(optionsOf({store: createStore()}));
			const calls = Array.from({length: 5}, () => [first.api.get('me'), second.fetch(`${lab.api}/me`)]).flat();
			equal(new Set(await statusesOf(calls)).size, 1);
			equal((await lab.log()).grants.length, 1);
			await second.refresh();
			equal((await first.api.get('me')).status, 200);
			await first.auth.signOut();
			equal((await second.fetch(`${lab.api}/me`)).status, 401);
			equal((await lab.log()).grants.length, 2);
		});
	}
}
