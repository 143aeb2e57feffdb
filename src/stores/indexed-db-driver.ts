import {ConfigError} from '../errors.ts';
import {transact} from './indexed-db.ts';
import type {StoreDriver} from './shared/store-driver.ts';
import {textDriver} from './shared/text-driver.ts';
import {runWithLock} from './web-lock.ts';
import {createWebNews} from './web-news.ts';

/** The driver of `indexedDbStore`. */
export function indexedDbDriver(name: string): StoreDriver {
	if (typeof name !== 'string' || name === '') throw new ConfigError('name must be a text that is not empty');
	const fullName = `regrant ${name}`;
	const news = createWebNews(() => fullName);

	const write = async (
		text: string | undefined,
		isExpected: (found: string | undefined) => boolean = () => true,
	): Promise<boolean> => {
		const {found, isWritten} = await transact(fullName, isExpected, text);
		if (isWritten && found !== text) news.tell();
		return isWritten;
	};

	return {
		...textDriver({
			read: async () => (await transact(fullName)).found,
			write: text => write(text),
			compareAndSet: (expected, text) => write(text, found => found === expected),
		}),
		lock: (task, signal) => runWithLock(fullName, globalThis, task, signal),
		subscribe: news.subscribe,
	};
}
