// A single-page app whose tokens are bound to a key of this browser (DPoP, RFC 9449), so a stolen token is useless elsewhere. The key is in
// IndexedDB: all tabs use it, and no script can read it. The server and the API must support DPoP, and must expose the headers DPoP-Nonce
// and WWW-Authenticate by CORS. Run: npx vitest run test/recipes/dpop-spa.test.ts
import ky, {type KyInstance} from 'ky';
import {type Auth, createAuth} from 'regrant';
import {dpop} from 'regrant/dpop';
import {createLogin, discover} from 'regrant/login';
import {indexedDbStore} from 'regrant/web';

const ISSUER = 'https://login.example.com';
const CLIENT_ID = 'spa';
const API = 'https://api.example.com';

// The login uses the same scheme: the server binds tokens to the key of the request.
const client = {...(await discover(ISSUER)), clientId: CLIENT_ID, scheme: dpop()};

export const auth: Auth = createAuth({...client, origins: [API], store: indexedDbStore('session')});

export const api: KyInstance = ky.extend({baseUrl: API, hooks: auth.hooks});

const login = createLogin({
	...client,
	redirectUri: `${location.origin}/callback`,
	scope: 'openid offline_access /accounts.read',
	// Without this, many servers send no refresh token.
	parameters: {prompt: 'consent'},
});

async function signIn(): Promise<void> {
	location.href = await login.start({returnTo: location.pathname});
}

async function finish(): Promise<void> {
	if (!login.isCallback()) return;
	const {token, returnTo} = await login.finish();
	await auth.setToken(token);
	history.replaceState(null, '', returnTo);
}

function show(message: string = auth.status): void {
	document.body.dataset['status'] = message;
}

document.querySelector('#sign-in')?.addEventListener('click', () => void signIn());
document.querySelector('#sign-out')?.addEventListener('click', () => void auth.signOut());
// If the browser has deleted the key but not the token, the session ends at the next call.
auth.subscribe(() => show());
// After a failed login, the user can try again.
await finish().then(
	() => show(),
	() => show('login failed'),
);
