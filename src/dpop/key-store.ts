import type {Awaitable} from '../lib/awaitable.ts';
import {type DpopAlgorithm, type DpopKeyPair, isKeyPair} from './key-pair.ts';

/**
Keeps the key of `dpop()`. In one step, it stores the key pair unless there already is one, and returns the stored one. It is called before
the first request, and before each token request.

Everybody who shares the tokens of a session must share this key, because the tokens are bound to it.
*/
export type DpopKeyStore = (keyPair: DpopKeyPair) => Awaitable<DpopKeyPair>;

const table = 'keys';

/**
Keeps a key pair in IndexedDB, for all tabs, frames and workers of the origin. Scripts can use the private key, but cannot read it.

@see https://www.w3.org/TR/webcrypto/#concepts-key-storage
*/
export async function keepInIndexedDb(keyPair: DpopKeyPair, name: DpopAlgorithm): Promise<DpopKeyPair> {
	const database = await open();
	try {
		return await new Promise((resolve, reject) => {
			// Strict durability: after a power failure, a stored token must not be without its key.
			const transaction = database.transaction(table, 'readwrite', {
				durability: 'strict',
			});
			const keys = transaction.objectStore(table);
			let kept = keyPair;
			const reading = keys.get(name);
			reading.addEventListener('success', () => {
				const {result} = reading as {readonly result: unknown};
				try {
					if (isKeyPair(result)) kept = result;
					else keys.put(keyPair, name);
				} catch (error) {
					// A browser that cannot store keys throws here.
					reject(error);
					transaction.abort();
				}
			});
			transaction.addEventListener('complete', () => resolve(kept));
			transaction.addEventListener('abort', () => reject(transaction.error));
		});
	} finally {
		// An open database can keep a page out of the back/forward cache.
		database.close();
	}
}

function open(version?: number): Promise<IDBDatabase> {
	return new Promise((resolve, reject) => {
		const request = indexedDB.open('regrant-dpop', version);
		request.addEventListener('upgradeneeded', () => request.result.createObjectStore(table));
		request.addEventListener('success', () => {
			const database = request.result;
			if (database.objectStoreNames.contains(table)) return resolve(database);
			// Somebody else has created a database of this name, for instance by opening it in the console.
			database.close();
			return resolve(open(database.version + 1));
		});
		request.addEventListener('error', () => reject(request.error));
	});
}
