import {StoreError, type StoreErrorCode} from '../../errors.ts';
import type {Awaitable} from '../../lib/awaitable.ts';
import {type Waiter, withTimeout} from '../../lib/with-timeout.ts';

/** Runs the operations of a driver, each within a deadline, and tells of failures. */
export interface DriverOperations {
	/** Reads. While an operation hangs, it fails at once: every call would cost its caller the deadline. */
	read<T>(operation: () => Awaitable<T>, timeout: number, waiter?: Waiter): Promise<T>;
	/** Writes. `onLate` is called if the write ends after its deadline. */
	write<T>(operation: () => Awaitable<T>, timeout: number, onLate: () => void): Promise<T>;
	/** Makes an error, and tells of it, unless the store was failing already. */
	fail(code: StoreErrorCode, message?: string): StoreError;
	/** Reads or writes work. A store that takes writes may still be one that cannot be read. */
	succeed(kind: 'read' | 'write'): void;
}

/**
Creates the operations of a driver.

@param onFailure Is told of the first failure, and then again of the first one after the store has worked.
*/
export function createDriverOperations(onFailure: (error: StoreError) => void): DriverOperations {
	/** What does not work now. */
	const failing = new Set<'read' | 'write'>();
	/** Measured by a clock that cannot be set: milliseconds. */
	let stuckUntil = 0;

	const operate = async <T>(
		operation: () => Awaitable<T>,
		timeout: number,
		waiter?: Waiter,
		onLate?: () => void,
	): Promise<T> => {
		let isLate = false;
		const work = async (): Promise<T> => {
			try {
				return await operation();
			} finally {
				stuckUntil = 0;
				if (isLate) onLate?.();
			}
		};
		const giveUp = (): void => {
			isLate = true;
			stuckUntil = performance.now() + timeout;
		};
		return withTimeout(work, timeout, giveUp, waiter);
	};

	return {
		read: async (operation, timeout, waiter) => {
			if (performance.now() < stuckUntil) throw new StoreError('store_read');
			return operate(operation, timeout, waiter);
		},
		write: async (operation, timeout, onLate) => operate(operation, timeout, undefined, onLate),
		fail: (code, message) => {
			const error = new StoreError(code, message);
			if (failing.size === 0) onFailure(error);
			failing.add(code === 'store_write' ? 'write' : 'read');
			return error;
		},
		succeed: kind => void failing.delete(kind),
	};
}
