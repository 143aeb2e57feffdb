import type {Awaitable} from '../oauth/client-authentication.ts';
import {TokenNetworkError} from '../errors.ts';

/** Somebody who waits, such as a `Request`. Its signal is looked up only where there is something to wait for. */
export interface Waiter {
	/** Ends the wait of this caller, and nothing else. Default: none. */
	readonly signal?: AbortSignal | null | undefined;
}

/**
The outcome of `work`, but not beyond a number of milliseconds, nor after the waiter's signal. The work itself goes on, and its
late failure disturbs nobody.

@param milliseconds Below 2 ** 31: beyond it a timer fires at once, on every runtime.
@param onLate Is called when they are over.
@throws {TokenNetworkError} then. Also the signal's reason.
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
			(async () => work())().then(resolve, reject);
			timer = setTimeout(() => {
				onLate?.();
				reject(new TokenNetworkError('timeout'));
			}, milliseconds);
			// What is waited for keeps a process alive, where it is anything real. Its deadline does not. (Node, Bun.)
			(timer as {unref?: () => void}).unref?.();
			leave = () => reject(signal?.reason);
			signal?.addEventListener('abort', leave);
			if (signal?.aborted) leave();
		});
	} finally {
		clearTimeout(timer);
		signal?.removeEventListener('abort', leave);
	}
}
