import type {RegrantError, TokenResponseError} from '../errors.ts';
import {ownProperty} from '../lib/own-properties.ts';

/** The time in which no renewal is tried, because one failed. All callers of a session share it. */
export interface BackOff {
	/** Throws the error that it began with, while it lasts. */
	checkBackOff(now: number): void;
	/** Begins with an error of the server, or of the way there. False if this is the one that it began with. */
	backOff(error: RegrantError, now: number): boolean;
	/** Ends it. */
	endBackOff(): void;
}

/** The first pause and the longest, in milliseconds, unless the server says how long to wait. */
const [firstPause, longestPause] = [1000, 30_000];

/** Creates a back-off that has not begun. Its times are milliseconds since the epoch. */
export function createBackOff(): BackOff {
	let cause: RegrantError | undefined;
	let since = 0;
	let length = 0;
	let pause = 0;
	return {
		checkBackOff: now => {
			// A clock that was set back does not prolong it.
			if (cause && now >= since && now < since + length) throw cause;
		},
		backOff: (error, now) => {
			if (error === cause) return false;
			// Another holder of the store, or the store itself, was in the way: the server has not been asked.
			if (/^(?:lock|store)_/.test(error.code)) return true;
			// Who is offline now may be online in a second.
			const isOffline = error.code === 'network' || error.code === 'timeout';
			pause = isOffline ? firstPause : Math.min(pause * 2 || firstPause, longestPause);
			cause = error;
			since = now;
			length = ownProperty(error as TokenResponseError, 'retryAfter') || pause;
			return true;
		},
		endBackOff: () => {
			cause = undefined;
			pause = 0;
		},
	};
}
