import {ConfigError} from '../errors.ts';
import type {Awaitable} from '../lib/awaitable.ts';
import {isRecord, ownProperties} from '../lib/own-properties.ts';
import {
	aFunction,
	aText,
	isAnything,
	isString,
	isText,
	listOf,
	oneOf,
	readInsecureOrigins,
	readOptions,
	texts,
	type Rule,
	type Rules,
} from '../lib/read-options.ts';
import {isBrowser} from '../lib/runtime.ts';
import {secureUrl} from '../lib/secure-url.ts';
import type {ExpiresIn} from '../token/token-response.ts';
import {tokenRules} from '../token/token-options.ts';
import type {TokenScheme} from '../token/token-scheme.ts';
import {type ClientAuthentication, none, secretOf} from './client-authentication.ts';
import type {ServerMetadata} from './server-metadata.ts';
import {aScope, type ClientFields, readFields} from './token-request.ts';

/** Further parameters of a request. A list repeats its name for each item. */
export type TokenParameters = Readonly<Record<string, string | readonly string[] | undefined>>;

/** An authorization server, and a client of it: everything that one token request needs. */
export interface TokenClient {
	/**
	The URL of the token endpoint: https, or http on loopback. It must not have a fragment or a user name. Its query is kept.

	@see https://www.rfc-editor.org/rfc/rfc6749#section-3.2
	*/
	readonly tokenEndpoint: string | URL;
	/**
	The URL of the revocation endpoint, with the same rules. Without one, signing out only deletes the session here.

	@default none
	@see https://www.rfc-editor.org/rfc/rfc7009#section-2
	*/
	readonly revocationEndpoint?: string | URL | undefined;
	/** The issuer, as `discover()` returns it. It becomes the audience of `privateKeyJwt`. @default none */
	readonly issuer?: string | undefined;
	/** Not used here. `discover()` returns it, and `createLogin` of `regrant/login` takes it. @default none */
	readonly authorizationEndpoint?: string | URL | undefined;
	/** Not used here. `discover()` returns it, and `deviceLogin` of `regrant/login` takes it. @default none */
	readonly deviceAuthorizationEndpoint?: string | URL | undefined;
	/** Not used here. `discover()` returns it, and `createLogin` of `regrant/login` takes it. @default none */
	readonly endSessionEndpoint?: string | URL | undefined;
	/**
	The server's metadata, as `discover()` returns it. If the client's authentication fails, the error then lists the methods that the
	server accepts.

	@default none
	*/
	readonly metadata?: ServerMetadata | undefined;
	/**
	The client's id: printable ASCII.

	@see https://www.rfc-editor.org/rfc/rfc6749#section-2.2
	*/
	readonly clientId: string;
	/**
	How the client authenticates: `clientSecretBasic(secret)`, `clientSecretPost(secret)`, `privateKeyJwt(key)` of `regrant/jwt`, or a
	function of your own.

	@default none(), a public client
	@see https://www.rfc-editor.org/rfc/rfc6749#section-2.3
	*/
	readonly clientAuthentication?: ClientAuthentication | undefined;
	/** Allows a client secret in a page or a worker of a browser, where every user can read it. @default false */
	readonly allowSecretInBrowser?: boolean | undefined;
	/**
	Origins that may use plain http, such as `http://keycloak:8080`, in a network that nobody else can reach. Browsers do not allow it.

	@default none but loopback
	*/
	readonly allowInsecureOrigins?: readonly (string | URL)[] | undefined;
	/**
	The encoding of request bodies: `form` is the standard, and `json` is for servers that need JSON.

	@default 'form'
	@see https://www.rfc-editor.org/rfc/rfc6749#appendix-B
	*/
	readonly encoding?: 'form' | 'json' | undefined;
	/**
	Further parameters of every token request, such as `audience` or `resource`: an object, or a function that returns one for each request.
	Revocations do not send them. Parameters that regrant sets itself are refused.

	@default none
	@example
	```ts
	parameters: {audience: 'https://api.example.com'}
	```
	@see https://www.rfc-editor.org/rfc/rfc8707#section-2
	*/
	readonly parameters?: TokenParameters | (() => Awaitable<TokenParameters>) | undefined;
	/** Further headers of token and revocation requests, such as `x-moov-version`. @default none */
	readonly headers?: Readonly<Record<string, string>> | undefined;
	/**
	How `expires_in` is read: as `seconds`, or as a Unix `timestamp`. `auto` reads a value of more than ten years as a timestamp.

	@default 'auto'
	@see https://www.rfc-editor.org/rfc/rfc6749#section-5.1
	*/
	readonly expiresIn?: ExpiresIn | undefined;
	/**
	Further token types that are sent as `Bearer`, in upper or lower case. `dpop` is not allowed.

	@default none
	@see https://www.rfc-editor.org/rfc/rfc6749#section-7.1
	*/
	readonly tokenTypes?: readonly string[] | undefined;
	/**
	Names of further fields to keep from token responses, such as `id_token`. They stay if a later refresh does not send them again.

	@default none
	*/
	readonly keep?: readonly string[] | undefined;
	/** How the token is sent. A `dpop()` scheme also adds proofs to token requests. @default a Bearer token in `Authorization` */
	readonly scheme?: TokenScheme | undefined;
	/** The deadline of one token request, headers and body, in milliseconds. @default 10_000 */
	readonly timeout?: number | undefined;
	/** Sends token and revocation requests. @default the global `fetch`, as it is when it is used */
	readonly fetch?: ((...request: Parameters<typeof fetch>) => Promise<Response>) | undefined;
	/** The clock, in milliseconds since the epoch. @default Date.now */
	readonly now?: (() => number) | undefined;
}

/** The options of a client, checked and copied, with their defaults. */
export interface Client {
	readonly tokenEndpoint: string;
	readonly revocationEndpoint?: string;
	/** As it was given: a login asks there. */
	readonly deviceAuthorizationEndpoint?: string | URL;
	readonly issuer?: string;
	readonly metadata?: ServerMetadata;
	readonly clientId: string;
	readonly clientAuthentication: ClientAuthentication;
	readonly allowSecretInBrowser?: boolean;
	readonly encoding?: 'form' | 'json';
	readonly parameters?: TokenParameters | (() => Awaitable<TokenParameters>);
	readonly headers: Headers;
	readonly expiresIn: ExpiresIn;
	/** In lower case. */
	readonly tokenTypes: readonly string[];
	readonly keep?: readonly string[];
	readonly scheme?: TokenScheme;
	readonly timeout: number;
	readonly fetch?: TokenClient['fetch'];
	readonly now: () => number;
}

/** The parameters that regrant sets itself. */
const ownNames =
	/^(?:grant_type|client_id|client_secret|client_assertion(?:_type)?|refresh_token|token|token_type_hint)$/;

/** Whether a URL can be an endpoint or an issuer: it has no fragment, and no user name before its host. */
export const isEndpoint = (url: URL | undefined): url is URL =>
	!!url?.href.startsWith(`${url?.origin}/`) && !url.href.includes('#');

/** The rule of an endpoint. */
export const anEndpoint: Rule = [
	(value, options) => isEndpoint(secureUrl(value, readInsecureOrigins(options))),
	'an https URL without user name and fragment, or in allowInsecureOrigins',
];

const areHeaders = (value: unknown): boolean => {
	try {
		const headers = new Headers(value as HeadersInit);
		const isOurs = headers.has('authorization') || headers.has('content-type');
		return !isOurs && isRecord(value) && Object.values(value).every(isString);
	} catch {
		// The platform's own error would quote the value.
		return false;
	}
};

/** The rules of a client's options. */
export const clientRules: Rules = {
	tokenEndpoint: anEndpoint,
	revocationEndpoint: anEndpoint,
	issuer: aText,
	authorizationEndpoint: anEndpoint,
	deviceAuthorizationEndpoint: anEndpoint,
	endSessionEndpoint: anEndpoint,
	metadata: [isRecord, 'an object'],
	clientId: aText,
	clientAuthentication: aFunction,
	allowSecretInBrowser: oneOf(true, false),
	allowInsecureOrigins: isAnything,
	encoding: oneOf('form', 'json'),
	parameters: [value => typeof value === 'function' || isRecord(value), 'an object or a function'],
	headers: [areHeaders, 'headers beside authorization and content-type'],
	expiresIn: oneOf('auto', 'seconds', 'timestamp'),
	tokenTypes: listOf(type => isText(type) && !/^dpop$/i.test(type), 'a list of types without DPoP'),
	...tokenRules,
	fetch: aFunction,
};

/** The options that a client must have. */
export const requiredOptions: readonly string[] = ['tokenEndpoint', 'clientId'];

/**
Checks the options of a client, and copies them with their defaults.

@throws {ConfigError} if an option is missing, unknown or unusable. The message names it.
*/
export function readClient(options: TokenClient): Client {
	return clientOf(readOptions(options, clientRules, requiredOptions));
}

/** Creates a client from checked options. */
export function clientOf(given: Partial<TokenClient>): Client {
	const {revocationEndpoint, tokenTypes = [], parameters} = given;
	const client = ownProperties({
		clientAuthentication: none(),
		expiresIn: 'auto',
		timeout: 10_000,
		now: () => Date.now(),
		...given,
		tokenEndpoint: new URL(given.tokenEndpoint ?? '').href,
		revocationEndpoint: revocationEndpoint && new URL(revocationEndpoint).href,
		tokenTypes: [given.scheme?.tokenType ?? 'bearer', ...tokenTypes.map(type => type.toLowerCase())],
		parameters: typeof parameters === 'object' ? readParameters(parameters) : parameters,
		headers: new Headers([['accept', 'application/json'], ...new Headers(given.headers)]),
	}) as Client;
	checkClient(client, {});
	return client;
}

/**
Checks further parameters, and copies them.

@param further Further names that are set elsewhere.
@param rules The rules of further parameters.
@throws {ConfigError} if a parameter cannot be used. The message names it.
*/
export function readParameters(parameters: unknown, further?: RegExp, rules?: Rules): TokenParameters {
	// Of a `URLSearchParams` nothing would be sent.
	if (Symbol.iterator in Object(parameters)) throw new ConfigError('parameters must be a plain object');
	const read: TokenParameters = readFields(parameters, 'parameters', {scope: aScope, ...rules}, [], texts);
	const taken = Object.keys(read).find(name => ownNames.test(name) || further?.test(name));
	if (taken) throw new ConfigError(`parameters.${taken} is set by regrant itself`);
	return read;
}

/**
Refuses a request of another client, and a client secret that cannot be sent, or that is used where everybody can read it.

@throws {ConfigError} which says why, and does not hold the secret.
*/
export function checkClient(client: Client, request: object): void {
	const {client_id, client_secret} = ownProperties(request as ClientFields);
	const [secret, method, encoding] = secretOf(client);
	if (client_id && client_id !== client.clientId) throw new ConfigError('client_id must equal clientId');
	if (method && !isText(secret)) {
		const problem = secret === undefined ? 'is undefined' : 'must be printable ASCII';
		throw new ConfigError(`${method}(secret): secret ${problem}`);
	}
	if (encoding !== undefined && (encoding !== 'raw' || client.clientId.includes(':'))) {
		throw new ConfigError("encoding must be 'raw', and clientId without a colon");
	}
	if ((method || client_secret) && isBrowser() && !client.allowSecretInBrowser) {
		throw new ConfigError('A client secret is no secret in a browser: see allowSecretInBrowser');
	}
}
