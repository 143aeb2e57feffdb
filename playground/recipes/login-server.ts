// A server with users, on Hono. It logs them in at an OpenID provider, keeps each session in Redis under an id from a cookie, and calls an
// API for them. Run: npx vitest run test/recipes/login-server.test.ts
import process from 'node:process';
import {type Context, Hono} from 'hono';
import {deleteCookie, getCookie, setCookie} from 'hono/cookie';
import ky from 'ky';
import {type Auth, clientSecretBasic, createAuth, isRegrantError, isSignedOut} from 'regrant';
import {createLogin, discover, type Login} from 'regrant/login';
import {redisStore} from 'regrant/redis';
import {createClient} from 'redis';

const {ISSUER = '', CLIENT_ID = '', CLIENT_SECRET = '', ORIGIN = '', API = '', REDIS_URL = ''} = process.env;

export const redis = await createClient({url: REDIS_URL, disableOfflineQueue: true})
	.on('error', () => {})
	.connect();

const client = {
	...(await discover(ISSUER)),
	clientId: CLIENT_ID,
	clientAuthentication: clientSecretBasic(CLIENT_SECRET),
	keep: ['id_token'],
};
const cookie = {path: '/', httpOnly: true, secure: ORIGIN.startsWith('https:'), sameSite: 'Lax'} as const;

/** The session of one user. It goes a month after it was last renewed. */
const authOf = (id = 'nobody'): Auth =>
	createAuth({...client, store: redisStore(redis, `session:${id}`, {ttl: 2_592_000}), requireToken: true});

/** The logins of one browser. Each one is kept in a cookie of that browser, so that nobody can finish the login of somebody else. */
const loginOf = (context: Context): Login =>
	createLogin({
		...client,
		redirectUri: `${ORIGIN}/callback`,
		scope: 'openid offline_access /accounts.read',
		parameters: {prompt: 'consent'},
		storage: {
			getItem: key => getCookie(context, key),
			setItem: (key, value) => setCookie(context, key, value, {...cookie, path: '/callback', maxAge: 3600}),
			removeItem: key => deleteCookie(context, key, {path: '/callback'}),
		},
	});

const app: Hono = new Hono();

app.get('/login', async context =>
	context.redirect(await loginOf(context).start({returnTo: context.req.query('returnTo')})),
);

app.get('/callback', async context => {
	const {token, returnTo} = await loginOf(context).finish(context.req.url);
	// A new id for each login, so that an id which somebody knew before is useless.
	const id = crypto.randomUUID();
	await authOf(id).setToken(token);
	setCookie(context, 'session', id, cookie);
	return context.redirect(returnTo);
});

app.get('/me', async context => {
	const auth = authOf(getCookie(context, 'session'));
	return Response.json(await ky.extend({baseUrl: API, hooks: auth.hooks}).get('me').json());
});

app.post('/logout', async context => {
	const auth = authOf(getCookie(context, 'session'));
	const idToken = (await auth.peek())?.['id_token'] as string | undefined;
	await auth.signOut().catch(() => {}); // the session is over, even if the revocation failed
	deleteCookie(context, 'session', cookie);
	return context.redirect(loginOf(context).logoutUrl({idToken, returnTo: '/'}), 303);
});

app.onError((error, context) => {
	if (isSignedOut(error)) return context.json({error: 'signed out'}, 401);
	// `returnTo` led to another site, the login is over, or the user said no. In each case the user can log in again.
	const isLogin = isRegrantError(error) && /^(?:invalid_options|login_failed|oauth_error)$/.test(error.code);
	return isLogin ? context.html('<a href="/login">Log in again</a>', 400) : context.json({error: 'failed'}, 502);
});

export default app;
