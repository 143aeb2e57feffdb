import {ConfigError, StoreError, type StoreErrorCode} from '../../errors.ts';
import type {Awaitable} from '../../lib/awaitable.ts';
import {type Waiter, withTimeout} from '../../lib/with-timeout.ts';

/** Runs the operations of a driver, each within a deadline, and reports failures. */
export interface DriverOperations {
	/** The operations that do not work now. A store that takes writes may still be one that cannot be read. */
	readonly failures: Map<StoreErrorCode, StoreError>;
	/** Records a failure, and reports it unless the store was already failing. */
	readonly fail: (code: StoreErrorCode, reason?: unknown) => void;
	/**
	Runs an operation. A write has `onLate`, which is called if the write ends after its deadline. A read fails at once while another
	operation hangs: otherwise every caller would wait for the whole deadline.
	*/
	readonly operate: <T>(
		operation: () => Awaitable<T>,
		timeout: number,
		waiter?: Waiter,
		onLate?: () => void,
	) => Promise<T>;
}

/** An operation that needs longer to fail has hung, in milliseconds. */
const longestFailure = 1_000;

/**
Creates the operations of a driver.

@param onFailure Called with the first failure, and again with the first one after the store has worked.
*/
export function createDriverOperations(onFailure: (error: StoreError) => void): DriverOperations {
	const failures: DriverOperations['failures'] = new Map();
	/** In milliseconds, by a clock that cannot be set. */
	let stuckUntil = 0;

	return {
		failures,
		fail: (code, reason) => {
			// An error of our own stores about a wrong option. Any other error may quote the token.
			const error = new StoreError(code, reason instanceof ConfigError ? reason.message : undefined);
			if (failures.size === 0) onFailure(error);
			failures.set(code, error);
		},
		operate: async (operation, timeout, waiter, onLate) => {
			const begun = performance.now();
			if (!onLate && begun < stuckUntil) throw new StoreError('store_read');
			let isLate = false;
			const work = async (): Promise<Awaited<ReturnType<typeof operation>>> => {
				try {
					const result = await operation();
					stuckUntil = 0;
					return result;
				} catch (error) {
					// A driver may have a deadline of its own. What it gave up after that still hangs.
					const now = performance.now();
					stuckUntil = now - begun > longestFailure ? now + timeout : 0;
					throw error;
				} finally {
					if (isLate) onLate?.();
				}
			};
			const giveUp = (): void => {
				isLate = true;
				stuckUntil = performance.now() + timeout;
			};
			return withTimeout(work, timeout, giveUp, waiter);
		},
	};
}
