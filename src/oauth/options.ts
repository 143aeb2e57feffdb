import {type Awaitable, type ClientAuthentication, none} from './client-authentication.ts';
import type {ClientFields} from './client-fields.ts';
import {ConfigError} from '../errors.ts';
import {vschars} from './pattern-schema.ts';
import {ownProperties, ownProperty, ownPropertiesWhere} from '../lib/own-properties.ts';
import {isBrowser} from '../lib/runtime.ts';
import {secureUrl} from '../lib/secure-url.ts';
import {AuthTokenRequest, readRequest} from './token-request.ts';
import type {ExpiresIn} from '../token/token-response.ts';
import {memoryStore, type TokenStore} from '../stores/token-store.ts';

/** What concerns the token and revocation endpoints. */
export interface TokenClient {
	/**
	The token endpoint: https, or http on loopback; no fragment, no userinfo. Its query is kept.

	@see https://www.rfc-editor.org/rfc/rfc6749#section-3.2
	*/
	readonly tokenEndpoint: string | URL;
	/**
	The revocation endpoint, under the same conditions. Default: none, and a session that ends is forgotten here alone.

	@see https://www.rfc-editor.org/rfc/rfc7009#section-2
	*/
	readonly revocationEndpoint?: string | URL | undefined;
	/**
	The client's id: printable ASCII.

	@see https://www.rfc-editor.org/rfc/rfc6749#section-2.2
	*/
	readonly clientId: string;
	/**
	How the client proves itself. Default: `none()`, a public client.

	@see https://www.rfc-editor.org/rfc/rfc6749#section-2.3
	*/
	readonly clientAuthentication?: ClientAuthentication | undefined;
	/** Lets a client secret be used in a page or a worker of a browser, where everybody can read it. Default: false. */
	readonly allowSecretInBrowser?: boolean | undefined;
	/**
	Encoding of request bodies. Default: `form`, as the RFC has it; `json` for APIs that want it.

	@see https://www.rfc-editor.org/rfc/rfc6749#appendix-B
	*/
	readonly encoding?: 'form' | 'json' | undefined;
	/**
	How `expires_in` is read: as `seconds`, or as a Unix `timestamp`. Default: `auto`, as a timestamp where it is above ten years and
	as seconds elsewhere.

	@see https://www.rfc-editor.org/rfc/rfc6749#section-5.1
	*/
	readonly expiresIn?: ExpiresIn | undefined;
	/**
	Token types beside `bearer` that are sent as `Bearer`, in any case. `dpop` is none of them. Default: none.

	@see https://www.rfc-editor.org/rfc/rfc6749#section-7.1
	*/
	readonly tokenTypes?: readonly string[] | undefined;
	/** The deadline of one token request, headers and body, in milliseconds. Default: 10,000. */
	readonly timeout?: number | undefined;
	/** For token and revocation requests. Default: the global one, as it is when used. */
	readonly fetch?: typeof fetch | undefined;
	/** The clock: milliseconds since the epoch. Default: `Date.now`. */
	readonly now?: (() => number) | undefined;
}

/** What `createAuth` takes. */
export interface AuthOptions extends TokenClient {
	/**
	How a first token is got, and a new one when the refresh token has died. A function is called for each grant, must
	answer within `timeout`, and must not use the session that it serves. Default: none, a token comes from `setToken` alone.

	@see https://www.rfc-editor.org/rfc/rfc6749#section-4.4
	*/
	readonly grant?: AuthTokenRequest | (() => Awaitable<AuthTokenRequest>) | undefined;
	/**
	The origins that may receive the access token: https, or http on loopback. Of each, only the origin counts. Default: the
	origin of the ky call's `baseUrl` or `prefix`.
	*/
	readonly origins?: readonly (string | URL)[] | undefined;
	/** Where the token lives. Default: a `memoryStore()` of its own. */
	readonly store?: TokenStore | undefined;
	/** How long before its expiry a token is renewed, in seconds; never more than a tenth of its lifetime. Default: 30. */
	readonly leeway?: number | undefined;
	/**
	Keeps a grant alive after the request that started it was answered or dropped. On Workers, where it would die with that
	request and take a rotated refresh token along, pass `waitUntil` of `cloudflare:workers`. Default: the runtime keeps it alive.
	*/
	readonly waitUntil?: ((promise: Promise<unknown>) => void) | undefined;
}

/** The options, checked, copied and with their defaults. */
export interface Settings {
	readonly tokenEndpoint: string;
	readonly revocationEndpoint?: string;
	readonly clientId: string;
	readonly clientAuthentication: ClientAuthentication;
	readonly allowSecretInBrowser?: boolean;
	readonly encoding?: 'form' | 'json';
	readonly expiresIn: ExpiresIn;
	/** In lower case, `bearer` among them. */
	readonly tokenTypes: readonly string[];
	readonly timeout: number;
	readonly fetch?: typeof fetch;
	readonly now: () => number;
	readonly grant?: AuthTokenRequest | (() => Awaitable<AuthTokenRequest>);
	readonly origins?: readonly string[];
	readonly store: TokenStore;
	readonly leeway: number;
	readonly waitUntil: (promise: Promise<unknown>) => void;
}

type Rule = readonly [isRight: (value: unknown) => unknown, expectation: string];

const isText = (value: unknown): value is string => typeof value === 'string' && vschars.test(value);
const isFunction = (value: unknown): boolean => typeof value === 'function';
const isListOf =
	(isRight: (item: unknown) => unknown) =>
	(value: unknown): boolean =>
		Array.isArray(value) && value.every(isRight);
const isAtLeast =
	(least: number) =>
	(value: unknown): boolean =>
		typeof value === 'number' && value >= least && value < 2 ** 30;
const oneOf = (...values: readonly unknown[]): Rule => [value => values.includes(value), values.join(' or ')];

const aFunction: Rule = [isFunction, 'a function'];
const anEndpoint: Rule = [
	value => {
		const url = secureUrl(value);
		// Userinfo would stand before the origin's host.
		return url?.href.startsWith(`${url.origin}/`) && !url.href.includes('#');
	},
	'a secure URL without fragment and userinfo',
];

const rules: Readonly<Record<keyof AuthOptions, Rule>> = {
	tokenEndpoint: anEndpoint,
	revocationEndpoint: anEndpoint,
	clientId: [isText, 'printable ASCII'],
	clientAuthentication: aFunction,
	allowSecretInBrowser: oneOf(true, false),
	encoding: oneOf('form', 'json'),
	expiresIn: oneOf('auto', 'seconds', 'timestamp'),
	tokenTypes: [isListOf(item => isText(item) && !/^dpop$/i.test(item)), 'a list of types without DPoP'],
	timeout: [isAtLeast(1), 'milliseconds'],
	fetch: aFunction,
	now: aFunction,
	// It is read, and refused, where it is copied.
	grant: [() => true, ''],
	origins: [isListOf(item => secureUrl(item)), 'a list of secure URLs'],
	store: [value => ['get', 'set', 'delete'].every(name => isFunction(Object(value)[name])), 'a TokenStore'],
	leeway: [isAtLeast(0), 'seconds'],
	waitUntil: aFunction,
};

/**
Checks the options, and copies them with their defaults.

@throws {ConfigError} which names an option that is missing, not known or not usable.
*/
export function resolveOptions(options: AuthOptions): Settings {
	const given = ownPropertiesWhere(options, value => value !== undefined);
	for (const [name, value] of Object.entries({tokenEndpoint: undefined, clientId: undefined, ...given})) {
		const [isRight, expectation] = ownProperty<Readonly<Record<string, Rule>>, string>(rules, name) ?? [];
		if (!isRight?.(value))
			throw new ConfigError(expectation ? `${name} must be ${expectation}` : `${name} is not an option`);
	}
	const {
		tokenEndpoint,
		revocationEndpoint,
		tokenTypes = [],
		origins,
		grant,
		waitUntil,
		...others
	} = given as AuthOptions;
	const settings = ownProperties({
		clientAuthentication: none(),
		expiresIn: 'auto',
		timeout: 10_000,
		leeway: 30,
		now: () => Date.now(),
		store: memoryStore(),
		...others,
		tokenEndpoint: new URL(tokenEndpoint).href,
		revocationEndpoint: revocationEndpoint && new URL(revocationEndpoint).href,
		tokenTypes: ['bearer', ...tokenTypes.map(type => type.toLowerCase())],
		origins: origins?.map(origin => `${new URL(origin).origin}/`),
		grant: isFunction(grant) || grant === undefined ? grant : readRequest(AuthTokenRequest, grant, 'grant'),
		waitUntil: (promise: Promise<unknown>) => {
			try {
				waitUntil?.(promise);
			} catch {
				// Outside of a request there is nothing to outlive.
			}
		},
	}) as Settings;
	// A function has none of the fields.
	checkClient(settings, settings.grant);
	return settings;
}

/**
Refuses a request of another client, or of one that would prove itself in two ways.

@throws {ConfigError} which names the field.
@see https://www.rfc-editor.org/rfc/rfc6749#section-2.3
*/
export function checkClient(settings: Settings, request: ClientFields | (() => unknown) | undefined): void {
	const {client_id, client_secret} = ownProperties(request as ClientFields);
	if (client_id && client_id !== settings.clientId) throw new ConfigError('client_id must equal clientId');
	if (client_secret && ownProperties(settings.clientAuthentication).checkSecret) {
		throw new ConfigError('client_secret is not known beside clientAuthentication');
	}
	checkSecret(settings, client_secret);
}

/**
Refuses a client secret that cannot be sent, or that is used where everybody can read it.

@throws {ConfigError} which does not hold it.
*/
export function checkSecret(
	{clientAuthentication, clientId, allowSecretInBrowser}: Settings,
	secretInBody: string | null | undefined,
): void {
	let isSecret = !!secretInBody;
	ownProperties(clientAuthentication).checkSecret?.((secret, encoding) => {
		isSecret = true;
		if (!isText(secret)) throw new ConfigError('The client secret must be printable ASCII');
		if (encoding !== undefined && (encoding !== 'raw' || clientId.includes(':'))) {
			throw new ConfigError('encoding must be raw, and clientId without a colon');
		}
	});
	if (isSecret && isBrowser() && !allowSecretInBrowser) {
		throw new ConfigError('allowSecretInBrowser is required for a client secret');
	}
}
