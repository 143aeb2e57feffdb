import {createMutex} from '../../lib/mutex.ts';
import {ownProperties} from '../../lib/own-properties.ts';
import type {CellChange, TokenStore} from '../token-cell.ts';
import {createLockedCell} from './locked-cell.ts';
import {createSharedRecord, overwriteRecord, readRecord, swapRecord} from './shared-record.ts';
import type {StoreDriver} from './store-driver.ts';
import {withLock} from './with-lock.ts';

/** Turns a driver of our own into a store. An optional function that every object inherits is none of the driver's. */
export const sharedStore = (driver: StoreDriver): TokenStore => createSharedStore(ownProperties(driver));

/**
Turns a driver into a store that others can share, and that can fail. It handles writes that the store did not take, stores that lag or
hang, invalid records, changes by other holders, and late writes after a sign-out.

@param driver Inherits nothing. Its functions are read each time they are needed.
*/
export function createSharedStore(driver: StoreDriver): TokenStore {
	let listener: (change: CellChange) => void = () => {};
	const record = createSharedRecord(driver, change => listener(change));
	const mutex = createMutex();

	const exclusive: TokenStore['exclusive'] = async (use, task) => {
		const run = async (isHeld?: () => boolean): Promise<Awaited<ReturnType<typeof task>>> => {
			try {
				return await task(createLockedCell(record, use, isHeld));
			} finally {
				// A login or a sign-out here may still be writing. Until then the next holder would find a refresh token that was used just now.
				await record.mutex.wait();
			}
		};
		return driver.lock ? withLock(driver.lock, use.timeout, run) : mutex.runExclusive(run, 2 * use.timeout);
	};

	return {
		peek: () => undefined,
		read: async (use, waiter) => {
			await readRecord(record, use, waiter);
			return record.known.token;
		},
		isUnread: () => record.known.state === 'unread',
		swap: (use, from, to) => swapRecord(record, use, from, to),
		overwrite: (use, decide) => overwriteRecord(record, use, decide),
		exclusive,
		onChange: next => {
			listener = next;
		},
		watch: use => driver.subscribe?.(() => void readRecord(record, use)) ?? (() => {}),
		deleteLateWrite: async use => {
			if (driver.lock) await exclusive(use, async () => readRecord(record, use));
		},
	};
}
