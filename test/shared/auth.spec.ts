// What a user sees, on every runtime: the runner and the server's controls are injected.
import ky from 'ky';
import {type Auth, createAuth, isRegrantError} from '../../src/index.ts';

/** What a runtime brings. All is asynchronous, since the server may be another process. */
export interface Runner {
	test(title: string, run: () => Promise<void>): void;
	equal(actual: unknown, expected: unknown): void;
	readonly server: {
		readonly tokenEndpoint: () => string;
		readonly revocationEndpoint: () => string;
		readonly api: () => string;
		readonly clientId: string;
		/** An answer of the token endpoint, with a refresh token, for a session of its own. */
		mint(): Promise<{access_token: string; token_type: string; refresh_token: string}>;
		/** Kills an access token: the API refuses it from now on. */
		expire(accessToken: string): Promise<void>;
		/** How many requests the token endpoint has had. */
		grants(): Promise<number>;
		/** The `Authorization` headers that the API has seen. */
		authorizations(): Promise<readonly string[]>;
	};
}

const reasonOf = async (promise: Promise<unknown>): Promise<unknown> =>
	promise.then(
		() => {
			throw new Error('should have failed');
		},
		(reason: unknown) => reason,
	);

/** The specification. */
export function authSpec({test, equal, server}: Runner): void {
	const signIn = async ({isDead = false} = {}): Promise<Auth> => {
		const auth = createAuth({
			tokenEndpoint: server.tokenEndpoint(),
			revocationEndpoint: server.revocationEndpoint(),
			clientId: server.clientId,
			origins: [server.api()],
		});
		const answer = await server.mint();
		await auth.setToken(answer);
		if (isDead) await server.expire(answer.access_token);
		return auth;
	};

	test('a call carries the token', async () => {
		const auth = await signIn();
		const {status} = await ky.extend({hooks: auth.hooks})(`${server.api()}/me`);
		equal(status, 200);
	});

	test('five calls at once with a dead token are answered after one grant', async () => {
		const auth = await signIn({isDead: true});
		const before = await server.grants();
		const api = ky.extend({hooks: auth.hooks, retry: 0});
		const answers = await Promise.all(Array.from({length: 5}, () => api(`${server.api()}/me`)));
		equal(
			answers.map(({status}) => status),
			[200, 200, 200, 200, 200],
		);
		equal((await server.grants()) - before, 1);
	});

	test('auth.fetch does the same', async () => {
		const auth = await signIn({isDead: true});
		equal((await auth.fetch(`${server.api()}/me`)).status, 200);
	});

	test('a body is sent again as it was', async () => {
		const auth = await signIn({isDead: true});
		const answer = await ky
			.extend({hooks: auth.hooks})
			.post(`${server.api()}/me`, {json: {amount: 1204}})
			.json<{body: string}>();
		equal(answer.body, '{"amount":1204}');
	});

	test('an Authorization of the caller’s own stays, and its 401 grants nothing', async () => {
		const auth = await signIn();
		const before = await server.grants();
		const options = {headers: {authorization: 'Bearer of-my-own'}, throwHttpErrors: false};
		const {status} = await ky.extend({hooks: auth.hooks})(`${server.api()}/me`, options);
		equal(status, 401);
		equal((await server.authorizations()).at(-1), 'Bearer of-my-own');
		equal((await server.grants()) - before, 0);
	});

	test('an origin that is not listed gets no token', async () => {
		const auth = createAuth({
			tokenEndpoint: server.tokenEndpoint(),
			clientId: server.clientId,
			origins: ['https://api.example'],
		});
		await auth.setToken(await server.mint());
		const {status} = await auth.fetch(`${server.api()}/me`);
		equal(status, 401);
		equal((await server.authorizations()).at(-1), '');
	});

	test('a caller that leaves during a renewal takes nobody along', async () => {
		const auth = await signIn({isDead: true});
		const caller = new AbortController();
		const api = ky.extend({hooks: auth.hooks, retry: 0});
		const leaving = auth.refresh({signal: caller.signal});
		const staying = api(`${server.api()}/me`);
		const reason = new Error('gone');
		caller.abort(reason);
		equal(await reasonOf(leaving), reason);
		equal((await staying).status, 200);
	});

	test('after sign-out the refresh token is dead, and a call goes without a token', async () => {
		const auth = await signIn();
		const ended = new Promise(resolve => {
			auth.subscribe(event => {
				if (event.type === 'session-ended') resolve(event.reason);
			});
		});
		await auth.signOut();
		equal(await ended, 'signed_out');
		equal((await auth.fetch(`${server.api()}/me`)).status, 401);
		const error = await reasonOf(auth.getToken());
		equal(isRegrantError(error) && error.code, 'session_ended');
	});
}
