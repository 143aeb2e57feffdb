// oauth4webapi signs users in, and regrant keeps the session: the tokens are handed over, and from then on there is one owner of the
// refresh token. oauth4webapi renews nothing by itself; so do not call its `refreshTokenGrantRequest` beside regrant, which would
// spend the refresh token a second time and end the session. Run: npx vitest run test/recipes/login-with-oauth4webapi.test.ts
import process from 'node:process';
import * as oauth from 'oauth4webapi';
import {createAuth} from 'regrant';

const {ISSUER = '', CLIENT_ID = '', REDIRECT_URI = '', API = ''} = process.env; // `import.meta.env` in a page

// Plain http is for a server on this machine, while you develop.
const {hostname} = new URL(ISSUER);
const options = {[oauth.allowInsecureRequests]: hostname === 'localhost' || hostname === '127.0.0.1'};

const issuer = new URL(ISSUER);
const server = await oauth.processDiscoveryResponse(issuer, await oauth.discoveryRequest(issuer, options));
const client = {client_id: CLIENT_ID};

export const auth = createAuth({
	tokenEndpoint: server.token_endpoint ?? '',
	...(server.revocation_endpoint !== undefined && {revocationEndpoint: server.revocation_endpoint}),
	clientId: CLIENT_ID,
	origins: [API],
});

/** What has to be remembered until the user comes back: in sessionStorage, or on a server in the user's cookie. */
export interface Pending {
	readonly state: string;
	readonly nonce: string;
	readonly codeVerifier: string;
}

/** The address to send the user to. */
export async function start(): Promise<{readonly url: URL; readonly pending: Pending}> {
	const [state, nonce, codeVerifier] = [
		oauth.generateRandomState(),
		oauth.generateRandomNonce(),
		oauth.generateRandomCodeVerifier(),
	];
	const url = new URL(server.authorization_endpoint ?? '');
	url.search = new URLSearchParams({
		response_type: 'code',
		client_id: CLIENT_ID,
		redirect_uri: REDIRECT_URI,
		scope: 'openid offline_access /accounts.read',
		prompt: 'consent', // without which some servers give no refresh token
		state,
		nonce,
		code_challenge: await oauth.calculatePKCECodeChallenge(codeVerifier),
		code_challenge_method: 'S256',
	}).toString();
	return {url, pending: {state, nonce, codeVerifier}};
}

/** With the address at which the user has come back. */
export async function finish(url: URL, {state, nonce, codeVerifier}: Pending): Promise<void> {
	const callback = oauth.validateAuthResponse(server, client, url, state);
	const response = await oauth.authorizationCodeGrantRequest(
		server,
		client,
		oauth.None(),
		callback,
		REDIRECT_URI,
		codeVerifier,
		options,
	);
	const answer = await oauth.processAuthorizationCodeResponse(server, client, response, {
		expectedNonce: nonce,
		requireIdToken: true,
	});
	await auth.setToken(answer);
}
