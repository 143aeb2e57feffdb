import {ConfigError} from '../errors.ts';
import {randomId} from '../lib/random-id.ts';
import {isServer} from '../lib/runtime.ts';
import type {StoreDriver} from './shared/store-driver.ts';
import {textDriver} from './shared/text-driver.ts';
import {runWithLock} from './web-lock.ts';
import {createWebNews} from './web-news.ts';

/** The part of a Web Storage that is used here. Runtimes without a DOM have no type of it. */
export interface WebStorage {
	/** Reads an item. Returns null if there is none. */
	getItem(key: string): string | null;
	/** Writes an item. */
	setItem(key: string, text: string): void;
	/** Deletes an item. */
	removeItem(key: string): void;
}

/** The driver of `webStorage`. */
export function webStorageDriver(key: string, storage: WebStorage | (() => WebStorage)): StoreDriver {
	if (typeof key !== 'string' || key === '') throw new ConfigError('key must be a text that is not empty');
	if (typeof storage !== 'function' && typeof Object(storage).getItem !== 'function') {
		throw new ConfigError(
			'storage must be sessionStorage or localStorage. To share a session among tabs, use indexedDbStore',
		);
	}
	const open = typeof storage === 'function' ? storage : (): WebStorage => storage;
	const read = (): string | undefined => open().getItem(key) ?? undefined;

	/**
	The name of the lock and of the news. Each tab has a sessionStorage of its own, so its name has an id that lies in that storage: the
	frames of a tab find it there, and other tabs do not.
	*/
	const scope = (): string => {
		const name = `regrant ${key}`;
		const place = open();
		// Node warns when the global is only looked at.
		if (isServer() || place !== (globalThis as {sessionStorage?: unknown}).sessionStorage) return name;
		const item = `${key}:tab`;
		const tab = place.getItem(item) ?? randomId();
		place.setItem(item, tab);
		return `${name} ${tab}`;
	};
	const news = createWebNews(scope);

	const write = (text: string | undefined): void => {
		if (text === undefined) open().removeItem(key);
		else open().setItem(key, text);
		news.tell();
	};

	return {
		...textDriver({
			read,
			write,
			compareAndSet: (found, text) => {
				if (read() !== found) return false;
				write(text);
				return true;
			},
		}),
		lock: async (task, signal) => {
			let place: WebStorage | undefined;
			let name = key;
			try {
				place = open();
				name = scope();
			} catch {
				// A page that may not store anything shares nothing with other realms either.
			}
			return runWithLock(name, place ?? globalThis, task, signal);
		},
		subscribe: onChange => {
			// What other scripts do to the storage, such as clearing it, is news as well.
			const hear = ({key: changed, storageArea}: StorageEvent): void => {
				if (storageArea === open() && (changed === key || changed === null)) onChange();
			};
			const realm = globalThis as unknown as Partial<Window>;
			realm.addEventListener?.('storage', hear);
			const stop = news.subscribe(onChange);
			return () => {
				realm.removeEventListener?.('storage', hear);
				stop();
			};
		},
	};
}
