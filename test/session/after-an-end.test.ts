import {describe, expect, test} from 'vitest';
import {
	type AuthEvent,
	createAuth,
	createSession,
	customStore,
	SessionEndedError,
	type TokenStore,
} from '../../src/index.ts';
import {createFakeClient, refusal} from '../support/fake-token-endpoint.ts';
import {createSharedMemory} from '../support/shared-memory.ts';

const origins = ['https://api.example.com'];

describe('a session that has ended', () => {
	test('a call of it is not resent with the token of a login in another tab [F-140]', async () => {
		const memory = createSharedMemory();
		const tab = async (): Promise<TokenStore> => customStore(await memory.holder());
		const theirs = createSession({store: await tab(), origins, renew: () => null});
		let answer: ((response: Response) => void) | undefined;
		const sent: (string | null)[] = [];
		const fetch = async (request: Request): Promise<Response> => {
			sent.push(request.headers.get('authorization'));
			return new Promise(resolve => {
				answer = resolve;
			});
		};
		const auth = createSession({store: await tab(), origins, renew: () => null});
		await auth.setToken({access_token: 'of-ann'});
		const options: Parameters<NonNullable<(typeof auth.hooks)['init']>[number]>[0] = {
			fetch: fetch as typeof globalThis.fetch,
		};
		for (const hook of auth.hooks.init ?? []) hook(options);
		const response = (options.fetch as typeof fetch)(new Request(`${origins[0]}/pay`, {method: 'POST', body: '1'}));
		await expect.poll(() => sent).toEqual(['Bearer of-ann']);
		await expect(auth.refresh()).rejects.toThrow(SessionEndedError);
		await theirs.setToken({access_token: 'of-bob'});
		expect((await auth.peek())?.access_token).toBe('of-bob');
		answer?.(new Response(null, {status: 401}));
		expect((await response).status).toBe(401);
		expect(sent).toEqual(['Bearer of-ann']);
	});
});

describe('a refresh token that came without an access token', () => {
	const grant = {grant_type: 'refresh_token', refresh_token: 'first'} as const;
	const useless = Response.json({access_token: 'a', token_type: 'mac', refresh_token: 'second'});

	test('is used once by a client whose grant has used up the one before, and never again [R68, F-165]', async () => {
		let clock = Date.now();
		const {auth, asked} = createFakeClient(count => (count === 0 ? useless.clone() : undefined), {
			grant,
			revocationEndpoint: 'https://as.example/revocation',
			now: () => clock,
		});
		await expect(auth.getToken()).rejects.toMatchObject({code: 'unsupported_token_type'});
		clock += 60_000;
		expect(await auth.getToken()).toMatchObject({access_token: 'granted-1'});
		await auth.signOut();
		await expect(auth.getToken()).rejects.toThrow(SessionEndedError);
		expect(asked.map(({refresh_token, token}) => refresh_token ?? `revoked ${token}`)).toEqual([
			'first',
			'second',
			'revoked refresh-1',
		]);
	});

	test('is revoked by a sign-out before it was used [R76]', async () => {
		const {auth, asked} = createFakeClient(count => (count === 0 ? useless.clone() : undefined), {
			grant,
			revocationEndpoint: 'https://as.example/revocation',
		});
		await expect(auth.getToken()).rejects.toMatchObject({code: 'unsupported_token_type'});
		await auth.signOut();
		await expect(auth.getToken()).rejects.toThrow(SessionEndedError);
		expect(asked.map(({refresh_token, token}) => refresh_token ?? `revoked ${token}`)).toEqual([
			'first',
			'revoked second',
		]);
	});
});

test('the status stays unknown while the store has not been read without a failure, and is told then [F-86]', async () => {
	let reads = 0;
	const token = {access_token: 'at', token_type: 'Bearer', issued_at: Math.floor(Date.now() / 1000)};
	const get = (): unknown => {
		if (reads++ === 0) throw new Error('The store is away');
		return token;
	};
	const auth = createSession({origins, renew: () => null, store: customStore({get, set: () => {}, delete: () => {}})});
	const events: AuthEvent['type'][] = [];
	expect(auth.status).toBe('unknown');
	auth.subscribe(({type}) => events.push(type));
	await auth.peek().catch(() => {});
	await auth.peek();
	expect([auth.status, events]).toEqual(['signed-in', ['store-failed', 'status']]);
});

test('a listener that subscribes again is called once for each event', async () => {
	const auth = createSession({origins, renew: () => null});
	let calls = 0;
	let stop = (): void => {};
	const again = (): void => {
		stop();
		if (++calls < 10) stop = auth.subscribe(again);
	};
	stop = auth.subscribe(again);
	await auth.setToken({access_token: 'at'});
	expect(calls).toBe(1);
});

test.for(['client', 'login'])('%s cannot be kept: a shared store marks its records with it', name => {
	expect(() => createAuth({tokenEndpoint: 'https://as.example/token', clientId: 'app', keep: [name]})).toThrow(
		/^keep must be/,
	);
});

test('what a renew function failed with can be read, and is not printed', async () => {
	const {inspect} = await import('node:util');
	const failure = Object.assign(new Error('cookie=hunter2'), {response: {status: 401}});
	for (const error of [failure, new Error('cookie=hunter2')]) {
		const auth = createSession({origins, renew: () => Promise.reject(error)});
		const events: AuthEvent[] = [];
		auth.subscribe(event => events.push(event));
		await auth.setToken({access_token: 'at', expires_in: 1, refresh_token: 'rt'});
		const thrown: unknown = await auth.refresh().catch((reason: unknown) => reason);
		expect(inspect([thrown, events], {depth: 9})).not.toContain('hunter2');
		const causes = [thrown];
		for (let last = thrown; last instanceof Error && last.cause; last = last.cause) causes.push(last.cause);
		expect(causes.at(-1)).toBe(error);
	}
});

test('a server that rejects what came without an access token ends nothing twice [R68]', async () => {
	const {auth, asked} = createFakeClient(
		count => (count === 0 ? Response.json({token_type: 'mac', refresh_token: 'b'}) : refusal('invalid_grant')),
		{
			grant: {grant_type: 'refresh_token', refresh_token: 'a'},
			now: (
				time => () =>
					(time += 60_000)
			)(Date.now()),
		},
	);
	for (let call = 0; call < 4; call++) await auth.getToken().catch(() => {});
	expect(asked.map(({refresh_token}) => refresh_token)).toEqual(['a', 'b']);
});
