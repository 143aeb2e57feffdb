// SvelteKit: a session for each user, and calls that go through the `fetch` of the request: parts of hooks.server.ts, of the
// callback of your login and of a +page.server.ts. Run: npx vitest run test/recipes/sveltekit.test.ts
import process from 'node:process';
import ky from 'ky';
import {type Auth, type AuthToken, createAuth, isRegrantError} from 'regrant';

/** As much of SvelteKit's own `RequestEvent` as is used here. */
export interface RequestEvent {
	readonly fetch: typeof fetch;
	readonly url: URL;
	readonly cookies: {
		get(name: string): string | undefined;
		set(name: string, value: string, options: {readonly path: string}): void;
	};
	readonly locals: {auth?: Auth | undefined};
}

/** What the page shows. */
export interface PageData {
	readonly me: {readonly subject: string};
	readonly settings: {readonly theme: string};
}

const {TOKEN_ENDPOINT = '', REVOCATION_ENDPOINT = '', CLIENT_ID = '', API = ''} = process.env;

// Of all users, each behind a cookie of its own. With more than one server, or more users than fit into memory, make one for each
// request, on a store that is shared: see next.ts.
const sessions = new Map<string, Auth>();

/** In hooks.server.ts, where it answers with what `resolve` gives. */
export function handle({cookies, locals}: RequestEvent): void {
	locals.auth = sessions.get(cookies.get('session') ?? '');
}

/** In the callback of your login, with what the token endpoint has answered. */
export async function signIn({cookies}: RequestEvent, token: AuthToken): Promise<void> {
	const id = crypto.randomUUID();
	const auth = createAuth({
		tokenEndpoint: TOKEN_ENDPOINT,
		revocationEndpoint: REVOCATION_ENDPOINT,
		clientId: CLIENT_ID,
		// Not the app itself: its own routes go by the cookie.
		origins: [API],
	});
	auth.subscribe(({type}) => {
		if (type === 'session-ended') sessions.delete(id);
	});
	await auth.setToken(token);
	sessions.set(id, auth);
	cookies.set('session', id, {path: '/'}); // SvelteKit makes it httpOnly, secure and sameSite
}

/**
In a +page.server.ts. Not in a +page.ts: that runs in the browser too, which has no session, and on the server SvelteKit lets
nobody read `WWW-Authenticate` there.
*/
export async function load({fetch, url, locals: {auth}}: RequestEvent): Promise<PageData | undefined> {
	if (!auth) return undefined; // in an app: redirect(303, '/login')
	const api = ky.extend({baseUrl: url, fetch, hooks: auth.hooks});
	try {
		const [me, settings] = await Promise.all([
			api.get(`${API}/me`).json<PageData['me']>(),
			api.get('/settings').json<PageData['settings']>(),
		]);
		return {me, settings};
	} catch (error) {
		if (isRegrantError(error) && error.code === 'session_ended') return undefined;
		throw error;
	}
}

/** In a form action. */
export async function signOut({locals: {auth}}: RequestEvent): Promise<void> {
	await auth?.signOut();
}
