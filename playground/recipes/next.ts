// Next.js: a server component, whose module is shared by all users, and so holds no session: each is in Redis, under a cookie.
// Run: npx vitest run test/recipes/next.test.ts
import process from 'node:process';
import ky, {isHTTPError} from 'ky';
import {type Auth, type AuthToken, createAuth, isRegrantError} from 'regrant';
import {redisStore} from 'regrant/redis';
import {createClient} from 'redis';

interface CookieOptions {
	readonly httpOnly: true;
	readonly secure: true;
	readonly sameSite: 'lax';
}

/** What `await cookies()` of next/headers gives, as much of it as is used here. */
export interface Cookies {
	get(name: string): {readonly value: string} | undefined;
	set(name: string, value: string, options: CookieOptions): unknown;
}

const {TOKEN_ENDPOINT = '', REVOCATION_ENDPOINT = '', CLIENT_ID = '', API = '', REDIS_URL = ''} = process.env;

// All that users share is the connection, whose errors the store tells of.
export const redis = await createClient({url: REDIS_URL, disableOfflineQueue: true})
	.on('error', () => {})
	.connect();

/**
The session of one user. Not in the cookie itself: a server component may set none, and so would lose what a renewal gives;
and two requests at once would both spend the refresh token of theirs.
*/
const authOf = (id: string): Auth =>
	createAuth({
		tokenEndpoint: TOKEN_ENDPOINT,
		revocationEndpoint: REVOCATION_ENDPOINT,
		clientId: CLIENT_ID,
		store: redisStore(redis, `session:${id}`),
	});

/** A session that ends says so once. From then on calls have no token, and the API refuses them. */
const isSignedOut = (error: unknown): boolean =>
	isHTTPError(error) ? error.response.status === 401 : isRegrantError(error) && error.code === 'session_ended';

/** In the route handler that your login comes back to, with what the token endpoint has answered. */
export async function signIn(cookies: Cookies, token: AuthToken): Promise<void> {
	const id = crypto.randomUUID();
	await authOf(id).setToken(token);
	cookies.set('session', id, {httpOnly: true, secure: true, sameSite: 'lax'});
}

/** In a server action. */
export async function signOut(cookies: Cookies): Promise<void> {
	const {value: id} = cookies.get('session') ?? {};
	if (id !== undefined) await authOf(id).signOut();
}

/** In a page.tsx: `export default async () => Page(await cookies())`. */
export async function Page(cookies: Cookies): Promise<string> {
	const {value: id} = cookies.get('session') ?? {};
	if (id === undefined) return 'Sign in';
	// Next.js may keep what a fetch has answered, and for all users.
	const api = ky.extend({baseUrl: API, cache: 'no-store', hooks: authOf(id).hooks});
	try {
		const {subject} = await api.get('me').json<{readonly subject: string}>();
		return `Hello, ${subject}`;
	} catch (error) {
		if (isSignedOut(error)) return 'Sign in';
		throw error;
	}
}
