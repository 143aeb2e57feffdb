import {describe, expect, vi} from 'vitest';
import {createAuth, createSession, customStore} from '../../src/index.ts';
import {createGate, createSharedRecord, outcomeOf, record, storeOf} from '../support/scenario.ts';
import {test} from '../support/test.ts';

const endpoint = {tokenEndpoint: 'https://as.example/token', clientId: 'app'};
const stored = {
	access_token: 'first',
	token_type: 'Bearer',
	issued_at: 1,
	expires_at: 2,
	refresh_token: 'r',
	scope: 'a',
};

/** A session that must not use the network. */
const offline = (options: object = {}): ReturnType<typeof createAuth> =>
	createAuth({...endpoint, fetch: () => Promise.reject(new Error('The network was used')), ...options});

describe('peek', () => {
	test('peek gives what the store holds, though it has expired, and without the refresh token', async () => {
		const shared = createSharedRecord();
		shared.value = {...stored, client: undefined};
		const auth = offline({store: storeOf(shared.realm())});
		const {refresh_token: _, ...token} = stored;
		expect(await auth.peek()).toEqual(token);
		expect(auth.status).toBe('signed-in');
	});

	test('peek gives undefined if nobody is signed in, and asks neither the server nor renew', async () => {
		const renew = vi.fn<() => undefined>();
		const grant = vi.fn<() => never>();
		for (const auth of [offline(), offline({grant}), createSession({renew})]) {
			expect(await auth.peek()).toBeUndefined();
			expect(auth.status).toBe('signed-out');
		}
		expect([renew.mock.calls, grant.mock.calls]).toEqual([[], []]);
	});

	test('peek does not wait for a renewal that is under way', async () => {
		const gate = createGate();
		const auth = createSession({
			async renew() {
				await gate.pass();
				return {access_token: 'second'};
			},
		});
		await auth.setToken({access_token: 'first'});
		const renewed = auth.refresh();
		await gate.reached;
		expect(await auth.peek()).toMatchObject({access_token: 'first'});
		gate.open();
		await renewed;
		expect(await auth.peek()).toMatchObject({access_token: 'second'});
	});

	test('peek gives the token of memory if the store fails', async () => {
		const fail = (): never => {
			throw new Error('no storage');
		};
		const auth = offline({store: customStore({get: fail, set: fail, delete: fail})});
		expect(await auth.peek()).toBeUndefined();
		expect(await outcomeOf(auth.setToken({access_token: 'first'}))).toBe('StoreError');
		expect(await auth.peek()).toMatchObject({access_token: 'first'});
	});

	test('peek hands out a copy: what is done to it changes no session', async () => {
		const auth = offline();
		await auth.setToken({access_token: 'first'});
		Object.assign((await auth.peek()) ?? {}, {access_token: 'changed'});
		expect(await auth.peek()).toMatchObject({access_token: 'first'});
	});
});

describe('status', () => {
	test('status is unknown until the store was read, and then follows the session', async () => {
		const auth = createSession({renew: () => null});
		expect(auth.status).toBe('unknown');
		await auth.peek();
		expect(auth.status).toBe('signed-out');
		await auth.setToken({access_token: 'first'});
		expect(auth.status).toBe('signed-in');
		await outcomeOf(auth.refresh());
		expect(auth.status).toBe('signed-out');
		await auth.setToken({access_token: 'second'});
		await auth.signOut();
		expect(auth.status).toBe('signed-out');
	});

	test('status is read by subscribe, which tells whoever has seen that it is unknown', async () => {
		const auth = offline();
		expect(auth.status).toBe('unknown');
		const events = record(auth);
		await vi.waitFor(() => expect(events).toEqual([{type: 'status', status: 'signed-out'}]));
	});

	test('status is what a renderer sees that asks after each event', async () => {
		const auth = createSession({renew: () => ({access_token: 'second'})});
		const seen: string[] = [auth.status];
		// React's useSyncExternalStore also calls this function without its object.
		const {subscribe} = auth;
		subscribe(() => {
			if (seen.at(-1) !== auth.status) seen.push(auth.status);
		});
		await auth.peek();
		await auth.setToken({access_token: 'first'});
		await auth.refresh();
		await auth.signOut();
		await auth.refresh();
		expect(seen).toEqual(['unknown', 'signed-out', 'signed-in', 'signed-out', 'signed-in']);
	});

	test('status follows what another holder of the store does', async () => {
		const shared = createSharedRecord();
		const [here, there] = ['here', 'there'].map(name => offline({store: storeOf(shared.realm(name))}));
		const seen: Array<string | undefined> = [];
		here?.subscribe(() => seen.push(here.status));
		await here?.peek();
		await there?.setToken({access_token: 'first', token_type: 'Bearer'});
		await vi.waitFor(() => expect(seen.at(-1)).toBe('signed-in'));
		await there?.signOut();
		await vi.waitFor(() => expect(seen.at(-1)).toBe('signed-out'));
	});

	test('status cannot be assigned, and is there when an Auth is spread', async () => {
		const auth = offline();
		await auth.peek();
		expect(() => Object.assign(auth, {status: 'signed-in'})).toThrow(TypeError);
		expect({...auth}).toMatchObject({status: 'signed-out'});
	});
});
