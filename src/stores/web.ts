import {withTimeout} from '../lib/with-timeout.ts';
import {ConfigError, LockError} from '../errors.ts';
import {ownProperties} from '../lib/own-properties.ts';
import {createRecordText} from './shared/record-text.ts';
import {isServer} from '../lib/runtime.ts';
import {sharedStore} from './shared/shared-store.ts';
import type {TokenStore} from './token-cell.ts';
import {createWriteMark} from './write-mark.ts';

/** As much of a Web Storage as is used here. Where there is no DOM, there is no type of it. */
export interface WebStorage {
	/** Reads. Null where there is nothing. */
	getItem(key: string): string | null;
	/** Writes. */
	setItem(key: string, text: string): void;
	/** Deletes. */
	removeItem(key: string): void;
}

/** As much of the Web Locks API as is used here: not every runtime's types have it. */
interface Locks {
	request<T>(name: string, options: {readonly signal?: AbortSignal}, task: () => Promise<T>): Promise<T>;
}

/** Fulfils when all who held or wanted the lock in this realm are done with it. */
type Queue = Promise<unknown>;

/** How often a tab looks whether it reads what another has written, and the pause between, in milliseconds. */
const settlingTries = 100;
const settlingPause = 10;

// By storage and key, since each `webStorage` of the same place is a holder of the same lock.
const queues = new WeakMap<object, Map<string, Queue>>();

/**
Keeps the token in Web Storage, where all tabs and frames of the origin share it: one of them at a time renews it, by Web Locks, and
the others hear of it. Any script on the page can read it: keep the page clean of others' scripts.

Without Web Locks (a page without https, an opaque origin) tabs are kept apart by nothing but a comparison before each write. The
callers of one realm still share one grant.

@param key The name of the item.
@param storage `localStorage` by default, looked up when it is used first. `sessionStorage` is for one tab.
@throws {ConfigError} where the key is no text, or the storage is no Web Storage.
@see https://www.w3.org/TR/web-locks/
@example
```ts
const auth = createAuth({tokenEndpoint, clientId: 'app', store: webStorage('session')});
```
*/
export function webStorage(key: string, storage?: WebStorage): TokenStore {
	if (typeof key !== 'string' || key === '') throw new ConfigError('key must be a text that is not empty');
	if (storage !== undefined && typeof (storage as Partial<WebStorage> | null)?.getItem !== 'function') {
		throw new ConfigError('storage must be a Web Storage, such as sessionStorage');
	}
	const record = createRecordText();
	const name = `regrant ${key}`;
	// Its getter throws where the page may not store anything.
	const place = (): WebStorage => storage ?? localStorage;
	const queueOwner = (): object => {
		try {
			return place();
		} catch {
			return globalThis;
		}
	};
	const channels = new Set<BroadcastChannel>();
	const read = (): string | undefined => place().getItem(key) ?? undefined;
	const mark = createWriteMark(key);
	/** Whether other processes of a browser write to it, too. */
	const isShared = (): boolean =>
		// Where there is no browser, Node warns of the look alone.
		!isServer() && place() === (globalThis as {localStorage?: unknown}).localStorage;
	/** Waits until this tab reads what any tab has written last. */
	const settle = async (): Promise<void> => {
		try {
			if (!isShared()) return;
			for (let tries = 0; tries < settlingTries; tries++) {
				if (await mark.fits(read())) return;
				await new Promise(resolve => void setTimeout(resolve, settlingPause));
			}
			// Whoever wrote it did not live to mark it, or knows of no marks.
			await mark.set(read());
		} catch {
			// Where nothing can be read, that is found out by who reads.
		}
	};
	const put = async (text: string | undefined): Promise<void> => {
		if (text === undefined) place().removeItem(key);
		else place().setItem(key, text);
		if (isShared()) await mark.set(text);
		if (channels.size === 0) openChannel(name, tellOthers)?.close();
		else channels.forEach(tellOthers);
	};

	return sharedStore(
		{
			get: () => record.parse(read()),
			set: token => put(record.format(token)),
			delete: () => put(undefined),
			replace: async (found, token) => {
				await settle();
				if (record.textOf(found) !== read()) return false;
				await put(token && record.format(token));
				return true;
			},
			lock: async (task, signal) => {
				const {locks} = navigator as {readonly locks?: Locks | null};
				// Node's never frees a lock whose holder was ended.
				if (!locks || isServer()) return inTurn(queueOwner(), key, task, signal);
				let isHeld = false;
				try {
					return await locks.request(name, ownProperties(signal ? {signal} : {}), async () => {
						isHeld = true;
						await settle();
						return task();
					});
				} catch (error) {
					if (isHeld) throw error;
					if (signal?.aborted) throw new LockError();
					// The page may not have locks, or is being put away.
					return inTurn(queueOwner(), key, task, signal);
				}
			},
			subscribe: onChange => {
				const hear = ({key: changed, storageArea}: StorageEvent): void => {
					if (storageArea === place() && (changed === key || changed === null)) onChange();
				};
				const wake = ({persisted}: PageTransitionEvent): void => {
					// Nothing was heard while the page was put away.
					if (persisted) onChange();
				};
				const channel = endsWithProgram()
					? openChannel(name, channel => channel.addEventListener('message', onChange))
					: undefined;
				if (channel) channels.add(channel);
				// Outside of browsers it has no events.
				const target = globalThis as unknown as Partial<Window>;
				target.addEventListener?.('storage', hear);
				target.addEventListener?.('pageshow', wake);
				return () => {
					target.removeEventListener?.('storage', hear);
					target.removeEventListener?.('pageshow', wake);
					channel?.close();
					if (channel) channels.delete(channel);
				};
			},
		},
		{isMarked: true},
	);
}

/** That there is something new, and not what. */
function tellOthers(channel: BroadcastChannel): void {
	// oxlint-disable-next-line unicorn/require-post-message-target-origin -- a channel is of its origin alone
	channel.postMessage(null);
}

/** Deno runs for as long as a channel listens, and cannot be told not to. What others write is found there at the next look. */
function endsWithProgram(): boolean {
	return !isServer() || 'unref' in Object(globalThis.BroadcastChannel?.prototype);
}

/** Where there are channels, and this origin may have one. */
function openChannel(name: string, use: (channel: BroadcastChannel) => void): BroadcastChannel | undefined {
	try {
		const channel = new BroadcastChannel(name);
		// One that listens would keep Node and Bun running.
		(channel as {unref?: () => void}).unref?.();
		use(channel);
		return channel;
	} catch {
		return undefined;
	}
}

/** Runs a task after those that were here before, in this realm. */
async function inTurn<T>(
	owner: object,
	key: string,
	task: () => Promise<T>,
	signal: AbortSignal | undefined,
): Promise<T> {
	const keys = queues.get(owner) ?? new Map<string, Queue>();
	queues.set(owner, keys);
	const before = keys.get(key) ?? Promise.resolve();
	const turn = (async () => {
		await withTimeout(() => before, 2 ** 31 - 1, undefined, {signal}).catch(() => {
			throw new LockError();
		});
		return task();
	})();
	// Whoever waits no longer is not in the way, and does not let anybody through either.
	keys.set(key, Promise.allSettled([before, turn]));
	return turn;
}
