import {type Lease, runUnderLease} from './lease.ts';
import type {StoreDriver} from './store-driver.ts';
import {type TextBackend, textDriver} from './text-driver.ts';

/** What a storage engine must be able to do to share one session among processes. */
export interface LeasedBackend extends TextBackend, Lease {}

/**
Makes a store driver of such an engine: the token is kept as text, and the lock is a lease.

@param lease Milliseconds.
*/
export function leasedDriver(backend: LeasedBackend, lease: number): StoreDriver {
	return {
		...textDriver(backend),
		lock: (task, signal) => runUnderLease(backend, lease, task, signal),
	};
}
