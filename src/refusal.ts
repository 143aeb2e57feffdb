import type {Answer} from './answer.ts';
import {parseChallenges} from './challenge.ts';
import {OAuthError, type RegrantError, TokenResponseError, type TokenResponseErrorCode} from './errors.ts';
import {own} from './own.ts';

/** What an answer is judged with. */
export interface RefusalContext {
	/** The parameters of the request that it answers. */
	readonly parameters: URLSearchParams;
	/** How all begins that must not show in an error, though a server may repeat it. */
	readonly secrets: () => readonly string[];
	/** Milliseconds since the epoch. */
	readonly now: number;
}

interface AnswerFacts {
	readonly status: number;
	readonly contentType: string | undefined;
	readonly retryAfter: number | undefined;
}

/** What an error may tell of an answer. */
export function factsOf({status, headers}: Answer, {secrets, now}: RefusalContext): AnswerFacts {
	const mediaType = /^[\w.+-]+\/[\w.+-]+/.exec(headers.get('content-type') ?? '')?.[0];
	// A short secret is in many a media type by chance.
	const long = secrets().filter(({length}) => length >= 8);
	return {status, contentType: clean(mediaType, long, 100), retryAfter: retryDelay(headers, now)};
}

/**
The error of an answer that gives nothing, and else undefined.

@see https://www.rfc-editor.org/rfc/rfc6749#section-5.2
*/
export function refusalOf(answer: Answer, context: RefusalContext): RegrantError | undefined {
	const {parameters, secrets} = context;
	const {status, headers, record} = answer;
	const {error, error_description, error_uri} = record ?? own<Record<string, unknown>>({});
	const isTransient = [408, 425, 429].includes(status) || status >= 500;
	const unusable = (code: TokenResponseErrorCode, retryable = false): RegrantError =>
		new TokenResponseError(code, {...factsOf(answer, context), retryable});
	const refused = (error: string, fields?: readonly string[]): RegrantError => {
		const {retryAfter} = factsOf(answer, context);
		const known = secrets();
		return new OAuthError({
			status,
			retryAfter,
			error: clean(error, known, 128) ?? '',
			error_description: clean(error_description, known, 1024),
			error_uri: clean(error_uri, known, 1024)?.replaceAll(' ', '?'),
			fields,
			retryable: isTransient || transientErrors.includes(error),
		});
	};

	if (answer.isRedirect) return unusable('unexpected_redirect');
	if (status === 401 && parseChallenges(headers.get('www-authenticate') ?? '').some(({scheme}) => scheme === 'basic')) {
		return refused('invalid_client');
	}
	if ((status === 200 || status >= 400) && typeof error === 'string') return refused(error);
	if (status === 422 && record) {
		// The seed's API names the fields that it refuses, and a dead refresh token in no other way.
		const fields = Object.keys(record).filter(name => parameters.has(name));
		return refused(fields.includes('refresh_token') ? 'invalid_grant' : 'invalid_request', fields);
	}
	if (status !== 200) return unusable('unexpected_status', isTransient || isHtml(headers.get('content-type')));
	if (answer.isTooLarge) return unusable('body_too_large');
	if (!answer.isParsed) return unusable('not_json', true);
	return record ? undefined : unusable('invalid_response');
}

const transientErrors = ['server_error', 'temporarily_unavailable', 'slow_down'];

/** A page instead of an answer: a proxy, a portal or an error page is in the way, for the time being. */
export function isHtml(contentType: string | null | undefined): boolean {
	return /html/i.test(contentType ?? '');
}

/** How long the server asks to wait, in milliseconds: RFC 9110 §10.2.3, or the `X-Retry-In` of the seed's API. */
function retryDelay(headers: Headers, now: number): number | undefined {
	const [retryAfter, retryIn] = [headers.get('retry-after') ?? '', headers.get('x-retry-in') ?? ''];
	const digits = /^\d+$/;
	// Only what begins like a date: `Date.parse` takes `-5` for one.
	// The form without a zone is in UTC too.
	const date = retryAfter.endsWith('GMT') ? retryAfter : `${retryAfter} GMT`;
	const untilDate = /^[A-Z][a-z]{2}/.test(retryAfter) ? Date.parse(date) - now : -1;
	const delays = [
		digits.test(retryAfter) ? Number(retryAfter) * 1000 : untilDate,
		digits.test(retryIn) ? Number(retryIn) : -1,
	];
	const delay = delays.find(milliseconds => milliseconds >= 0);
	return delay === undefined ? undefined : Math.min(delay, 3_600_000);
}

/**
The server's words without secrets, without the characters that RFC 6749 appendix A.7 to A.9 leaves out, and cut. Eight
characters are enough to be taken for a secret: a part of one must not show either.
*/
function clean(text: unknown, secrets: readonly string[], length: number): string | undefined {
	if (typeof text !== 'string') return undefined;
	const starts = secrets.map(secret => text.indexOf(secret.slice(0, 8))).filter(start => start >= 0);
	const shown = starts.length > 0 ? `${text.slice(0, Math.min(...starts))}[masked]` : text;
	return shown.slice(0, length).replace(/[^ !#-[\]-~]/g, '?');
}
