import {LockError} from '../errors.ts';
import {ownProperties} from '../lib/own-properties.ts';
import {isServer} from '../lib/runtime.ts';
import {withTimeout} from '../lib/with-timeout.ts';

/** The part of the Web Locks API that is used here. Not every runtime has types of it. */
interface Locks {
	request<T>(name: string, options: {readonly signal: AbortSignal | undefined}, task: () => Promise<T>): Promise<T>;
}

/** The last task that holds or wants each lock in this realm, by what the lock belongs to and by its name. Empty while nobody does. */
const queues = new WeakMap<object, Map<string, Promise<unknown>>>();

/**
Runs a task while no other realm of this origin runs one under the same name, by Web Locks. Without them (a page without https, an
opaque origin), it runs after the tasks of this realm alone.

@param owner What the lock belongs to, if there are no Web Locks: another owner's lock of the same name is another lock.
@param signal Ends the wait, and nothing once the task has begun.
@throws {LockError} if the signal ends the wait. The task does not run then.
@see https://www.w3.org/TR/web-locks/
*/
export async function runWithLock<T>(
	name: string,
	owner: object,
	task: () => Promise<T>,
	signal: AbortSignal | undefined,
): Promise<T> {
	// Node can be started without a navigator. With one, it never frees a lock whose holder was ended.
	const {locks} = Object(globalThis.navigator) as {
		readonly locks?: Locks | null;
	};
	if (!locks || isServer()) return runInQueue(name, owner, task, signal);
	let isHeld = false;
	try {
		return await locks.request(name, ownProperties({signal}), async () => {
			isHeld = true;
			return task();
		});
	} catch (error) {
		if (isHeld) throw error;
		if (signal?.aborted) throw new LockError();
		// The page may have no right to locks, or is just being closed.
		return runInQueue(name, owner, task, signal);
	}
}

async function runInQueue<T>(
	name: string,
	owner: object,
	task: () => Promise<T>,
	signal: AbortSignal | undefined,
): Promise<T> {
	const queue = queues.get(owner) ?? new Map<string, Promise<unknown>>();
	queues.set(owner, queue);
	const before = queue.get(name);
	const run = async (): Promise<T> => {
		await withTimeout(() => before, 2 ** 31 - 1, undefined, {signal}).catch(() => {
			throw new LockError();
		});
		return task();
	};
	const mine = run();
	// Whoever gives up waiting lets the next one through only when those before are done.
	const last = Promise.allSettled([before, mine]).then(() => {
		if (queue.get(name) === last) queue.delete(name);
	});
	queue.set(name, last);
	return mine;
}
