import type {Awaitable} from '../../lib/awaitable.ts';
import {createRecordText} from './record-text.ts';
import type {StoreDriver} from './store-driver.ts';

/** A place that keeps one text. */
export interface TextBackend {
	/** Gives the text, or nothing if there is none. */
	read(): Awaitable<string | null | undefined>;
	/** Keeps a text, or deletes it if it is undefined, whatever was there before. */
	write(text: string | undefined): Awaitable<unknown>;
	/**
	Does the same as one step, only if the text that was found is still there. Gives false if it is not, and changes nothing.

	Also writes, and gives true, if the new text is there already. A client may have sent the command twice. And a session writes a record
	over itself to find out whether the store takes a write.
	*/
	compareAndSet(found: string | undefined, text: string | undefined): Awaitable<boolean>;
}

/** Keeps the token as text in such a place. It has no lock and tells no news: those differ from place to place. */
export function textDriver({
	read,
	write,
	compareAndSet,
}: TextBackend): Required<Pick<StoreDriver, 'get' | 'set' | 'delete' | 'replace'>> {
	const record = createRecordText();
	return {
		get: async () => record.parse(await read()),
		set: async token => void (await write(record.format(token))),
		delete: async () => void (await write(undefined)),
		replace: async (found, token) => {
			const expected = record.textOf(found);
			// A value that this store has neither read nor written cannot be what is stored.
			return expected !== null && compareAndSet(expected, token && record.format(token));
		},
	};
}
