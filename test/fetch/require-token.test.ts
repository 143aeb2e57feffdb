import ky from 'ky';
import {describe, expect} from 'vitest';
import {createAuth, createSession} from '../../src/index.ts';
import {apiOrigin, authorizations, createFakeApi} from '../support/fake-api.ts';
import {createClock, gist, outcomeOf, record} from '../support/scenario.ts';
import {test} from '../support/test.ts';

const endpoint = {tokenEndpoint: 'https://as.example/token', clientId: 'app', origins: [apiOrigin]};

describe('a call for which there is no token', () => {
	test.for<[title: string, requireToken: boolean | undefined, auth: boolean | undefined, isSent: boolean]>([
		['nothing says more', undefined, undefined, true],
		['requireToken is false', false, undefined, true],
		['requireToken is true', true, undefined, false],
		['its context requires one', undefined, true, false],
		['its context requires one though requireToken is false', false, true, false],
		['its context wants none though requireToken is true', true, false, true],
	])(
		'a call for which there is no token is sent, or rejected before, as it is told: %s',
		async ([, requireToken, wanted, isSent], {watch}) => {
			const api = createFakeApi();
			const auth = watch(createAuth({...endpoint, requireToken}));
			const events = record(auth);
			const call = api.client(auth).get('me', {context: {auth: wanted}});
			expect(await outcomeOf(call)).toBe(isSent ? 'fulfilled' : 'SessionEndedError no_session');
			expect(authorizations(api)).toEqual(isSent ? [null] : []);
			expect(gist(events)).toEqual([]);
		},
	);

	test('a call for which there is no token is rejected with the reason: its token has expired, and nothing can renew it', async ({
		watch,
	}) => {
		const clock = createClock();
		const api = createFakeApi();
		const auth = watch(createAuth({...endpoint, requireToken: true, now: clock.now}));
		await auth.setToken({access_token: 'second', expires_in: 60});
		const events = record(auth);
		expect((await api.client(auth).get('me')).status).toBe(200);
		clock.advance(61);
		const outcomes = [await outcomeOf(api.client(auth).get('me')), await outcomeOf(api.client(auth).get('me'))];
		expect(outcomes).toEqual(['SessionEndedError no_refresh_token', 'SessionEndedError no_session']);
		expect(gist(events)).toEqual(['session-ended no_refresh_token']);
		expect(api.requests).toHaveLength(1);
	});

	test('a call for which there is no token is rejected by auth.fetch, too', async ({watch}) => {
		const auth = watch(createAuth({...endpoint, requireToken: true}));
		expect(await outcomeOf(auth.fetch(`${apiOrigin}/me`))).toBe('SessionEndedError no_session');
	});

	test('a call for which there is no token is sent with the token if one can be had', async ({watch}) => {
		const api = createFakeApi();
		const auth = watch(
			createSession({renew: () => ({access_token: 'second'}), origins: [apiOrigin], requireToken: true}),
		);
		expect((await api.client(auth).get('me')).status).toBe(200);
		expect(authorizations(api)).toEqual(['Bearer second']);
	});

	test('a call for which there is no token is another matter if it goes to an origin that gets no token', async ({
		watch,
	}) => {
		const api = createFakeApi();
		const auth = watch(createAuth({...endpoint, requireToken: true}));
		expect((await api.client(auth).get('https://other.example/public')).status).toBe(401);
		expect(authorizations(api)).toEqual([null]);
	});
});

describe('a call whose context has auth: false', () => {
	test('a call whose context has auth: false goes without a token, and its 401 renews nothing and ends nothing', async ({
		watch,
	}) => {
		const api = createFakeApi();
		const auth = watch(createSession({renew: () => Promise.reject(new Error('asked')), origins: [apiOrigin]}));
		await auth.setToken({access_token: 'first'});
		const events = record(auth);
		const response = await api.client(auth).post('verify-password', {json: {}, context: {auth: false}});
		expect(response.status).toBe(401);
		expect(authorizations(api)).toEqual([null]);
		expect(gist(events)).toEqual([]);
		expect(auth.status).toBe('signed-in');
	});

	test('a call whose context has auth: false asks nobody where it goes, and judges no answer', async ({watch}) => {
		const api = createFakeApi(() => Response.json({}));
		const never = (): never => {
			throw new Error('asked');
		};
		const auth = watch(createAuth({...endpoint, origins: never, isUnauthorized: never}));
		const client = ky.create({fetch: api.fetch, hooks: auth.hooks, retry: 0});
		expect((await client.get('http://public.example/', {context: {auth: false}})).status).toBe(200);
	});

	test('a call whose context has auth: false is one call of an instance, which says otherwise', async ({watch}) => {
		const api = createFakeApi(() => Response.json({}));
		const auth = watch(createAuth(endpoint));
		await auth.setToken({access_token: 'second'});
		const without = api.client(auth).extend({context: {auth: false}});
		await without.get('me');
		await without.get('me', {context: {auth: true}});
		await without.get('me', {context: {other: 1}});
		await api.client(auth).get('me', {context: {auth: false}});
		await api.client(auth).get('me');
		expect(authorizations(api)).toEqual([null, 'Bearer second', null, null, 'Bearer second']);
	});

	test.for([0, '', null, 'false'])(
		'a call whose context has auth: false says so with false alone, and not with %j',
		async (wanted, {watch}) => {
			const api = createFakeApi();
			const auth = watch(createAuth(endpoint));
			await auth.setToken({access_token: 'second'});
			await api.client(auth).get('me', {context: {auth: wanted}});
			expect(authorizations(api)).toEqual(['Bearer second']);
		},
	);
});
