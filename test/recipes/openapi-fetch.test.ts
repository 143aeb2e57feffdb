import {expect} from 'vitest';
import {expired, signIn} from '../support/scenario.ts';
import {test as base} from '../support/recipe-test.ts';

const test = base.extend('recipe', {scope: 'file'}, async ({environment}) => {
	environment();
	return import('../../playground/recipes/openapi-fetch.ts');
});

test('twenty typed calls at once on an expired token make one grant', async ({server, recipe: {auth, api}}) => {
	const {access_token} = await signIn(server, auth, expired);
	const calls = Array.from({length: 20}, (_, index) =>
		index % 2 === 0 ? api.GET('/me') : api.POST('/accounts', {body: {name: 'savings'}}),
	);
	// The token lacks the scope for writing, and no refresh would change that.
	expect((await Promise.all(calls)).map(({response}) => response.status)).toEqual(
		Array.from({length: 20}, (_, index) => (index % 2 === 0 ? 200 : 403)),
	);
	expect(server.tokenRequests.map(({status}) => status)).toEqual([200]);
	expect(server.calls.filter(({authorization}) => authorization?.includes(access_token))).toEqual([]);
	const {access_token: current} = await auth.getToken();
	expect(await server.isActive(current)).toBe(true);
});

test('a body is sent again after a 401, and the answer is as the description says', async ({server, recipe}) => {
	const {auth, api, openAccount} = recipe;
	const minted = await server.mint({scope: 'openid offline_access /accounts.read /accounts.write'});
	await auth.setToken(minted);
	await server.expire(minted.access_token);
	const {data} = await api.POST('/accounts', {body: {name: 'savings'}});
	expect(data?.body).toBe('{"name":"savings"}');
	expect(server.calls.map(({status, body}) => [status, body])).toEqual([
		[401, '{"name":"savings"}'],
		[200, '{"name":"savings"}'],
	]);
	expect(await openAccount('savings')).toEqual({subject: data?.subject, isOpen: true});
	expect(server.tokenRequests).toHaveLength(1);
	// @ts-expect-error -- the description knows no such path
	expect((await api.GET('/nothing')).response.status).toBe(404);
});

test('the error of a renewal is thrown, and says that the session is over', async ({server, canaries, recipe}) => {
	const {auth, api} = recipe;
	await auth.setToken({...(await server.mint()), ...expired, refresh_token: 'never-issued'});
	const error = await canaries.rejection(api.GET('/me'));
	expect(error).toMatchObject({name: 'SessionEndedError', reason: 'invalid_grant'});
	expect(server.calls).toEqual([]);
});
