import {ConfigError} from '../errors.ts';
import {isRecord, ownProperties} from '../lib/own-properties.ts';
import {isBrowser} from '../lib/runtime.ts';
import {endpointRule} from '../oauth/client.ts';
import {isCallback, isLocalPath} from './callback.ts';
import {
	finishLogin,
	type FinishedLogin,
	type LoginFlow,
	type LoginOptions,
	startLogin,
	type StartOptions,
	withParameters,
} from './login-flow.ts';
import {readLogin} from './login-options.ts';

/** How to log out. */
export interface LogoutOptions {
	/** The user's ID token: with it most servers do not ask again. @default none */
	readonly idToken?: string | undefined;
	/** Where the server sends the browser afterwards: a URL that is registered there, or a path of this origin. @default the server's own page */
	readonly returnTo?: string | undefined;
}

/** Logins by authorization code. */
export interface Login {
	/**
	Begins a login. Several may be under way at once, in several tabs.

	@returns The URL to send the browser to.
	@throws {ConfigError} for a `returnTo` that leads elsewhere.
	@throws {LoginError} if `storage` fails.
	@example
	```ts
	location.href = await login.start({returnTo: location.pathname});
	```
	*/
	start(options?: StartOptions): Promise<string>;
	/**
	Whether a URL is the answer to a login: the path and the query are those of `redirectUri`, with a `state` and a `code` or an `error`
	in the query. An answer in the fragment is not read, so leave `response_mode` out.

	@default url the address of the page
	*/
	isCallback(url?: string | URL): boolean;
	/**
	Finishes a login: removes the answer from the address bar, and exchanges the code for a token. A login is finished once.

	@default url the address of the page
	@throws {LoginError} if the login was finished before, began in another tab or more than an hour ago, if the answer is not the server's or
	not for this user, or if `storage` fails. Begin another login.
	@throws {OAuthError} if the server, or the user, refuses. `access_denied`: the user said no.
	@throws {TokenResponseError} if the token endpoint's answer is not usable.
	@throws {TokenNetworkError} if the token endpoint does not answer. Begin another login.
	@see https://www.rfc-editor.org/rfc/rfc6749#section-4.1.2
	*/
	finish(url?: string | URL): Promise<FinishedLogin>;
	/**
	Where to send the browser to log out at the server, after `auth.signOut()`.

	@throws {ConfigError} without an `endSessionEndpoint`.
	@see https://openid.net/specs/openid-connect-rpinitiated-1_0.html#RPLogout
	*/
	logoutUrl(options?: LogoutOptions): string;
}

/**
Creates logins by authorization code with PKCE, for an app in a browser or on a server.

@throws {ConfigError} which names an option that is missing, not known or not usable.
@example
```ts
const server = await discover('https://login.example.com');
const login = createLogin({...server, clientId: 'spa', redirectUri: `${location.origin}/callback`, scope: 'openid'});
if (login.isCallback()) await auth.setToken((await login.finish()).token);
```
@see https://www.rfc-editor.org/rfc/rfc7636
*/
export function createLogin(options: LoginOptions): Login {
	// Node and Deno have a sessionStorage as well, which all users would share.
	const required = ['authorizationEndpoint', 'redirectUri', isBrowser() ? 'redirectUri' : 'storage'] as const;
	const login: LoginFlow = readLogin(options, required, insecureOrigins => ({
		redirectUri: endpointRule(insecureOrigins),
		storage: [isRecord, 'an object'],
	}));
	const {redirectUri} = login;
	return {
		start: options => startLogin(login, options),
		isCallback: url => isCallback(url, redirectUri),
		finish: url => finishLogin(login, url),
		logoutUrl: options => {
			const {idToken: id_token_hint, returnTo} = ownProperties<LogoutOptions>(options);
			const {endSessionEndpoint} = login;
			if (!endSessionEndpoint) throw new ConfigError('endSessionEndpoint is required');
			return withParameters(endSessionEndpoint, {
				client_id: login.clientId,
				id_token_hint,
				post_logout_redirect_uri: isLocalPath(returnTo) ? new URL(returnTo, redirectUri).href : returnTo,
			});
		},
	};
}
