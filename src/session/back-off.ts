import type {RegrantError, TokenResponseError} from '../errors.ts';
import {ownProperty} from '../lib/own-properties.ts';

/** The time after a failed renewal in which no other one is tried. All callers of a session share it. */
export interface BackOff {
	/** The error of the server or the network that started it. */
	readonly cause: RegrantError;
	/** When it started: milliseconds since the epoch. */
	readonly since: number;
	/** How long it lasts, in milliseconds. */
	readonly length: number;
	/** How long it lasts if the server does not say how long to wait. The next one is twice as long. */
	readonly pause: number;
}

/** The first pause and the longest, in milliseconds. */
const [firstPause, longestPause] = [1000, 30_000];

/** Throws the error that started the back-off, while it lasts. Setting the clock back does not make it longer. */
export function assertNotBackingOff(backOff: BackOff | undefined, now: number): void {
	if (backOff && now >= backOff.since && now < backOff.since + backOff.length) throw backOff.cause;
}

/** Creates the back-off that follows the last one. */
export function nextBackOff(last: BackOff | undefined, cause: RegrantError, now: number): BackOff {
	// A device that is offline now may be online in a second.
	const isOffline = cause.code === 'network' || cause.code === 'timeout';
	const pause = isOffline || !last ? firstPause : Math.min(last.pause * 2, longestPause);
	return {cause, since: now, length: ownProperty(cause as TokenResponseError, 'retryAfter') || pause, pause};
}
