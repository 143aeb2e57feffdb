import {LockError} from '../../src/errors.ts';
import type {StoreDriver} from '../../src/stores/shared/store-driver.ts';
import {textDriver} from '../../src/stores/shared/text-driver.ts';
import type {Place} from './token-store-spec.ts';

/** Creates a record in this realm that several stores share, as if each had its own realm. It is a simple model of a shared store. */
export function createSharedMemory(): Place {
	let text: string | undefined;
	let holding: object | undefined;
	const queue: Array<() => void> = [];
	const listeners = new Map<object, () => void>();
	const put = (next: string | undefined, by?: object): void => {
		text = next;
		for (const [store, listener] of listeners) if (store !== by) listener();
	};
	const free = (holder: object): void => {
		if (holding !== holder) return;
		holding = undefined;
		for (const wake of queue.splice(0)) wake();
	};
	const take = async (holder: object, signal?: AbortSignal): Promise<void> => {
		while (holding || signal?.aborted) {
			if (signal?.aborted) throw new LockError();
			await new Promise<void>(resolve => {
				queue.push(resolve);
				signal?.addEventListener('abort', () => resolve());
			});
		}
		holding = holder;
	};

	const holder = (assertReachable = (): void => {}): StoreDriver => {
		const store: StoreDriver = {
			...textDriver({
				read: () => {
					assertReachable();
					return text;
				},
				write: next => {
					assertReachable();
					put(next, store);
				},
				compareAndSet: (found, next) => {
					assertReachable();
					if (found !== text) return false;
					put(next, store);
					return true;
				},
			}),
			lock: async (task, signal) => {
				const me = {};
				await take(me, signal);
				try {
					return await task(() => holding === me);
				} finally {
					free(me);
				}
			},
			subscribe: onChange => {
				listeners.set(store, onChange);
				return () => listeners.delete(store);
			},
		};
		return store;
	};

	return {
		holder,
		peek: async () => text,
		poke: async value => put(value),
		abandonLock: async () => {
			const gone = {};
			await take(gone);
			setTimeout(() => free(gone), 1);
		},
		breakable: async () => {
			let isBroken = false;
			const assertReachable = (): void => {
				if (isBroken) throw new Error('Not to be reached: hunter2hunter2');
			};
			return {
				store: holder(assertReachable),
				breaks: async () => {
					isBroken = true;
				},
				mends: async () => {
					isBroken = false;
				},
			};
		},
	};
}
