import ky from 'ky';
import * as v from 'valibot';
import {describe, expect} from 'vitest';
import {
	AuthToken,
	AuthTokenRequest,
	clientSecretBasic,
	createAuth,
	endpoint,
	RequestValidationError,
	RevokeTokenRequest,
} from '../../src/index.ts';
import type {SeedApi} from '../support/seed-api.ts';
import {seedClient} from '../support/seed-vault.ts';
import {test as base} from '../support/test.ts';

// A model of Moov's API: the endpoints that an app calls with a token from its token endpoint.

const Account = v.object({subject: v.string(), body: v.string()});
const Refusal = v.object({error: v.string()});
const ID = v.pipe(v.string(), v.regex(/^[\w-]+$/));
const Cents = v.pipe(v.number(), v.integer(), v.minValue(1));

const listAccounts = endpoint({
	method: 'get',
	path: 'accounts',
	searchParams: v.object({type: v.optional(v.picklist(['individual', 'business'])), skip: v.optional(v.number())}),
	response: Account,
});

const createAccount = endpoint({
	method: 'post',
	path: 'accounts',
	json: v.object({profile: v.object({name: v.string()})}),
	response: Account,
});

const createTransfer = endpoint({
	method: 'post',
	path: 'accounts/{accountID}/transfers',
	params: v.object({accountID: ID}),
	headers: v.object({'x-idempotency-key': v.pipe(v.string(), v.uuid())}),
	json: v.object({amount: Cents, description: v.optional(v.string())}),
	response: v.object({transferID: v.string(), createdOn: v.pipe(v.string(), v.isoTimestamp(), v.toDate())}),
	errors: {422: v.object({amount: v.string()}), 429: v.undefined()},
});

const cancelTransfer = endpoint({
	method: 'delete',
	path: 'accounts/{accountID}/transfers/{transferID}',
	params: v.object({accountID: ID, transferID: ID}),
});

const requestToken = endpoint({
	method: 'post',
	path: 'oauth2/token',
	json: AuthTokenRequest,
	response: AuthToken,
	errors: {400: Refusal},
});

const revokeToken = endpoint({method: 'post', path: 'oauth2/revoke', form: RevokeTokenRequest});

const credentials = {client_id: seedClient.clientId, client_secret: seedClient.secret};
const granting = {grant_type: 'client_credentials', scope: '/accounts.read /accounts.write'} as const;

const test = base
	.extend('api', ({seedApi, watch}) => {
		const auth = watch(
			createAuth({
				tokenEndpoint: seedApi.tokenEndpoint,
				clientId: seedClient.clientId,
				clientAuthentication: clientSecretBasic(seedClient.secret),
				grant: granting,
			}),
		);
		return ky.extend({baseUrl: seedApi.api, hooks: auth.hooks, retry: 0});
	})
	.extend('oauth', ({seedApi}) => ky.extend({baseUrl: new URL(seedApi.tokenEndpoint).origin, retry: 0}));

const transfers = (seedApi: SeedApi, status: number, body: unknown): (() => void) =>
	seedApi.onCall(({path}) => (path.includes('/transfers') ? Response.json(body, {status}) : undefined));

describe('an API written down as endpoints', () => {
	test('an API written down as endpoints is called with the token of a session, and one grant', async ({
		api,
		seedApi,
	}) => {
		expect(await listAccounts(api)).toEqual({subject: seedClient.clientId, body: ''});
		await listAccounts(api, {searchParams: {type: 'business', skip: 20}});
		const account = await createAccount(api, {json: {profile: {name: 'Ada'}}});
		expect(JSON.parse(account.body)).toEqual({profile: {name: 'Ada'}});
		expect(seedApi.calls.map(({method, path, status}) => [method, path, status])).toEqual([
			['GET', '/accounts', 200],
			['GET', '/accounts?type=business&skip=20', 200],
			['POST', '/accounts', 200],
		]);
		expect(seedApi.tokenRequests.length).toBe(1);
	});

	test('an API written down as endpoints is sent again with a new token after a 401, body and all', async ({
		api,
		seedApi,
	}) => {
		await listAccounts(api);
		seedApi.expire(seedApi.calls[0]?.authorization?.slice('Bearer '.length) ?? '');
		await createAccount(api, {json: {profile: {name: 'Ada'}}});
		expect(seedApi.calls.map(({method, status}) => [method, status])).toEqual([
			['GET', 200],
			['POST', 401],
			['POST', 200],
		]);
		expect(seedApi.calls[1]?.body).toBe(seedApi.calls[2]?.body);
	});

	test('an API written down as endpoints returns what the API created, and reports what it refused', async ({
		api,
		seedApi,
		canaries,
	}) => {
		const input = {
			params: {accountID: 'a-1'},
			headers: {'x-idempotency-key': crypto.randomUUID()},
			json: {amount: 1204},
		};
		const remove = transfers(seedApi, 200, {transferID: 't-1', createdOn: '2026-01-02T03:04:05Z'});
		expect(await createTransfer(api, input)).toEqual({transferID: 't-1', createdOn: new Date('2026-01-02T03:04:05Z')});
		expect(seedApi.calls[0]).toMatchObject({
			path: '/accounts/a-1/transfers',
			body: '{"amount":1204}',
			headers: input.headers,
		});
		await cancelTransfer(api, {params: {accountID: 'a-1', transferID: 't-1'}});
		remove();
		transfers(seedApi, 422, {amount: 'is more than the wallet has'});
		const error = await canaries.rejection(createTransfer(api, input));
		expect(createTransfer.isError(error, 422) && error.data.amount).toBe('is more than the wallet has');
	});

	test('an API written down as endpoints sends nothing, not even a token request, if the input is wrong', async ({
		api,
		seedApi,
		canaries,
	}) => {
		const wrong = createTransfer(api, {
			params: {accountID: '../admin'},
			headers: {'x-idempotency-key': 'once'},
			json: {amount: 12.04},
		});
		expect(await canaries.rejection(wrong)).toMatchObject({
			issues: [
				{path: 'params.accountID', message: String.raw`Invalid format: Expected /^[\w-]+$/ but received "../admin"`},
				{path: 'json.amount', message: 'Invalid integer: Received 12.04'},
				{path: 'headers.x-idempotency-key', message: 'Invalid UUID: Received "once"'},
			],
		});
		expect([seedApi.calls.length, seedApi.tokenRequests.length]).toEqual([0, 0]);
	});

	test('an API written down as endpoints has its token and revocation requests as endpoints too', async ({
		oauth,
		seedApi,
		canaries,
	}) => {
		const token = await requestToken(oauth, {json: {...granting, ...credentials}});
		const refresh_token = token.refresh_token ?? '';
		canaries.plant(refresh_token);
		await requestToken(oauth, {json: {grant_type: 'refresh_token', refresh_token, ...credentials}});
		const error = await requestToken(oauth, {json: {...granting, ...credentials, client_id: 'other'}}).catch(
			(reason: unknown) => reason,
		);
		expect(requestToken.isError(error, 400) && error.data).toEqual({error: 'invalid_client'});
		await revokeToken(oauth, {form: {token: refresh_token, ...credentials}});
		expect(seedApi.revocationRequests.map(({parameters, status}) => [parameters['token'], status])).toEqual([
			[refresh_token, 204],
		]);
		const bad = requestToken(oauth, {json: {grant_type: 'refresh_token', refresh_token: `${refresh_token}\n`}});
		expect(await canaries.rejection(bad)).toBeInstanceOf(RequestValidationError);
		expect(seedApi.tokenRequests.length).toBe(3);
	});
});
