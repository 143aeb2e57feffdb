import {withTimeout} from '../lib/with-timeout.ts';
import {LockError} from '../errors.ts';
import type {Settings} from '../oauth/options.ts';
import {supports} from './token-store.ts';

/**
Runs a task while no other holder of the store runs one, where the store knows how. The outcome is given out when the lock is
free again.

@throws {LockError} where the lock could not be had within `timeout`. The task does not run later either.
*/
export async function locked<T>({store, timeout}: Settings, task: (isHeld?: () => boolean) => Promise<T>): Promise<T> {
	if (!supports(store, 'lock')) return task();
	let outcome: Promise<T> | undefined;
	let released: Promise<unknown> | undefined;
	const waiting = new AbortController();
	const {signal} = waiting;
	const begun = new Promise<unknown>(begin => {
		const hold = async (isHeld?: () => boolean): Promise<void> => {
			if (signal.aborted) return;
			outcome = task(isHeld);
			begin(undefined);
			// Its failure is the caller's, and not the store's.
			await outcome.catch(() => {});
		};
		released = (async () => store.lock(hold, signal))();
		released.then(begin, begin);
	});
	await withTimeout(
		() => begun,
		timeout,
		() => waiting.abort(),
	).catch(() => {});
	if (!outcome) throw new LockError();
	await outcome.catch(() => {});
	// A lock that is not released is the next holder's trouble: the token is stored.
	await withTimeout(() => released, timeout).catch(() => {});
	return outcome;
}
