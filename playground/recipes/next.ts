// Next.js: a server component calls an API as its user. All users share the module, so it holds no session: each session is in Redis,
// under an id from a cookie. Run: npx vitest run test/recipes/next.test.ts
import process from 'node:process';
import ky from 'ky';
import {cookies} from 'next/headers';
import {type Auth, type AuthToken, createAuth, isSignedOut} from 'regrant';
import {redisStore} from 'regrant/redis';
import {createClient} from 'redis';

const {TOKEN_ENDPOINT = '', REVOCATION_ENDPOINT = '', CLIENT_ID = '', API = '', REDIS_URL = ''} = process.env;

// Users share nothing but this connection. The store reports its errors.
export const redis = await createClient({url: REDIS_URL, disableOfflineQueue: true})
	.on('error', () => {})
	.connect();

/**
The session of one user. The token cannot be in the cookie itself: a server component may not set cookies, so a refreshed token would be
lost. And two requests at once would both use the refresh token.
*/
const authOf = (id: string): Auth =>
	createAuth({
		tokenEndpoint: TOKEN_ENDPOINT,
		revocationEndpoint: REVOCATION_ENDPOINT,
		clientId: CLIENT_ID,
		store: redisStore(redis, `session:${id}`),
		requireToken: true, // a call without a session rejects, and is not sent
	});

/** For the route handler that your login comes back to. `token` is the answer of the token endpoint. */
export async function signIn(token: AuthToken): Promise<void> {
	const id = crypto.randomUUID();
	await authOf(id).setToken(token);
	(await cookies()).set('session', id, {httpOnly: true, secure: true, sameSite: 'lax'});
}

/** For a server action. */
export async function signOut(): Promise<void> {
	const id = (await cookies()).get('session')?.value;
	if (id !== undefined) await authOf(id).signOut();
}

/** The default export of a page.tsx. */
export async function Page(): Promise<string> {
	const id = (await cookies()).get('session')?.value;
	if (id === undefined) return 'Sign in';
	// Without `no-store`, Next.js may cache the answer, and show it to other users.
	const api = ky.extend({baseUrl: API, cache: 'no-store', hooks: authOf(id).hooks});
	try {
		const {subject} = await api.get('me').json<{readonly subject: string}>();
		return `Hello, ${subject}`;
	} catch (error) {
		if (isSignedOut(error)) return 'Sign in';
		throw error;
	}
}
