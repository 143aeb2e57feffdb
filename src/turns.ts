import {type Waiter, within} from './deadline.ts';

/** Lets one task at a time through. Nobody waits for one beyond a deadline: on Workers its owner may be gone. */
export interface Turns {
	/** Waits for the task under way, or until the waiter's signal, with whose reason it then rejects. */
	wait(milliseconds: number, waiter?: Waiter): Promise<void>;
	/** Runs the task when none is under way. */
	take<T>(milliseconds: number, task: () => Promise<T>): Promise<T>;
}

/** Turns of which none is taken. */
export function createTurns(): Turns {
	let current: Promise<unknown> | undefined;

	const leave = (mine: Promise<unknown>): void => {
		if (current === mine) current = undefined;
	};

	const wait: Turns['wait'] = async (milliseconds, waiter) => {
		while (current) {
			const mine = current;
			await within(() => mine, milliseconds, undefined, waiter).catch(() => waiter?.signal?.throwIfAborted());
			leave(mine);
		}
	};

	return {
		wait,
		take: async (milliseconds, task) => {
			while (current) await wait(milliseconds);
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
