import {LockError} from '../../errors.ts';
import {isSameToken} from '../../token/token-set.ts';
import type {CellUse, LockedCell} from '../token-cell.ts';
import {readRecord, type SharedRecord, swapRecord} from './shared-record.ts';

/** The pause before a write is tried again, in milliseconds. */
const pause = 50;

/**
The record of a driver whose lock is held.

@param isHeld Whether the lock is still held, for a lock that can run out.
*/
export function createLockedCell(record: SharedRecord, use: CellUse, isHeld: (() => boolean) | undefined): LockedCell {
	const isShared = record.driver.lock !== undefined;
	/** Whether the store worked when the cell was claimed. A store that never worked is not shared. */
	let isWorking = false;
	const assertHeld = (): void => {
		// This process was stopped for so long that another holder may have the lock.
		if (isHeld?.() === false) throw new LockError();
	};

	return {
		claim: async (from, usesRefreshToken) => {
			await readRecord(record, use);
			const {state, token, wasRead} = record.known;
			const isSaved = state !== 'unsaved';
			const failure = record.failures.get('store_read');
			// Others may have renewed the token since the last read.
			if (failure && isShared && wasRead && isSaved) throw new LockError(failure.message);
			if (!isSameToken(token, from)) return false;
			assertHeld();
			isWorking = isShared && !failure && isSaved;
			// Nobody else knows a token that the store has never taken.
			if (!isWorking || !from || !usesRefreshToken) return true;
			// The record is written again, unchanged, to find out whether the store takes writes.
			if (!(await swapRecord(record, use, from, from))) return false;
			const error = record.failures.get('store_write');
			if (error) throw error;
			assertHeld();
			return true;
		},
		commit: async (from, to) => {
			// Counted from here, because callers are waiting for the token, and a store that hangs has already used its time.
			const end = performance.now() + use.timeout;
			const isStored = await swapRecord(record, use, from, to);
			const isUnsaved = (): boolean => isStored && isWorking && record.known.state === 'unsaved';
			while (isUnsaved() && isHeld?.() !== false && performance.now() < end) {
				await new Promise(resolve => void setTimeout(resolve, pause));
				await readRecord(record, use);
			}
			return isStored;
		},
	};
}
