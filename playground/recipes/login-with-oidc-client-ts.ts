// oidc-client-ts signs users in, and regrant keeps the session. By default oidc-client-ts renews tokens too: both would use the same
// refresh token, and the server would end the session. So set `automaticSilentRenew: false`, and call `removeUser` when regrant has the
// tokens. Run: npx vitest run test/recipes/login-with-oidc-client-ts.test.ts
import process from 'node:process';
import {InMemoryWebStorage, UserManager, WebStorageStateStore} from 'oidc-client-ts';
import {createAuth} from 'regrant';

const {ISSUER = '', TOKEN_ENDPOINT = '', CLIENT_ID = '', REDIRECT_URI = '', API = ''} = process.env; // `import.meta.env` in a page

export const auth = createAuth({tokenEndpoint: TOKEN_ENDPOINT, clientId: CLIENT_ID, origins: [API]});

const manager = new UserManager({
	authority: ISSUER,
	client_id: CLIENT_ID,
	redirect_uri: REDIRECT_URI,
	scope: 'openid offline_access /accounts.read',
	// Only regrant uses the refresh token.
	automaticSilentRenew: false,
	// The tokens are only in memory between the two lines of `finish`.
	userStore: new WebStorageStateStore({store: new InMemoryWebStorage()}),
});

/** Goes to the login page. Without `prompt`, some servers send no refresh token. */
export const start = (): Promise<void> => manager.signinRedirect({prompt: 'consent'});

/** For the page that the login comes back to. */
export async function finish(url: string = location.href): Promise<void> {
	const user = await manager.signinRedirectCallback(url);
	await auth.setToken(user);
	await manager.removeUser();
}
