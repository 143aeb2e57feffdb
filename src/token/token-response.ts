import {ownProperties, ownPropertiesWhere, ownRecordProperties} from '../lib/own-properties.ts';
import {aTextOrNone, isString, matches, texts, type Rules} from '../lib/read-options.ts';
import type {TokenSet} from './token-set.ts';

/**
A response of a token endpoint, as the server sends it.

@see https://www.rfc-editor.org/rfc/rfc6749#section-5.1
*/
export interface AuthToken {
	/**
	The token that is sent to the API: visible ASCII characters only.

	@see https://www.rfc-editor.org/rfc/rfc6749#appendix-A.12
	*/
	readonly access_token: string;
	/** How the access token is used. If it is missing, empty or null, it counts as `Bearer`. */
	readonly token_type?: string | null | undefined;
	/** The lifetime in seconds, as a number or as text. Some servers send a Unix timestamp. Anything else counts as left out. */
	readonly expires_in?: unknown;
	/** The time of expiry: Unix time in seconds, as a number or as text. It is read if `expires_in` is missing. */
	readonly expires_at?: unknown;
	/** The refresh token: printable ASCII. Empty and null count as left out. */
	readonly refresh_token?: string | null | undefined;
	/** The granted scopes, separated by spaces or as a list. Null counts as left out. */
	readonly scope?: string | readonly string[] | null | undefined;
}

/**
How `expires_in` is read: as seconds, or as a Unix timestamp. `auto` reads a value of more than ten years as a timestamp.

@see https://www.rfc-editor.org/rfc/rfc6749#section-5.1
*/
export type ExpiresIn = 'auto' | 'seconds' | 'timestamp';

/** What is needed to read a response. */
export interface TokenReading {
	/** When the token was requested: Unix time in seconds. */
	readonly issued_at: number;
	/** How `expires_in` is read. */
	readonly expiresIn: ExpiresIn;
	/** The token types that can be sent, in lower case. */
	readonly tokenTypes: readonly string[];
	/** The names of further fields to keep. */
	readonly keep?: readonly string[] | undefined;
	/** The token that is being renewed. Fields that the response leaves out are taken from it. */
	readonly previous?: Partial<TokenSet> | undefined;
}

/** A token, or the reason why the record is not a usable one. */
export type ReadToken =
	{readonly token: TokenSet; readonly code?: undefined; readonly problem?: undefined} | TokenProblem;

/** Why a record is not a usable token. */
export interface TokenProblem {
	readonly token?: undefined;
	/** The code of the error to throw. */
	readonly code: 'invalid_response' | 'unsupported_token_type';
	/** The wrong fields, and what they should be. */
	readonly problem: string;
}

/** The fields of a response that are checked. All but the first may be null or left out. */
export const tokenFields: Rules = {
	// It becomes a header, so it must not have a line break or a space (RFC 6749 appendix A.12).
	access_token: [matches(/^[!-~]+$/), 'there, and be visible ASCII without spaces'],
	token_type: [value => isString(value ?? ''), 'a string'],
	// RFC 6749 appendix A.17
	refresh_token: aTextOrNone,
	scope: texts,
};

/** 9999-12-31T23:59:59Z: no clock in use goes further. */
const lastSecond = 253_402_300_799;
/** Ten years: more than any lifetime, less than any timestamp. */
const longestLifetime = 315_360_000;

const isDigits = matches(/^\d{1,10}$/);
const isTime = (value: unknown): value is number =>
	Number.isInteger(value) && (value as number) >= 0 && (value as number) <= lastSecond;

/** Reads a number of seconds that is not negative. NaN for everything else. */
function secondsIn(value: unknown): number {
	const seconds = typeof value === 'number' || isDigits(value) ? Math.floor(Number(value)) : NaN;
	return seconds >= 0 ? seconds : NaN;
}

/**
Reads a response of a token endpoint. Only its own properties count.

@see https://www.rfc-editor.org/rfc/rfc6749#section-5.1
*/
export function readToken(answer: unknown, reading: TokenReading): ReadToken {
	const {keep = [], tokenTypes, expiresIn, issued_at, previous: renewed} = ownProperties(reading);
	const previous = ownProperties(renewed);
	const record = ownProperties(ownRecordProperties(answer)) as unknown as AuthToken & Readonly<Record<string, unknown>>;
	const token_type = record.token_type || 'Bearer';
	for (const [name, [isRight, expected]] of Object.entries(tokenFields)) {
		if (!isRight(record[name])) return problemOf('invalid_response', name, expected);
	}
	if (!tokenTypes.includes(token_type.toLowerCase())) {
		return problemOf('unsupported_token_type', 'token_type', tokenTypes.join(' or '));
	}
	const lifetime = secondsIn(record.expires_in);
	const isTimestamp = expiresIn === 'timestamp' || (expiresIn === 'auto' && lifetime > longestLifetime);
	const expires_at = Number.isNaN(lifetime)
		? // The server's clock may differ from ours, so a lifetime is more reliable than a time.
			secondsIn(record.expires_at)
		: lifetime + (isTimestamp ? 0 : issued_at);
	const fields = {
		...Object.fromEntries(keep.map(name => [name, record[name] ?? previous[name]])),
		access_token: record.access_token,
		token_type,
		refresh_token: record.refresh_token || previous.refresh_token || undefined,
		// An empty scope counts as left out.
		scope: [record.scope ?? previous.scope].flat().filter(Boolean).join(' ') || undefined,
		// Left out if the answer does not say: then the token is neither expired nor eternal.
		expires_at: isTime(expires_at) ? expires_at : undefined,
		issued_at,
	};
	// The fields are those of the interface.
	return ownProperties({token: ownPropertiesWhere(fields) as unknown as TokenSet});
}

const problemOf = (code: TokenProblem['code'], name: string, expected: string): TokenProblem =>
	ownProperties({code, problem: `${name} must be ${expected}`});

/** Reads a `TokenSet`, or a response to somebody else's request. */
export function readTokenSet(record: unknown, reading: TokenReading): ReadToken {
	const {issued_at, expires_at} = ownProperties(record as Partial<TokenSet>);
	if (!isTime(issued_at)) return readToken(record, reading);
	const given = isTime(expires_at) ? {...(record as TokenSet), expires_in: undefined} : record;
	return readToken(given, {...reading, issued_at});
}
