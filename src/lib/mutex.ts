import {type Waiter, withTimeout} from './with-timeout.ts';
import type {Settings} from '../oauth/options.ts';

/**
Lets one task at a time through, each of two operations within `timeout`. Nobody waits for one beyond that: on Workers its owner
may be gone.
*/
export interface Mutex {
	/** Waits for the task under way, or until the waiter's signal, with whose reason it then rejects. */
	wait(settings: Settings, waiter?: Waiter): Promise<void>;
	/** Runs the task when none is under way. */
	take<T>(settings: Settings, task: () => Promise<T>): Promise<T>;
}

/** Mutex of which none is taken. */
export function createMutex(): Mutex {
	let current: Promise<unknown> | undefined;

	const leave = (mine: Promise<unknown>): void => {
		if (current === mine) current = undefined;
	};

	const wait: Mutex['wait'] = async ({timeout}, waiter) => {
		while (current) {
			const mine = current;
			await withTimeout(() => mine, 2 * timeout, undefined, waiter).catch(() => waiter?.signal?.throwIfAborted());
			leave(mine);
		}
	};

	return {
		wait,
		take: async (settings, task) => {
			while (current) await wait(settings);
			const mine = task();
			current = mine;
			try {
				return await mine;
			} finally {
				leave(mine);
			}
		},
	};
}
