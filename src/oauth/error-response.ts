import {OAuthError, TokenResponseError} from '../errors.ts';
import {maskSecrets} from '../lib/mask-secrets.ts';
import {ownProperties, ownPropertiesWhere} from '../lib/own-properties.ts';
import {readHeader} from '../lib/read-header.ts';
import {isString} from '../lib/read-options.ts';
import {retryDelay} from '../lib/retry-delay.ts';
import type {ReadToken} from '../token/token-response.ts';
import {secretOf} from './client-authentication.ts';
import type {Client} from './client.ts';
import type {EndpointResponse} from './endpoint-response.ts';

/** What an error may reveal about any response. */
export interface ResponseMetadata {
	readonly status: number;
	readonly contentType?: string;
	/** Milliseconds. */
	readonly retryAfter?: number;
	readonly retryable: boolean;
}

/** A response, and its request. */
export interface Exchange extends EndpointResponse {
	/** The option that names the endpoint, for messages. */
	readonly option: string;
	/** The method and the origin, for messages. */
	readonly request: string;
	/** The parameters that were sent. */
	readonly parameters: URLSearchParams;
	/** The header `Authorization` that was sent. */
	readonly proof: string | null;
}

/** The error of a response, and the server's own code for it. */
export interface ErrorResponse {
	/** The error for the caller. It holds no secret. */
	readonly error: OAuthError | TokenResponseError;
	/** The error code exactly as the server sent it, or an equivalent code. It is for decisions only, because it may hold a secret. */
	readonly code: string;
}

/**
Reads what an error may reveal about a response.

@param now Milliseconds since the epoch.
*/
export function responseMetadata(
	{status, headers}: EndpointResponse,
	secrets: readonly unknown[],
	now: number,
): ResponseMetadata {
	const metadata = {
		status,
		contentType: clean(readHeader(headers, 'content-type').split(';')[0], secrets, 100) || undefined,
		retryAfter: retryDelay(headers, now),
		retryable: /^(?:408|425|429|5..)$/.test(String(status)),
	};
	return ownPropertiesWhere(metadata) as ResponseMetadata; // the required ones have a value
}

/**
Creates the error of a response. Returns undefined if there is none.

@param problem Why the record is not usable.
@param accessToken The token that is being renewed, because a server may repeat it.
@see https://www.rfc-editor.org/rfc/rfc6749#section-5.2
*/
export function errorResponse(
	client: Client,
	answer: Exchange,
	problem?: ReadToken,
	accessToken?: string,
): ErrorResponse | undefined {
	const {status, headers, record, parameters} = answer;
	const {error, access_token, refresh_token} = ownProperties(record);
	// Secrets that the server may repeat, and that no error may show.
	const secrets = [secretOf(client)[0], answer.proof?.split(' ').pop(), accessToken, access_token, refresh_token];
	// Such as `x-api-key`.
	for (const [name, value] of client.headers) if (name !== 'accept') secrets.push(value);
	for (const [name, value] of parameters) {
		if (/(?:token|secret|assertion|code|verifier)$/.test(name)) secrets.push(value);
	}
	const metadata = responseMetadata(answer, secrets, client.now());
	const answered = `${answer.request} answered ${status}: `;
	const wrongPlace = status === 404 && `is ${answer.option} right?`;
	let refusal = isString(error) ? error : '';
	let fields: readonly string[] | undefined;
	if (status === 401 && /(?:^|,)[ \t]*basic\b/i.test(readHeader(headers, 'www-authenticate')))
		refusal = 'invalid_client';
	else if (status === 422 && record && !refusal) {
		// Moov's API names the fields that it refuses. That is the only way in which it rejects a refresh token.
		fields = Object.keys(record).filter(name => parameters.has(name));
		refusal = fields.includes('refresh_token') ? 'invalid_grant' : 'invalid_request';
	}
	if (refusal) {
		const known = describeError({...record, error: refusal}, secrets);
		const retryable = metadata.retryable || known.retryable;
		const facts = {...metadata, ...known, contentType: undefined, fields, retryable};
		let hint = wrongPlace ? `: ${wrongPlace}` : '';
		if (refusal === 'invalid_client') hint = authenticationHint(client);
		return {error: new OAuthError(facts, answered + known.error + hint), code: refusal};
	}
	const code = answer.code ?? problem?.code;
	if (!code) return undefined;
	// An HTML page in place of a response: a proxy, a portal or an error page is in the way for now.
	const isPage = code === 'unexpected_status' && /html/i.test(readHeader(headers, 'content-type'));
	const facts = {...metadata, retryable: metadata.retryable || isPage || code === 'not_json'};
	const text = wrongPlace || (answer.code ?? problem?.problem);
	return {error: new TokenResponseError(code, answered + text, facts), code};
}

/** What a server says about an error, for display. */
export interface ErrorDescription {
	readonly error: string;
	readonly error_description: string | undefined;
	readonly error_uri: string | undefined;
	readonly retryable: boolean;
}

/**
Returns what a server says about an error, cleaned and without secrets. It comes from a response of an endpoint, or from the URL of a
callback.

@see https://www.rfc-editor.org/rfc/rfc6749#section-5.2
*/
export function describeError(record: object, secrets: readonly unknown[]): ErrorDescription {
	const {error, error_description, error_uri} = ownProperties(record as Record<string, unknown>);
	return {
		error: clean(error, secrets, 128)?.replaceAll('"', '?') ?? '',
		error_description: clean(error_description, secrets, 1024),
		error_uri: clean(error_uri, secrets, 1024)?.replace(/[ "]/g, '?'),
		retryable: /^(?:server_error|temporarily_unavailable|slow_down)$/.test(String(error)),
	};
}

/** Hints for a failed client authentication. */
function authenticationHint(client: Client): string {
	const methods = [ownProperties(client.metadata).token_endpoint_auth_methods_supported ?? []].flat().join(' or ');
	const [secret, method, encoding] = secretOf(client);
	// Many servers do not decode HTTP Basic as the RFC says. That matters if the encoding changed anything.
	const isEncoded = /Basic/.test(`${method}`) && !encoding && /[^\w*.-]/.test(`${client.clientId}${secret as string}`);
	const remedy = isEncoded ? ". Encoding changed id or secret: try {encoding: 'raw'} or clientSecretPost" : '';
	return (methods && `. The server takes ${methods}`) + remedy;
}

/**
Returns the server's words, cut short, without secrets, and without the characters that RFC 6749 appendix A.8 does not allow. Quotes stay.
*/
function clean(text: unknown, secrets: readonly unknown[], length: number): string | undefined {
	if (!isString(text)) return undefined;
	return maskSecrets(text.slice(0, 4 * length), secrets)
		.slice(0, length)
		.replace(/[^ -[\]-~]/g, '?');
}
