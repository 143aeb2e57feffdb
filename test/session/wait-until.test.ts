import {describe, expect, vi} from 'vitest';
import {createAuth, createSession} from '../../src/index.ts';
import {appOptions, createSharedRecord, expired, outcomeOf, signIn} from '../support/scenario.ts';
import {test} from '../support/test.ts';

test.override('serverOptions', {accessTokenSeconds: 60});

/** As on Workers, `waitUntil` fails if it is not called as a method of its object. */
class ExecutionContext {
	readonly #promises: Array<Promise<unknown>> = [];

	waitUntil(promise: Promise<unknown>): void {
		this.#promises.push(promise);
	}
}

describe('waitUntil', () => {
	test('an unbound waitUntil is an error before the refresh token is sent, and says what to do [F-148]', async ({
		server,
		watch,
	}) => {
		const context = new ExecutionContext();
		const {waitUntil} = context;
		const auth = watch(createAuth(appOptions(server, {waitUntil})));
		await signIn(server, auth, expired);
		for (const call of [auth.getToken(), auth.refresh(), auth.fetch(`${server.api}/me`)]) {
			await expect(call).rejects.toMatchObject({
				code: 'invalid_options',
				message: expect.stringContaining('promise => ctx.waitUntil(promise)'),
			});
		}
		expect(server.tokenRequests).toHaveLength(0);
		expect(server.calls).toHaveLength(0);
	});

	test('an unbound waitUntil does not keep a sign-out from forgetting and revoking the session [F-148]', async ({
		server,
		watch,
	}) => {
		const context = new ExecutionContext();
		const {waitUntil} = context;
		const auth = watch(createAuth(appOptions(server, {waitUntil, store: createSharedRecord().realm()})));
		const {refresh_token} = await signIn(server, auth);
		expect(await outcomeOf(auth.signOut())).toBe('ConfigError');
		expect(await auth.peek()).toBe(undefined);
		expect(await server.isActive(refresh_token)).toBe(false);
	});

	test('a waitUntil that throws outside of a request of a Worker does not fail a renewal', async ({server, watch}) => {
		const waitUntil = vi.fn<() => void>(() => {
			throw new Error('Disallowed operation called within global scope');
		});
		const auth = watch(createAuth(appOptions(server, {waitUntil})));
		await signIn(server, auth, expired);
		expect((await auth.fetch(`${server.api}/me`)).status).toBe(200);
		expect(waitUntil).toHaveBeenCalledTimes(1);
	});

	test('a renewal belongs to the login that a waitUntil brings', async () => {
		let isCalled = false;
		const auth = createSession({
			renew: () => ({access_token: 'renewed'}),
			waitUntil: () => {
				if (!isCalled) void auth.setToken({access_token: 'of-the-login'});
				isCalled = true;
			},
		});
		expect((await auth.getToken()).access_token).toBe('of-the-login');
	});

	test('a waitUntil that has worked is bound, so a TypeError of its own fails neither a renewal nor a sign-out [F-148]', async ({
		server,
		watch,
	}) => {
		const waitUntil = vi.fn<() => void>();
		const auth = watch(createAuth(appOptions(server, {waitUntil, store: createSharedRecord().realm()})));
		await signIn(server, auth, expired);
		await auth.refresh();
		waitUntil.mockImplementation(() => {
			throw new TypeError('The request is over');
		});
		expect(await outcomeOf(auth.refresh())).toBe('fulfilled');
		expect(await outcomeOf(auth.signOut())).toBe('fulfilled');
		expect(waitUntil).toHaveBeenCalledTimes(3);
	});
});
