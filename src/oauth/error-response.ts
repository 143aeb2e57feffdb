import {OAuthError, TokenResponseError, type TokenResponseErrorCode} from '../errors.ts';
import {maskSecrets} from '../lib/mask-secrets.ts';
import {ownProperties} from '../lib/own-properties.ts';
import {readHeader} from '../lib/read-header.ts';
import {isString} from '../lib/read-options.ts';
import {formEncode, secretOf} from './client-authentication.ts';
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

/** The error of an answer, and the server's own word for it. */
export interface ErrorResponse {
	/** For the caller. Nothing in it is secret. */
	readonly error: OAuthError | TokenResponseError;
	/** The error code as the server sent it, or what its answer amounts to. For decisions: it may hold a secret. */
	readonly code?: string;
}

/** What else an error is made of. */
export interface ErrorContext {
	/** The method and the origin of the request, for messages. */
	readonly request: string;
	/** The option that has the endpoint, for messages. */
	readonly option: string;
	/** The parameters of the request. */
	readonly parameters: URLSearchParams;
	/** The headers of the request. */
	readonly headers: Headers;
	/** The token that is renewed. */
	readonly accessToken?: string | undefined;
}

/** What an answer amounts to. */
export interface ReviewedResponse {
	/** Its error. Undefined if it may hold a token. */
	readonly failure: ErrorResponse | undefined;
	/** Makes the error of an answer that is not as OAuth says. */
	unusable(code: TokenResponseErrorCode, problem?: string, retryable?: boolean): ErrorResponse;
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
	const mediaType = /^[\w.+-]+\/[\w.+-]+/.exec(readHeader(headers, 'content-type'))?.[0];
	return {
		status,
		contentType: clean(mediaType, secrets, 100),
		retryAfter: retryDelay(headers, now),
		retryable: status >= 500 || [408, 425, 429].includes(status),
	};
}

/**
Finds the error in an answer.

@see https://www.rfc-editor.org/rfc/rfc6749#section-5.2
*/
export function reviewResponse(client: Client, answer: EndpointResponse, context: ErrorContext): ReviewedResponse {
	const {status, ok, headers, record, parseError} = answer;
	const {parameters, request, option} = context;
	const {error, access_token, refresh_token} = ownProperties(record);
	// What no error may show, though the server may repeat it.
	const proof = context.headers.get('authorization')?.split(' ').pop();
	const secrets = [secretOf(client)[0], proof, context.accessToken, access_token, refresh_token];
	for (const [name, value] of parameters) {
		if (/(?:token|secret|assertion|code|verifier)$/.test(name)) secrets.push(value);
	}
	const metadata = responseMetadata(answer, secrets, client.now());
	const answered = `${request} answered ${status}: `;

	const unusable: ReviewedResponse['unusable'] = (code, problem = code, retryable = false) => ({
		error: new TokenResponseError(code, answered + problem, {...metadata, retryable}),
	});
	const refused = (code: string, fields?: readonly string[]): ErrorResponse => {
		const known = describeError({...record, error: code}, secrets);
		const retryable = metadata.retryable || known.retryable;
		const facts = {...metadata, contentType: undefined, ...known, fields, retryable};
		const hint = code === 'invalid_client' ? authenticationHint(client) : '';
		return {code, error: new OAuthError(facts, answered + known.error + hint)};
	};
	const find = (): ErrorResponse | undefined => {
		if (parseError === 'unexpected_redirect') return unusable(parseError);
		const challenges = status === 401 ? readHeader(headers, 'www-authenticate') : '';
		if (/(?:^|,)[ \t]*basic\b/i.test(challenges)) return refused('invalid_client');
		if (isString(error) && error) return refused(error);
		if (status === 422 && record) {
			// Moov's API names the fields that it refuses, and a dead refresh token in no other way.
			const fields = Object.keys(record).filter(name => parameters.has(name));
			return refused(fields.includes('refresh_token') ? 'invalid_grant' : 'invalid_request', fields);
		}
		if (ok) return parseError && unusable(parseError, parseError, parseError === 'not_json');
		// A page in place of an answer: a proxy, a portal or an error page is in the way for now.
		const isPage = /html/i.test(readHeader(headers, 'content-type'));
		const problem = status === 404 ? `is ${option} right?` : undefined;
		return unusable('unexpected_status', problem, metadata.retryable || isPage);
	};
	return {failure: find(), unusable};
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
	const credentials = `${client.clientId}${secret as string}`;
	// Most servers do not decode HTTP Basic as the RFC says. That matters if encoding changed something.
	const isEncoded = method === 'clientSecretBasic' && !encoding && formEncode(credentials) !== credentials;
	const remedy = isEncoded
		? ". Encoding changed the id or the secret: try clientSecretBasic(secret, {encoding: 'raw'}) or clientSecretPost"
		: '';
	return (methods && `. The server takes ${methods}`) + remedy;
}

/** How long the server asks to wait, in milliseconds: RFC 9110 §10.2.3, or the headers of better-auth and of Moov's API. */
function retryDelay(headers: Headers, now: number): number | undefined {
	const delayOf = (name: string): number => {
		const text = readHeader(headers, name);
		if (/^\d+$/.test(text)) return Number(text) * 1000;
		// Only what begins like a date: `Date.parse` takes `-5` for one. The form without a zone is in UTC too.
		return /^[A-Z][a-z]{2}/.test(text) ? Date.parse(text.replace(/(?: GMT)?$/, ' GMT')) - now : NaN;
	};
	// The last one is in milliseconds.
	const delays = [delayOf('retry-after'), delayOf('x-retry-after'), delayOf('x-retry-in') / 1000];
	const delay = delays.find(milliseconds => milliseconds >= 0);
	return delay === undefined ? undefined : Math.min(delay, 3_600_000);
}

/** Gives the server's words without secrets, cut, and without the characters that RFC 6749 appendix A.8 leaves out. Quotes stay. */
function clean(text: unknown, secrets: readonly unknown[], length: number): string | undefined {
	if (!isString(text)) return undefined;
	return maskSecrets(text.slice(0, 4 * length), secrets)
		.slice(0, length)
		.replace(/[^ -[\]-~]/g, '?');
}
