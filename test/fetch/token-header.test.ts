import ky from 'ky';
import {describe, expect} from 'vitest';
import {ConfigError, createAuth, createSession, tokenHeader} from '../../src/index.ts';
import {apiOrigin, authorizations, createFakeApi} from '../support/fake-api.ts';
import {test} from '../support/test.ts';

const renew = (): {access_token: string} => ({access_token: 'second'});

describe('tokenHeader', () => {
	test.for<[title: string, given: [name: string, prefix?: string], header: string, value: string]>([
		['Amazon', ['x-amz-access-token'], 'x-amz-access-token', ''],
		['Shopify', ['X-Shopify-Access-Token'], 'x-shopify-access-token', ''],
		['Zoho', ['authorization', 'Zoho-oauthtoken'], 'authorization', 'Zoho-oauthtoken '],
		['Django REST', ['Authorization', 'Token'], 'authorization', 'Token '],
		['a server that wants the bare token', ['authorization', ''], 'authorization', ''],
	])(
		'tokenHeader sends the token as the API wants it, and renews it after a 401: %s',
		async ([, given, header, prefix], {watch}) => {
			const api = createFakeApi(() => undefined, `${header}: ${prefix}`);
			const auth = watch(createSession({renew, origins: [apiOrigin], scheme: tokenHeader(...given)}));
			await auth.setToken({access_token: 'first'});
			expect((await api.client(auth).get('me')).status).toBe(200);
			expect(authorizations(api, header)).toEqual([`${prefix}first`, `${prefix}second`]);
			if (header !== 'authorization') expect(authorizations(api)).toEqual([null, null]);
		},
	);

	test("tokenHeader leaves a header of the caller's own as it is, and its 401 renews nothing", async ({watch}) => {
		const api = createFakeApi(() => undefined, 'x-token: ');
		const auth = watch(createSession({renew, origins: [apiOrigin], scheme: tokenHeader('x-token')}));
		await auth.setToken({access_token: 'first'});
		const headers = {'X-Token': 'mine'};
		expect((await api.client(auth).get('me', {headers})).status).toBe(401);
		// With `tokenHeader`, the caller may set any other header. The session leaves it as it is.
		await api.client(auth).get('me', {headers: {authorization: 'Basic eA=='}});
		expect(authorizations(api, 'x-token')).toEqual(['mine', 'first', 'second']);
	});

	test.for([301, 302, 303, 307, 308])(
		'tokenHeader leaves its header behind on a %d to another origin, and keeps it within the origin',
		async (status, {serve, watch}) => {
			const elsewhere = await serve(() => ({body: 'elsewhere'}));
			const home = await serve((_request, {path}) => {
				const targets: Record<string, string> = {'/out': `${elsewhere.origin}/`, '/in': '/me'};
				const location = targets[path];
				return location === undefined ? {body: 'home'} : {status, headers: [['location', location]]};
			});
			const auth = watch(createSession({renew, origins: [home.origin], scheme: tokenHeader('x-token')}));
			expect(await (await auth.fetch(`${home.origin}/out`)).text()).toBe('elsewhere');
			expect(await (await auth.fetch(`${home.origin}/in`)).text()).toBe('home');
			expect(elsewhere.requests.map(({headers}) => headers['x-token'])).toEqual([undefined]);
			expect(home.requests.map(({headers}) => headers['x-token'])).toEqual(['second', 'second', 'second']);
		},
	);

	test('tokenHeader renews nothing for a 401 of another origin, even if the answer of a fetch has no URL [R56]', async ({
		watch,
	}) => {
		let renewals = 0;
		const asked: string[] = [];
		const fetch = async (input: unknown): Promise<Response> => {
			const {url, headers} = input as Request;
			asked.push(`${url} ${headers.get('x-token')}`);
			// A response that somebody has made anew, as is common in Workers.
			return url.startsWith(apiOrigin)
				? new Response(null, {status: 302, headers: {location: 'https://elsewhere.example/'}})
				: new Response(null, {status: 401});
		};
		const auth = watch(
			createSession({
				renew: () => ({access_token: `renewed ${++renewals}`}),
				origins: [apiOrigin],
				scheme: tokenHeader('x-token'),
			}),
		);
		await auth.setToken({access_token: 'first'});
		const client = ky.create({
			fetch,
			hooks: auth.hooks,
			retry: 0,
			throwHttpErrors: false,
		});
		expect((await client.get(apiOrigin)).status).toBe(401);
		expect(asked).toEqual([`${apiOrigin}/ first`, 'https://elsewhere.example/ null']);
		expect([renewals, auth.status]).toEqual([0, 'signed-in']);
	});

	test('tokenHeader changes nothing of token requests', async ({serve, watch}) => {
		const server = await serve(() => Response.json({access_token: 'granted'}));
		const auth = watch(
			createAuth({
				tokenEndpoint: server.origin,
				clientId: 'app',
				grant: {grant_type: 'client_credentials', scope: null},
				scheme: tokenHeader('x-token'),
			}),
		);
		expect(await auth.getToken()).toMatchObject({access_token: 'granted', token_type: 'Bearer'});
		expect(server.requests[0]?.headers).not.toHaveProperty('x-token');
	});

	test.for<[title: string, given: readonly unknown[]]>([
		['no name', []],
		['an empty name', ['']],
		['a name with a space', ['x token']],
		['a name with a line break', ['x\r\ny']],
		['a name that is no text', [5]],
		['a word with a line break', ['authorization', 'a\r\nx-evil: 1']],
		['a word beyond ASCII', ['authorization', 'Schlüssel']],
	])('tokenHeader is refused when it is made with %s, and not when a token is sent', ([, given]) => {
		const make = (): unknown => Reflect.apply(tokenHeader, undefined, given);
		expect(make).toThrow(ConfigError);
		expect(make).toThrow('tokenHeader(name, prefix)');
	});
});
