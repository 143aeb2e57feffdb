import {ownProperties, ownPropertiesWhere} from './lib/own-properties.ts';

/** The `code` of an error. Codes are stable. Messages are for people, and may change. */
export type RegrantErrorCode = AnyRegrantError['code'];

/** Every error that regrant throws. `switch (error.code)` tells them apart. */
export type AnyRegrantError =
	| ConfigError
	| OAuthError
	| TokenResponseError
	| TokenNetworkError
	| RenewalError
	| StoreError
	| LockError
	| SessionEndedError
	| LoginError
	| RequestValidationError
	| ResponseValidationError;

/** What was wrong with a response of the token endpoint. */
export type TokenResponseErrorCode =
	| 'not_json'
	| 'invalid_response'
	| 'unsupported_token_type'
	| 'unexpected_status'
	| 'unexpected_redirect'
	| 'body_too_large';

/** The code of a `StoreError`. */
export type StoreErrorCode = 'store_read' | 'store_write' | 'store_corrupt';

/**
Why there is no session. `invalid_grant`: the server rejected the refresh token. `no_refresh_token`: the access token was rejected or has
expired, and nothing can renew it. `signed_out`: somebody signed out. `no_session`: there never was one, or it has ended before.
*/
export type SessionEndedReason = 'invalid_grant' | 'no_refresh_token' | 'signed_out' | 'no_session';

/** One problem of the input or the response of an endpoint. */
export interface ValidationIssue {
	/** Where it is, such as `json.amount`. Empty for a whole response. */
	readonly path: string;
	/** The message of the schema, unchanged. It may quote the value. */
	readonly message: string;
}

type Facts<T, Name extends keyof T> = {
	readonly [Key in Name]?: T[Key] | undefined;
};

// From the global symbol registry, so that other copies of the package and other realms know it.
const brand = Symbol.for('regrant');

/**
The base class of every error that regrant throws. No error holds a request, a response or a body, so none can reveal a secret, however it
is printed. What a schema or your own `renew` function says can be read, as `issues` and as the `cause` of a `RenewalError`, and is not
printed.
*/
export class RegrantError extends Error {
	/** The name of the class. Minifiers leave it alone. */
	override readonly name: string = 'RegrantError';
	/** Stable, for programs. */
	declare readonly code: string;
	/** Whether the same call may succeed later without a change of the program or the configuration. */
	declare readonly retryable: boolean;

	static {
		(this.prototype as {[brand]?: boolean})[brand] = true;
	}

	/** Takes the code, the message and further fields. An error is not retryable unless these say so. */
	constructor(code: string, message: string, facts?: object, options?: ErrorOptions) {
		super(message, options);
		// Defined and not assigned, because an inherited property of that name may be read-only.
		Object.defineProperties(this, Object.getOwnPropertyDescriptors({retryable: false, ...facts, code}));
	}

	/** Returns what may go into a log: the public fields of the error. */
	toJSON(): Record<string, unknown> {
		const {name, code, error, status, retryable, retryAfter, reason} = ownProperties(this as Record<string, unknown>);
		return {name, code, message: this.message, error, status, retryable, retryAfter, reason};
	}
}

/**
Whether a value is an error of regrant. Unlike `instanceof`, it also recognises errors of another realm or of another copy of the package.

@example
```ts
if (isRegrantError(error)) {
	switch (error.code) {
		case 'session_ended':
			showLogin(error.reason);
			break;
		case 'oauth_error':
			report(error.error, error.status);
			break;
	}
}
```
*/
export function isRegrantError(value: unknown): value is AnyRegrantError {
	return (value as Record<symbol, unknown> | null | undefined)?.[brand] === true;
}

/**
Whether an error means that there is no session, and that the user has to sign in again. It is true for every `SessionEndedError`, of any
realm and any copy of the package.
*/
export function isSignedOut(error: unknown): error is SessionEndedError {
	return isRegrantError(error) && error.code === 'session_ended';
}

/**
An option, a field of a request, or a token cannot be used. The message names it and says what to do, and never holds the value. Nothing was
sent. Correct the program.
*/
export class ConfigError extends RegrantError {
	override readonly name = 'ConfigError';
	declare readonly code: 'invalid_options';

	/** Takes the message. */
	constructor(message: string) {
		super('invalid_options', message);
	}
}

/**
The authorization server rejected the request. Try again later if the error is `retryable`; otherwise correct what `error` names.

@see https://www.rfc-editor.org/rfc/rfc6749#section-5.2
*/
export class OAuthError extends RegrantError {
	override readonly name = 'OAuthError';
	declare readonly code: 'oauth_error';
	/** The error code, such as `invalid_client`. */
	declare readonly error: string;
	/** The server's explanation, cut short, cleaned, and without secrets that regrant knows. */
	declare readonly error_description?: string;
	/** The server's page about the error. */
	declare readonly error_uri?: string;
	/** The HTTP status; 0 if the error came in the URL that ends a login. */
	declare readonly status: number;
	/** How long the server asks to wait: milliseconds, at most an hour. */
	declare readonly retryAfter?: number;
	/** The fields of the request that the server named in a 422 answer. */
	declare readonly fields?: readonly string[];

	/** Takes the fields of the response, and the message. */
	constructor(
		facts: Pick<OAuthError, 'error'> &
			Facts<OAuthError, 'error_description' | 'error_uri' | 'status' | 'retryAfter' | 'fields' | 'retryable'>,
		message = `Refused: ${facts.error}`,
	) {
		// Otherwise every printed error would show the fields without a value as undefined.
		super('oauth_error', message, ownPropertiesWhere(facts));
	}
}

/**
The token endpoint answered with something that OAuth does not define. Nothing of the body is kept. Try again later if the error is
`retryable`; otherwise check the endpoint.
*/
export class TokenResponseError extends RegrantError {
	override readonly name = 'TokenResponseError';
	declare readonly code: TokenResponseErrorCode;
	/** The HTTP status; 0 if a browser hides it. */
	declare readonly status: number;
	/** The media type of the response. */
	declare readonly contentType?: string;
	/** How long the server asks to wait: milliseconds, at most an hour. */
	declare readonly retryAfter?: number;
}

/** The token endpoint could not be reached, or did not answer in time. Try again later if the error is `retryable`. */
export class TokenNetworkError extends RegrantError {
	override readonly name = 'TokenNetworkError';
	declare readonly code: 'network' | 'timeout';
	/** The platform's own code, such as `ENOTFOUND`. Left out if the platform gives none, as in browsers. */
	declare readonly platformCode?: string;

	/** Takes the code, the message, and the platform's code. */
	constructor(
		code: 'network' | 'timeout',
		message = 'No answer in time',
		facts?: Facts<TokenNetworkError, 'platformCode' | 'retryable'>,
	) {
		super(code, message, {retryable: true, ...facts});
	}
}

/**
The `renew` function of `createSession` failed for now. Try again later. If a `RenewalError` is the cause of a `SessionEndedError`, the
failure ended the session.
*/
export class RenewalError extends RegrantError {
	override readonly name = 'RenewalError';
	declare readonly code: 'renewal_failed';
	/** How long your backend asks to wait, by `Retry-After` in `error.response.headers`: milliseconds, at most an hour. */
	declare readonly retryAfter?: number;

	readonly #cause: unknown;

	/** Takes the error of the function, and how long the server asks to wait. */
	constructor(cause: unknown, retryAfter?: number) {
		super('renewal_failed', 'renew failed: see the cause', {retryable: true, ...(retryAfter && {retryAfter})});
		this.#cause = cause;
		// Deno would print the cause as well, and so would `inspect` of Bun.
		Object.defineProperty(this, Symbol.for('nodejs.util.inspect.custom'), {value: () => this.stack});
	}

	/**
	Your own error. It is not printed with this one: an `HTTPError` of ky, for example, has the request with its headers. Log it only if that
	holds no secret.
	*/
	override get cause(): unknown {
		return this.#cause;
	}
}

/**
The token store could not be read or written, or it holds something other than a token of this client. Try again later if the error is
`retryable`.
*/
export class StoreError extends RegrantError {
	override readonly name = 'StoreError';
	declare readonly code: StoreErrorCode;

	/** Takes the code, and the message. */
	constructor(code: StoreErrorCode, message = `The token store failed: ${code}`) {
		super(code, message, {retryable: code !== 'store_corrupt'});
	}
}

/** Another holder of the token store kept its lock for too long, or the lock failed: the message says which. Try again later. */
export class LockError extends RegrantError {
	override readonly name = 'LockError';
	declare readonly code: 'lock_timeout';

	/** Takes the message. */
	constructor(message = 'The token store is locked') {
		super('lock_timeout', message, {retryable: true});
	}
}

/** There is no session, or the session can give no token any more. Sign in again. */
export class SessionEndedError extends RegrantError {
	override readonly name = 'SessionEndedError';
	declare readonly code: 'session_ended';
	/** Why it is over. */
	declare readonly reason: SessionEndedReason;

	/** Takes the reason, and as cause the error that ended the session. */
	constructor(reason: SessionEndedReason, options?: ErrorOptions) {
		super('session_ended', `There is no session: ${reason}`, {reason}, options);
	}
}

/** A login failed. The message says why, and what to do. Usually, begin another login. */
export class LoginError extends RegrantError {
	override readonly name = 'LoginError';
	declare readonly code: 'login_failed';

	/** Takes the message. */
	constructor(message: string) {
		super('login_failed', message);
	}
}

/**
What both validation errors have in common. The issues are in a private field, so that printing or copying an error does not show them.
*/
class ValidationError extends RegrantError {
	readonly #issues: readonly ValidationIssue[];

	constructor(code: 'invalid_request' | 'invalid_api_response', summary: string, issues: readonly ValidationIssue[]) {
		const paths = issues.slice(0, mostPaths).map(({path}) => path.replaceAll(/[^.]+/g, maskKey));
		super(code, `${summary}: ${paths.join(', ')}`.replace(/: $/, ''));
		this.#issues = issues;
	}

	/**
	The problems, for a form to show. No log, `JSON.stringify` or `inspect` prints them, because a message of a schema may quote the value.
	*/
	get issues(): readonly ValidationIssue[] {
		return this.#issues;
	}
}

/** A message names no more paths than this: more would only fill a log. */
const mostPaths = 20;

/** Hides a key that looks neither like the name of a field nor like an index of a list. In a record, keys are data, and can be secret. */
const maskKey = (key: string): string => (/^([a-z_]{1,24}|\d{1,3})$/i.test(key) ? key : '*');

/**
The input of an endpoint does not match its schemas. Nothing was sent. Show `issues` to the user, or correct the program.

The message names at most 20 paths, and no value. In it, `*` stands for each key that is not a word of at most 24 letters or a number of at
most three digits.

@example
```ts
for (const {path, message} of error.issues) {
	(form.elements.namedItem(path.replace('json.', '')) as HTMLInputElement).setCustomValidity(message);
}
```
*/
export class RequestValidationError extends ValidationError {
	override readonly name = 'RequestValidationError';
	declare readonly code: 'invalid_request';

	/** Takes the problems. */
	constructor(issues: readonly ValidationIssue[]) {
		super('invalid_request', 'The request is not valid', issues);
	}
}

/**
The response of an endpoint does not match its schema, or is not JSON. Either the server or the definition is wrong: correct it.

The message names paths, like that of `RequestValidationError`.
*/
export class ResponseValidationError extends ValidationError {
	override readonly name = 'ResponseValidationError';
	declare readonly code: 'invalid_api_response';

	/** Takes the problems. */
	constructor(issues: readonly ValidationIssue[]) {
		super('invalid_api_response', 'The response is not valid', issues);
	}
}
