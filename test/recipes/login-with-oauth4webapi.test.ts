import {expect} from 'vitest';
import {test as base} from '../support/recipe-test.ts';

const test = base.extend('recipe', {scope: 'file'}, async ({environment, runningServer}) => {
	environment({ISSUER: runningServer.issuer, REDIRECT_URI: 'https://app.example.com/callback'});
	return import('../../playground/recipes/login-with-oauth4webapi.ts');
});

test('a user who comes back from the login has a session, which regrant alone renews', async ({server, recipe}) => {
	const {auth, start, finish} = recipe;
	const {url, pending} = await start();
	await finish(new URL(await server.authorize(url.href)), pending);
	const me = `${server.api}/me`;
	expect((await auth.fetch(me)).status).toBe(200);
	await server.expire((await auth.getToken()).access_token);
	const answers = await Promise.all(Array.from({length: 20}, () => auth.fetch(me)));
	expect(answers.map(({status}) => status)).toEqual(Array.from({length: 20}, () => 200));
	expect(server.tokenRequests.map(({parameters}) => parameters.get('grant_type'))).toEqual([
		'authorization_code',
		'refresh_token',
	]);
	await auth.signOut();
	expect(server.revocationRequests.map(({status}) => status)).toEqual([200]);
});

test('an answer to somebody else’s login begins no session', async ({
	server,
	canaries,
	recipe: {auth, start, finish},
}) => {
	const [mine, theirs] = [await start(), await start()];
	const callback = new URL(await server.authorize(theirs.url.href));
	await canaries.rejection(finish(callback, mine.pending));
	expect(server.tokenRequests).toEqual([]);
	expect(await auth.peek()).toBeUndefined();
});
