/// <reference lib="esnext.disposable" preserve="true" />
import type {Hooks, Options} from 'ky';
import {ConfigError} from './errors.ts';
import {type BeginCall, createAuthorizer} from './fetch/authorized-fetch.ts';
import {bearer} from './fetch/bearer.ts';
import {bodySourceOf} from './fetch/body.ts';
import {type Origins, readOrigins} from './fetch/origins.ts';
import type {Awaitable} from './lib/awaitable.ts';
import {ownProperties, ownPropertiesWhere, ownProperty} from './lib/own-properties.ts';
import {aFunction, isAnything, numberOf, oneOf, readInsecureOrigins, type Rules} from './lib/read-options.ts';
import {coreOf, type Session, statusOf, readToken} from './session/core.ts';
import type {AuthListener} from './session/events.ts';
import {getToken, refresh, type RefreshOptions, setToken, signOut, type TokenOptions} from './session/session.ts';
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
	Who may get the token: a list of origins, or a function that decides for each URL. Both need https. Plain http works only for loopback
	and for `allowInsecureOrigins`.

	@default the origin of the ky call's `baseUrl` or `prefix`
	@example
	```ts
	origins: ['https://api.example.com']
	origins: url => url.hostname.endsWith('.example.com')
	```
	*/
	readonly origins?: Origins | undefined;
	/**
	Origins that may use plain http, such as `http://keycloak:8080`, in a network that nobody else can reach. Browsers do not allow it.

	@default none but loopback
	*/
	readonly allowInsecureOrigins?: readonly (string | URL)[] | undefined;
	/** Where the token lives: one of regrant's stores, or `customStore()` around your own. @default memoryStore() */
	readonly store?: TokenStore | undefined;
	/**
	How the token is sent: with `tokenHeader(name)`, for example, or with `dpop()` of `regrant/dpop`.

	@default `Authorization: Bearer …`
	*/
	readonly scheme?: TokenScheme | undefined;
	/**
	Decides whether a response rejects the token. It may read the body: the caller can still read it afterwards.

	@default true for a 401, unless its challenge says that a new token cannot help
	@example
	```ts
	isUnauthorized: response => response.status === 401 || response.status === 419
	```
	*/
	readonly isUnauthorized?: ((response: Response) => Awaitable<boolean>) | undefined;
	/**
	Whether a call without a token is rejected with `SessionEndedError` before it is sent. ky's `context` overrides it for one call:
	`{auth: true}` requires a token, and `{auth: false}` sends the call without one, so that regrant leaves it alone.

	@default false
	*/
	readonly requireToken?: boolean | undefined;
	/**
	Names of further fields to keep from token responses, such as `id_token`. They stay if a later refresh does not send them again.

	@default none
	*/
	readonly keep?: readonly string[] | undefined;
	/** How many seconds before its expiry a token is renewed. For short tokens, it is a tenth of their lifetime. @default 30 */
	readonly leeway?: number | undefined;
	/** The deadline of one token request, in milliseconds. A caller waits at most twice as long. @default 10_000 */
	readonly timeout?: number | undefined;
	/**
	Keeps a renewal running after the request that started it has ended. Pass `waitUntil` of `cloudflare:workers` on Cloudflare Workers:
	without it, the renewal stops with its request, and a rotated refresh token can be lost.

	@default the runtime keeps the renewal running
	*/
	readonly waitUntil?: ((promise: Promise<unknown>) => void) | undefined;
	/** The clock, in milliseconds since the epoch. @default Date.now */
	readonly now?: (() => number) | undefined;
}

/** A session, and the ways to use it. */
export interface Auth {
	/** Hooks for `ky.extend({hooks: auth.hooks})`. They work together with your own hooks and with a `fetch` of your own. */
	readonly hooks: Hooks;
	/**
	The platform's `fetch`, with the token: use it for everything that is not ky. It needs the option `origins`.

	@throws {ConfigError} without `origins`.
	@throws {RegrantError} if the token could not be renewed. Retry later if the error is `retryable`. What your own functions throw, you get
	as from `getToken`.
	@see https://www.rfc-editor.org/rfc/rfc6750#section-2.1
	*/
	readonly fetch: typeof fetch;
	/**
	Whether somebody is signed in, without waiting: for rendering. It is `unknown` until the store was read for the first time. `subscribe`
	starts that read.

	@example
	```ts
	const status = useSyncExternalStore(auth.subscribe, () => auth.status);
	```
	*/
	readonly status: 'unknown' | 'signed-in' | 'signed-out';
	/**
	Gives a valid access token, and renews it first if necessary: for WebSockets, server-sent events and SDKs.

	@param options.signal Stops the wait of this caller only.
	@param options.minimumLifetime How many seconds the token must still be valid. If this is longer than the lifetime of new tokens, each
	call renews.
	@throws {ConfigError} if `minimumLifetime` is not a number of seconds.
	@throws {SessionEndedError} if there is no session, and nothing to start one with. Sign in again.
	@throws {RegrantError} if the token could not be renewed. Retry later if the error is `retryable`. What a `grant`, a `parameters` or a
	`clientAuthentication` function of your own throws, you get as it is, unless the present token is still valid. That has no event, and the
	next call calls the function again.
	*/
	getToken(options?: TokenOptions): Promise<AccessToken>;
	/**
	Gives the stored access token, expired or not, without using the network: "is somebody signed in?" on page load. It never rejects: a
	store that fails is reported by an event.
	*/
	peek(): Promise<AccessToken | undefined>;
	/**
	Renews the token now, and gives the new one. Callers share a renewal that is already running.

	@param options.signal Stops the wait of this caller only.
	@param options.instead An access token that a server has rejected. It is renewed only if it is still the current one; otherwise you get
	the current one.
	@throws {SessionEndedError} if there is no session, and nothing to start one with. Sign in again.
	@throws {RegrantError} if the token could not be renewed. Retry later if the error is `retryable`. What your own functions throw, you get
	as from `getToken`.
	@see https://www.rfc-editor.org/rfc/rfc6749#section-6
	*/
	refresh(options?: RefreshOptions): Promise<AccessToken>;
	/**
	Starts a session with the response of a token endpoint, or with a `TokenSet`.

	@param options.renews Whether the token belongs to the present login. Then calls that are running continue with it, and the refresh
	token, the scope and the fields of `keep` stay if the new token has none.
	@throws {ConfigError} if the token cannot be used. The message names the field.
	@throws {StoreError} if it could not be stored. The session still goes on in memory.
	@throws {SessionEndedError} if somebody signed out in the meantime.
	*/
	setToken(token: AuthToken | TokenSet, options?: {readonly renews?: boolean | undefined}): Promise<void>;
	/**
	Ends the session: deletes the token first, whatever happens, and then revokes its refresh token if there is a `revocationEndpoint`.
	Callers that wait for a renewal get a `SessionEndedError`, and a refresh token that still arrives is revoked. With a `grant`, the next
	call starts a new session.

	@throws {RegrantError} if the revocation failed. The session is over anyway.
	@throws {StoreError} if the store did not delete the token. It is not used again anyway.
	@see https://www.rfc-editor.org/rfc/rfc7009#section-2
	*/
	signOut(): Promise<void>;
	/**
	Calls the listener with each event of the session. Returns a function that stops that.

	@throws {ConfigError} if the listener is not a function.
	*/
	subscribe(listener: AuthListener): () => void;
	/** Stops listening to the store. Nothing else has to be closed. */
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

/** The checked options, with their defaults. */
export interface Resolved extends SessionOptions {
	readonly timeout: number;
	readonly leeway: number;
	readonly now: () => number;
	readonly store: TokenStore;
	readonly scheme: TokenScheme;
}

/**
Creates an `Auth` from checked options and a source of tokens.

@throws {ConfigError} if the origins cannot be used, or if the store belongs to another client.
*/
export function assembleAuth<Given extends SessionOptions>(
	options: Given,
	createRenewer: (settings: Given & Resolved) => Renewer,
): Auth {
	const checkOf = readOrigins(options.origins, readInsecureOrigins(options));
	const resolved = ownProperties<Given & Resolved>({
		timeout: 10_000,
		leeway: 30,
		now: () => Date.now(),
		store: memoryStore(),
		scheme: bearer(),
		...options,
	});
	const renewer = createRenewer(resolved);
	const {client, read} = renewer;
	const session = Object.assign(resolved, {
		renewer,
		client,
		parse: (record: unknown) => {
			// A stored record must bring its own time of issue. `NaN` in its place fails the comparison below.
			const {token} = read(record, NaN);
			return token && token.issued_at >= 0 ? token : undefined;
		},
		waitUntil: waitUntilOf(options.waitUntil),
		core: coreOf(resolved.store, client),
	});
	const begin = createAuthorizer(session, checkOf);

	// In this place regrant sees each attempt of a call exactly as it will be sent, and outside of ky's retry budget.
	const init = (call: Options): void => {
		const wanted = ownProperty(Object(ownProperty(call, 'context')) as {auth?: unknown}, 'auth');
		if (wanted === false) return;
		call.fetch = begin(
			ownProperty(call, 'fetch') ?? globalFetch,
			bodySourceOf(call),
			wanted === true || undefined,
			ownProperty(call, 'baseUrl'),
			ownProperty(call, 'prefix'),
		) as typeof fetch; // ky calls it only with a request and options
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
	let isBound = false;
	return promise => {
		const settled = promise.catch(() => {});
		try {
			waitUntil?.(settled);
			isBound = true;
		} catch (error) {
			// An unbound `waitUntil` throws a TypeError each time. Outside of a request Workers throw another error, but then there is no
			// request that could end too early.
			if (error instanceof TypeError && !isBound)
				throw new ConfigError('waitUntil is not bound: use promise => ctx.waitUntil(promise)');
		}
	};
}

/** Creates the `fetch` of an `Auth`. */
function fetchOf(begin: BeginCall): typeof fetch {
	const call: typeof fetch = async (input, init) => {
		// A `Request` as options has its method, headers and body in its class, and not as properties of its own.
		if (init instanceof Request) return call(new Request(input, init));
		const options = ownProperties(init);
		const send = begin(globalFetch, bodySourceOf(options));
		// Other platforms throw the same error. Bun would send the request without its body.
		const given = typeof input === 'object' && 'bodyUsed' in input ? input : undefined;
		if (given?.bodyUsed && !options.body) throw new TypeError('The body was read before');
		const request = new Request(input, options);
		// Options that the platform does not know, such as `cf`, `next` or `dispatcher`, are passed to `fetch` as they are. The body is
		// left out first: to read it from the request makes a stream, which keeps Deno from ending.
		const extra = ownPropertiesWhere(
			options,
			(_, name) => name !== 'body' && Reflect.get(request, name) === Reflect.get({}, name),
		);
		// The caller's own signal: in Node, the signal of a copied request stops working once the copy is garbage-collected.
		const {signal = given?.signal} = options;
		return send(request, ownProperties<RequestInit>({...extra, ...(signal && {signal})}));
	};
	return call;
}

/** Creates the other members of an `Auth`. */
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
		// Older runtimes do not have `Symbol.dispose`.
		...({[Symbol.dispose ?? 'dispose']: close} as Record<typeof Symbol.dispose, () => void>),
	};
}
