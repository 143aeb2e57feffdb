import {ConfigError, LoginError, type RegrantError, TokenResponseError} from '../errors.ts';
import {ownProperties, ownPropertiesWhere} from '../lib/own-properties.ts';
import {
	aFunction,
	isAnything,
	isText,
	listOf,
	numberOf,
	readInsecureOrigins,
	readOptions,
	type Rules,
} from '../lib/read-options.ts';
import {secureUrl} from '../lib/secure-url.ts';
import {anEndpoint, isEndpoint} from '../oauth/client.ts';
import {responseMetadata} from '../oauth/error-response.ts';
import {exchange, type ExchangeOptions} from '../oauth/exchange.ts';
import type {ServerMetadata} from '../oauth/server-metadata.ts';

/**
An authorization server, as its metadata describes it. Spread it into the options of `createAuth`, `createLogin` and `deviceLogin`. It is
plain data, so you can store it as JSON.
*/
export interface AuthorizationServer {
	/** The issuer that you passed. */
	readonly issuer: string;
	/** The URL that gives tokens. */
	readonly tokenEndpoint: string;
	/** The URL that revokes tokens. */
	readonly revocationEndpoint?: string;
	/** The URL to which a browser goes to log in. */
	readonly authorizationEndpoint?: string;
	/** The URL at which a device without a browser begins a login. */
	readonly deviceAuthorizationEndpoint?: string;
	/** The URL to which a browser goes to log out. */
	readonly endSessionEndpoint?: string;
	/** The whole metadata document: client authentication, PKCE, DPoP, scopes and more. */
	readonly metadata: ServerMetadata;
}

/** Options of `discover`. */
export interface DiscoveryOptions {
	/** Sends the requests. @default the global `fetch`, as it is when it is used */
	readonly fetch?: ExchangeOptions['fetch'];
	/** The deadline for all requests together, in milliseconds. @default 10_000 */
	readonly timeout?: number | undefined;
	/** Origins for which plain http is accepted, as for `createAuth`. Refused in browsers. @default none but loopback */
	readonly allowInsecureOrigins?: readonly (string | URL)[] | undefined;
}

const rules: Rules = {
	fetch: aFunction,
	timeout: numberOf('milliseconds', 1),
	allowInsecureOrigins: isAnything,
};

const endpoints = /^(?:token|revocation|authorization|device_authorization|end_session)_endpoint$/;
const lists = /^(?:token_endpoint_auth_methods|code_challenge_methods|dpop_signing_alg_values)_supported$/;

/**
Asks an authorization server for its endpoints. It tries the place that OpenID Connect defines for the metadata, and then the place of RFC
8414. It follows no redirect.

@param issuer The issuer, exactly as the server writes it: a slash at the end matters.
@throws {ConfigError} if this cannot be an issuer.
@throws {LoginError} if the metadata is of another issuer, or an endpoint is not https. The message says which.
@throws {TokenResponseError} if there is no metadata. Check the issuer, or try again later if it is `retryable`.
@throws {TokenNetworkError} if the server does not answer within `timeout`. Try again later.
@example
```ts
const server = await discover('https://login.example.com');
const auth = createAuth({...server, clientId: 'spa'});
```
@see https://www.rfc-editor.org/rfc/rfc8414#section-3
*/
export async function discover(issuer: string, options?: DiscoveryOptions): Promise<AuthorizationServer> {
	const {fetch, timeout = 10_000} = readOptions(options, rules);
	const url = secureUrl(issuer, readInsecureOrigins(options));
	if (!isEndpoint(url) || url.search) throw new ConfigError('issuer must be an https URL without query and user name');
	const {origin} = url;
	const path = url.pathname.replace(/\/$/, '');
	const due = performance.now() + timeout;
	let failure: RegrantError | undefined;
	for (const place of [`${path}/.well-known/openid-configuration`, `/.well-known/oauth-authorization-server${path}`]) {
		const left = Math.ceil(due - performance.now());
		if (left <= 0) break;
		try {
			const record = await readMetadata(origin, place, {
				fetch,
				timeout: left,
			});
			return readServer(issuer, record, options);
		} catch (error) {
			if (error instanceof LoginError) throw error;
			// In a browser, a 404 without CORS is a network error too, so every failure leads to the next place.
			failure = failure?.retryable ? failure : (error as RegrantError); // as nothing else is thrown above
		}
	}
	throw failure;
}

/** Gets one document, if there is one. */
async function readMetadata(origin: string, place: string, options: ExchangeOptions): Promise<ServerMetadata> {
	const request = `GET ${origin}`;
	const answer = await exchange(options, origin + place, {headers: {accept: 'application/json'}}, request);
	const {status, ok, record, code = 'invalid_response'} = answer;
	if (ok && typeof record?.['issuer'] === 'string') return record;
	const metadata = responseMetadata(answer, [], Date.now());
	throw new TokenResponseError(code, `${request} answered ${status} and no metadata: is the issuer right?`, metadata);
}

/** Reads a document. If it is wrong, the other place is not tried. */
function readServer(
	issuer: string,
	{issuer: found, ...record}: ServerMetadata,
	options: DiscoveryOptions | undefined,
): AuthorizationServer {
	// RFC 8414 §3.3: the document must name the issuer that was asked for.
	if (found !== issuer) {
		const name = /^https?:[!-~]{1,200}$/i.test(String(found)) ? String(found) : 'another one';
		throw new LoginError(`The issuer is ${name}: discover takes it letter by letter`);
	}
	const server = ownProperties<Record<string, string>>({});
	const [isRight, expected] = anEndpoint;
	for (const [name, value] of Object.entries(record)) {
		// Some servers write null, false or an empty text for an endpoint that they do not have.
		if (!endpoints.test(name) || !value) continue;
		if (!isRight(value, options)) throw new LoginError(`${name} of the server must be ${expected}`);
		// token_endpoint is tokenEndpoint, and so on.
		server[name.replace(/_(.)/g, (_, letter: string) => letter.toUpperCase())] = value as string; // since it is a URL
	}
	if (!server['tokenEndpoint']) throw new LoginError('The server has no token_endpoint');
	// Anything that is not a list of names is left out.
	const [isNames] = listOf(item => isText(item) && /^[\w-]{1,50}$/.test(item), '');
	const isUsable = (value: unknown, name: string): unknown => !lists.test(name) || isNames(value);
	const metadata = {...ownPropertiesWhere({issuer, ...record}, isUsable)};
	return {issuer, ...server, metadata} as AuthorizationServer; // as just read, name by name
}
