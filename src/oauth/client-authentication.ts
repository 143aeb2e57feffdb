import type {Awaitable} from '../lib/awaitable.ts';
import {ownProperties} from '../lib/own-properties.ts';

/**
What a client authentication gets, and can add to.

@see https://www.rfc-editor.org/rfc/rfc6749#section-2.3
*/
export interface ClientAuthenticationContext {
	/** The client's id. */
	readonly clientId: string;
	/** The URL of the token endpoint, even for a revocation. */
	readonly tokenEndpoint: string;
	/** The issuer, if the client has one. */
	readonly issuer?: string | undefined;
	/** The parameters of the request, in either encoding. */
	readonly parameters: URLSearchParams;
	/** The headers of the request. */
	readonly headers: Headers;
}

/**
How a client authenticates: a function that adds to the `parameters` and `headers` of the request. It is called for every request, so that
each one can have a new assertion.

@see https://www.rfc-editor.org/rfc/rfc6749#section-2.3
*/
export interface ClientAuthentication {
	(context: ClientAuthenticationContext): Awaitable<void>;
	/**
	Returns the secret, the name of the method and its encoding. Only methods with a shared secret have this. With it, regrant checks the
	secret, and keeps it out of browsers and out of errors.
	*/
	readonly getSecret?: () => readonly [secret: unknown, method: string, encoding?: unknown];
}

/** Returns the secret of a client, the name of its method and its encoding. Empty for a client without a secret. */
export function secretOf({
	clientAuthentication,
}: {
	readonly clientAuthentication: ClientAuthentication;
}): readonly [secret?: unknown, method?: string, encoding?: unknown] {
	return ownProperties(clientAuthentication).getSecret?.() ?? [];
}

/** The form encoding of RFC 6749 appendix B, as `URLSearchParams` does it. */
export function formEncode(text: string): string {
	return new URLSearchParams({'': text}).toString().slice(1);
}

/**
Sends the client's id and secret as HTTP Basic. Each is form-encoded before they are joined, as the RFC says. Many servers do not decode
them: if one answers `invalid_client`, use `{encoding: 'raw'}`, or `clientSecretPost`.

@param secret Printable ASCII, not empty. For anything else, `createAuth` and `requestToken` throw a `ConfigError`.
@param options.encoding `'raw'` sends the id and the secret unencoded. Then the id cannot have a colon.
@default options.encoding form-encoded
@see https://www.rfc-editor.org/rfc/rfc6749#section-2.3.1
*/
export function clientSecretBasic(secret: string, options?: {readonly encoding?: 'raw'}): ClientAuthentication {
	const {encoding} = ownProperties(options);
	const encode = encoding ? String : formEncode;
	return Object.assign<ClientAuthentication, Pick<ClientAuthentication, 'getSecret'>>(
		({clientId, headers}) => headers.set('authorization', `Basic ${btoa(`${encode(clientId)}:${encode(secret)}`)}`),
		{getSecret: () => [secret, 'clientSecretBasic', encoding]},
	);
}

/**
Sends the client's id and secret in the body of the request.

@param secret Printable ASCII, not empty. For anything else, `createAuth` and `requestToken` throw a `ConfigError`.
@see https://www.rfc-editor.org/rfc/rfc6749#section-2.3.1
*/
export function clientSecretPost(secret: string): ClientAuthentication {
	return Object.assign<ClientAuthentication, Pick<ClientAuthentication, 'getSecret'>>(
		({clientId, parameters}) => {
			parameters.set('client_id', clientId);
			parameters.set('client_secret', secret);
		},
		{getSecret: () => [secret, 'clientSecretPost']},
	);
}

/**
Sends only the client's id, as a public client does.

@see https://www.rfc-editor.org/rfc/rfc6749#section-3.2.1
*/
export function none(): ClientAuthentication {
	return ({clientId, parameters}) => parameters.set('client_id', clientId);
}
