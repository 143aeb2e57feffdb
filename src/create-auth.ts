import type {Hooks, Options} from 'ky';
import {createAuthorizer} from './fetch/authorized-fetch.ts';
import {type AuthOptions, resolveOptions} from './oauth/options.ts';
import {ownProperties, ownProperty, ownPropertiesWhere} from './lib/own-properties.ts';
import {secureUrl} from './lib/secure-url.ts';
import {sessionOf, type TokenOptions} from './session/session.ts';
import type {AuthListener} from './session/events.ts';
import type {AuthToken, TokenSet} from './token/token-response.ts';

/** An access token and what is known of it. The refresh token stays in the session. */
export type AccessToken = Omit<TokenSet, 'refresh_token'>;

/** A session, and the ways to use it. */
export interface Auth {
	/** For `ky.extend({hooks: auth.hooks})`. They go together with hooks and with a `fetch` of your own. */
	readonly hooks: Hooks;
	/**
	The platform's `fetch` with the token, for everything that is not ky.

	@throws {ConfigError} without `origins`.
	@throws {RegrantError} what the renewal of its token failed with.
	@see https://www.rfc-editor.org/rfc/rfc6750#section-2.1
	*/
	readonly fetch: typeof fetch;
	/**
	A valid access token, renewed or granted where need be: for WebSockets, server-sent events and SDKs.

	@param options.signal Ends the wait of this caller alone.
	@param options.minimumLifetime Seconds for which the token must still be good. More than the server's lifetimes makes each
	call renew. Default: 0.
	@throws {ConfigError} where `minimumLifetime` is no such number.
	@throws {SessionEndedError} where there is nothing to get one with.
	@throws {RegrantError} what the renewal failed with.
	*/
	getToken(options?: TokenOptions): Promise<AccessToken>;
	/**
	Renews the token now, and resolves as `getToken` does. Whoever asks while a renewal is under way shares it.

	@param options.signal Ends the wait of this caller alone.
	@throws {SessionEndedError} where there is nothing to get one with.
	@throws {RegrantError} what the renewal failed with.
	@see https://www.rfc-editor.org/rfc/rfc6749#section-6
	*/
	refresh(options?: Pick<TokenOptions, 'signal'>): Promise<AccessToken>;
	/**
	Begins a session with the answer of a token endpoint, or with a `TokenSet`.

	@throws {ConfigError} where it is not usable. The message names the field.
	@throws {StoreError} where it could not be stored. It is kept in memory all the same.
	@throws {SessionEndedError} where somebody signed out meanwhile.
	*/
	setToken(token: AuthToken | TokenSet): Promise<void>;
	/**
	Forgets the session, first and always; then revokes its refresh token where there is a `revocationEndpoint`. A renewal under
	way counts for nothing: its callers get a `SessionEndedError`, its late refresh token is revoked. With a `grant`, the next call
	begins a new session.

	@throws {RegrantError} where the revocation failed. The session is forgotten all the same.
	@throws {StoreError} where the store did not forget it. It is not used again all the same.
	@see https://www.rfc-editor.org/rfc/rfc7009#section-2
	*/
	signOut(): Promise<void>;
	/**
	Hears of the session's events, until the function that it returns is called.

	@throws {ConfigError} where the listener is no function.
	*/
	subscribe(listener: AuthListener): () => void;
}

/**
Creates a session. Nothing is read or sent before it is used.

@throws {ConfigError} which names an option that is missing, not known or not usable.
*/
export function createAuth(options: AuthOptions): Auth {
	const settings = resolveOptions(options);
	const session = sessionOf(settings.store);
	const originsOf = createOriginResolver();
	const authorize = createAuthorizer(session, settings);

	// Here a call can be seen once per attempt, outside ky's retries, and as it will be sent.
	const init = (options: Options): void => {
		const fetch = ownProperty(options, 'fetch') ?? globalFetch;
		const origins = settings.origins ?? originsOf(ownProperty(options, 'baseUrl'), ownProperty(options, 'prefix'));
		options.fetch = authorize(fetch, origins, options.body) as typeof globalThis.fetch;
	};

	const authorizedFetch = async (input: RequestInfo | URL, init?: RequestInit): Promise<Response> => {
		const options = ownProperties(init);
		const send = authorize(globalFetch, settings.origins, options.body);
		// As other platforms say it. Bun would send it without its body.
		if ((input as Partial<Request>).bodyUsed && !options.body) throw new TypeError('The body was read before');
		const request = new Request(input, options);
		// What the platform does not know, such as `cf`, `next` or `dispatcher`, is for the `fetch` of the place.
		// Firefox knows the body, but not as a property: given twice, a form would get a second boundary.
		const extra = ownPropertiesWhere(options, (_, name) => !(name in request) && name !== 'body');
		// The caller's own: that of a copy is collected with the copy, in Node.
		const {signal = (Object(input) as Partial<Request>).signal} = options;
		return send(request, ownProperties<RequestInit>({...extra, ...(signal && {signal})}));
	};

	return {
		hooks: {init: [init]},
		fetch: authorizedFetch,
		getToken: async options => withoutRefreshToken(await session.getToken(settings, ownProperties(options))),
		refresh: async options => withoutRefreshToken(await session.refresh(settings, ownProperties(options))),
		setToken: async token => session.setToken(settings, token),
		signOut: async () => session.signOut(settings),
		subscribe: listener => session.subscribe(settings, listener),
	};
}

const globalFetch = async (input: RequestInfo | URL, init?: RequestInit): Promise<Response> => fetch(input, init);

const withoutRefreshToken = ({refresh_token: _, ...token}: TokenSet): AccessToken => token;

/** The origin to which ky's `baseUrl` and `prefix` lead: worked out once for calls that repeat them. */
function createOriginResolver(): (baseUrl?: string | URL, prefix?: string | URL) => readonly string[] | undefined {
	let known = '';
	let origins: readonly string[] | undefined;
	return (baseUrl = '', prefix = '') => {
		const key = `${baseUrl} ${prefix}`;
		if (key !== known) {
			known = key;
			const {document, location} = globalThis as {document?: Document; location?: Location};
			const here = document?.baseURI ?? location?.href;
			const target = secureUrl(prefix, baseUrl ? secureUrl(baseUrl, here) : here);
			// Where there is none, no URL begins with what stands for it.
			origins = baseUrl || prefix ? [`${target?.origin}/`] : undefined;
		}
		return origins;
	};
}
