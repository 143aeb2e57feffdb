import {TokenNetworkError} from '../errors.ts';
import type {Awaitable} from './awaitable.ts';

/** Somebody who waits, such as a `Request`. The signal is read only if it is needed. */
export interface Waiter {
	/**
	Stops the wait of this caller, and nothing else.

	@default none
	*/
	readonly signal?: AbortSignal | null | undefined;
}

/** If a timer fires this many milliseconds late, the process or page may have been stopped. On a busy machine, this costs a little time. */
const stoppedAfter = 20;
/** How long a process or page that was stopped may take to read what has arrived meanwhile, in milliseconds. */
const longestGrace = 1000;

/**
Returns the outcome of `work`, but stops waiting at a deadline or when the waiter's signal aborts. The work itself goes on, and a late
failure is ignored.

If the timer fires late because the process or the page was stopped, what has arrived meanwhile is read first: the deadline is extended
once, by a quarter, but at most by a second.

@param milliseconds The deadline, below 2 ** 31. On every runtime, a longer timer fires at once.
@param onLate Called at the deadline.
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
				// The awaited work keeps a process alive, but its deadline must not (Node, Bun).
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
