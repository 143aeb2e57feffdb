// A single-page app, from login to logout. All tabs share one session, and each tab can begin a login. Bundle it into a page with two
// buttons. Run: npx vitest run test/recipes/login-spa.test.ts
import ky, {type KyInstance} from 'ky';
import {type Auth, createAuth, isRegrantError} from 'regrant';
import {createLogin, discover} from 'regrant/login';
import {indexedDbStore} from 'regrant/web';

const ISSUER = 'https://login.example.com';
const CLIENT_ID = 'spa';
const API = 'https://api.example.com';

const client = {...(await discover(ISSUER)), clientId: CLIENT_ID};

export const auth: Auth = createAuth({
	...client,
	origins: [API],
	store: indexedDbStore('session'),
	// `logoutUrl` uses it, so that the server logs out without asking.
	keep: ['id_token'],
});

export const api: KyInstance = ky.extend({baseUrl: API, hooks: auth.hooks});

const login = createLogin({
	...client,
	redirectUri: `${location.origin}/callback`,
	scope: 'openid offline_access /accounts.read',
	// Without this, many servers send no refresh token.
	parameters: {prompt: 'consent'},
});

/** Goes to the login page of the server. */
export async function signIn(): Promise<void> {
	location.href = await login.start({returnTo: location.pathname + location.search});
}

/** Signs out in all tabs, and goes to the logout page of the server. If the revocation fails, the session is over anyway. */
export async function signOut(): Promise<void> {
	const token = await auth.peek();
	try {
		await auth.signOut();
	} finally {
		location.href = login.logoutUrl({idToken: token?.['id_token'] as string | undefined, returnTo: '/'});
	}
}

/** Runs when the page has loaded: if this is the callback of a login, it finishes the login. */
async function finish(): Promise<void> {
	if (!login.isCallback()) return;
	const {token, returnTo, claims} = await login.finish();
	await auth.setToken(token);
	document.title = `Hello, ${claims?.sub}`;
	history.replaceState(null, '', returnTo);
}

function show(message: string = auth.status): void {
	document.body.dataset['status'] = message;
}

document.querySelector('#sign-in')?.addEventListener('click', () => void signIn());
document.querySelector('#sign-out')?.addEventListener('click', () => void signOut());
auth.subscribe(() => show());
// After a failed or refused login, the user can try again.
await finish().then(
	() => show(),
	error => {
		history.replaceState(null, '', '/');
		show(isRegrantError(error) ? error.message : 'Something went wrong');
	},
);
