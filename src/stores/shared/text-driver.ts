import type {Awaitable} from '../../lib/awaitable.ts';
import {ownProperties} from '../../lib/own-properties.ts';
import type {TokenSet} from '../../token/token-set.ts';
import {type Lease, runUnderLease} from './lease.ts';
import type {StoreDriver} from './store-driver.ts';

/** A place that keeps one text. */
export interface TextBackend {
	/** Returns the text, or nothing if there is none. */
	read(): Awaitable<string | null | undefined>;
	/** Stores a text, or deletes it if it is undefined, whatever was there before. */
	write(text: string | undefined): Awaitable<unknown>;
	/**
	Does the same in one step, but only if the place still holds the text that was found. Otherwise it changes nothing and returns false.

	It also writes, and returns true, if the new text is already there: a client may have sent the command twice, and a session replaces a
	record by itself to find out whether the store takes writes.
	*/
	compareAndSet(found: string | undefined, text: string | undefined): Awaitable<boolean>;
}

/** Keeps the token as text in such a place. Locks and change notices are left out, because they differ from place to place. */
export function textDriver({
	read,
	write,
	compareAndSet,
}: TextBackend): Required<Pick<StoreDriver, 'get' | 'set' | 'delete' | 'replace'>> {
	/** The text of each record that was read or written here, to the letter. */
	const texts = new WeakMap<object, string>();
	const format = (token: TokenSet): string => {
		const text = JSON.stringify(ownProperties(token));
		texts.set(token, text);
		return text;
	};
	return {
		get: async () => {
			const text = (await read()) ?? undefined;
			try {
				const record: unknown = JSON.parse(String(text));
				texts.set(record as object, text as string);
				return record;
			} catch {
				// Text that is not a JSON record is returned as it is, and refused where it is read.
				return text;
			}
		},
		set: async token => void (await write(format(token))),
		delete: async () => void (await write(undefined)),
		replace: async (found, token) => {
			const expected = typeof found === 'string' ? found : texts.get(found as object);
			// A value that this store has neither read nor written cannot be what is stored.
			const isKnown = found === undefined || expected !== undefined;
			return isKnown && compareAndSet(expected, token && format(token));
		},
	};
}

/** What a storage engine must be able to do to share one session among processes. */
export interface LeasedBackend extends TextBackend, Lease {}

/**
Turns such an engine into a store driver: the token is kept as text, and the lock is a lease.

@param lease Milliseconds.
*/
export function leasedDriver(backend: LeasedBackend, lease: number): StoreDriver {
	return {
		...textDriver(backend),
		lock: (task, signal) => runUnderLease(backend, lease, task, signal),
	};
}
