import {createMutex} from '../../lib/mutex.ts';
import type {CellChange, TokenStore} from '../token-cell.ts';
import {createLockedCell} from './locked-cell.ts';
import {createSharedRecord, overwriteRecord, readRecord, swapRecord} from './shared-record.ts';
import {type StoreDriver, supports} from './store-driver.ts';
import {withLock} from './with-lock.ts';

/**
Turns a driver into a store that others can share, and that can fail. It handles writes that the store did not take, stores that lag or
hang, invalid records, changes by other holders, and late writes after a sign-out.
*/
export function sharedStore(driver: StoreDriver): TokenStore {
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
		return supports(driver, 'lock') ? withLock(driver, use.timeout, run) : mutex.runExclusive(run, 2 * use.timeout);
	};

	return {
		peek: () => undefined,
		read: async (use, waiter) => {
			await readRecord(record, use, waiter);
			return record.known.token;
		},
		isUnread: () => record.known.state === 'unread',
		swap: async (use, from, to) => swapRecord(record, use, from, to),
		overwrite: async (use, decide) => overwriteRecord(record, use, decide),
		exclusive,
		onChange: next => {
			listener = next;
		},
		watch: use => {
			let stop: (() => void) | undefined;
			try {
				if (supports(driver, 'subscribe')) stop = driver.subscribe(() => void readRecord(record, use));
			} catch {
				// Without news, the store is read again at the next call.
			}
			// A driver in JavaScript may have given something else.
			return () => void (typeof stop === 'function' && stop());
		},
		deleteLateWrite: async use => {
			if (supports(driver, 'lock')) await exclusive(use, async () => readRecord(record, use));
		},
	};
}
