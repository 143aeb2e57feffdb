import {describe, expect} from 'vitest';
import {createAuth, createSession, customStore, type StoreDriver} from '../../src/index.ts';
import {createFakeApi, apiOrigin, authorizations} from '../support/fake-api.ts';
import {appOptions, createSharedRecord, expired, memoryDriver, outcomeOf, signIn} from '../support/scenario.ts';
import {test} from '../support/test.ts';

describe('customStore', () => {
	test('customStore uses a lock that the driver gets when it is connected [R71]', async ({server, watch}) => {
		const shared = createSharedRecord();
		const holders = [0, 1].map(() => {
			const {get, set, delete: remove, ...later} = shared.realm();
			const driver: StoreDriver = {get, set, delete: remove};
			const auth = watch(createAuth(appOptions(server, {store: customStore(driver)})));
			Object.assign(driver, later);
			return auth;
		});
		const [first, second] = holders;
		if (!first || !second) throw new Error('There are two holders');
		await signIn(server, first, expired);
		const tokens = await Promise.all([first.getToken(), second.getToken()]);
		expect(new Set(tokens.map(({access_token}) => access_token)).size).toBe(1);
		expect(server.tokenRequests).toHaveLength(1);
		expect(shared.log.filter(step => step === 'lock').length).toBeGreaterThan(1);
	});

	test('customStore goes on without a lock that the driver has lost', async ({watch}) => {
		const driver: {-readonly [Name in keyof StoreDriver]: StoreDriver[Name]} = createSharedRecord().realm();
		const auth = watch(createSession({store: customStore(driver), renew: () => ({access_token: 'renewed'})}));
		delete driver.lock;
		delete driver.replace;
		expect(await outcomeOf(auth.refresh())).toBe('fulfilled');
	});

	test.for([undefined, null, false, 0, ''])(
		'customStore takes %j for a function that the driver does not have',
		async (nothing, {server, watch}) => {
			let isBroken = false;
			const {get, ...inner} = memoryDriver();
			const optional = {lock: nothing, replace: nothing, subscribe: nothing, isSameLogin: nothing};
			const read = (): unknown => {
				if (isBroken) throw new Error('broken');
				return get();
			};
			const store = customStore({...inner, get: read, ...optional} as unknown as StoreDriver);
			const auth = watch(createAuth(appOptions(server, {store})));
			await signIn(server, auth);
			await auth.refresh();
			// Nobody else uses a store without a lock, so the session goes on in memory.
			isBroken = true;
			expect(await outcomeOf(auth.refresh())).toBe('fulfilled');
			isBroken = false;
			expect((await auth.peek())?.access_token).toBe((await auth.getToken()).access_token);
			await auth.signOut();
			expect(await auth.peek()).toBe(undefined);
		},
	);

	test.for<[title: string, isSameLogin: NonNullable<StoreDriver['isSameLogin']>]>([
		['undefined', () => undefined as unknown as boolean],
		['false', () => false],
	])(
		'customStore takes %s from isSameLogin for another login: a call is not sent again as its user [F-140]',
		async ([, isSameLogin]) => {
			const driver: StoreDriver = {...memoryDriver(), isSameLogin};
			const api = createFakeApi(async (_request, token) => {
				if (token !== 'of-ann') return undefined;
				await driver.set({access_token: 'of-bob', token_type: 'Bearer', issued_at: 0});
				return new Response(null, {status: 401});
			});
			const auth = createSession({store: customStore(driver), renew: () => null, origins: [apiOrigin]});
			await auth.setToken({access_token: 'of-ann'});
			const client = api.client(auth);
			expect((await client.get('me')).status).toBe(401);
			expect(authorizations(api)).toEqual(['Bearer of-ann']);
		},
	);
});
