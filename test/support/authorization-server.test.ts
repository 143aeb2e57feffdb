import {describe, expect, vi} from 'vitest';
import {app, awkward, service, servicePost, startAuthorizationServer} from './authorization-server.ts';
import {once} from './stage.ts';
import {test} from './test.ts';

type Parameters = Readonly<Record<string, string>>;

const basic = (id: string, secret: string): {authorization: string} => ({
	authorization: `Basic ${btoa(`${id}:${secret}`)}`,
});
const formEncode = (text: string): string => encodeURIComponent(text).replaceAll('%20', '+');
const bearer = (token: string): {headers: {authorization: string}} => ({headers: {authorization: `Bearer ${token}`}});

function post(url: string, parameters: Parameters, headers: Parameters = {}): Promise<Response> {
	return fetch(url, {
		method: 'POST',
		headers: {'content-type': 'application/x-www-form-urlencoded', ...headers},
		body: new URLSearchParams(parameters).toString(),
	});
}

const refreshing = (refresh_token: string, more: Parameters = {}): Parameters => ({
	grant_type: 'refresh_token',
	client_id: app.clientId,
	refresh_token,
	...more,
});
const granting = {grant_type: 'client_credentials', scope: '/accounts.read /accounts.write'};
const postedService = {client_id: servicePost.clientId, client_secret: servicePost.secret};

describe('the token endpoint', () => {
	test('the token endpoint grants client credentials by Basic, with the scope that was asked for', async ({server}) => {
		const response = await post(server.tokenEndpoint, granting, basic(service.clientId, service.secret));
		expect(response.status).toBe(200);
		expect(await response.json()).toEqual({
			access_token: expect.any(String),
			expires_in: 60,
			token_type: 'Bearer',
			scope: granting.scope,
		});
		expect(server.tokenRequests).toMatchObject([{status: 200, method: 'POST', path: '/token'}]);
		expect(server.tokenRequests[0]?.parameters.get('scope')).toBe(granting.scope);
		expect(server.events).toEqual(['client_credentials.saved', 'grant.success']);
	});

	test('the token endpoint grants client credentials by a post', async ({server}) => {
		const response = await post(server.tokenEndpoint, {...granting, ...postedService});
		expect(response.status).toBe(200);
	});

	test('the token endpoint takes awkward credentials when they are form-encoded, and not when they are raw', async ({
		server,
	}) => {
		const encoded = basic(formEncode(awkward.clientId), formEncode(awkward.secret));
		expect((await post(server.tokenEndpoint, granting, encoded)).status).toBe(200);
		const raw = await post(server.tokenEndpoint, granting, basic(awkward.clientId, awkward.secret));
		expect(raw.status).toBe(400);
		expect(await raw.json()).toMatchObject({error: 'invalid_request'});
	});

	test('the token endpoint refuses two client authentications at once, and a wrong secret', async ({server}) => {
		const both = await post(
			server.tokenEndpoint,
			{...granting, ...postedService},
			basic(service.clientId, service.secret),
		);
		expect([both.status, await both.json()]).toMatchObject([400, {error: 'invalid_request'}]);
		const wrong = await post(server.tokenEndpoint, granting, basic(service.clientId, 'wrong'));
		expect([wrong.status, await wrong.json()]).toMatchObject([401, {error: 'invalid_client'}]);
		expect(wrong.headers.get('www-authenticate')).toMatch(/^Basic /);
	});

	test('the token endpoint refuses a scope and a grant type that the client may not use', async ({server}) => {
		const headers = basic(service.clientId, service.secret);
		const scope = await post(server.tokenEndpoint, {...granting, scope: 'openid'}, headers);
		expect([scope.status, await scope.json()]).toMatchObject([400, {error: 'invalid_scope'}]);
		const grant = await post(server.tokenEndpoint, {grant_type: 'refresh_token', refresh_token: 'x'}, headers);
		expect([grant.status, await grant.json()]).toMatchObject([400, {error: 'invalid_request'}]);
	});

	test('the token endpoint leaves out a scope that it does not know, and says nothing of it', async ({server}) => {
		const unknown = {...granting, scope: '/accounts.read /other'};
		const response = await post(server.tokenEndpoint, unknown, basic(service.clientId, service.secret));
		expect(await response.json()).toMatchObject({scope: '/accounts.read'});
	});

	test('the token endpoint rotates a refresh token, and narrows the access token alone', async ({server}) => {
		const {refresh_token: first} = await server.mint({scope: 'openid offline_access /accounts.read /accounts.write'});
		const narrow = await (await post(server.tokenEndpoint, refreshing(first, {scope: '/accounts.read'}))).json();
		expect(narrow).toMatchObject({scope: '/accounts.read'});
		expect(narrow.refresh_token).not.toBe(first);
		const wide = await (await post(server.tokenEndpoint, refreshing(narrow.refresh_token))).json();
		expect(wide.scope).toContain('/accounts.write');
		const wider = await post(server.tokenEndpoint, refreshing(wide.refresh_token, {scope: '/accounts.read profile'}));
		expect([wider.status, await wider.json()]).toMatchObject([400, {error: 'invalid_scope'}]);
	});

	test('the token endpoint answers a page of another origin', async ({server}) => {
		const {refresh_token} = await server.mint();
		const response = await post(server.tokenEndpoint, refreshing(refresh_token), {'x-preflight': '1'});
		expect(response.status).toBe(200);
		expect(response.headers.get('access-control-allow-origin')).not.toBe(null);
	});

	test('the token endpoint knows which tokens it has issued', async ({server}) => {
		const minted = await server.mint();
		const {access_token, refresh_token, id_token} = await (
			await post(server.tokenEndpoint, refreshing(minted.refresh_token))
		).json();
		const kinds = [
			minted.access_token,
			minted.refresh_token,
			access_token,
			refresh_token,
			id_token,
			service.secret,
		].map(secret => server.issued.get(secret));
		expect(kinds).toEqual([
			'access token',
			'refresh token',
			'access token',
			'refresh token',
			'id token',
			'client secret',
		]);
	});
});

describe('the referee', () => {
	test('the referee sees a refresh token that is used twice', async ({server}) => {
		const {refresh_token} = await server.mint();
		const first = await post(server.tokenEndpoint, refreshing(refresh_token));
		const tokens = await first.json();
		const second = await post(server.tokenEndpoint, refreshing(refresh_token));
		expect([first.status, second.status]).toEqual([200, 400]);
		expect(await second.json()).toMatchObject({error: 'invalid_grant'});
		expect(server.events).toEqual(expect.arrayContaining(['refresh_token.destroyed', 'grant.revoked', 'grant.error']));
		expect(await server.isActive(tokens.access_token)).toBe(false);
		expect(await server.isActive(tokens.refresh_token)).toBe(false);
		expect(() => server.referee.verdict()).toThrow('session was lost');
		expect(() => server.referee.verdict()).not.toThrow();
	});

	test('the referee sees two uses that slow storage has let through', async ({canaries}) => {
		const slowServer = await startAuthorizationServer({latency: 5});
		canaries.plantAll(slowServer.issued);
		const {refresh_token} = await slowServer.mint();
		// Both requests go on at the same moment, when both are there.
		const both = Promise.withResolvers<void>();
		slowServer.onToken(async () => {
			if (slowServer.tokenRequests.length === 2) both.resolve();
			await both.promise;
		});
		const responses = await Promise.all([1, 2].map(() => post(slowServer.tokenEndpoint, refreshing(refresh_token))));
		expect(responses.map(({status}) => status)).toEqual([200, 200]);
		expect(slowServer.events).not.toContain('grant.revoked');
		expect(() => slowServer.referee.verdict()).toThrow('session was lost');
		await slowServer.close();
	});

	test('the referee allows a loss that the test expects', async ({server}) => {
		const {refresh_token} = await server.mint();
		server.referee.expectLoss();
		server.onTokenAnswer(once(() => new Response('<h1>Bad gateway</h1>', {status: 502})));
		const statuses = [];
		for (let tries = 0; tries < 2; tries++)
			statuses.push((await post(server.tokenEndpoint, refreshing(refresh_token))).status);
		expect(statuses).toEqual([502, 400]);
		expect(server.tokenRequests.map(({status}) => status)).toEqual(statuses);
	});

	test('the referee does not count a revocation', async ({server}) => {
		const {access_token, refresh_token} = await server.mint();
		const parameters = {client_id: app.clientId, token: refresh_token, token_type_hint: 'refresh_token'};
		expect((await post(server.revocationEndpoint, parameters)).status).toBe(200);
		expect(server.events).toContain('grant.revoked');
		const introspected = await post(server.introspectionEndpoint, {...postedService, token: access_token});
		expect(await introspected.json()).toEqual({active: false});
		expect((await post(server.tokenEndpoint, refreshing(refresh_token))).status).toBe(400);
		expect((await post(server.revocationEndpoint, {...parameters, token: 'unknown'})).status).toBe(200);
		expect(server.revocationRequests).toHaveLength(2);
	});
});

describe('the API', () => {
	test('the API answers a token in any case of the scheme, and echoes what it was sent', async ({server}) => {
		const {access_token} = await server.mint({scope: 'openid /accounts.read /accounts.write'});
		const read = await fetch(`${server.api}/accounts?page=1`, {headers: {authorization: `bEARER ${access_token}`}});
		expect([read.status, await read.json()]).toEqual([200, {subject: expect.stringContaining('user-'), body: ''}]);
		const written = await fetch(`${server.api}/accounts`, {...bearer(access_token), method: 'POST', body: 'ü'});
		expect(await written.json()).toMatchObject({body: 'ü'});
		expect((await fetch(`${server.api}/me`, bearer(access_token))).status).toBe(200);
		expect(server.calls.map(({method, path, status}) => [method, path, status])).toEqual([
			['GET', '/accounts?page=1', 200],
			['POST', '/accounts', 200],
			['GET', '/me', 200],
		]);
	});

	test('the API takes the token of a service', async ({server}) => {
		const {access_token} = await (
			await post(server.tokenEndpoint, granting, basic(service.clientId, service.secret))
		).json();
		expect(await (await fetch(`${server.api}/accounts`, bearer(access_token))).json()).toMatchObject({
			subject: 'service',
		});
	});

	test('the API says what is wrong with a call', async ({server}) => {
		const {access_token} = await server.mint();
		const bare = await fetch(`${server.api}/me`);
		expect([bare.status, bare.headers.get('www-authenticate')]).toEqual([401, 'Bearer']);
		const lacking = await fetch(`${server.api}/accounts`, {...bearer(access_token), method: 'POST'});
		expect([lacking.status, lacking.headers.get('www-authenticate')]).toEqual([
			403,
			'Bearer error="insufficient_scope", scope="/accounts.write"',
		]);
		expect((await fetch(`${server.api}/nowhere`)).status).toBe(404);
	});

	test('the API refuses an access token that was ended, whose grant lives on', async ({server}) => {
		const {access_token, refresh_token} = await server.mint();
		await server.expire(access_token);
		const response = await fetch(`${server.api}/me`, bearer(access_token));
		expect([response.status, response.headers.get('www-authenticate')]).toEqual([401, 'Bearer error="invalid_token"']);
		expect((await post(server.tokenEndpoint, refreshing(refresh_token))).status).toBe(200);
	});

	test('the API refuses an access token that is two seconds old', async ({canaries, onTestFinished}) => {
		const server = await startAuthorizationServer({accessTokenSeconds: 2});
		onTestFinished(server.close);
		canaries.plantAll(server.issued);
		// The clock stands still, however long a request takes, until the test moves it.
		vi.useFakeTimers({toFake: ['Date']});
		onTestFinished(() => void vi.useRealTimers());
		const {access_token} = await server.mint();
		const statusAfter = async (milliseconds: number): Promise<number> => {
			vi.setSystemTime(Date.now() + milliseconds);
			return (await fetch(`${server.api}/me`, bearer(access_token))).status;
		};
		expect([await statusAfter(0), await statusAfter(1_000), await statusAfter(1_000)]).toEqual([200, 200, 401]);
	});

	test('the API can be given answers to send', async ({server}) => {
		const {access_token} = await server.mint();
		server.onCall(once(() => new Response('later', {status: 503, headers: {'retry-after': '1'}})));
		const [first, second] = [
			await fetch(`${server.api}/me`, bearer(access_token)),
			await fetch(`${server.api}/me`, bearer(access_token)),
		];
		expect([first.status, first.headers.get('retry-after'), await first.text(), second.status]).toEqual([
			503,
			'1',
			'later',
			200,
		]);
	});
});

describe('staging of the token endpoint', () => {
	test('staging of the token endpoint answers in the place of the provider, which then knows nothing of it', async ({
		server,
	}) => {
		const {refresh_token} = await server.mint();
		server.onToken(once(() => Response.json({error: 'slow_down'}, {status: 400})));
		const responses = [
			await post(server.tokenEndpoint, refreshing(refresh_token)),
			await post(server.tokenEndpoint, refreshing(refresh_token)),
		];
		expect(responses.map(({status}) => status)).toEqual([400, 200]);
	});

	test('staging of the token endpoint can delay, and ends when it is removed and with the test', async ({server}) => {
		const {refresh_token} = await server.mint();
		let isReleased = false;
		const remove = server.onToken(async () => {
			await new Promise(resolve => setTimeout(resolve, 20));
			isReleased = true;
		});
		expect((await post(server.tokenEndpoint, refreshing(refresh_token))).status).toBe(200);
		expect(isReleased).toBe(true);
		remove();
		server.onToken(() => ({reset: true}));
	});

	test('staging of the token endpoint cuts the connection after the rotation', async ({server}) => {
		const {refresh_token} = await server.mint();
		server.onTokenAnswer(once(() => ({reset: true})));
		await expect(post(server.tokenEndpoint, refreshing(refresh_token))).rejects.toThrow();
		expect(await server.isActive(refresh_token)).toBe(false);
	});
});
