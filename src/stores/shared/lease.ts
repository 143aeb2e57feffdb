import {ConfigError, LockError} from '../../errors.ts';
import {ownProperties} from '../../lib/own-properties.ts';
import {randomId} from '../../lib/random-id.ts';
import {withTimeout} from '../../lib/with-timeout.ts';

/** A lock that its owner has for a limited time, and can renew. A crashed owner blocks the others no longer than that. */
export interface Lease {
	/**
	Acquires the lock for this owner, if no other owner has it.

	@param signal Aborts when nobody waits for the answer any more.
	*/
	acquire(owner: string, signal?: AbortSignal): Promise<boolean>;
	/** Starts the owner's time again, if the lock is still theirs. */
	renew(owner: string): Promise<boolean>;
	/** Frees the lock, if it is still this owner's. */
	release(owner: string): Promise<unknown>;
}

/** Options of every store whose lock is a lease. */
export interface LeaseOptions {
	/**
	How long the lock of a crashed process stays taken, in milliseconds. A running process renews its lease for as long as it needs
	it, so this is no limit for a slow refresh. Should not be shorter than the `timeout` of the session.

	@default 15_000
	*/
	readonly lease?: number | undefined;
}

const defaultLease = 15_000;
/** A shorter lease could end before a busy machine gets to renew it. */
const shortestLease = 100;
/** Renewed this often, a default lease survives a process that is stopped for 11 seconds at any moment (F-138). */
const renewalsPerLease = 5;

/**
Reads the `lease` option, in milliseconds.

@param names The options that the store has.
@throws {ConfigError} if it is not a whole number of milliseconds in range, or if there is an unknown option.
*/
export function readLease(options: LeaseOptions | undefined, names: readonly string[] = ['lease', 'ttl']): number {
	const {lease = defaultLease, ...others} = ownProperties(options);
	const unknown = Object.keys(others).find(name => !names.includes(name));
	if (unknown) throw new ConfigError(`${unknown} is not an option`);
	// A timer with more than 2 ** 31 - 1 milliseconds fires at once, on every runtime.
	if (Number.isSafeInteger(lease) && lease >= shortestLease && lease < 2 ** 31) return lease;
	throw new ConfigError(`lease must be milliseconds, a whole number of at least ${shortestLease}`);
}

/** The first and the longest pause between two attempts to acquire the lock, in milliseconds. */
const shortestPause = 10;
const longestPause = 200;

/** How long callers wait until the lock is free again, in milliseconds. They have their token, and the next holder can wait for the lease to end. */
const longestRelease = 1_000;

/** Two clocks in milliseconds: the first stops while a machine sleeps, the second can be set. */
const readClocks = (): readonly number[] => [performance.now(), Date.now()];

/**
Runs a task while it has the lease, and renews the lease until the task is done.

@param lease Milliseconds.
@param task Gets a function that says whether it still has the lock. It has not if the process was stopped for too long.
@throws {LockError} if the signal aborts before the lock is acquired: the task does not run then. Also what `acquire` rejects with.
*/
export async function runUnderLease<T>(
	{acquire, renew, release}: Lease,
	lease: number,
	task: (isHeld: () => boolean) => Promise<T>,
	signal?: AbortSignal,
): Promise<T> {
	const owner = randomId();
	let since: readonly number[] | undefined;
	const isHeld = (): boolean => readClocks().every((now, index) => now < (since?.[index] ?? -Infinity) + lease);
	const extend = async (request: Lease['acquire']): Promise<boolean> => {
		// Counted from before the request is sent: the other side starts counting at some point after that.
		const sent = readClocks();
		const isGranted = await request(owner, signal);
		since = isGranted ? sent : undefined;
		return isGranted;
	};
	let timer: ReturnType<typeof setInterval> | undefined;
	try {
		let pause = shortestPause;
		while (!(await extend(acquire)) && !signal?.aborted) {
			// Random, so that no process is always the second to ask.
			await new Promise(resolve => void setTimeout(resolve, pause * (0.5 + Math.random())));
			pause = Math.min(pause * 1.5, longestPause);
		}
		if (signal?.aborted) throw new LockError();
		timer = setInterval(() => void extend(renew).catch(() => {}), lease / renewalsPerLease);
		(timer as {unref?: () => void}).unref?.();
		return await task(isHeld);
	} finally {
		clearInterval(timer);
		// Also if `acquire` failed: its answer may have been lost. If this fails as well, the lease runs out by itself.
		await withTimeout(() => release(owner), longestRelease).catch(() => {});
	}
}
