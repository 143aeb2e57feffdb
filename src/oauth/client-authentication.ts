import {ownProperties} from '../lib/own-properties.ts';

/** A value, or a promise of one. */
export type Awaitable<T> = T | PromiseLike<T>;

/**
What a client authentication method is given, and may add to.

@see https://www.rfc-editor.org/rfc/rfc6749#section-2.3
*/
export interface ClientAuthenticationContext {
	/** The client's id. */
	readonly clientId: string;
	/** The URL of the token endpoint, also while a token is revoked. */
	readonly tokenEndpoint: string;
	/** The parameters of the request, whatever encoding its body will have. */
	readonly parameters: URLSearchParams;
	/** The headers of the request. */
	readonly headers: Headers;
}

/**
How a client proves itself to the authorization server: a function that adds to the request's `parameters` and `headers`.
It is called anew for every request, so that an assertion can be a fresh one each time.

@see https://www.rfc-editor.org/rfc/rfc6749#section-2.3
*/
export interface ClientAuthentication {
	(context: ClientAuthenticationContext): Awaitable<void>;
	/**
	What a method with a shared secret has, and no other: hands the secret to a check. It marks the secret, which has no
	place in a browser, and keeps the errors out of a bundle that has nothing of regrant but this method.
	*/
	readonly checkSecret?: (check: (secret: unknown, encoding: unknown) => void) => void;
}

/** The form encoding of RFC 6749 appendix B, which is the one of `URLSearchParams`. */
export function formEncode(text: string): string {
	return new URLSearchParams({'': text}).toString().slice(1);
}

/**
Sends the client's id and secret as HTTP Basic, each form-encoded before they are joined.

@param secret Printable ASCII, not empty. Another one is a `ConfigError` of `createAuth` and of `requestToken`.
@param options.encoding `'raw'` leaves both as they are, for servers that do not decode them. The id then has no colon.
Default: both are encoded.
@see https://www.rfc-editor.org/rfc/rfc6749#section-2.3.1
*/
export function clientSecretBasic(secret: string, options?: {readonly encoding?: 'raw'}): ClientAuthentication {
	const {encoding} = ownProperties(options);
	const encode = encoding ? String : formEncode;
	return Object.assign<ClientAuthentication, Pick<ClientAuthentication, 'checkSecret'>>(
		({clientId, headers}) => headers.set('authorization', `Basic ${btoa(`${encode(clientId)}:${encode(secret)}`)}`),
		{checkSecret: check => check(secret, encoding)},
	);
}

/**
Sends the client's id and secret in the body of the request.

@param secret Printable ASCII, not empty. Another one is a `ConfigError` of `createAuth` and of `requestToken`.
@see https://www.rfc-editor.org/rfc/rfc6749#section-2.3.1
*/
export function clientSecretPost(secret: string): ClientAuthentication {
	return Object.assign<ClientAuthentication, Pick<ClientAuthentication, 'checkSecret'>>(
		({clientId, parameters}) => {
			parameters.set('client_id', clientId);
			parameters.set('client_secret', secret);
		},
		{checkSecret: check => check(secret, undefined)},
	);
}

/**
Sends the client's id alone, as a public client does.

@see https://www.rfc-editor.org/rfc/rfc6749#section-3.2.1
*/
export function none(): ClientAuthentication {
	return ({clientId, parameters}) => parameters.set('client_id', clientId);
}
