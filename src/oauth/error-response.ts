import type {EndpointResponse} from './endpoint-response.ts';
import {challengesOf} from '../lib/www-authenticate.ts';
import {OAuthError, type RegrantError, TokenResponseError} from '../errors.ts';
import {ownProperties} from '../lib/own-properties.ts';

/** What an error may tell of any answer. */
export interface ResponseMetadata {
	readonly status: number;
	readonly contentType: string | undefined;
	/** Milliseconds. */
	readonly retryAfter: number | undefined;
	readonly retryable: boolean;
}

/**
What an error may tell of the answer.

@param secrets How all begins that must not show, though a server may repeat it.
@param now Milliseconds since the epoch.
*/
export function responseMetadata(
	{status, headers}: EndpointResponse,
	secrets: readonly string[],
	now: number,
): ResponseMetadata {
	const mediaType = /^[\w.+-]+\/[\w.+-]+/.exec(headers.get('content-type') ?? '')?.[0];
	// A short secret is in many a media type by chance.
	const long = secrets.filter(({length}) => length >= 8);
	return {
		status,
		contentType: clean(mediaType, long, 100),
		retryAfter: retryDelay(headers, now),
		retryable: [408, 425, 429].includes(status) || status >= 500,
	};
}

/**
The error of an answer that gives nothing, and else undefined.

@param parameters Those of the request that it answers.
@see https://www.rfc-editor.org/rfc/rfc6749#section-5.2
*/
export function errorResponse(
	{status, headers, record, parseError}: EndpointResponse,
	facts: ResponseMetadata,
	parameters: URLSearchParams,
	secrets: readonly string[],
): RegrantError | undefined {
	const {error, error_description, error_uri} = ownProperties(record);
	const {retryAfter, retryable} = facts;
	const refused = (code: string, fields?: readonly string[]): RegrantError =>
		new OAuthError({
			status,
			retryAfter,
			error: clean(code, secrets, 128) ?? '',
			error_description: clean(error_description, secrets, 1024),
			error_uri: clean(error_uri, secrets, 1024)?.replaceAll(' ', '?'),
			fields,
			retryable: retryable || /^(?:server_error|temporarily_unavailable|slow_down)$/.test(code),
		});

	if (parseError === 'unexpected_redirect') return new TokenResponseError(parseError, facts);
	if (status === 401 && challengesOf(headers).some(({scheme}) => scheme === 'basic')) {
		return refused('invalid_client');
	}
	if ((status === 200 || status >= 400) && typeof error === 'string') return refused(error);
	if (status === 422 && record) {
		// The seed's API names the fields that it refuses, and a dead refresh token in no other way.
		const fields = Object.keys(record).filter(name => parameters.has(name));
		return refused(fields.includes('refresh_token') ? 'invalid_grant' : 'invalid_request', fields);
	}
	if (status !== 200) {
		return new TokenResponseError('unexpected_status', {...facts, retryable: retryable || isHtml(facts.contentType)});
	}
	return parseError && new TokenResponseError(parseError, {...facts, retryable: parseError === 'not_json'});
}

/** A page instead of an answer: a proxy, a portal or an error page is in the way, for the time being. */
export function isHtml(contentType: string | undefined): boolean {
	return /html/i.test(contentType ?? '');
}

/** How long the server asks to wait, in milliseconds: RFC 9110 §10.2.3, or the `X-Retry-In` of the seed's API. */
function retryDelay(headers: Headers, now: number): number | undefined {
	const number = (text: string): number => (/^\d+$/.test(text) ? Number(text) : NaN);
	// Node leaves the space behind a value where it is.
	const textOf = (name: string): string => headers.get(name)?.trim() ?? '';
	const retryAfter = textOf('retry-after');
	// Only what begins like a date: `Date.parse` takes `-5` for one. The form without a zone is in UTC too.
	const date = /^[A-Z][a-z]{2}/.test(retryAfter) ? retryAfter.replace(/(?: GMT)?$/, ' GMT') : '';
	const delays = [number(retryAfter) * 1000, Date.parse(date) - now, number(textOf('x-retry-in'))];
	const delay = delays.find(milliseconds => milliseconds >= 0);
	return delay === undefined ? undefined : Math.min(delay, 3_600_000);
}

/**
The server's words without secrets, without the characters that RFC 6749 appendix A.7 to A.9 leaves out, and cut. Eight
characters are enough to be taken for a secret: a part of one must not show either.
*/
function clean(text: unknown, secrets: readonly string[], length: number): string | undefined {
	if (typeof text !== 'string') return undefined;
	let shown = text;
	// The first part alone, which is always there.
	for (const secret of secrets) shown = shown.split(secret.slice(0, 8), 1).join();
	if (shown !== text) shown += '[masked]';
	return shown.slice(0, length).replace(/[^ !#-[\]-~]/g, '?');
}
