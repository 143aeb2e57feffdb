import {ConfigError} from '../errors.ts';
import {isAnything, readOptions} from '../lib/read-options.ts';
import {isBrowser} from '../lib/runtime.ts';
import {anEndpoint} from '../oauth/client.ts';
import {isLocalPath, readCallback, readUrl} from './callback.ts';
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
import type {LoginStorage} from './login-storage.ts';

/** Options of `logoutUrl`. */
export interface LogoutOptions {
	/** The user's ID token. With it, most servers log out without asking. @default none */
	readonly idToken?: string | undefined;
	/**
	Where the server sends the browser afterwards: a URL that is registered at the server, or a path of this origin.

	@default a page of the server
	*/
	readonly returnTo?: string | undefined;
}

/** Logins with an authorization code. */
export interface Login {
	/**
	Begins a login. Several logins can run at the same time, in several tabs.

	@returns The URL to send the browser to.
	@throws {ConfigError} if `returnTo` leads to another origin, or if an option or a parameter cannot be used. The message names it.
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
	Finishes a login: removes the server's answer from the address bar, and exchanges the code for a token. A login can be finished only
	once.

	@default url the address of the page
	@throws {LoginError} if the login was finished before, or began in another tab or more than an hour ago; if the answer comes from
	another server or is for another user; or if `storage` fails. Begin another login.
	@throws {OAuthError} if the server or the user refuses. `access_denied` means that the user said no.
	@throws {TokenResponseError} if the response of the token endpoint cannot be used.
	@throws {TokenNetworkError} if the token endpoint does not answer. Begin another login.
	@see https://www.rfc-editor.org/rfc/rfc6749#section-4.1.2
	*/
	finish(url?: string | URL): Promise<FinishedLogin>;
	/**
	Returns the URL to send the browser to after `auth.signOut()`, to log out at the server as well.

	@throws {ConfigError} without an `endSessionEndpoint`, or if an option is unknown.
	@see https://openid.net/specs/openid-connect-rpinitiated-1_0.html#RPLogout
	*/
	logoutUrl(options?: LogoutOptions): string;
}

/** What is read of a value to tell whether it is a storage. Those of browsers inherit their members. */
type Unchecked = {readonly [Name in keyof LoginStorage]?: unknown};

/**
Creates logins with an authorization code and PKCE, for an app in a browser or on a server.

@throws {ConfigError} if an option is missing, unknown or unusable. The message names it.
@example
```ts
const server = await discover('https://login.example.com');
const login = createLogin({...server, clientId: 'spa', redirectUri: `${location.origin}/callback`, scope: 'openid'});
if (login.isCallback()) await auth.setToken((await login.finish()).token);
```
@see https://www.rfc-editor.org/rfc/rfc7636
*/
export function createLogin(options: LoginOptions): Login {
	// Node and Deno have a sessionStorage too, but all users would share it.
	const required = ['authorizationEndpoint', 'redirectUri', isBrowser() ? 'redirectUri' : 'storage'] as const;
	const login: LoginFlow = readLogin(options, required, {
		redirectUri: anEndpoint,
		storage: [
			value => (value as Unchecked | null)?.getItem && (value as Unchecked).setItem && (value as Unchecked).removeItem,
			'like sessionStorage',
		],
	});
	const {redirectUri, endSessionEndpoint} = login;
	return {
		start: options => startLogin(login, options),
		isCallback: given => {
			const url = readUrl(given, redirectUri);
			// The query of the redirect URI has to be there, in whatever order.
			const expected = new URL(redirectUri);
			return (
				!!readCallback(url).state &&
				url.pathname === expected.pathname &&
				[...expected.searchParams].every(parameter => url.searchParams.has(...parameter))
			);
		},
		finish: url => finishLogin(login, url),
		logoutUrl: options => {
			const {idToken: id_token_hint, returnTo} = readOptions(options, {idToken: isAnything, returnTo: isAnything});
			if (!endSessionEndpoint) throw new ConfigError('endSessionEndpoint is required');
			return withParameters(endSessionEndpoint, {
				client_id: login.clientId,
				id_token_hint,
				post_logout_redirect_uri: isLocalPath(returnTo) ? new URL(returnTo, redirectUri).href : returnTo,
			});
		},
	};
}
