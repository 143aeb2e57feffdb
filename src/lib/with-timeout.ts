import {TokenNetworkError} from '../errors.ts';
import type {Awaitable} from './awaitable.ts';

/** Somebody who waits, such as a `Request`. The signal is read only if there is something to wait for. */
export interface Waiter {
	/**
	Ends the wait of this caller, and nothing else.

	@default none
	*/
	readonly signal?: AbortSignal | null | undefined;
}

/** A timer that fires this late, in milliseconds, may do so because the process or page was stopped. On a busy machine it costs a little time. */
const stoppedAfter = 20;
/** How long a process or page that was stopped may take to read what has arrived, in milliseconds. */
const longestGrace = 1000;

/**
Gives the outcome of `work`, but waits no longer than a number of milliseconds and no longer than the waiter's signal. The work itself
goes on, and its late failure is ignored.

If the timer fires late, because the process or the page was stopped, what has arrived meanwhile is read first: the deadline is extended
once, by a quarter, and by a second at most.

@param milliseconds Below 2 ** 31: beyond it a timer fires at once, on every runtime.
@param onLate Is called at the deadline.
@throws {TokenNetworkError} `timeout` at the deadline. Also throws the signal's reason.
*/
export async function withTimeout<T>(
	work: () => Awaitable<T>,
	milliseconds: number,
	onLate?: () => void,
	waiter?: Waiter,
): Promise<T> {
	const signal = waiter?.signal;
	let timer: ReturnType<typeof setTimeout> | undefined;
	let leave = (): void => {};
	try {
		return await new Promise<T>((resolve, reject) => {
			// A synchronous throw becomes a rejection.
			(async () => work())().then(resolve, reject);
			const due = performance.now() + milliseconds;
			const start = (delay: number, isLast?: boolean): void => {
				timer = setTimeout(() => {
					if (!isLast && performance.now() - due > stoppedAfter)
						return start(Math.min(milliseconds / 4, longestGrace), true);
					onLate?.();
					return reject(new TokenNetworkError('timeout'));
				}, delay);
				// The awaited work keeps a process alive, if it is anything real. Its deadline does not (Node, Bun).
				(timer as {unref?: () => void}).unref?.();
			};
			start(milliseconds);
			leave = () => reject(signal?.reason);
			signal?.addEventListener('abort', leave);
			if (signal?.aborted) leave();
		});
	} finally {
		clearTimeout(timer);
		signal?.removeEventListener('abort', leave);
	}
}
