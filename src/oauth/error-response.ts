import {OAuthError, TokenResponseError} from '../errors.ts';
import {maskSecrets} from '../lib/mask-secrets.ts';
import {ownProperties} from '../lib/own-properties.ts';
import {readHeader} from '../lib/read-header.ts';
import {isString} from '../lib/read-options.ts';
import type {ReadToken} from '../token/token-response.ts';
import {secretOf} from './client-authentication.ts';
import type {Client} from './client.ts';
import type {EndpointResponse} from './endpoint-response.ts';

/** What an error may tell of any answer. */
export interface ResponseMetadata {
	readonly status: number;
	readonly contentType: string | undefined;
	/** Milliseconds. */
	readonly retryAfter: number | undefined;
	readonly retryable: boolean;
}

/** An answer, and the request that it answers. */
export interface Exchange extends EndpointResponse {
	/** The option that has the endpoint, for messages. */
	readonly option: string;
	/** The method and the origin, for messages. */
	readonly request: string;
	/** The parameters that were sent. */
	readonly parameters: URLSearchParams;
	/** The header `Authorization` that was sent. */
	readonly proof: string | null;
}

/** The error of an answer, and the server's own word for it. */
export interface ErrorResponse {
	/** For the caller. Nothing in it is secret. */
	readonly error: OAuthError | TokenResponseError;
	/** The error code as the server sent it, or what its answer amounts to. For decisions: it may hold a secret. */
	readonly code: string;
}

/**
Reads what an error may tell of an answer.

@param now Milliseconds since the epoch.
*/
export function responseMetadata(
	{status, headers}: EndpointResponse,
	secrets: readonly unknown[],
	now: number,
): ResponseMetadata {
	return {
		status,
		contentType: clean(readHeader(headers, 'content-type').split(';')[0], secrets, 100) || undefined,
		retryAfter: retryDelay(headers, now),
		retryable: /^(?:408|425|429|5..)$/.test(String(status)),
	};
}

/**
Makes the error of an answer. Gives undefined if there is none.

@param problem Why its record is not the one that was asked for.
@param accessToken The token that is renewed: a server may repeat it.
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
	// What no error may show, though the server may repeat it.
	const secrets = [secretOf(client)[0], answer.proof?.split(' ').pop(), accessToken, access_token, refresh_token];
	for (const [name, value] of parameters) {
		if (/(?:token|secret|assertion|code|verifier)$/.test(name)) secrets.push(value);
	}
	const {contentType, ...metadata} = responseMetadata(answer, secrets, client.now());
	const answered = `${answer.request} answered ${status}: `;
	let refusal = isString(error) ? error : '';
	let fields: readonly string[] | undefined;
	if (status === 401 && /(?:^|,)[ \t]*basic\b/i.test(readHeader(headers, 'www-authenticate')))
		refusal = 'invalid_client';
	else if (status === 422 && record && !refusal) {
		// Moov's API names the fields that it refuses, and a dead refresh token in no other way.
		fields = Object.keys(record).filter(name => parameters.has(name));
		refusal = fields.includes('refresh_token') ? 'invalid_grant' : 'invalid_request';
	}
	if (refusal) {
		const known = describeError({...record, error: refusal}, secrets);
		const facts = {...metadata, ...known, fields, retryable: metadata.retryable || known.retryable};
		const hint = refusal === 'invalid_client' ? authenticationHint(client) : '';
		return {error: new OAuthError(facts, answered + known.error + hint), code: refusal};
	}
	const code = answer.code ?? problem?.code;
	if (!code) return undefined;
	// A page in place of an answer: a proxy, a portal or an error page is in the way for now.
	const isPage = code === 'unexpected_status' && /html/i.test(readHeader(headers, 'content-type'));
	const facts = {...metadata, contentType, retryable: metadata.retryable || isPage || code === 'not_json'};
	const text = status === 404 ? `is ${answer.option} right?` : (answer.code ?? problem?.problem);
	return {error: new TokenResponseError(code, answered + text, facts), code};
}

/** What a server says of an error, for display. */
export interface ErrorDescription {
	readonly error: string;
	readonly error_description: string | undefined;
	readonly error_uri: string | undefined;
	readonly retryable: boolean;
}

/**
Gives what a server says of an error, cleaned and without secrets. It comes in an answer of an endpoint, or in the URL that ends a login.

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

/** What may be wrong when a server does not accept the client's authentication. */
function authenticationHint(client: Client): string {
	const methods = [ownProperties(client.metadata).token_endpoint_auth_methods_supported ?? []].flat().join(' or ');
	const [secret, method, encoding] = secretOf(client);
	// Most servers do not decode HTTP Basic as the RFC says. That matters if encoding changed something.
	const isEncoded = /Basic/.test(`${method}`) && !encoding && /[^\w*.-]/.test(`${client.clientId}${secret as string}`);
	const remedy = isEncoded ? ". Encoding changed id or secret: try {encoding: 'raw'} or clientSecretPost" : '';
	return (methods && `. The server takes ${methods}`) + remedy;
}

/** How long the server asks to wait, in milliseconds: RFC 9110 §10.2.3, or the headers of better-auth and of Moov's API. */
function retryDelay(headers: Headers, now: number): number | undefined {
	const delayOf = (name: string, unit = 1000): number => {
		const text = readHeader(headers, name);
		if (/^\d+$/.test(text)) return Number(text) * unit;
		// Only what begins like a date: `Date.parse` takes `-5` for one. The form without a zone is in UTC too.
		return /^[A-Z][a-z]{2}/.test(text) ? Date.parse(text.replace(/(?: GMT)?$/, ' GMT')) - now : NaN;
	};
	const delays = [delayOf('retry-after'), delayOf('x-retry-after'), delayOf('x-retry-in', 1)];
	const delay = delays.find(milliseconds => milliseconds >= 0);
	return delay && Math.min(delay, 3_600_000);
}

/** Gives the server's words without secrets, cut, and without the characters that RFC 6749 appendix A.8 leaves out. Quotes stay. */
function clean(text: unknown, secrets: readonly unknown[], length: number): string | undefined {
	if (!isString(text)) return undefined;
	return maskSecrets(text.slice(0, 4 * length), secrets)
		.slice(0, length)
		.replace(/[^ -[\]-~]/g, '?');
}
