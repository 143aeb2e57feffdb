import {expect, vi} from 'vitest';
import {app, type AuthorizationServer} from '../support/authorization-server.ts';
import {gist, record} from '../support/scenario.ts';
import {serve, type Served} from '../support/serve.ts';
import {once, createStage, type Hook} from '../support/stage.ts';
import {test as base} from '../support/recipe-test.ts';

/** A backend that keeps refresh tokens. A cookie identifies each session. */
interface Backend extends Pick<Served, 'origin' | 'requests' | 'close'> {
	/** Begins a session, as the backend's login page would. Returns the cookie. */
	signIn(refreshToken: string): string;
	/** Adds a hook that runs when the page asks the backend for an access token. */
	onRefresh(hook: Hook<[]>): () => void;
}

async function startBackend({tokenEndpoint}: AuthorizationServer): Promise<Backend> {
	const refreshTokens = new Map<string, string>();
	const stage = createStage<[]>();
	const {origin, requests, close} = await serve(async ({method}, {headers}) => {
		const [, id = ''] = /session=([\w-]+)/.exec(headers['cookie'] ?? '') ?? [];
		if (method === 'DELETE') {
			refreshTokens.delete(id);
			return new Response(null, {status: 204});
		}
		const staged = await stage.run();
		if (staged) return staged;
		const refresh_token = refreshTokens.get(id);
		if (refresh_token === undefined) return new Response(null, {status: 401});
		const body = new URLSearchParams({grant_type: 'refresh_token', client_id: app.clientId, refresh_token});
		const answer = (await (await fetch(tokenEndpoint, {method: 'POST', body})).json()) as Record<string, string>;
		refreshTokens.set(id, answer['refresh_token'] ?? '');
		return Response.json({accessToken: answer['access_token'], expiresIn: answer['expires_in']});
	});
	return {
		origin,
		requests,
		close,
		signIn(refreshToken) {
			const id = crypto.randomUUID();
			refreshTokens.set(id, refreshToken);
			return `session=${id}`;
		},
		onRefresh: stage.add,
	};
}

/** Adds a cookie to requests for the backend, as a browser would. Node has no cookies. */
function stubCookie(origin: string, cookie: string): void {
	const {fetch} = globalThis;
	vi.stubGlobal('fetch', async (input: RequestInfo | URL, init?: RequestInit) => {
		const request = new Request(input, init);
		if (new URL(request.url).origin === origin && request.credentials === 'include')
			request.headers.set('cookie', cookie);
		return fetch(request);
	});
}

const test = base
	.extend('backend', async ({server}, {onCleanup}) => {
		const backend = await startBackend(server);
		onCleanup(backend.close);
		return backend;
	})
	/** A page that was just loaded, in a browser whose user is signed in. */
	.extend('page', async ({server, backend, environment}, {onCleanup}) => {
		environment({BACKEND: backend.origin});
		const {refresh_token} = await server.mint();
		stubCookie(backend.origin, backend.signIn(refresh_token));
		onCleanup(() => void vi.unstubAllGlobals());
		vi.resetModules();
		return import('../../playground/recipes/own-backend.ts');
	});

const paths = ({requests}: Backend): string[] => requests.map(({method, path}) => `${method} ${path}`);

const refresh = 'POST /session/refresh';

test('the calls of a page that was just loaded ask the backend once', async ({
	server,
	backend,
	page: {api, resume},
}) => {
	const answers = await Promise.all(Array.from({length: 40}, () => api.get('me')));
	expect(answers.map(({status}) => status)).toEqual(Array.from({length: 40}, () => 200));
	expect(paths(backend)).toEqual([refresh]);
	expect(server.tokenRequests.map(({status}) => status)).toEqual([200]);
	expect(await resume()).toMatchObject({access_token: expect.any(String)});
});

test('a 401 of the API asks the backend once for twenty calls', async ({server, backend, page: {api, auth}}) => {
	const {access_token} = await auth.getToken();
	await server.expire(access_token);
	const answers = await Promise.all(Array.from({length: 20}, () => api.get('me')));
	expect(answers.map(({status}) => status)).toEqual(Array.from({length: 20}, () => 200));
	expect(paths(backend)).toEqual([refresh, refresh]);
});

test('a backend that answers 401 ends the session once, and is not asked for each call', async ({
	server,
	backend,
	canaries,
	page: {api, auth, resume},
}) => {
	const events = record(auth);
	const {access_token} = await auth.getToken();
	await server.expire(access_token);
	backend.onRefresh(() => new Response(null, {status: 401}));
	expect(await canaries.rejection(api.get('me'))).toMatchObject({name: 'SessionEndedError'});
	for (let call = 0; call < 10; call++) await canaries.rejection(api.get('me'));
	expect(paths(backend)).toEqual([refresh, refresh]);
	expect(gist(events).filter(event => event.startsWith('session-ended'))).toHaveLength(1);
	// The page may ask again later, because the user may have signed in elsewhere.
	expect(await resume()).toBeUndefined();
	expect(paths(backend)).toHaveLength(3);
});

test('a backend that is down fails the calls that wait, and the session stays', async ({
	backend,
	canaries,
	page: {api, auth},
}) => {
	const events = record(auth);
	backend.onRefresh(once(() => new Response(null, {status: 503})));
	expect(await canaries.rejection(api.get('me'))).toMatchObject({code: 'renewal_failed', retryable: true});
	expect(gist(events)).toEqual(['refresh-failed renewal_failed']);
	await expect
		.poll(() =>
			api.get('me').then(
				({status}) => status,
				() => 0,
			),
		)
		.toBe(200);
});

test('signing out forgets the token, and the backend its refresh token', async ({backend, page}) => {
	const {auth, resume, signOut} = page;
	await auth.getToken();
	await signOut();
	expect(await auth.peek()).toBeUndefined();
	expect(await resume()).toBeUndefined();
	expect(paths(backend)).toEqual([refresh, 'DELETE /session', refresh]);
});
