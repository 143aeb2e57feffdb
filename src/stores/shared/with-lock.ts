import {ConfigError, LockError} from '../../errors.ts';
import {withTimeout} from '../../lib/with-timeout.ts';
import type {StoreDriver} from './store-driver.ts';

/**
Runs a task under the lock of a driver. It returns the outcome when the lock is free again.

@param lock The function of the driver.
@param timeout Milliseconds.
@throws {LockError} if the lock was not available within `timeout`. Then the task does not run later either.
If an option of the store is at fault, the message says which.
*/
export async function withLock<T>(
	lock: Required<StoreDriver>['lock'],
	timeout: number,
	task: (isHeld?: () => boolean) => Promise<T>,
): Promise<T> {
	let outcome: Promise<T> | undefined;
	let released: Promise<unknown> | undefined;
	const waiting = new AbortController();
	const {signal} = waiting;
	const begun = new Promise<unknown>(begin => {
		const hold = async (isHeld?: unknown): Promise<void> => {
			if (signal.aborted) return;
			// Some locks run a task again that has failed. Some pass it something else, such as the `Lock` of Web Locks.
			outcome ??= task(typeof isHeld === 'function' ? (isHeld as () => boolean) : undefined);
			begin(undefined);
			// The caller gets the error of the task. For the store, it is not a failure.
			await outcome.catch(() => {});
		};
		released = (async () => lock(hold, signal))();
		released.then(begin, begin);
	});
	const reason = await withTimeout(
		() => begun,
		timeout,
		() => waiting.abort(),
	).catch(() => {});
	// A lock that failed says nothing about another holder.
	const fault = signal.aborted ? undefined : 'The lock of the token store failed';
	if (!outcome) throw new LockError(reason instanceof ConfigError ? reason.message : fault);
	await outcome.catch(() => {});
	// If the lock is not released, the next holder has to wait, but the token is stored.
	await withTimeout(() => released, timeout).catch(() => {});
	return outcome;
}
