import {type Waiter, withTimeout} from './with-timeout.ts';

/** Runs one task at a time. */
export interface Mutex {
	/** Waits until no task runs. Rejects with the reason of the waiter's signal. */
	wait(milliseconds: number, waiter?: Waiter): Promise<void>;
	/** Runs the task when no other runs. */
	runExclusive<T>(task: () => Promise<T>, milliseconds: number): Promise<T>;
}

/**
Creates a mutex.

Nobody waits for a running task longer than a number of milliseconds: on Cloudflare Workers the request that began it may be gone, and
then it never ends.
*/
export function createMutex(): Mutex {
	let running: Promise<unknown> | undefined;

	const release = (task: Promise<unknown>): void => {
		if (running === task) running = undefined;
	};

	const wait: Mutex['wait'] = async (milliseconds, waiter) => {
		while (running) {
			const task = running;
			await withTimeout(() => task, milliseconds, undefined, waiter).catch(() => waiter?.signal?.throwIfAborted());
			release(task);
		}
	};

	return {
		wait,
		runExclusive: async (task, milliseconds) => {
			while (running) await wait(milliseconds);
			const mine = task();
			running = mine;
			try {
				return await mine;
			} finally {
				release(mine);
			}
		},
	};
}
