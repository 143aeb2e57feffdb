import {describe, expect} from 'vitest';
import {seedClient} from './seed-vault.ts';
import {test} from './test.ts';

type Parameters = Readonly<Record<string, string>>;

const credentials = {client_id: seedClient.clientId, client_secret: seedClient.secret};
const granting = {grant_type: 'client_credentials', scope: '/accounts.read /accounts.write'};

function postJson(url: string, parameters: Parameters, headers: Parameters = {}): Promise<Response> {
	return fetch(url, {
		method: 'POST',
		headers: {'content-type': 'application/json', ...headers},
		body: JSON.stringify(parameters),
	});
}

describe('the seed API', () => {
	test('Moov’s API answers in the encoding of the request', async ({seedApi}) => {
		const json = await postJson(seedApi.tokenEndpoint, {...granting, ...credentials});
		expect(json.headers.get('content-type')).toBe('application/json');
		expect(await json.json()).toEqual({
			access_token: expect.any(String),
			refresh_token: expect.any(String),
			token_type: 'Bearer',
			scope: granting.scope,
			expires_in: expect.toSatisfy((value: number) => Math.abs(value - Date.now() / 1000 - 900) < 5),
		});
		const authorization = `Basic ${btoa(`${seedClient.clientId}:${seedClient.secret}`)}`;
		const headers = {authorization, 'content-type': 'application/x-www-form-urlencoded'};
		const form = await fetch(seedApi.tokenEndpoint, {
			method: 'POST',
			headers,
			body: new URLSearchParams(granting).toString(),
		});
		expect(form.headers.get('content-type')).toBe('application/x-www-form-urlencoded');
		expect(new URLSearchParams(await form.text()).get('token_type')).toBe('Bearer');
		expect(seedApi.tokenRequests.map(({parameters, status}) => [parameters['grant_type'], status])).toEqual([
			['client_credentials', 200],
			['client_credentials', 200],
		]);
	});

	test('Moov’s API rotates, and ends a family whose refresh token comes twice', async ({seedApi}) => {
		const {access_token, refresh_token} = await (
			await postJson(seedApi.tokenEndpoint, {...granting, ...credentials})
		).json();
		const refreshing = {grant_type: 'refresh_token', refresh_token, ...credentials};
		const second = await (await postJson(seedApi.tokenEndpoint, refreshing)).json();
		expect(second.refresh_token).not.toBe(refresh_token);
		const call = (token: string): Promise<Response> =>
			fetch(`${seedApi.api}/accounts`, {headers: {authorization: `Bearer ${token}`}});
		expect([(await call(access_token)).status, (await call(second.access_token)).status]).toEqual([200, 200]);
		const reused = await postJson(seedApi.tokenEndpoint, refreshing);
		expect([reused.status, await reused.json()]).toEqual([
			422,
			{refresh_token: expect.stringContaining('not a valid')},
		]);
		expect((await call(second.access_token)).status).toBe(401);
		expect(() => seedApi.referee.verdict()).toThrow('used twice');
	});

	test('Moov’s API expires tokens', async ({seedApi}) => {
		const {access_token, refresh_token} = await (
			await postJson(seedApi.tokenEndpoint, {...granting, ...credentials})
		).json();
		seedApi.expire(access_token);
		seedApi.kill(refresh_token);
		expect((await fetch(`${seedApi.api}/accounts`, {headers: {authorization: `Bearer ${access_token}`}})).status).toBe(
			401,
		);
		expect(
			(await postJson(seedApi.tokenEndpoint, {grant_type: 'refresh_token', refresh_token, ...credentials})).status,
		).toBe(422);
	});

	test('Moov’s API refuses invalid requests', async ({seedApi}) => {
		const scope = await postJson(seedApi.tokenEndpoint, {...granting, ...credentials, scope: '/other'});
		expect([scope.status, await scope.json()]).toEqual([422, {scope: expect.any(String)}]);
		const client = await postJson(seedApi.tokenEndpoint, {...granting, ...credentials, client_secret: 'wrong'});
		expect([client.status, await client.json()]).toEqual([400, {error: 'invalid_client'}]);
		const both = await postJson(
			seedApi.tokenEndpoint,
			{...granting, ...credentials},
			{authorization: `Basic ${btoa('a:b')}`},
		);
		expect([both.status, await both.json()]).toEqual([400, {error: 'invalid_request'}]);
	});

	test('Moov’s API throttles once, on demand', async ({seedApi}) => {
		seedApi.throttle({'X-Retry-In': '1500'});
		const throttled = await postJson(seedApi.tokenEndpoint, {...granting, ...credentials});
		expect([throttled.status, throttled.headers.get('x-retry-in')]).toEqual([429, '1500']);
		expect((await postJson(seedApi.tokenEndpoint, {...granting, ...credentials})).status).toBe(200);
	});

	test('Moov’s API revokes tokens', async ({seedApi}) => {
		const {access_token, refresh_token} = await (
			await postJson(seedApi.tokenEndpoint, {...granting, ...credentials})
		).json();
		expect((await postJson(seedApi.revocationEndpoint, {...credentials, token: refresh_token})).status).toBe(204);
		expect((await fetch(`${seedApi.api}/accounts`, {headers: {authorization: `Bearer ${access_token}`}})).status).toBe(
			401,
		);
		const missing = await postJson(seedApi.revocationEndpoint, credentials);
		expect([missing.status, await missing.json()]).toEqual([422, {token: 'is required'}]);
	});

	test.fails('Moov’s API fails a test that calls an unknown path', async ({seedApi}) => {
		await fetch(`${seedApi.api}/accounts`);
		await postJson(`${seedApi.tokenEndpoint}s`, credentials).catch(() => {});
	});
});

describe('in an older version of its documentation', () => {
	test.override('seedApiOptions', {expiresIn: 'seconds', tokenType: 'opaque'});

	test('an older Moov’s API sends seconds, and another token type', async ({seedApi}) => {
		expect(await (await postJson(seedApi.tokenEndpoint, {...granting, ...credentials})).json()).toMatchObject({
			expires_in: 900,
			token_type: 'opaque',
		});
	});
});
