import {type Waiter, withTimeout} from './with-timeout.ts';

/** Runs one task at a time. */
export interface Mutex {
	/** Waits until no task is running. Rejects with the reason of the waiter's signal. */
	wait(waiter?: Waiter): Promise<void>;
	/** Whether a task is running. One may have begun since a wait ended. */
	isBusy(): boolean;
	/**
	Runs the task when no other task is running.

	@param milliseconds How long the task may block the others.
	*/
	runExclusive<T>(task: () => Promise<T>, milliseconds: number): Promise<T>;
}

/**
Creates a mutex.

Nobody waits for a task longer than that. On Cloudflare Workers, a task never ends if the request that started it is gone.
*/
export function createMutex(): Mutex {
	let running: {readonly task: Promise<unknown>; readonly end: number} | undefined;

	const wait: Mutex['wait'] = async waiter => {
		while (running) {
			const current = running;
			const left = Math.max(0, current.end - performance.now());
			await withTimeout(() => current.task, left, undefined, waiter).catch(() => waiter?.signal?.throwIfAborted());
			if (running === current) running = undefined;
		}
	};

	return {
		wait,
		isBusy: () => running !== undefined,
		runExclusive: async (task, milliseconds) => {
			while (running) await wait();
			const mine = {task: task(), end: performance.now() + milliseconds};
			running = mine;
			try {
				return await mine.task;
			} finally {
				if (running === mine) running = undefined;
			}
		},
	};
}
