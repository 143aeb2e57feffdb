/// <reference lib="esnext.disposable" preserve="true" />
import type {Hooks, Options} from 'ky';
import {ConfigError} from './errors.ts';
import {type BeginCall, createAuthorizer} from './fetch/authorized-fetch.ts';
import {bearer} from './fetch/bearer.ts';
import {type Origins, readOrigins} from './fetch/origins.ts';
import type {Awaitable} from './lib/awaitable.ts';
import {ownProperties, ownPropertiesWhere, ownProperty} from './lib/own-properties.ts';
import {aFunction, isAnything, numberOf, oneOf, readInsecureOrigins, type Rules} from './lib/read-options.ts';
import {type Session, statusOf, readToken} from './session/core.ts';
import type {AuthListener} from './session/events.ts';
import {
	coreOf,
	getToken,
	refresh,
	type RefreshOptions,
	setToken,
	signOut,
	type TokenOptions,
} from './session/session.ts';
import {createSubscriptions} from './session/subscriptions.ts';
import {memoryStore} from './stores/memory.ts';
import type {TokenStore} from './stores/token-cell.ts';
import type {Renewer} from './token/renewer.ts';
import {tokenRules} from './token/token-options.ts';
import type {AuthToken} from './token/token-response.ts';
import type {TokenScheme} from './token/token-scheme.ts';
import {type AccessToken, type TokenSet, withoutRefreshToken} from './token/token-set.ts';

/** What `createSession` and `createAuth` both take. */
export interface SessionOptions {
	/**
	Who may get the token: a list of origins, or a function that judges a URL. https is required either way, and http only for loopback and for
	`allowInsecureOrigins`.

	@default the origin of the ky call's `baseUrl` or `prefix`
	@example
	```ts
	origins: ['https://api.example.com']
	origins: url => url.hostname.endsWith('.example.com')
	```
	*/
	readonly origins?: Origins | undefined;
	/**
	Origins for which plain http is accepted, such as `http://keycloak:8080`: for networks that nobody else can reach. Refused in browsers.

	@default none but loopback
	*/
	readonly allowInsecureOrigins?: readonly (string | URL)[] | undefined;
	/** Where the token lives: one of regrant's stores, or `customStore()` around your own. @default memoryStore() */
	readonly store?: TokenStore | undefined;
	/** How the token travels: `tokenHeader(name)`, or `dpop()` of `regrant/dpop`. @default `Authorization: Bearer …` */
	readonly scheme?: TokenScheme | undefined;
	/**
	What counts as "this token is not accepted". It may read the response, which stays readable for the caller.

	@default a 401 that does not say that a new token cannot help
	@example
	```ts
	isUnauthorized: response => response.status === 419
	```
	*/
	readonly isUnauthorized?: ((response: Response) => Awaitable<boolean>) | undefined;
	/**
	Whether a call for which there is no token is rejected with `SessionEndedError` before it is sent. For one call, ky's `context` decides:
	`{auth: true}` requires a token, `{auth: false}` sends the call without a token and outside of all this.

	@default false
	*/
	readonly requireToken?: boolean | undefined;
	/**
	Names of further fields of token answers that stay in the token, such as `id_token`. A field that a refresh does not bring again is kept.

	@default none
	*/
	readonly keep?: readonly string[] | undefined;
	/** How long before its expiry a token is renewed: seconds, but never more than a tenth of its lifetime. @default 30 */
	readonly leeway?: number | undefined;
	/** The deadline of one token request: milliseconds. A caller waits for twice as long. @default 10_000 */
	readonly timeout?: number | undefined;
	/**
	Keeps a renewal alive after the request that began it was answered or dropped. On Cloudflare Workers, where it would die with that request
	and take a rotated refresh token along, pass `waitUntil` of `cloudflare:workers`.

	@default the runtime keeps it alive
	*/
	readonly waitUntil?: ((promise: Promise<unknown>) => void) | undefined;
	/** The clock: milliseconds since the epoch. @default Date.now */
	readonly now?: (() => number) | undefined;
}

/** A session, and the ways to use it. */
export interface Auth {
	/** For `ky.extend({hooks: auth.hooks})`. They go together with hooks and with a `fetch` of your own. */
	readonly hooks: Hooks;
	/**
	The platform's `fetch` with the token, for everything that is not ky. It needs `origins`.

	@throws {ConfigError} without `origins`.
	@throws {RegrantError} what the renewal of its token failed with.
	@see https://www.rfc-editor.org/rfc/rfc6750#section-2.1
	*/
	readonly fetch: typeof fetch;
	/**
	Whether somebody is signed in, at once, for rendering. It is `unknown` until the store was first read; `subscribe` has it read.

	@example
	```ts
	const status = useSyncExternalStore(auth.subscribe, () => auth.status);
	```
	*/
	readonly status: 'unknown' | 'signed-in' | 'signed-out';
	/**
	Gives a valid access token, renewed if need be: for WebSockets, server-sent events and SDKs.

	@param options.signal Ends the wait of this caller alone.
	@param options.minimumLifetime Seconds for which the token must still be good. More than the server's lifetimes makes each call renew.
	@throws {ConfigError} if `minimumLifetime` is no such number.
	@throws {SessionEndedError} if there is nothing to get a token with. Sign in again.
	@throws {RegrantError} what the renewal failed with.
	*/
	getToken(options?: TokenOptions): Promise<AccessToken>;
	/** Gives what the store holds, expired or not, without the network: "is somebody signed in?" on page load. */
	peek(): Promise<AccessToken | undefined>;
	/**
	Renews the token now, and resolves as `getToken` does. Whoever asks while a renewal is under way shares it.

	@param options.signal Ends the wait of this caller alone.
	@param options.instead An access token that a server has refused: it is renewed only if it is still the current one.
	@throws {SessionEndedError} if there is nothing to get a token with. Sign in again.
	@throws {RegrantError} what the renewal failed with.
	@see https://www.rfc-editor.org/rfc/rfc6749#section-6
	*/
	refresh(options?: RefreshOptions): Promise<AccessToken>;
	/**
	Begins a session with the answer of a token endpoint, or with a `TokenSet`.

	@param options.renews Whether the token belongs to the present login: what is under way goes on with it, and a refresh token that it lacks
	is kept.
	@throws {ConfigError} if the token is not usable. The message names the field.
	@throws {StoreError} if it could not be stored. It is kept in memory all the same.
	@throws {SessionEndedError} if somebody signed out meanwhile.
	*/
	setToken(token: AuthToken | TokenSet, options?: {readonly renews?: boolean | undefined}): Promise<void>;
	/**
	Forgets the session, first and always; then revokes its refresh token, if there is a `revocationEndpoint`. The callers of a renewal under way
	get a `SessionEndedError`, and its late refresh token is revoked. With a `grant`, the next call begins a new session.

	@throws {RegrantError} if the revocation failed. The session is forgotten all the same.
	@throws {StoreError} if the store did not forget it. It is not used again all the same.
	@see https://www.rfc-editor.org/rfc/rfc7009#section-2
	*/
	signOut(): Promise<void>;
	/**
	Hears of the session's events, until the function that it returns is called.

	@throws {ConfigError} if the listener is no function.
	*/
	subscribe(listener: AuthListener): () => void;
	/** Stops listening to the store. Nothing else needs closing. */
	close(): void;
	/** The same as `close`, for `using`. */
	[Symbol.dispose](): void;
}

/** The rules of the options that every session has. */
export const sessionRules: Rules = {
	origins: isAnything,
	allowInsecureOrigins: isAnything,
	store: [store => typeof Object(store).exclusive === 'function', 'a store of regrant: wrap your own in customStore()'],
	isUnauthorized: aFunction,
	requireToken: oneOf(true, false),
	leeway: numberOf('seconds', 0),
	waitUntil: aFunction,
	...tokenRules,
};

/** What a renewer needs to know of the options of a session. */
export type RenewerSettings = Pick<Resolved, 'timeout' | 'now' | 'keep' | 'scheme'>;

/** The options with their defaults. */
interface Resolved extends SessionOptions {
	readonly timeout: number;
	readonly leeway: number;
	readonly now: () => number;
	readonly store: TokenStore;
	readonly scheme: TokenScheme;
}

/**
Makes an `Auth` of options that are checked already, and of what its tokens come from.

@throws {ConfigError} if origins are not usable, or the store serves another client.
*/
export function assembleAuth(options: SessionOptions, createRenewer: (settings: RenewerSettings) => Renewer): Auth {
	const resolved: Resolved = ownProperties({
		timeout: 10_000,
		leeway: 30,
		now: () => Date.now(),
		store: memoryStore(),
		scheme: bearer(),
		...options,
	} as Resolved); // every default is there
	const insecureOrigins = readInsecureOrigins(options);
	const renewer = createRenewer(resolved);
	const {client, read} = renewer;
	const session = Object.assign(resolved, {
		renewer,
		client,
		parse: (record: unknown) => {
			const {token} = read(record, NaN);
			return token && token.issued_at >= 0 ? token : undefined;
		},
		waitUntil: waitUntilOf(options.waitUntil),
		core: coreOf(resolved.store, client),
	});
	const begin = createAuthorizer(session, readOrigins(options.origins, insecureOrigins));

	// Here a call can be seen once for each attempt, outside of ky's retries, and as it will be sent.
	const init = (call: Options): void => {
		const wanted = ownProperty(Object(ownProperty(call, 'context')) as {auth?: unknown}, 'auth');
		if (wanted === false) return;
		call.fetch = begin(
			ownProperty(call, 'fetch') ?? globalFetch,
			call.body,
			wanted === true || undefined,
			ownProperty(call, 'baseUrl'),
			ownProperty(call, 'prefix'),
		) as typeof fetch; // ky calls it with a request and options, and with nothing else
	};

	return {
		hooks: {init: [init]},
		fetch: fetchOf(begin),
		...methodsOf(session),
		get status() {
			return statusOf(session.core);
		},
	};
}

const globalFetch = async (input: RequestInfo | URL, init?: RequestInit): Promise<Response> => fetch(input, init);

function waitUntilOf(waitUntil: SessionOptions['waitUntil']): Session['waitUntil'] {
	return promise => {
		try {
			waitUntil?.(promise);
		} catch (error) {
			// An unbound method throws this. Outside of a request there is nothing to outlive, and Workers throw another error.
			if (error instanceof TypeError)
				throw new ConfigError('waitUntil must be bound: promise => ctx.waitUntil(promise)');
		}
	};
}

/** Makes the `fetch` of an `Auth`. */
function fetchOf(begin: BeginCall): typeof fetch {
	return async (input, init) => {
		const options = ownProperties(init);
		const send = begin(globalFetch, options.body);
		// As other platforms say it. Bun would send it without its body.
		const given = typeof input === 'object' && 'bodyUsed' in input ? input : undefined;
		if (given?.bodyUsed && !options.body) throw new TypeError('The body was read before');
		const request = new Request(input, options);
		// What the platform does not know, such as `cf`, `next` or `dispatcher`, is for the `fetch` of the place. Firefox knows the body, but
		// not as a property: given twice, a form would get a second boundary.
		const extra = ownPropertiesWhere(options, (_, name) => !(name in request) && name !== 'body');
		// The caller's own: that of a copy is collected with the copy, in Node.
		const {signal = given?.signal} = options;
		return send(request, ownProperties<RequestInit>({...extra, ...(signal && {signal})}));
	};
}

/** Makes the rest of an `Auth`. */
function methodsOf(session: Session): Omit<Auth, 'hooks' | 'fetch' | 'status'> {
	const {subscribe, close} = createSubscriptions(session);
	return {
		getToken: async options => withoutRefreshToken(await getToken(session, ownProperties(options))),
		peek: async () => {
			const token = await readToken(session);
			return token && withoutRefreshToken(token);
		},
		refresh: async options => withoutRefreshToken(await refresh(session, ownProperties(options))),
		setToken: async (token, options) => setToken(session, token, ownProperties(options).renews === true),
		signOut: async () => signOut(session),
		subscribe,
		close,
		// Older runtimes lack it.
		...({[Symbol.dispose ?? 'dispose']: close} as Record<typeof Symbol.dispose, () => void>),
	};
}
