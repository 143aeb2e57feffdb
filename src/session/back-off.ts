import type {RegrantError, TokenResponseError} from '../errors.ts';
import {ownProperty} from '../lib/own-properties.ts';

/** The time after a failed renewal in which no other one is tried. All callers of a session share it. */
export interface BackOff {
	/** While it lasts, throws the error that started it. */
	check(now: number): void;
	/** Starts with an error of the server or the network. Returns false if this is the error that already started it. */
	begin(error: RegrantError, now: number): boolean;
	/** Ends it. */
	reset(): void;
}

/** The first pause and the longest, in milliseconds, unless the server says how long to wait. */
const [firstPause, longestPause] = [1000, 30_000];

/** Creates a back-off that has not started. Its times are milliseconds since the epoch. */
export function createBackOff(): BackOff {
	let cause: RegrantError | undefined;
	let since = 0;
	let length = 0;
	let pause = 0;
	return {
		check: now => {
			// Setting the clock back does not make it longer.
			if (cause && now >= since && now < since + length) throw cause;
		},
		begin: (error, now) => {
			if (error === cause) return false;
			// Another holder of the store, or the store itself, was the reason: the server has not been asked.
			if (/^(?:lock|store)_/.test(error.code)) return true;
			// A device that is offline now may be online in a second.
			const isOffline = error.code === 'network' || error.code === 'timeout';
			pause = isOffline ? firstPause : Math.min(pause * 2 || firstPause, longestPause);
			cause = error;
			since = now;
			length = ownProperty(error as TokenResponseError, 'retryAfter') || pause;
			return true;
		},
		reset: () => {
			cause = undefined;
			pause = 0;
		},
	};
}
