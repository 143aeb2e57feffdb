import {QueryObserver} from '@tanstack/query-core';
import {expect} from 'vitest';
import {createGate, expired, signIn} from '../support/scenario.ts';
import {test as base} from '../support/recipe-test.ts';
import {once} from '../support/stage.ts';

const test = base
	.extend('imported', {scope: 'file'}, async ({environment}) => {
		environment();
		return import('../../playground/recipes/tanstack-query.ts');
	})
	.extend('recipe', async ({imported}, {onCleanup}) => {
		onCleanup(() => imported.queryClient.clear());
		return imported;
	});

test('queries at once on an expired token make one grant', async ({server, recipe: {auth, me, queryClient}}) => {
	await signIn(server, auth, expired);
	const queries = Array.from({length: 20}, (_, index) =>
		queryClient.fetchQuery({...me, queryKey: [...me.queryKey, index]}),
	);
	expect(new Set((await Promise.all(queries)).map(({subject}) => subject)).size).toBe(1);
	expect(server.calls.map(({status}) => status)).toEqual(Array.from({length: 20}, () => 200));
	expect(server.tokenRequests.map(({status}) => status)).toEqual([200]);
});

test('a query that is cancelled while the server renews the token does not lose the session [R59, F-75]', async ({
	server,
	recipe,
}) => {
	const {auth, me, queryClient} = recipe;
	await signIn(server, auth, expired);
	// The server has rotated the refresh token by now. If the response were dropped, the session would be lost.
	const gate = createGate();
	server.onTokenAnswer(once(gate.pass));
	const query = queryClient.fetchQuery(me);
	await gate.reached;
	await queryClient.cancelQueries(me);
	await expect(query).rejects.toThrow('CancelledError');
	expect(server.calls).toEqual([]);
	gate.open();
	expect((await queryClient.fetchQuery(me)).subject).toMatch(/^user-/);
	expect(server.tokenRequests.map(({status}) => status)).toEqual([200]);
	await auth.refresh();
	expect(server.tokenRequests.map(({status}) => status)).toEqual([200, 200]);
});

test('a component that is removed ends its query, and the other one gets its answer', async ({server, recipe}) => {
	const {auth, me, queryClient} = recipe;
	await signIn(server, auth, expired);
	const gate = createGate();
	server.onTokenAnswer(once(gate.pass));
	const staying = new QueryObserver(queryClient, me);
	const going = new QueryObserver(queryClient, {...me, queryKey: ['going']});
	const answered = Promise.withResolvers<string>();
	const leave = staying.subscribe(({data}) => {
		if (data) answered.resolve(data.subject);
	});
	const go = going.subscribe(() => {});
	await gate.reached;
	go();
	expect(going.getCurrentResult().fetchStatus).toBe('fetching');
	gate.open();
	expect(await answered.promise).toMatch(/^user-/);
	leave();
	expect(queryClient.getQueryData(['going'])).toBeUndefined();
	expect(server.calls.map(({status}) => status)).toEqual([200]);
	expect(server.tokenRequests.map(({status}) => status)).toEqual([200]);
});

test('a token endpoint that asks to wait is asked again when it says, and not before', async ({server, recipe}) => {
	const {auth, me, queryClient} = recipe;
	await signIn(server, auth, expired);
	server.onToken(once(() => new Response(null, {status: 503, headers: {'retry-after': '1'}})));
	expect((await queryClient.fetchQuery(me)).subject).toMatch(/^user-/);
	expect(queryClient.getQueryState(me.queryKey)?.fetchFailureCount).toBe(0);
	expect(server.tokenRequests.map(({status}) => status)).toEqual([503, 200]);
	expect(server.calls.map(({status}) => status)).toEqual([200]);
});

test('a query that cannot succeed is not retried', async ({server, recipe: {auth, me, queryClient}}) => {
	await signIn(server, auth, expired);
	server.onToken(once(() => Response.json({error: 'invalid_client'}, {status: 401})));
	await expect(queryClient.fetchQuery(me)).rejects.toMatchObject({name: 'OAuthError', error: 'invalid_client'});
	expect(server.calls).toEqual([]);
	expect(server.tokenRequests.map(({status}) => status)).toEqual([401]);
	// The next renewal starts after a back-off of one second [R66].
	const subject = async (): Promise<string> =>
		queryClient.fetchQuery(me).then(
			({subject}) => subject,
			({name}: Error) => name,
		);
	await expect.poll(subject).toMatch(/^user-/);
});

test('a session that ends clears the cache, and cancels the queries under way', async ({server, recipe}) => {
	const {auth, me, queryClient} = recipe;
	await signIn(server, auth);
	await queryClient.fetchQuery(me);
	await auth.setToken({...(await server.mint()), ...expired, refresh_token: 'never-issued'});
	await expect(queryClient.fetchQuery({...me, queryKey: ['other']})).rejects.toThrow('CancelledError');
	expect(queryClient.getQueryData(me.queryKey)).toBeUndefined();
	// Without a token, the API rejects the call.
	await expect(queryClient.fetchQuery(me)).rejects.toMatchObject({name: 'HTTPError'});
	expect(server.calls.map(({status}) => status)).toEqual([200, 401]);
	expect(server.tokenRequests.map(({status}) => status)).toEqual([400]);
});
