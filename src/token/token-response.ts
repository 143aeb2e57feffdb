import {custom, type GenericSchema, object, optional} from 'valibot';
import {patternSchema, keyMessage, vscharsOrNone} from '../oauth/pattern-schema.ts';
import {ownProperties, ownPropertiesWhere} from '../lib/own-properties.ts';
import {validate} from '../oauth/validate.ts';

/**
An answer of the token endpoint, as the wire has it.

@see https://www.rfc-editor.org/rfc/rfc6749#section-5.1
*/
export interface AuthToken {
	/**
	Fit for an `Authorization` header.

	@see https://www.rfc-editor.org/rfc/rfc6750#section-2.1
	*/
	readonly access_token: string;
	/** How the access token is used: `Bearer`, in any case. */
	readonly token_type: string;
	/** Seconds, as a number or in digits; a Unix timestamp at some servers. What is neither counts as not given. */
	readonly expires_in?: unknown;
	/** Printable ASCII. Empty and null count as not given. */
	readonly refresh_token?: string | null | undefined;
	/** Null counts as not given. */
	readonly scope?: string | null | undefined;
}

/**
What a session holds: a plain JSON record.

@see https://www.rfc-editor.org/rfc/rfc6749#section-5.1
*/
export interface TokenSet {
	/** Sent to the resource server. */
	readonly access_token: string;
	/** As the server gave it. */
	readonly token_type: string;
	/** Sent to the token and revocation endpoints alone. */
	readonly refresh_token?: string;
	/** What was granted, space delimited. Left out where it is nothing, or not known. */
	readonly scope?: string;
	/** Unix time in seconds. Left out where it is not known. */
	readonly expires_at?: number;
	/** Unix time in seconds, of before the token was asked for. */
	readonly issued_at: number;
}

/**
How `expires_in` is read.

@see https://www.rfc-editor.org/rfc/rfc6749#section-5.1
*/
export type ExpiresIn = 'auto' | 'seconds' | 'timestamp';

/** What an answer is read with. */
export interface TokenReading {
	/** Unix time in seconds at which the token was asked for. */
	readonly issued_at: number;
	/** How `expires_in` is read. */
	readonly expiresIn: ExpiresIn;
	/** In lower case, `bearer` among them. */
	readonly tokenTypes: readonly string[];
	/** What counts where the answer leaves it out. */
	readonly refresh_token?: string | null | undefined;
	/** What counts where the answer leaves it out. */
	readonly scope?: string | null | undefined;
}

/**
Checks an answer of the token endpoint, field by field. Members that are not known are ignored.

@see https://www.rfc-editor.org/rfc/rfc6749#section-5.1
*/
export const AuthToken: GenericSchema<AuthToken> = object(
	ownProperties({
		access_token: patternSchema('access_token', /^[\w.~+/-]+=*$/, 'a bearer token'),
		token_type: patternSchema('token_type', /^/, 'a string'),
		expires_in: optional(custom<unknown>(() => true)),
		refresh_token: optional(patternSchema<string | null>('refresh_token', vscharsOrNone, 'printable ASCII', true)),
		scope: optional(patternSchema<string | null>('scope', /^/, 'a string', true)),
	}),
	keyMessage,
);

/** 9999-12-31T23:59:59Z, beyond which no clock in use can go. */
const lastSecond = 253_402_300_799;
/** Ten years: more than any lifetime, less than any timestamp. */
const longestLifetime = 315_360_000;

const isTime = (value: unknown): value is number =>
	Number.isSafeInteger(value) && (value as number) >= 0 && (value as number) <= lastSecond;

/** Unix time in seconds, or undefined where `expires_in` tells nothing: neither expired nor eternal. */
function expiry(expires_in: unknown, {expiresIn, issued_at}: TokenReading): number | undefined {
	const isDigits = typeof expires_in === 'string' && /^\d{1,10}$/.test(expires_in);
	const seconds = isDigits || typeof expires_in === 'number' ? Math.floor(Number(expires_in)) : -1;
	if (!(seconds >= 0)) return undefined;
	const isTimestamp = expiresIn === 'timestamp' || (expiresIn === 'auto' && seconds > longestLifetime);
	const expires_at = isTimestamp ? seconds : issued_at + seconds;
	return isTime(expires_at) ? expires_at : undefined;
}

/** Why a record is no usable token. */
export interface TokenProblem {
	/** The code of the error to throw. */
	readonly code: 'invalid_response' | 'unsupported_token_type';
	/** The fields and what is expected of them. */
	readonly problem: string;
}

/** Reads an answer of the token endpoint. */
export function readToken(answer: unknown, given: TokenReading): TokenSet | TokenProblem {
	const reading = ownProperties(given);
	const {value, problem} = validate(AuthToken, answer);
	if (!value) return {code: 'invalid_response', problem};
	const {access_token, token_type} = value;
	if (!reading.tokenTypes.includes(token_type.toLowerCase())) {
		return {code: 'unsupported_token_type', problem: 'token_type must be bearer or in tokenTypes'};
	}
	const token = {
		access_token,
		token_type,
		refresh_token: value.refresh_token || reading.refresh_token,
		scope: value.scope ?? reading.scope,
		expires_at: expiry(value.expires_in, reading),
		issued_at: reading.issued_at,
	};
	// Without what is not known, and without an empty scope: the rest is as the interface has it.
	return ownPropertiesWhere(token, fact => fact || fact === 0) as TokenSet;
}

/** Reads a `TokenSet`, or an answer of the token endpoint that somebody else asked for. */
export function readTokenSet(record: unknown, reading: TokenReading): TokenSet | TokenProblem {
	const {issued_at, expires_at} = ownProperties(Object(record) as Partial<TokenSet>);
	const token = readToken(record, isTime(issued_at) ? {...reading, issued_at} : reading);
	return isTime(expires_at) && !('problem' in token) ? ownProperties({...token, expires_at}) : token;
}

/** Whether two are the same token, or neither is one. */
export function isSameToken(a: TokenSet | undefined, b: TokenSet | undefined): boolean {
	return a?.access_token === b?.access_token && a?.refresh_token === b?.refresh_token;
}
