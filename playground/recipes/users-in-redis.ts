// A server with users, on Node, Deno or Bun. Each user's session is in Redis, under an id from a cookie, and each request creates an `Auth`
// for its user. That costs some tens of microseconds, because nothing is read or sent before the first call. All servers with this Redis
// together refresh a token once. Run: npx vitest run test/recipes/users-in-redis.test.ts
import process from 'node:process';
import ky from 'ky';
import {type Auth, type AuthToken, createAuth, isSignedOut} from 'regrant';
import {redisStore} from 'regrant/redis';
import {createClient} from 'redis';

const {TOKEN_ENDPOINT = '', REVOCATION_ENDPOINT = '', CLIENT_ID = '', API = '', REDIS_URL = ''} = process.env;

// Users share nothing but this connection. The store reports its errors.
export const redis = await createClient({url: REDIS_URL, disableOfflineQueue: true})
	.on('error', () => {})
	.connect();

const month = 30 * 24 * 60 * 60;

/** The session of one user. It is deleted a month after its last renewal. */
export const authOf = (id: string): Auth =>
	createAuth({
		tokenEndpoint: TOKEN_ENDPOINT,
		revocationEndpoint: REVOCATION_ENDPOINT,
		clientId: CLIENT_ID,
		store: redisStore(redis, `session:${id}`, {ttl: month}),
		// Calls of a session that is over are rejected, and are not sent without a token.
		requireToken: true,
	});

const idOf = ({headers}: Request): string => /(?:^|; )session=([\w-]+)/.exec(headers.get('cookie') ?? '')?.[1] ?? '';

const routes: Readonly<Record<string, (auth: Auth) => Promise<Response>>> = {
	async 'GET /me'({hooks}) {
		return Response.json(await ky.extend({baseUrl: API, hooks}).get('me').json());
	},
	async 'POST /sign-out'(auth) {
		await auth.signOut();
		return new Response(null, {status: 204, headers: {'set-cookie': 'session=; Max-Age=0; Path=/'}});
	},
};

/** Answers a request: for `Deno.serve`, `Bun.serve` or `@hono/node-server`. */
export async function handle(request: Request): Promise<Response> {
	const route = routes[`${request.method} ${new URL(request.url).pathname}`];
	if (!route) return new Response(null, {status: 404});
	const id = idOf(request);
	if (id === '') return new Response(null, {status: 401});
	try {
		return await route(authOf(id));
	} catch (error) {
		if (isSignedOut(error)) return new Response(null, {status: 401});
		throw error;
	}
}

/** For the callback of your login. `token` is the answer of the token endpoint. Returns the cookie to set. */
export async function signIn(token: AuthToken): Promise<string> {
	const id = crypto.randomUUID();
	await authOf(id).setToken(token);
	return `session=${id}; Max-Age=${month}; Path=/; HttpOnly; Secure; SameSite=Lax`;
}
