import type {Awaitable} from '../lib/awaitable.ts';
import {ownProperties} from '../lib/own-properties.ts';

/**
What a client authentication is given, and may add to.

@see https://www.rfc-editor.org/rfc/rfc6749#section-2.3
*/
export interface ClientAuthenticationContext {
	/** The client's id. */
	readonly clientId: string;
	/** The URL of the token endpoint, also while a token is revoked. */
	readonly tokenEndpoint: string;
	/** The issuer, if the client was given one. */
	readonly issuer?: string | undefined;
	/** The parameters of the request, whatever encoding its body will have. */
	readonly parameters: URLSearchParams;
	/** The headers of the request. */
	readonly headers: Headers;
}

/**
How a client proves who it is: a function that adds to the request's `parameters` and `headers`. It is called for every request, so that
an assertion can be a new one each time.

@see https://www.rfc-editor.org/rfc/rfc6749#section-2.3
*/
export interface ClientAuthentication {
	(context: ClientAuthenticationContext): Awaitable<void>;
	/**
	Gives the secret, the name of the method and its encoding. A method with a shared secret has this, and no other. So regrant can check the
	secret, keep it out of browsers and out of errors.
	*/
	readonly getSecret?: () => readonly [secret: unknown, method: string, encoding?: unknown];
}

/** Gives the secret of a client, the name of its method and its encoding. Empty for a client that has no secret. */
export function secretOf({
	clientAuthentication,
}: {
	readonly clientAuthentication: ClientAuthentication;
}): readonly [secret?: unknown, method?: string, encoding?: unknown] {
	return ownProperties(clientAuthentication).getSecret?.() ?? [];
}

/** The form encoding of RFC 6749 appendix B, which is the one of `URLSearchParams`. */
export function formEncode(text: string): string {
	return new URLSearchParams({'': text}).toString().slice(1);
}

/**
Sends the client's id and secret as HTTP Basic. Each is form-encoded before they are joined, as the RFC says. Many servers do not decode
them: if one answers `invalid_client`, use `{encoding: 'raw'}`, or `clientSecretPost`.

@param secret Printable ASCII, not empty. Any other is a `ConfigError` of `createAuth` and of `requestToken`.
@param options.encoding `'raw'` leaves the id and the secret as they are. The id then has no colon.
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

@param secret Printable ASCII, not empty. Any other is a `ConfigError` of `createAuth` and of `requestToken`.
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
Sends the client's id alone, as a public client does.

@see https://www.rfc-editor.org/rfc/rfc6749#section-3.2.1
*/
export function none(): ClientAuthentication {
	return ({clientId, parameters}) => parameters.set('client_id', clientId);
}
