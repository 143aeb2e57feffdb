import type {RegrantError, TokenResponseError} from '../errors.ts';
import {isHtml} from '../oauth/error-response.ts';

/** The time in which a server is not asked again, because it said so or because it failed. Shared by all of a session. */
export interface BackOff {
	/** Throws the error that it began with, while it lasts. */
	check(now: number): void;
	/**
	Begins with an answer that will be another one later. A server that could not be reached is not spared. False where the error
	is the one that it began with.
	*/
	begin(error: RegrantError, now: number): boolean;
	/** Ends it. */
	reset(): void;
}

/** A cool-down that has not begun. Its times are milliseconds since the epoch. */
export function createBackOff(): BackOff {
	let cause: RegrantError | undefined;
	let since = 0;
	let length = 0;
	/** Of our own, where the server does not say: from a second on, doubled each time, up to half a minute. */
	let backOff = 0;
	return {
		check: now => {
			// A clock that was set back must not prolong it.
			if (cause && now >= since && now < since + length) throw cause;
		},
		begin: (error, now) => {
			if (error === cause) return false;
			const {status, contentType, retryAfter} = error as Partial<TokenResponseError>;
			if (status !== undefined && (error.code !== 'not_json' || isHtml(contentType))) {
				backOff = Math.min(backOff * 2 || 1000, 30_000);
				cause = error;
				since = now;
				length = retryAfter || backOff;
			}
			return true;
		},
		reset: () => {
			cause = undefined;
			backOff = 0;
		},
	};
}
