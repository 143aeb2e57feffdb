/** Tells whether a text is what any tab of the origin has written last. */
export interface WriteMark {
	/** Whether it is, as far as that is known. */
	fits(text: string | undefined): Promise<boolean>;
	/** Marks the text as the last one. */
	set(text: string | undefined): Promise<void>;
}

const database = 'regrant';
const table = 'writes';

/**
The mark of an item of localStorage, kept in IndexedDB. For localStorage is not the same in all tabs at once: a tab that is given a lock
can still read what was there before the holder before it wrote. (Chromium 156: 290 of 400 increments under a lock were left.) What a
transaction has written is read by all that come after it.

Where IndexedDB is missing or fails, every text fits.
*/
export function createWriteMark(name: string): WriteMark {
	return {
		fits: async text => {
			const mark = await transact('readonly', marks => marks.get(name)).catch(() => undefined);
			return mark === undefined || mark === fingerprint(text);
		},
		set: async text => {
			await transact('readwrite', marks => marks.put(fingerprint(text), name)).catch(() => {});
		},
	};
}

/** Opened for each use: an open database keeps a page out of the back/forward cache. */
async function transact<T>(mode: IDBTransactionMode, ask: (marks: IDBObjectStore) => IDBRequest<T>): Promise<T> {
	const opening = indexedDB.open(database, 1);
	opening.addEventListener('upgradeneeded', () => opening.result.createObjectStore(table));
	const opened = await outcomeOf(opening);
	try {
		const transaction = opened.transaction(table, mode);
		const done = new Promise((resolve, reject) => {
			transaction.addEventListener('complete', resolve);
			transaction.addEventListener('abort', reject);
		});
		const request = ask(transaction.objectStore(table));
		await done;
		return request.result;
	} finally {
		opened.close();
	}
}

function outcomeOf<T>(request: IDBRequest<T>): Promise<T> {
	return new Promise((resolve, reject) => {
		request.addEventListener('success', () => resolve(request.result));
		request.addEventListener('error', () => reject(request.error));
	});
}

/** Short, and the same for the same text alone, as good as always. It says nothing of a token. (FNV-1a, twice) */
function fingerprint(text: string | undefined): string {
	if (text === undefined) return 'nothing';
	let [one, other] = [0x811c9dc5, 0x01000193];
	for (let index = 0; index < text.length; index++) {
		one = Math.imul(one ^ text.charCodeAt(index), 0x01000193);
		other = Math.imul(other ^ text.charCodeAt(index), 0x811c9dc5);
	}
	return `${one >>> 0} ${other >>> 0}`;
}
