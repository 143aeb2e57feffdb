// oauth4webapi signs users in, and regrant keeps the session: it gets the tokens, and from then on only regrant uses the refresh token.
// Do not call `refreshTokenGrantRequest` of oauth4webapi as well: that would use the refresh token a second time, and end the session.
// Run: npx vitest run test/recipes/login-with-oauth4webapi.test.ts
import process from 'node:process';
import * as oauth from 'oauth4webapi';
import {createAuth} from 'regrant';

const {ISSUER = '', CLIENT_ID = '', REDIRECT_URI = '', API = ''} = process.env; // `import.meta.env` in a page

// Plain http is only for a server on this machine, during development.
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

/** What to keep until the user comes back: in sessionStorage, or, on a server, in the user's cookie. */
export interface Pending {
	readonly state: string;
	readonly nonce: string;
	readonly codeVerifier: string;
}

/** Returns the URL to send the user to. */
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
		prompt: 'consent', // without this, some servers send no refresh token
		state,
		nonce,
		code_challenge: await oauth.calculatePKCECodeChallenge(codeVerifier),
		code_challenge_method: 'S256',
	}).toString();
	return {url, pending: {state, nonce, codeVerifier}};
}

/** Call it with the URL at which the user has come back. */
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
