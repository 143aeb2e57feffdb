import {decodeJwt} from 'jose';
import ky, {type KyInstance} from 'ky';
import {describe, expect} from 'vitest';
import {dpop, type DpopKeyPair, type TokenScheme} from '../../src/dpop.ts';
import {type Auth, type AuthEvent, type AuthOptions, createAuth, createSession, customStore} from '../../src/index.ts';
import {service} from '../support/authorization-server.ts';
import {thumbprintOf} from '../support/dpop-scheme.ts';
import {test as base} from '../support/dpop-test.ts';
import {
	appOptions,
	gist,
	expired,
	memoryDriver,
	record,
	type ScenarioOptions,
	serviceGrant,
} from '../support/scenario.ts';
import {once} from '../support/stage.ts';

/** A user's session whose tokens are bound to a key. */
interface BoundSession {
	readonly auth: Auth;
	readonly api: KyInstance;
	readonly events: AuthEvent[];
	readonly scheme: TokenScheme;
	/** The access token with which the session begins. */
	readonly accessToken: string;
}

const test = base
	.extend('api', async ({runningApi}, {onCleanup}) => {
		runningApi.reset();
		runningApi.changeNonce();
		onCleanup(() => {
			for (const {headers} of runningApi.calls) expect(headers['authorization'] ?? '').not.toMatch(/bearer/i);
		});
		return runningApi;
	})
	.extend('optionsOf', async ({server, api}) => (more: Partial<ScenarioOptions> = {}): AuthOptions => ({
		...appOptions(server, more),
		origins: [api.origin],
	}))
	.extend(
		'begin',
		async ({server, api, optionsOf, watch}) =>
			async (more: Partial<ScenarioOptions> = {}): Promise<BoundSession> => {
				const {scheme = dpop()} = more;
				const auth = watch(createAuth(optionsOf({scheme, ...more})));
				const events = record(auth);
				const minted = await server.mint({jkt: await thumbprintOf(scheme)});
				await auth.setToken(minted);
				const accessToken = minted.access_token;
				return {auth, events, scheme, accessToken, api: ky.extend({baseUrl: api.origin, hooks: auth.hooks, retry: 0})};
			},
	);

const statuses = (requests: ReadonlyArray<{readonly status: number}>): number[] => requests.map(({status}) => status);

describe('a call with a bound token', () => {
	test('a call with a bound token goes out as DPoP, twice for the first nonce and once from then on [R101, R102, R105]', async ({
		api,
		begin,
	}) => {
		const {api: client, accessToken} = await begin();
		expect((await client.get('accounts?x=1')).status).toBe(200);
		expect((await client.post('accounts', {json: {amount: 1204}})).status).toBe(200);
		expect(statuses(api.calls)).toEqual([401, 200, 200]);
		expect(api.calls.map(({headers}) => headers['authorization'])).toEqual(
			Array.from({length: 3}, () => `DPoP ${accessToken}`),
		);
	});

	test('a call with a bound token takes the nonce of a 200 for the next one [R102]', async ({api, begin}) => {
		const {api: client} = await begin();
		await client.get('accounts');
		api.onCall(once(() => Response.json({}, {headers: {'dpop-nonce': 'of-a-200'}})));
		await client.get('accounts');
		api.onCall(once(() => Response.json({})));
		await client.get('accounts');
		const {headers} = api.calls.at(-1) ?? expect.fail('no call');
		expect(decodeJwt(headers['dpop'] ?? '')).toMatchObject({nonce: 'of-a-200'});
	});

	test('a call with a bound token is sent twice and no more if the API asks for a nonce again and again, and renews nothing [R101]', async ({
		server,
		api,
		begin,
	}) => {
		const {api: client} = await begin();
		api.onCall(() => api.changeNonce());
		expect((await client.get('accounts', {throwHttpErrors: false})).status).toBe(401);
		expect(statuses(api.calls)).toEqual([401, 401]);
		expect(server.tokenRequests).toEqual([]);
	});

	test('a call with a bound token renews a refused token once, and is sent again for a nonce beside that [R50, R100, R101]', async ({
		server,
		api,
		begin,
	}) => {
		const {api: client, accessToken, events} = await begin();
		await server.expire(accessToken);
		// The API changes its nonce while the session renews the token.
		server.onToken(() => api.changeNonce());
		expect(await client.post('accounts', {json: {amount: 1204}}).json()).toMatchObject({body: '{"amount":1204}'});
		expect(api.calls.map(({status, headers}) => [status, headers['authorization'] === `DPoP ${accessToken}`])).toEqual([
			[401, true],
			[401, false],
			[200, false],
		]);
		expect(statuses(server.tokenRequests)).toEqual([400, 200]);
		expect(gist(events)).toEqual(['token set', 'token refresh']);
	});

	test('twenty-one calls at once with a rejected bound token make one refresh [R57]', async ({server, api, begin}) => {
		const {api: client, accessToken} = await begin();
		await client.get('accounts');
		await server.expire(accessToken);
		api.reset();
		const answers = await Promise.all(Array.from({length: 20}, () => client.get('accounts')));
		expect(new Set(statuses(answers))).toEqual(new Set([200]));
		expect(statuses(server.tokenRequests)).toEqual([400, 200]);
	});

	test('a call with a bound token has a fresh proof in each of ky’s retries: the API takes none twice [R104]', async ({
		api,
		begin,
	}) => {
		const {api: client} = await begin();
		await client.get('accounts');
		let failures = 2;
		api.onCall(() => (failures-- > 0 ? new Response(null, {status: 503}) : undefined));
		expect((await client.get('accounts', {retry: {limit: 2, delay: () => 1}})).status).toBe(200);
		const proofs = api.calls.map(({headers}) => decodeJwt(headers['dpop'] ?? '')['jti']);
		expect(new Set(proofs).size).toBe(api.calls.length);
	});

	test('a call with a bound token has a proof for each hop of a redirect, and neither proof nor token at another origin [R42, R43]', async ({
		api,
		begin,
		serve,
	}) => {
		const elsewhere = await serve(() => ({}));
		const {api: client} = await begin();
		api.onCall(({path}) => {
			if (path === '/away') return {status: 307, headers: [['location', elsewhere.origin]]};
			return path === '/first' ? {status: 307, headers: [['location', '/second']]} : undefined;
		});
		expect(await client.post('first', {json: {amount: 1}}).json()).toMatchObject({body: '{"amount":1}'});
		expect(api.calls.map(({path, status}) => [path, status])).toEqual([
			['/first', 307],
			['/second', 401],
			['/first', 307],
			['/second', 200],
		]);
		expect((await client.get('away')).status).toBe(200);
		expect(elsewhere.requests).toHaveLength(1);
		expect(elsewhere.requests[0]?.headers).not.toHaveProperty('authorization');
		expect(elsewhere.requests[0]?.headers).not.toHaveProperty('dpop');
	});

	test('a call with a bound token that a POST is redirected to gets the nonce that came on the way, and the POST is sent once [R102]', async ({
		serve,
		watch,
	}) => {
		// The server accepts each nonce for one request only.
		let nonce = 'n-0';
		const seen: string[] = [];
		const {origin} = await serve((_request, {method, path, headers}) => {
			const isGood = decodeJwt(headers['dpop'] ?? '')['nonce'] === nonce;
			nonce = `n-${seen.push(`${method} ${path} ${isGood ? 'good' : 'refused'}`)}`;
			const told = {'dpop-nonce': nonce};
			if (!isGood) {
				return new Response(null, {
					status: 401,
					headers: {...told, 'www-authenticate': 'DPoP error="use_dpop_nonce"'},
				});
			}
			if (path === '/orders') return new Response(null, {status: 303, headers: {...told, location: '/orders/1'}});
			return Response.json({id: 1}, {headers: told});
		});
		const renew = (): {access_token: string; token_type: string} => ({access_token: 'at', token_type: 'DPoP'});
		const auth = watch(createSession({renew, scheme: dpop(), origins: [origin]}));
		const client = ky.extend({baseUrl: origin, hooks: auth.hooks, retry: 0});
		expect(await client.post('orders', {json: {amount: 1}}).json()).toEqual({id: 1});
		expect(seen).toEqual(['POST /orders refused', 'POST /orders good', 'GET /orders/1 good']);
	});

	test('a call with a bound token and a stream is sent once: it is refused without a nonce, and arrives with one [R61]', async ({
		server,
		api,
		begin,
	}) => {
		const {api: client} = await begin();
		const send = (): Promise<Response> => {
			const body = new Blob(['chunk']).stream();
			return client.post('accounts', {body, duplex: 'half', throwHttpErrors: false} as object);
		};
		expect((await send()).status).toBe(401);
		const answer = await send();
		expect(await answer.json()).toMatchObject({body: 'chunk'});
		expect(statuses(api.calls)).toEqual([401, 200]);
		expect(server.tokenRequests).toEqual([]);
	});

	test('a call whose bound token lacks a scope causes no renewal [R52]', async ({server, api, begin}) => {
		const {api: client} = await begin();
		for (const status of [401, 403]) {
			api.onCall(once(() => ({status, headers: [['www-authenticate', 'DPoP error="insufficient_scope"']]})));
			expect((await client.get('accounts', {throwHttpErrors: false})).status).toBe(status);
		}
		expect(server.tokenRequests).toEqual([]);
	});
});

describe('a token that is not bound', () => {
	test('setToken refuses a token that is not bound, and names the type that is needed [R23]', async ({
		optionsOf,
		watch,
	}) => {
		const auth = watch(createAuth(optionsOf({scheme: dpop()})));
		for (const token_type of ['Bearer', undefined]) {
			await expect(auth.setToken({access_token: 'at', token_type})).rejects.toThrow(/token_type must be dpop/);
		}
	});

	test('a refresh that brings a token which is not bound is refused, but its rotated refresh token is kept [R23, R105]', async ({
		server,
		begin,
	}) => {
		const {auth, api: client} = await begin();
		const stop = server.onTokenAnswer((_request, {status, body}) =>
			status === 200 ? Response.json({...(body as object), token_type: 'Bearer'}) : undefined,
		);
		await expect(auth.refresh()).rejects.toMatchObject({code: 'unsupported_token_type'});
		stop();
		expect(auth.status).toBe('signed-in');
		expect((await client.get('accounts')).status).toBe(200);
	});
});

describe('a session whose key is gone', () => {
	test('a session whose key is gone ends once, and a new login works', async ({
		server,
		api,
		optionsOf,
		begin,
		watch,
	}) => {
		const driver = memoryDriver();
		await begin({store: driver});
		// After a reload, the browser may have deleted the key but kept the token.
		const scheme = dpop();
		const auth = watch(createAuth({...optionsOf({scheme}), store: customStore({...driver})}));
		const events = record(auth);
		const client = ky.extend({baseUrl: api.origin, hooks: auth.hooks, retry: 0});
		// A call that is refused after the end gets its 401. So the token endpoint waits until both are: each without a nonce, and with one.
		server.onToken(async () => {
			await expect.poll(() => statuses(api.calls)).toEqual([401, 401, 401, 401]);
		});
		const calls = await Promise.allSettled([client.get('accounts'), client.get('accounts')]);
		expect(calls.map(call => call.status === 'rejected' && (call.reason as {code?: unknown}).code)).toEqual([
			'session_ended',
			'session_ended',
		]);
		expect(gist(events).filter(event => event.startsWith('session-ended'))).toEqual(['session-ended invalid_grant']);
		expect(auth.status).toBe('signed-out');
		expect(statuses(server.tokenRequests)).toEqual([400, 400]);
		await auth.setToken(await server.mint({jkt: await thumbprintOf(scheme)}));
		expect((await client.get('accounts')).status).toBe(200);
	});

	test('a session whose key is gone and that has no refresh token ends as well', async ({
		server,
		api,
		optionsOf,
		watch,
	}) => {
		const auth = watch(createAuth(optionsOf({scheme: dpop()})));
		const {refresh_token: _, ...token} = await server.mint({jkt: await thumbprintOf(dpop())});
		await auth.setToken(token);
		const events = record(auth);
		const client = ky.extend({baseUrl: api.origin, hooks: auth.hooks, retry: 0, throwHttpErrors: false});
		await client.get('accounts').catch(() => {});
		expect(gist(events)).toContain('session-ended no_refresh_token');
		expect(server.tokenRequests).toEqual([]);
	});

	test('a session whose key is gone and that has a grant of its own begins again by itself', async ({
		server,
		api,
		optionsOf,
		watch,
	}) => {
		const options = optionsOf({clientId: service.clientId, grant: serviceGrant});
		const driver = memoryDriver();
		const call = async (): Promise<Response> => {
			const auth = watch(createAuth({...options, scheme: dpop(), store: customStore({...driver})}));
			return auth.fetch(`${api.origin}/accounts`);
		};
		expect((await call()).status).toBe(200);
		expect((await call()).status).toBe(200);
		expect(statuses(server.tokenRequests)).toEqual([400, 200, 400, 200]);
	});
});

describe('a tab that was open while the user deleted the site’s data, and logged in again in another one', () => {
	test.for([
		['whose token has expired', {...expired}],
		['whose token the API refuses', {}],
	] as const)(
		'a tab that was open while the user deleted the site’s data, and logged in again in another one goes on with the new login, and does not end it: %s',
		async ([, more], {server, api, optionsOf, watch}) => {
			let kept: CryptoKeyPair | undefined;
			const store = (keyPair: DpopKeyPair): DpopKeyPair => (kept ??= keyPair as CryptoKeyPair);
			const driver = memoryDriver();
			const open = (scheme: TokenScheme): Auth =>
				watch(createAuth({...optionsOf({scheme}), store: customStore({...driver})}));
			const schemes = [dpop({store}), dpop({store})] as const;
			const [tab, other] = [open(schemes[0]), open(schemes[1])];
			const call = async (auth: Auth): Promise<number> => (await auth.fetch(`${api.origin}/accounts`)).status;
			await tab.setToken(await server.mint({jkt: await thumbprintOf(schemes[0])}));
			expect(await call(tab)).toBe(200);
			kept = undefined;
			await other.setToken({...(await server.mint({jkt: await thumbprintOf(schemes[1])})), ...more});
			expect(await call(tab)).toBe(200);
			expect(await call(other)).toBe(200);
		},
	);
});

describe('a key that cannot be read for now', () => {
	const pair = (): Promise<CryptoKeyPair> =>
		crypto.subtle.generateKey({name: 'ECDSA', namedCurve: 'P-256'}, false, ['sign', 'verify']);

	test('a key that cannot be read at the moment fails the call and the renewal, but not the session', async ({
		server,
		api,
		optionsOf,
		watch,
	}) => {
		const keyPair = await pair();
		let isFailing = true;
		let time = Date.now();
		const store = async (): Promise<CryptoKeyPair> => (isFailing ? Promise.reject(new Error('offline')) : keyPair);
		const auth = watch(createAuth(optionsOf({scheme: dpop({store}), now: () => time})));
		const minted = await server.mint({jkt: await thumbprintOf(dpop({keyPair}))});
		await auth.setToken(minted);
		const events = record(auth);
		const call = async (): Promise<number> => (await auth.fetch(`${api.origin}/accounts`)).status;
		await expect(call()).rejects.toMatchObject({code: 'store_read', retryable: true});
		await auth.setToken({...minted, ...expired});
		await expect(call()).rejects.toMatchObject({code: 'store_read', retryable: true});
		expect(gist(events)).toEqual(['token set', 'refresh-failed store_read']);
		expect([server.tokenRequests, api.calls]).toEqual([[], []]);
		isFailing = false;
		time += 60_000;
		expect(await call()).toBe(200);
	});
});

test('a sign-out proves its revocation', async ({server, begin}) => {
	const {auth} = await begin();
	await auth.signOut();
	expect(statuses(server.revocationRequests)).toEqual([200]);
	expect(decodeJwt(server.revocationRequests[0]?.headers['dpop'] ?? '')).toMatchObject({
		htu: server.revocationEndpoint,
	});
});

test('a session of one’s own backend can send bound tokens as well', async ({server, api, watch}) => {
	const scheme = dpop();
	const renew = async (): Promise<object> => server.mint({jkt: await thumbprintOf(scheme)});
	const auth = watch(
		createSession({renew: renew as () => Promise<{access_token: string}>, scheme, origins: [api.origin]}),
	);
	expect((await auth.fetch(`${api.origin}/accounts`)).status).toBe(200);
});
