// A process that continues a session after a restart has only the options and the store.
import {describe, expect} from 'vitest';
import {type AuthOptions, createAuth, none, type StoreDriver} from '../../src/index.ts';
import {app, service} from '../support/authorization-server.ts';
import {createFakeClient} from '../support/fake-token-endpoint.ts';
import {
	appOptions,
	createClock,
	expired,
	gist,
	memoryDriver,
	outcomeOf,
	record,
	type ScenarioOptions,
	serviceGrant,
	signIn,
	withStore,
} from '../support/scenario.ts';
import {test} from '../support/test.ts';

test.override('serverOptions', {accessTokenSeconds: 60});

/** A new process with the same record. Nothing else is left of the process before it. */
const restarted = (store: StoreDriver): StoreDriver => ({...store});

describe('the client secret of a grant', () => {
	const {client_secret, ...publicGrant} = serviceGrant;

	/** Ways to pass a grant with a client secret. */
	const grants: ReadonlyArray<readonly [title: string, options: Partial<ScenarioOptions>]> = [
		['as data', {grant: serviceGrant}],
		['by a function', {grant: () => serviceGrant}],
		['as data, beside none()', {grant: serviceGrant, clientAuthentication: none()}],
	];

	test.for(grants)(
		'a client secret in the grant goes with the refresh and the revocation of a process that asked for no grant: given %s [F-142]',
		async ([, options], {serve, watch}) => {
			const server = await serve((_request, {path}) =>
				path === '/revoke'
					? {}
					: Response.json({access_token: 'renewed', token_type: 'Bearer', refresh_token: 'second-refresh'}),
			);
			const auth = watch(
				createAuth({
					tokenEndpoint: `${server.origin}/token`,
					revocationEndpoint: `${server.origin}/revoke`,
					clientId: service.clientId,
					...withStore(options),
				}),
			);
			await auth.setToken({access_token: 'first', refresh_token: 'first-refresh'});
			await auth.refresh();
			await auth.signOut();
			expect(server.requests.map(({path, body}) => [path, Object.fromEntries(new URLSearchParams(body))])).toEqual([
				[
					'/token',
					{grant_type: 'refresh_token', refresh_token: 'first-refresh', client_id: service.clientId, client_secret},
				],
				[
					'/revoke',
					{
						token: 'second-refresh',
						token_type_hint: 'refresh_token',
						client_id: service.clientId,
						client_secret,
					},
				],
			]);
		},
	);

	test('the grant function is not called for its secret if the client proves itself in another way [F-142]', async ({
		serve,
		watch,
	}) => {
		const server = await serve(() => Response.json({access_token: 'renewed', token_type: 'Bearer'}));
		let asked = 0;
		const auth = watch(
			createAuth({
				tokenEndpoint: server.origin,
				clientId: service.clientId,
				clientAuthentication: ({parameters}) => parameters.set('client_assertion', 'of-this-request'),
				grant: () => {
					asked++;
					return publicGrant;
				},
			}),
		);
		await auth.setToken({access_token: 'first', refresh_token: 'first-refresh'});
		await auth.refresh();
		expect(asked).toBe(0);
		expect(server.requests[0]?.body).toContain('client_assertion=of-this-request');
	});
});

describe('a grant function that fails', () => {
	test.for<[title: string, grant: NonNullable<AuthOptions['grant']>]>([
		[
			'throws',
			() => {
				throw new Error('mine');
			},
		],
		['rejects', async () => Promise.reject(new Error('mine'))],
		['hangs', async () => new Promise<never>(() => {})],
		['returns no token request', () => ({grant_type: 'client_credentials', scope: 'two  spaces'})],
	])(
		'a grant function that %s before the first grant stops no refresh and no revocation [F-142]',
		async ([, grant], {watch}) => {
			const {auth, asked} = createFakeClient(() => undefined, {
				revocationEndpoint: 'https://as.example/revoke',
				timeout: 1_000,
				grant,
			});
			watch(auth);
			await auth.setToken({access_token: 'first', refresh_token: 'first-refresh'});
			expect(await auth.refresh()).toMatchObject({access_token: 'granted-0'});
			await auth.signOut();
			expect(asked).toEqual([
				{grant_type: 'refresh_token', refresh_token: 'first-refresh', client_id: 'app'},
				{token: 'refresh-0', token_type_hint: 'refresh_token', client_id: 'app'},
			]);
		},
	);
});

describe('a grant of a refresh token', () => {
	test('a refresh token given as the grant is used once: what it brought is used from then on, also by the next process [F-165]', async ({
		server,
		watch,
	}) => {
		const {refresh_token} = await server.mint();
		const grant = {grant_type: 'refresh_token', refresh_token} as const;
		const store = memoryDriver();
		const {now, advance} = createClock();
		for (let count = 0; count < 3; count++) {
			const auth = watch(createAuth(appOptions(server, {store: restarted(store), grant, now})));
			expect((await auth.fetch(`${server.api}/me`)).status).toBe(200);
			await auth.refresh();
			advance(1);
		}
		const sent = server.tokenRequests.map(({parameters}) => parameters.get('refresh_token'));
		expect(new Set(sent).size).toBe(4);
		expect(sent[0]).toBe(refresh_token);
		expect(server.tokenRequests.map(({status}) => status)).toEqual([200, 200, 200, 200]);
	});

	test('a refresh token given as the grant is not sent again when what it brought has died: the session ends [F-165]', async ({
		server,
		watch,
	}) => {
		const {refresh_token} = await server.mint();
		const grant = {grant_type: 'refresh_token', refresh_token} as const;
		const auth = watch(createAuth(appOptions(server, {grant})));
		const events = record(auth);
		await auth.getToken();
		server.onToken(() => ({status: 400, body: '{"error":"invalid_grant"}'}));
		expect(await outcomeOf(auth.refresh())).toBe('SessionEndedError invalid_grant');
		expect(await outcomeOf(auth.refresh())).toBe('SessionEndedError no_session');
		expect(server.tokenRequests).toHaveLength(2);
		expect(gist(events)).toEqual(['token grant', 'session-ended invalid_grant']);
	});

	test('a refresh token given as the grant is not sent again, not even if a login brings it back [F-165]', async ({
		server,
		watch,
	}) => {
		const minted = await server.mint();
		const grant = {grant_type: 'refresh_token', refresh_token: minted.refresh_token} as const;
		const auth = watch(createAuth(appOptions(server, {grant})));
		await auth.getToken();
		// An application that has kept the first answer does so.
		await auth.setToken({...minted, ...expired});
		expect(await outcomeOf(auth.getToken())).toBe('SessionEndedError no_refresh_token');
		expect(server.tokenRequests).toHaveLength(1);
	});

	test('a refresh token given as the grant is not used while a login has one [F-165]', async ({server, watch}) => {
		const {refresh_token} = await server.mint();
		const grant = {grant_type: 'refresh_token', refresh_token} as const;
		const auth = watch(createAuth(appOptions(server, {grant})));
		const login = await signIn(server, auth, expired);
		await auth.getToken();
		const [request] = server.tokenRequests;
		expect(request?.parameters.get('refresh_token')).toBe(login.refresh_token);
		expect(request?.parameters.get('client_id')).toBe(app.clientId);
	});
});
