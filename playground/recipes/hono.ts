// Hono on Cloudflare Workers: each user's session is in a Durable Object, so all isolates together make one grant. Bind VAULT to the class
// TokenVault. Run: npx vitest run test/recipes/hono.test.ts
import {env, waitUntil} from 'cloudflare:workers';
import {type Context, Hono} from 'hono';
import {deleteCookie, getCookie, setCookie} from 'hono/cookie';
import ky, {isHTTPError, type KyInstance} from 'ky';
import {type Auth, type AuthToken, createAuth, isRegrantError} from 'regrant';
import {durableObjectStore} from 'regrant/cloudflare';

export {TokenVault} from 'regrant/cloudflare';

interface Variables {
	readonly auth: Auth;
	readonly api: KyInstance;
}

// Created for each request. Everything shared is in the object, which also lets one caller at a time renew the token.
const authOf = (id: string): Auth =>
	createAuth({
		tokenEndpoint: env.TOKEN_ENDPOINT,
		revocationEndpoint: env.REVOCATION_ENDPOINT,
		clientId: env.CLIENT_ID,
		store: durableObjectStore(() => env.VAULT.getByName(id)),
		// Without this, a client that leaves would stop a running grant.
		waitUntil,
	});

const app = new Hono<{Variables: Variables}>();

app.use('/api/*', async (context, next) => {
	const id = getCookie(context, 'session');
	if (id === undefined) return context.json({error: 'signed out'}, 401);
	const auth = authOf(id);
	context.set('auth', auth);
	context.set('api', ky.extend({baseUrl: env.API, hooks: auth.hooks}));
	return next();
});

app.get('/api/me', async ({var: {api}}) => Response.json(await api.get('me').json()));

app.post('/api/sign-out', async context => {
	await context.var.auth.signOut();
	deleteCookie(context, 'session');
	return context.body(null, 204);
});

app.onError((error, context) => {
	// The call that finds the session over gets an error. Later calls have no token, and the API answers 401.
	const isRefused = isHTTPError(error) && error.response.status === 401;
	if (isRefused || (isRegrantError(error) && error.code === 'session_ended')) {
		return context.json({error: 'signed out'}, 401);
	}
	return context.json({error: 'failed'}, isRegrantError(error) && error.retryable ? 503 : 502);
});

/** For the callback of your login. `token` is the answer of the token endpoint. */
export async function signIn(context: Context, token: AuthToken): Promise<void> {
	const id = crypto.randomUUID();
	await authOf(id).setToken(token);
	setCookie(context, 'session', id, {httpOnly: true, secure: true, sameSite: 'Lax', path: '/'});
}

export default app;
