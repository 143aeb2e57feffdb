import {describe, expect} from 'vitest';
import {createAuth} from '../../src/index.ts';
import {
	appOptions,
	createGate,
	expired,
	memoryDriver,
	outcomeOf,
	serviceOptions,
	signIn,
	storeOf,
} from '../support/scenario.ts';
import {test} from '../support/test.ts';

test.override('serverOptions', {accessTokenSeconds: 60});

describe('refresh({instead})', () => {
	test('refresh({instead}) renews the token that it names, once for all who name it, also later', async ({
		server,
		watch,
	}) => {
		const auth = watch(createAuth(appOptions(server)));
		const {access_token: instead} = await signIn(server, auth);
		const renewed = await Promise.all(Array.from({length: 20}, () => auth.refresh({instead})));
		const late = await auth.refresh({instead});
		const tokens = [...renewed, late].map(({access_token}) => access_token);
		expect(new Set(tokens).size).toBe(1);
		expect(tokens).not.toContain(instead);
		expect(server.tokenRequests).toHaveLength(1);
	});

	test.for(['', 'never-issued'])(
		'refresh({instead}) gives the current token, and no refresh token, in place of one that it is not: %j',
		async (instead, {server, watch}) => {
			const auth = watch(createAuth(appOptions(server)));
			const {access_token} = await signIn(server, auth);
			const token = await auth.refresh({instead});
			expect(token).toMatchObject({access_token});
			expect(token).not.toHaveProperty('refresh_token');
			expect(server.tokenRequests).toEqual([]);
		},
	);

	test('refresh({instead}) renews a current token that has expired, whatever it names', async ({server, watch}) => {
		const auth = watch(createAuth(appOptions(server)));
		const {access_token} = await signIn(server, auth, expired);
		expect((await auth.refresh({instead: 'never-issued'})).access_token).not.toBe(access_token);
		expect(server.tokenRequests).toHaveLength(1);
	});

	test('refresh({instead}) gives the token that another holder of the store has renewed meanwhile', async ({
		server,
		watch,
	}) => {
		const driver = memoryDriver();
		const [here, there] = [0, 1].map(() => watch(createAuth(appOptions(server, {store: storeOf({...driver})}))));
		if (!here || !there) throw new Error('There are two');
		const {access_token: instead} = await signIn(server, here);
		await there.refresh();
		const {access_token} = await there.getToken();
		expect(await here.refresh({instead})).toMatchObject({access_token});
		expect(server.tokenRequests).toHaveLength(1);
	});

	test('refresh({instead}) shares a renewal that is under way', async ({server, watch}) => {
		const auth = watch(createAuth(appOptions(server)));
		const {access_token: instead} = await signIn(server, auth);
		const gate = createGate();
		server.onToken(gate.pass);
		const first = auth.refresh();
		await gate.reached;
		const second = auth.refresh({instead});
		gate.open();
		expect(await second).toEqual(await first);
		expect(server.tokenRequests).toHaveLength(1);
	});

	test('refresh({instead}) begins nothing for a user who has signed out, and a new session for a service', async ({
		server,
		watch,
	}) => {
		const user = watch(createAuth(appOptions(server)));
		const {access_token: instead} = await signIn(server, user);
		await user.signOut();
		expect(await outcomeOf(user.refresh({instead}))).toBe('SessionEndedError no_session');
		expect(server.tokenRequests).toEqual([]);
		const service = watch(createAuth(serviceOptions(server)));
		expect(await service.refresh({instead: 'never-issued'})).toMatchObject({access_token: expect.any(String)});
	});
});
