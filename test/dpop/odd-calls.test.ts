import {createServer} from 'node:net';
import {decodeJwt} from 'jose';
import ky from 'ky';
import {describe, expect, vi} from 'vitest';
import {dpop, type TokenScheme} from '../../src/dpop.ts';
import {type Auth, type AuthOptions, createAuth, createSession} from '../../src/index.ts';
import type {DpopApi} from '../support/dpop-api.ts';
import {thumbprintOf} from '../support/dpop-scheme.ts';
import {test as base} from '../support/dpop-test.ts';
import {appOptions, expired} from '../support/scenario.ts';
import {once} from '../support/stage.ts';

interface BoundSession {
	readonly auth: Auth;
	readonly api: DpopApi;
	readonly accessToken: string;
}

const test = base.extend(
	'begin',
	async ({server, runningApi: api, watch}) =>
		async (more: Partial<AuthOptions> = {}, scheme: TokenScheme = dpop()): Promise<BoundSession> => {
			api.reset();
			const auth = watch(createAuth({...appOptions(server), origins: [api.origin], scheme, ...more}));
			const minted = await server.mint({jkt: await thumbprintOf(scheme)});
			await auth.setToken(minted);
			return {auth, api, accessToken: minted.access_token};
		},
);

const challenge = {'www-authenticate': 'DPoP error="use_dpop_nonce"'};
describe('the API accepts the proof of a call', () => {
	test.for([
		'/',
		'/a b',
		'/a%20b',
		'/%7Euser/~user',
		'/ü/%C3%BC',
		'/a//b/',
		'/a/../b/./c',
		'/a%2Fb;c=1',
		"/!$&'()*+,=:@",
		'/a?b=c%20d&e=/../f',
		'/a#fragment',
		'/a%',
		'/a|b^c`d{e}',
		'?query',
	])('the API accepts the proof of a call to %s', async (path, {begin}) => {
		const {auth, api} = await begin();
		for (const send of [
			() => auth.fetch(`${api.origin}${path}`),
			() => auth.fetch(new Request(`${api.origin}${path}`, {method: 'put', body: 'x'})),
			() => auth.fetch(new URL(`${api.origin}${path}`), {method: 'delete'}),
			() => ky.extend({hooks: auth.hooks, retry: 0})(`${api.origin}${path}`, {method: 'patch', json: {}}),
		]) {
			expect((await send()).status).toBe(200);
		}
	});

	test('the API accepts the proof of a call through a prefix, a base URL, search parameters and another method of ky', async ({
		begin,
	}) => {
		const {auth, api} = await begin();
		const prefixed = ky.extend({prefix: `${api.origin}/v1/`, hooks: auth.hooks, retry: 0});
		expect((await prefixed.get('accounts', {searchParams: {a: 'b c'}})).status).toBe(200);
		const based = ky.extend({baseUrl: `${api.origin}/v1/`, hooks: auth.hooks, retry: 0});
		expect((await based('accounts', {method: 'PROPFIND'})).status).toBe(200);
		expect(api.calls.map(({method, path}) => `${method} ${path}`)).toEqual([
			'GET /v1/accounts?a=b+c',
			'GET /v1/accounts?a=b+c',
			'PROPFIND /v1/accounts',
		]);
	});

	test('the API accepts the proof of a call of a client with a fetch of its own, which sees each send', async ({
		begin,
	}) => {
		const {auth, api} = await begin();
		const own = vi.fn<typeof fetch>(async (input, init) => fetch(input, init));
		const client = ky.extend({baseUrl: api.origin, fetch: own, hooks: auth.hooks, retry: 0});
		expect(await client.post('accounts', {json: {a: 1}}).json()).toMatchObject({body: '{"a":1}'});
		expect(own).toHaveBeenCalledTimes(2);
	});

	test('if the fetch of a client gives answers without a URL', async ({begin}) => {
		const {auth, api} = await begin();
		const own: typeof fetch = async (input, init) => {
			const {status, headers, body} = await fetch(input, init);
			return new Response(body, {status, headers});
		};
		const client = ky.extend({baseUrl: api.origin, fetch: own, hooks: auth.hooks, retry: 0});
		expect((await client.get('accounts')).status).toBe(200);
	});
});

describe('a nonce', () => {
	const nonce = "!#$%&'()*+,-./09:;<=>?@AZ[]^_`az{|}~";

	test('a nonce may have every character that RFC 9449 allows, and a space behind it, which Node leaves there [R102]', async ({
		watch,
	}) => {
		const proofs: unknown[] = [];
		const server = createServer(socket => {
			socket.on('data', data => {
				proofs.push(decodeJwt(/^dpop: (.*)$/im.exec(String(data))?.[1] ?? '')['nonce']);
				const status = proofs.length === 1 ? '401 Unauthorized' : '200 OK';
				const lines = [`DPoP-Nonce: ${nonce} `, `WWW-Authenticate: ${challenge['www-authenticate']}`];
				socket.end([`HTTP/1.1 ${status}`, ...lines, 'Content-Length: 0', 'Connection: close', '', ''].join('\r\n'));
			});
		});
		await new Promise<void>(resolve => void server.listen(0, '127.0.0.1', resolve));
		const {port} = server.address() as {port: number};
		const origin = `http://127.0.0.1:${port}`;
		const renew = (): {access_token: string; token_type: string} => ({access_token: 'at', token_type: 'DPoP'});
		const auth = watch(createSession({renew, scheme: dpop(), origins: [origin]}));
		expect((await auth.fetch(`${origin}/`)).status).toBe(200);
		expect(proofs).toEqual([undefined, nonce]);
		server.close();
	});

	test('a nonce that an API asks for beside a Bearer challenge is sent, and renews nothing [R101]', async ({
		server,
		begin,
	}) => {
		const {auth, api} = await begin();
		api.onCall(
			once(() => ({
				status: 401,
				headers: [
					['www-authenticate', 'Bearer realm="api", error="invalid_token", DPoP algs="ES256", error="use_dpop_nonce"'],
					['dpop-nonce', 'n-1'],
				],
			})),
		);
		await auth.fetch(`${api.origin}/accounts`);
		expect(decodeJwt(api.calls[1]?.headers['dpop'] ?? '')).toMatchObject({nonce: 'n-1'});
		expect(server.tokenRequests).toEqual([]);
	});

	test('a nonce that an API asks for again and again renews nothing, also beside a Bearer challenge [R101]', async ({
		server,
		begin,
	}) => {
		const {auth, api} = await begin();
		let count = 0;
		api.onCall(() => ({
			status: 401,
			headers: [
				['www-authenticate', 'Bearer, DPoP error="use_dpop_nonce"'],
				['dpop-nonce', `n-${++count}`],
			],
		}));
		expect((await auth.fetch(`${api.origin}/accounts`)).status).toBe(401);
		expect(api.calls).toHaveLength(2);
		expect(server.tokenRequests).toEqual([]);
	});

	test('a nonce that a token endpoint asks for again and again does not lose the session [R100]', async ({
		server,
		begin,
	}) => {
		const clock = {time: Date.now()};
		const {auth, api} = await begin({now: () => clock.time});
		const stop = server.onToken(() =>
			Response.json({error: 'use_dpop_nonce'}, {status: 400, headers: {'dpop-nonce': crypto.randomUUID()}}),
		);
		await expect(auth.refresh()).rejects.toMatchObject({error: 'use_dpop_nonce'});
		expect(server.tokenRequests).toHaveLength(2);
		stop();
		clock.time += 60_000;
		await auth.refresh();
		expect((await auth.fetch(`${api.origin}/accounts`)).status).toBe(200);
	});
});

describe('a clock that is wrong', () => {
	/** Shifts the clock for proofs only: the servers run in the same process, and read the same clock. */
	const skewed = (seconds: number): TokenScheme => {
		const scheme = dpop();
		return {
			...scheme,
			apply: async (...given) => {
				const real = Date.now;
				// The key is loaded already, so `apply` reads the clock at once, before a server can read it.
				const clock = vi.spyOn(Date, 'now').mockImplementation(() => real() + seconds * 1000);
				try {
					await scheme.apply(...given);
				} finally {
					clock.mockRestore();
				}
			},
		};
	};

	test.for([-86_400, 86_400])(
		'a clock that is wrong by %i seconds ends no session: with a nonce the server does not look at it, and an API that does renews once',
		async (seconds, {server, begin}) => {
			const {auth, api} = await begin({}, skewed(seconds));
			await auth.refresh();
			for (let call = 0; call < 3; call++) expect((await auth.fetch(`${api.origin}/accounts`)).status).toBe(401);
			expect(server.tokenRequests.map(({status}) => status)).toEqual([400, 200, 200]);
			expect(auth.status).toBe('signed-in');
		},
	);
});

test('a renewed session of the same login keeps its key: refresh({instead}) and setToken({renews}) [R57]', async ({
	server,
	begin,
}) => {
	const scheme = dpop();
	const {auth, api, accessToken} = await begin({}, scheme);
	await Promise.all([auth.refresh({instead: accessToken}), auth.refresh({instead: accessToken})]);
	await auth.refresh({instead: accessToken});
	expect(server.tokenRequests.filter(({status}) => status === 200)).toHaveLength(1);
	const {refresh_token: _, ...next} = await server.mint({jkt: await thumbprintOf(scheme)});
	await auth.setToken({...next, ...expired}, {renews: true});
	expect((await auth.fetch(`${api.origin}/accounts`)).status).toBe(200);
});
