import {ConfigError, LockError} from '../../errors.ts';
import {ownProperties} from '../../lib/own-properties.ts';
import {randomId} from '../../lib/random-id.ts';

/** Whoever lends the lock of a store, for a time and under the name of its owner. */
export interface Lessor {
	/** For how long, in milliseconds. */
	readonly lease: number;
	/** Lends it where nobody else has it. */
	take(owner: string): Promise<boolean>;
	/** Lends it anew, where this owner still has it. */
	keep(owner: string): Promise<boolean>;
	/** Takes it back, where this owner still has it. */
	free(owner: string): Promise<unknown>;
}

/** What a store with a lease may be told. */
export interface LeaseOptions {
	/**
	For how long a holder that does not answer any more keeps the lock, in milliseconds. One that runs keeps it up for as long as it
	needs it. Should not be shorter than the `timeout` of the session. Default: 15,000.
	*/
	readonly lease?: number | undefined;
}

const defaultLease = 15_000;
/** Below it, what keeps it up could come too late on a busy machine. */
const shortestLease = 100;

/**
The length of a lease in milliseconds.

@throws {ConfigError} where the option is none.
*/
export function leaseOf(options: LeaseOptions | undefined): number {
	const {lease = defaultLease} = ownProperties(options);
	// Beyond the other end a timer fires at once, on every runtime.
	if (Number.isSafeInteger(lease) && lease >= shortestLease && lease < 2 ** 31) return lease;
	throw new ConfigError(`lease must be milliseconds, a whole number of at least ${shortestLease}`);
}

/** How long to wait before asking again, at first and at last, in milliseconds. */
const shortestPause = 10;
const longestPause = 200;

/** Two clocks in milliseconds: one stands still while a machine sleeps, the other can be set. */
const clocks = (): readonly number[] => [performance.now(), Date.now()];

/**
Runs a task while its owner has the lease, which is kept up until the task is done. The task is given a function that tells whether that
worked: it did not for a process that was stopped meanwhile.

@throws {LockError} where the signal ended the wait: the task does not run then. Also what `take` rejects with.
*/
export async function underLease<T>(
	{lease, take, keep, free}: Lessor,
	task: (isHeld: () => boolean) => Promise<T>,
	signal?: AbortSignal,
): Promise<T> {
	const owner = randomId();
	let since: readonly number[] | undefined;
	const isHeld = (): boolean => clocks().every((now, index) => now < (since?.[index] ?? -Infinity) + lease);
	const lend = async (ask: (owner: string) => Promise<boolean>): Promise<boolean> => {
		// From before the question on: the lessor's clock runs from somewhere between it and the answer.
		const asked = clocks();
		const isLent = await ask(owner);
		since = isLent ? asked : undefined;
		return isLent;
	};
	// Also where the answer to `take` was lost, or came too late. Should it fail, the lease runs out by itself.
	const release = async (): Promise<void> => void (await free(owner).catch(() => {}));
	let beat: ReturnType<typeof setInterval> | undefined;
	try {
		for (let pause = shortestPause; !(await lend(take)); pause = Math.min(pause * 1.5, longestPause)) {
			if (signal?.aborted) break;
			// At random, so that nobody is always the second to ask.
			await new Promise(resolve => void setTimeout(resolve, pause * (0.5 + Math.random())));
		}
		if (signal?.aborted) throw new LockError();
		beat = setInterval(() => void lend(keep).catch(() => {}), lease / 3);
		(beat as {unref?: () => void}).unref?.();
		return await task(isHeld);
	} finally {
		clearInterval(beat);
		await release();
	}
}
