/** The longest gap between two looks that counts as watched, in milliseconds. After more, this process was stopped or asleep. */
const longestGap = 1_000;

/**
Creates a watch over something that another process should keep changing. Each look takes its present state, as text, and returns how many
milliseconds this process has watched it stay the same.

Nobody's wall clock counts, and time in which this process itself was stopped or asleep does not count either: the other process may have
been asleep as well, and deserves the chance to go on.
*/
export function createWatch(): (state: string) => number {
	let last: string | undefined;
	let lookedAt = 0;
	let watched = 0;
	return state => {
		const now = performance.now();
		watched = state === last ? watched + Math.min(now - lookedAt, longestGap) : 0;
		last = state;
		lookedAt = now;
		return watched;
	};
}

/**
Creates a check of whether a lease has run out, for storage that does not end leases by itself. It has, once this process has watched
it for its whole length without a renewal. Half of that is enough if it was not renewed lately by the wall clock: otherwise a short-lived
script, which does not wait that long, could never take over from one that crashed.

@param lease Milliseconds.
@param lately Milliseconds. The clocks of two machines may differ by some of them.
@default lately four times the lease
@returns A check that takes the lease's present state and when it was renewed, in milliseconds since the epoch.
*/
export function createLeaseWatch(
	lease: number,
	lately: number = 4 * lease,
): (state: string, renewedAt: number) => boolean {
	const watch = createWatch();
	return (state, renewedAt) => {
		const watched = watch(state);
		// A time in the future, or none at all, does not keep a lease: the clock was wrong then, or is now.
		const isRecent = Math.abs(Date.now() - renewedAt) < lately;
		return watched >= lease || (watched >= lease / 2 && !isRecent);
	};
}
