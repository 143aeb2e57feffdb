// SvelteKit: each user has a session, and calls go through the `fetch` of the request. These are parts of hooks.server.ts, of your
// login's callback and of a +page.server.ts. In app.d.ts, declare `interface Locals {auth?: import('regrant').Auth | undefined}`.
// Run: npx vitest run test/recipes/sveltekit.test.ts
import process from 'node:process';
import type {Handle, RequestEvent} from '@sveltejs/kit';
import ky from 'ky';
import {type Auth, type AuthToken, createAuth, isSignedOut} from 'regrant';

const {TOKEN_ENDPOINT = '', REVOCATION_ENDPOINT = '', CLIENT_ID = '', API = ''} = process.env;

// The sessions of all users, by the id in their cookie. If you have several servers, or more users than fit into memory, create an
// `Auth` for each request, on a shared store: see next.ts.
const sessions = new Map<string, Auth>();

/** In hooks.server.ts. */
export const handle: Handle = ({event, resolve}) => {
	event.locals.auth = sessions.get(event.cookies.get('session') ?? '');
	return resolve(event);
};

/** For the callback of your login. `token` is the answer of the token endpoint. */
export async function signIn({cookies}: RequestEvent, token: AuthToken): Promise<void> {
	const id = crypto.randomUUID();
	const auth = createAuth({
		tokenEndpoint: TOKEN_ENDPOINT,
		revocationEndpoint: REVOCATION_ENDPOINT,
		clientId: CLIENT_ID,
		// The app itself is not among them: its own routes use the cookie.
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
In a +page.server.ts, and not in a +page.ts: that one also runs in the browser, which has no session. And on the server, SvelteKit does
not let it read `WWW-Authenticate`.
*/
export async function load({fetch, url, locals: {auth}}: RequestEvent) {
	if (!auth) return undefined; // in an app: redirect(303, '/login')
	const api = ky.extend({baseUrl: url, fetch, hooks: auth.hooks});
	try {
		const [me, settings] = await Promise.all([
			api.get(`${API}/me`).json<{readonly subject: string}>(),
			api.get('/settings').json<{readonly theme: string}>(),
		]);
		return {me, settings};
	} catch (error) {
		if (isSignedOut(error)) return undefined;
		throw error;
	}
}

/** In a form action. */
export async function signOut({locals: {auth}}: RequestEvent): Promise<void> {
	await auth?.signOut();
}
