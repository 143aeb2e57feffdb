import {ConfigError} from '../errors.ts';
import {withTimeout} from '../lib/with-timeout.ts';

/** The result of a transaction. */
export interface Outcome {
	/** The text that was stored before. */
	readonly found: string | undefined;
	/** Whether the new text is stored now. */
	readonly isWritten: boolean;
}

/** The only table of a database, and the only key in it. */
const table = 'session';
const slot = 'token';

/**
How long one transaction may take, in milliseconds. IndexedDB itself can wait for ever, for instance while another tab deletes the
database.
*/
const deadline = 5_000;

/**
Reads the text of a database, and replaces it if it is the expected one, as one step. Every later transaction of every tab finds the
new text.

The database is closed afterwards, since an open one can keep a page out of the back/forward cache.

@param isExpected Whether to write, given what is stored. Without it, the text is only read.
@param text The new text. Undefined deletes.
@throws if the browser refuses to, or does not answer in time. A transaction that was too slow is aborted, so it writes nothing later.
*/
export async function transact(
	name: string,
	isExpected?: (found: string | undefined) => boolean,
	text?: string,
): Promise<Outcome> {
	let isLate = false;
	let abort = (): void => {};
	const run = async (): Promise<Outcome> => {
		const database = await openDatabase(name);
		try {
			// Nobody waits for this any more.
			if (isLate) return {found: undefined, isWritten: false};
			// Strict: after a power failure, the refresh token that was used up must not be back.
			const transaction = database.transaction(table, isExpected ? 'readwrite' : 'readonly', {durability: 'strict'});
			abort = () => transaction.abort();
			return await completed(transaction, isExpected, text);
		} finally {
			database.close();
		}
	};
	return withTimeout(run, deadline, () => {
		isLate = true;
		try {
			abort();
		} catch {
			// It is complete, and only its event has not come yet.
		}
	});
}

function completed(
	transaction: IDBTransaction,
	isExpected: ((found: string | undefined) => boolean) | undefined,
	text: string | undefined,
): Promise<Outcome> {
	return new Promise((resolve, reject) => {
		let found: string | undefined;
		let isWritten = false;
		const records = transaction.objectStore(table);
		const reading = records.get(slot);
		reading.addEventListener('success', () => {
			const {result} = reading as {readonly result: unknown};
			// A value of another type is no token, and some other program's.
			found = result === undefined || typeof result === 'string' ? result : '';
			isWritten = !!isExpected?.(found);
			if (!isWritten) return;
			if (text === undefined) records.delete(slot);
			else records.put(text, slot);
		});
		transaction.addEventListener('complete', () => resolve({found, isWritten}));
		// Also for every failed request: nobody prevents it from aborting the transaction.
		transaction.addEventListener('abort', () => reject(transaction.error));
	});
}

/** Opens the database, and creates it if need be. */
async function openDatabase(name: string): Promise<IDBDatabase> {
	const database = await open(name);
	if (database.objectStoreNames.contains(table)) return database;
	// Somebody else has created a database of this name, for instance by opening it in the console.
	const {version} = database;
	database.close();
	return open(name, version + 1);
}

function open(name: string, version?: number): Promise<IDBDatabase> {
	const {indexedDB} = globalThis as {readonly indexedDB?: IDBFactory};
	if (!indexedDB) throw new ConfigError('indexedDbStore needs IndexedDB, which this runtime does not have');
	return new Promise((resolve, reject) => {
		const request = indexedDB.open(name, version);
		request.addEventListener('upgradeneeded', () => request.result.createObjectStore(table));
		request.addEventListener('success', () => resolve(request.result));
		request.addEventListener('error', () => reject(request.error));
	});
}
