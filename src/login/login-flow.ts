import {ConfigError, LoginError, OAuthError} from '../errors.ts';
import {ownProperties} from '../lib/own-properties.ts';
import {isAnything, readOptions} from '../lib/read-options.ts';
import {randomText} from '../lib/random-text.ts';
import {sha256} from '../lib/sha256.ts';
import type {TokenParameters} from '../oauth/client.ts';
import {describeError} from '../oauth/error-response.ts';
import {appendParameters, prepare, type RequestFields} from '../oauth/prepared-request.ts';
import {sendTokenRequest} from '../oauth/token-endpoint.ts';
import type {TokenSet} from '../token/token-set.ts';
import {isLocalPath, readCallback, readUrl} from './callback.ts';
import {type IdTokenClaims, readIdToken} from './id-token.ts';
import {type CheckedLogin, type LoginClient, readLoginParameters} from './login-options.ts';
import {keepLogin, type LoginStorage, takeLogin} from './login-storage.ts';

/** Options of `createLogin`: an authorization server, a client of it, and where the browser comes back to. */
export interface LoginOptions extends LoginClient {
	/**
	The URL to which the browser goes to log in. It is required. `discover()` returns it if the server has one.

	@default none
	@see https://www.rfc-editor.org/rfc/rfc6749#section-3.1
	*/
	readonly authorizationEndpoint?: string | URL | undefined;
	/**
	The page to which the browser comes back, and which calls `finish`. Write it exactly as it is registered at the server: https, or http
	on loopback. An app of several servers has one for each: by it, `isCallback` tells whose answer a URL is.

	@see https://www.rfc-editor.org/rfc/rfc6749#section-3.1.2
	*/
	readonly redirectUri: string;
	/**
	Where a login is kept until the browser comes back. Required on servers, where each user needs a storage of their own. `localStorage` is
	for a login that a window of its own finishes.

	@default the tab's `sessionStorage`
	*/
	readonly storage?: LoginStorage | undefined;
}

/** The same, checked and copied. */
export type LoginFlow = CheckedLogin<LoginOptions, 'authorizationEndpoint' | 'redirectUri'>;

/** Options of one login. */
export interface StartOptions {
	/** Where the user should be after the login: a path of this origin. `finish` returns it. @default '/' */
	readonly returnTo?: string | undefined;
	/** Further parameters of this login, in addition to those of `createLogin`. @default none */
	readonly parameters?: TokenParameters | undefined;
}

/** The result of a login. */
export interface FinishedLogin {
	/** The token, for `auth.setToken`. Pass its `id_token` to `logoutUrl`. */
	readonly token: TokenSet;
	/** The claims of the ID token. Undefined without the scope `openid`. */
	readonly claims?: IdTokenClaims | undefined;
	/** The path that you passed to `start`, on this origin. */
	readonly returnTo: string;
}

/**
Begins a login: stores its state, and returns the URL to send the browser to.

@see https://www.rfc-editor.org/rfc/rfc6749#section-4.1.1
*/
export async function startLogin(login: LoginFlow, options: StartOptions | undefined): Promise<string> {
	const {returnTo = '/', parameters} = readOptions(options, {
		returnTo: [isLocalPath, 'a path of this origin'],
		parameters: isAnything,
	});
	const asked = readLoginParameters({...login.parameters, ...parameters});
	const isOpenId = (asked['scope'] as string | undefined)?.split(' ').includes('openid');
	if (isOpenId && !login.issuer) throw new ConfigError('issuer is required');
	const code_verifier = randomText();
	const state = randomText();
	const nonce = isOpenId ? randomText() : undefined;
	await keepLogin(login.storage, state, {
		...asked,
		tokenEndpoint: login.tokenEndpoint,
		due: login.now() + 3_600_000,
		returnTo,
		code_verifier,
		nonce,
	});
	return withParameters(login.authorizationEndpoint, {
		...asked,
		response_type: 'code',
		client_id: login.clientId,
		redirect_uri: login.redirectUri,
		state,
		nonce,
		code_challenge: await sha256(code_verifier),
		code_challenge_method: 'S256',
	});
}

/**
Finishes a login: checks where the answer comes from, exchanges the code, and checks the ID token.

@see https://www.rfc-editor.org/rfc/rfc6749#section-4.1.3
*/
export async function finishLogin(login: LoginFlow, given: string | URL | undefined): Promise<FinishedLogin> {
	const {issuer, redirectUri: redirect_uri} = login;
	const url = readUrl(given, redirect_uri);
	const answer = readCallback(url);
	const {iss, state = ''} = answer;
	// Done before anything is awaited, so that nobody can read the code from the address bar any more.
	if (state) {
		try {
			// The page keeps its own origin, since it cannot show another one: `localhost` and `127.0.0.1` are two.
			if (location.href === url.href)
				history.replaceState(history.state, '', url.origin + url.pathname + new URL(redirect_uri).search);
		} catch {
			// A server has no page. If a page cannot be cleaned, the platform's own error would quote the URL, and with it the code.
		}
	}
	const pending = await takeLogin(login.storage, state);
	// The URL is no answer, its state is not known any more, or it is another server's, or an hour has passed.
	if (pending.tokenEndpoint !== login.tokenEndpoint || !(login.now() < (pending.due as number))) {
		throw new LoginError('This login is over, or began in another tab: begin another login');
	}
	// RFC 9207 §2.4: otherwise the code of one server could be sent to another one.
	if (
		issuer &&
		iss !== issuer &&
		(iss !== undefined || ownProperties(login.metadata).authorization_response_iss_parameter_supported)
	) {
		throw new LoginError('Another server has answered: begin another login');
	}
	if (answer.error) throw new OAuthError({...describeError(answer, []), status: 0});
	const prepared = await prepare(login, 'tokenEndpoint', {
		grant_type: 'authorization_code',
		code: answer.code,
		redirect_uri,
		code_verifier: pending.code_verifier,
		resource: pending.resource,
	});
	// RFC 6749 §5.1: an answer without a scope grants the one that was asked for. Nothing else of the last argument is read.
	const {token, error: failure} = await sendTokenRequest(login, prepared, {scope: pending.scope} as TokenSet);
	if (failure) throw failure;
	return {
		token: {...token},
		returnTo: isLocalPath(pending.returnTo) ? pending.returnTo : '/',
		claims: pending.nonce ? readIdToken(token['id_token'], login, pending) : undefined,
	};
}

/** Returns a URL with further parameters in its query. */
export function withParameters(endpoint: string | URL, parameters: RequestFields): string {
	const url = new URL(endpoint);
	appendParameters(url.searchParams, parameters);
	return url.href;
}
