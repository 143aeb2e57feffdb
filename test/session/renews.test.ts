import {describe, expect} from 'vitest';
import {createAuth, createSession, type StoreDriver} from '../../src/index.ts';
import {apiOrigin, authorizations, createFakeApi} from '../support/fake-api.ts';
import {
	appOptions,
	createGate,
	expired,
	gist,
	memoryDriver,
	outcomeOf,
	record,
	signIn,
	storeOf,
} from '../support/scenario.ts';
import {test} from '../support/test.ts';

test.override('serverOptions', {accessTokenSeconds: 60});

describe('setToken(token, {renews: true})', () => {
	test.for<[title: string, driver: (() => StoreDriver) | undefined]>([
		['in memory', undefined],
		['in a store of one’s own', memoryDriver],
	])(
		'setToken(token, {renews: true}) keeps the refresh token that the new token lacks, %s',
		async ([, driver], {server, watch}) => {
			const auth = watch(createAuth(appOptions(server, driver && {store: storeOf(driver())})));
			const {refresh_token} = await signIn(server, auth);
			await auth.setToken({access_token: 'slid', token_type: 'Bearer', expires_in: 60}, {renews: true});
			expect(await auth.getToken()).toMatchObject({access_token: 'slid'});
			await auth.refresh();
			expect(server.tokenRequests.map(({parameters}) => parameters.get('refresh_token'))).toEqual([refresh_token]);
		},
	);

	test('setToken(token, {renews: true}) keeps the other fields that the new token lacks, as a refresh does', async ({
		watch,
	}) => {
		const auth = watch(createSession({renew: () => null, keep: ['id_token']}));
		await auth.setToken({access_token: 'first', expires_in: 60, scope: 'a b', id_token: 'i'});
		await auth.setToken({access_token: 'slid'}, {renews: true});
		expect(await auth.peek()).toMatchObject({access_token: 'slid', scope: 'a b', id_token: 'i'});
		expect(await auth.peek()).not.toHaveProperty('expires_at');
		await auth.setToken({access_token: 'other'});
		expect(await auth.peek()).not.toHaveProperty('id_token');
	});

	test('setToken(token, {renews: true}) takes a refresh token of its own in place of the old one', async ({
		server,
		watch,
	}) => {
		const auth = watch(createAuth(appOptions(server)));
		await signIn(server, auth);
		const other = await server.mint();
		await auth.setToken(other, {renews: true});
		await auth.refresh();
		expect(server.tokenRequests.map(({parameters}) => parameters.get('refresh_token'))).toEqual([other.refresh_token]);
	});

	test.for([undefined, {}, {renews: false}, {renews: undefined}])(
		'setToken(token, {renews: true}) is needed for that: with %j it is another login, without a refresh token',
		async (options, {server, watch}) => {
			const auth = watch(createAuth(appOptions(server)));
			await signIn(server, auth);
			await auth.setToken({access_token: 'other', token_type: 'Bearer'}, options);
			expect(await outcomeOf(auth.refresh())).toBe('SessionEndedError no_refresh_token');
			expect(server.tokenRequests).toEqual([]);
		},
	);

	test.for([
		[{renews: true}, 'fulfilled', ['Bearer first', 'Bearer second']],
		[{}, 'SessionEndedError signed_out', ['Bearer first']],
	] as const)(
		'setToken(token, {renews: true}) lets a call go on that waits for its answer: with %j it is %s',
		async ([options, expected, sent], {watch}) => {
			const gate = createGate();
			const api = createFakeApi(async (_request, token) => {
				if (token !== 'first') return undefined;
				await gate.pass();
				return new Response(null, {status: 503});
			});
			const auth = watch(createSession({renew: () => null, origins: [apiOrigin]}));
			await auth.setToken({access_token: 'first'});
			// ky itself resends the call after the 503.
			const call = api
				.client(auth)
				.extend({throwHttpErrors: true, retry: {limit: 1, delay: () => 1}})
				.get('me');
			await gate.reached;
			await auth.setToken({access_token: 'second'}, options);
			gate.open();
			expect(await outcomeOf(call)).toBe(expected);
			expect(authorizations(api)).toEqual(sent);
		},
	);

	test('setToken(token, {renews: true}) begins a session if there is none', async ({watch}) => {
		const auth = watch(createSession({renew: () => null}));
		const events = record(auth);
		await auth.setToken({access_token: 'first'}, {renews: true});
		expect(await auth.getToken()).toMatchObject({access_token: 'first'});
		expect(gist(events)).toEqual(['token set']);
	});

	test('setToken(token, {renews: true}) is noticed by callers who wait for a renewal of the token that it replaces', async ({
		server,
		watch,
	}) => {
		const auth = watch(createAuth(appOptions(server)));
		await signIn(server, auth, expired);
		const gate = createGate();
		server.onToken(gate.pass);
		const waiting = auth.getToken();
		await gate.reached;
		await auth.setToken({access_token: 'slid', token_type: 'Bearer', expires_in: 60}, {renews: true});
		gate.open();
		expect(await outcomeOf(waiting)).toBe('fulfilled');
		// The server has rotated the refresh token, so only the renewed token can be refreshed again.
		await auth.refresh();
		expect(server.tokenRequests.map(({status}) => status)).toEqual([200, 200]);
	});
});
