import ky from 'ky';
import {describe, expect} from 'vitest';
import {createAuth, createSession, type GrantContext, requestToken} from '../../src/index.ts';
import type {Served} from '../support/serve.ts';
import {test as base} from '../support/test.ts';

const test = base
	/** An API that accepts only the token `good`. */
	.extend('api', async ({serve}) =>
		serve(({headers}) => ({status: headers.get('authorization') === 'Bearer good' ? 200 : 401, body: '{}'})),
	);

const tokensAt = ({requests}: Served): Array<string | undefined> =>
	requests.map(({headers}) => headers['authorization']);

describe('a token comes from where users have it', () => {
	test('a backend that wants the refresh token in JSON, and answers nested and in camel case', async ({serve, api}) => {
		const backend = await serve(() => Response.json({data: {accessToken: 'good', refreshToken: 'r2', expiresIn: 900}}));
		interface Answer {
			readonly data: Readonly<Record<'accessToken' | 'refreshToken', string>> & {readonly expiresIn: number};
		}
		const auth = createSession({
			async renew({token, signal}) {
				const json = {refreshToken: token?.refresh_token};
				const {data} = await ky.post(`${backend.origin}/refresh`, {json, signal, retry: 0}).json<Answer>();
				return {access_token: data.accessToken, refresh_token: data.refreshToken, expires_in: data.expiresIn};
			},
			origins: [api.origin],
		});
		await auth.setToken({access_token: 'stale', refresh_token: 'r1'});
		expect((await auth.fetch(api.origin)).status).toBe(200);
		await auth.refresh();
		expect(backend.requests.map(({body}) => body)).toEqual(['{"refreshToken":"r1"}', '{"refreshToken":"r2"}']);
		expect(tokensAt(api)).toEqual(['Bearer stale', 'Bearer good']);
	});

	test('an SDK that has a token of its own, and is forced to get another one after a 401', async ({api}) => {
		const forced: boolean[] = [];
		const sdk = {
			held: {access_token: 'cached', expires_in: 3600},
			async getToken(isForced: boolean) {
				forced.push(isForced);
				if (isForced) this.held = {access_token: 'good', expires_in: 3600};
				return this.held;
			},
		};
		const auth = createSession({renew: ({token}) => sdk.getToken(token !== undefined), origins: [api.origin]});
		const answers = await Promise.all(Array.from({length: 10}, () => auth.fetch(api.origin)));
		expect(answers.every(({ok}) => ok)).toBe(true);
		expect(forced).toEqual([false, true]);
	});

	test('a GitHub App, whose tokens come for a JWT, with 201 and a time as text', async ({serve, api}) => {
		const github = await serve(() => Response.json({token: 'good', expires_at: '2040-01-01T00:00:00Z'}, {status: 201}));
		const auth = createSession({
			async renew({signal}) {
				const headers = {authorization: 'Bearer the-jwt'};
				const answer = await ky
					.post(`${github.origin}/access_tokens`, {headers, signal})
					.json<Record<'token' | 'expires_at', string>>();
				return {access_token: answer.token, expires_at: Date.parse(answer.expires_at) / 1000};
			},
			origins: [api.origin],
		});
		expect((await auth.fetch(api.origin)).status).toBe(200);
		expect(await auth.peek()).toMatchObject({expires_at: Date.UTC(2040) / 1000});
	});

	test('a token exchange for each grant, with two resources and headers that the server wants', async ({
		serve,
		api,
	}) => {
		const server = await serve(() =>
			Response.json({
				access_token: 'good',
				issued_token_type: 'urn:ietf:params:oauth:token-type:access_token',
				token_type: 'N_A',
			}),
		);
		let count = 0;
		const auth = createAuth({
			tokenEndpoint: `${server.origin}/token`,
			clientId: 'gateway',
			tokenTypes: ['N_A'],
			parameters: {resource: ['https://a.example', 'https://b.example']},
			headers: {'x-tenant': 'blue'},
			grant: async ({clientId, tokenEndpoint}: GrantContext) => ({
				grant_type: 'urn:ietf:params:oauth:grant-type:token-exchange',
				subject_token: `${clientId} at ${new URL(tokenEndpoint).pathname}: ${++count}`,
				subject_token_type: 'urn:ietf:params:oauth:token-type:jwt',
			}),
			origins: [api.origin],
		});
		expect((await auth.fetch(api.origin)).status).toBe(200);
		await auth.refresh();
		const sent = server.requests.map(({body}) => new URLSearchParams(body));
		expect(sent.map(form => form.get('subject_token'))).toEqual(['gateway at /token: 1', 'gateway at /token: 2']);
		expect(sent.map(form => form.getAll('resource'))).toEqual(
			sent.map(() => ['https://a.example', 'https://b.example']),
		);
		expect(server.requests.map(({headers}) => headers['x-tenant'])).toEqual(['blue', 'blue']);
	});

	test('the code of a login, exchanged by the client that the session has', async ({serve, api}) => {
		const server = await serve(() =>
			Response.json({access_token: 'good', refresh_token: 'r', id_token: 'i', instance_url: 'https://eu.example'}),
		);
		const client = {tokenEndpoint: `${server.origin}/token`, clientId: 'spa', keep: ['id_token', 'instance_url']};
		const auth = createAuth({...client, origins: [api.origin]});
		const code = {
			grant_type: 'authorization_code',
			code: 'c',
			code_verifier: 'v',
			redirect_uri: 'https://app.example',
		} as const;
		await auth.setToken(await requestToken(client, code));
		expect((await auth.fetch(api.origin)).status).toBe(200);
		expect(await auth.peek()).toMatchObject({id_token: 'i', instance_url: 'https://eu.example'});
		expect(Object.fromEntries(new URLSearchParams(server.requests[0]?.body))).toEqual({...code, client_id: 'spa'});
	});
});
