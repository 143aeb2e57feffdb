import * as fc from 'fast-check';
import {afterEach, beforeEach, describe, expect, vi} from 'vitest';
import {ConfigError, LockError} from '../../../src/index.ts';
import {type Lease, readLease, runUnderLease} from '../../../src/stores/shared/lease.ts';
import {createGate, outcomeOf} from '../../support/scenario.ts';
import {test} from '../../support/test.ts';

const lease = 3_000;

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

/** Creates a server-side lock that logs its requests. */
function createLock(
	length = lease,
): Lease & {readonly log: string[]; readonly owners: Set<string>; holder(): string | undefined} {
	let lent: {readonly owner: string; readonly until: number} | undefined;
	const log: string[] = [];
	const owners = new Set<string>();
	const holder = (): string | undefined => (lent && Date.now() < lent.until ? lent.owner : undefined);
	const hear = (question: string, owner: string): void => {
		log.push(question);
		owners.add(owner);
	};
	const lend = (owner: string): true => {
		lent = {owner, until: Date.now() + length};
		return true;
	};
	return {
		log,
		owners,
		holder,
		acquire: async owner => {
			hear('acquire', owner);
			return [undefined, owner].includes(holder()) && lend(owner);
		},
		renew: async owner => {
			hear('renew', owner);
			return holder() === owner && lend(owner);
		},
		release: async owner => {
			hear('release', owner);
			if (holder() === owner) lent = undefined;
		},
	};
}

/** Begins a task under the lease. Returns a function that ends the task, and one that tells whether it still holds the lease. */
async function begin(lock: Lease, signal?: AbortSignal) {
	const gate = createGate();
	let isHeld = (): boolean => false;
	const done = runUnderLease(
		lock,
		lease,
		async held => {
			isHeld = held;
			await gate.pass();
			return 'done';
		},
		signal,
	);
	await gate.reached;
	return {
		isHeld: () => isHeld(),
		end: async () => {
			gate.open();
			return done;
		},
	};
}

const forever = new Promise<never>(() => {});
const pass = async (milliseconds: number): Promise<void> => void (await vi.advanceTimersByTimeAsync(milliseconds));

describe('a task under a lease', () => {
	test('a task runs under its lease, returns its outcome, and gives the lease back', async () => {
		const lock = createLock();
		const outcome = await runUnderLease(lock, lease, async isHeld => [isHeld(), [...lock.owners][0] === lock.holder()]);
		expect(outcome).toEqual([true, true]);
		expect(lock.log).toEqual(['acquire', 'release']);
		expect(lock.owners.size).toBe(1);
		expect(vi.getTimerCount()).toBe(0);
	});

	test('a task under a lease that fails, or throws at once, gives it back [F-103]', async () => {
		const lock = createLock();
		const thrower = (): never => {
			throw new RangeError('at once');
		};
		for (const task of [thrower, async () => Promise.reject(new RangeError('later'))]) {
			await expect(runUnderLease(lock, lease, task)).rejects.toThrow(RangeError);
			expect(lock.holder()).toBe(undefined);
			expect(vi.getTimerCount()).toBe(0);
		}
	});

	test('each task under a lease has a new owner name', async () => {
		const lock = createLock();
		for (let count = 0; count < 3; count++) await runUnderLease(lock, lease, async () => {});
		expect(lock.owners.size).toBe(3);
	});

	test('a task returns its outcome even if the lease could not be given back', async () => {
		const lock = {...createLock(), release: async () => Promise.reject(new Error('no answer'))};
		expect(await runUnderLease(lock, lease, async () => 'done')).toBe('done');
	});

	test('a task returns its outcome after a second if the release gets no answer', async () => {
		const lock = {...createLock(), release: () => forever};
		const outcome = runUnderLease(lock, lease, async () => 'done');
		await pass(1_000);
		expect(await outcome).toBe('done');
		expect(vi.getTimerCount()).toBe(0);
	});

	test('a task that lasts many times as long as its lease keeps it, and nobody else gets it', async () => {
		const lock = createLock();
		const {isHeld, end} = await begin(lock);
		for (let count = 0; count < 20; count++) {
			await pass(lease / 2);
			expect(isHeld()).toBe(true);
			expect(await lock.acquire('another')).toBe(false);
		}
		expect(await end()).toBe('done');
		expect(await lock.acquire('another')).toBe(true);
	});

	test('a task no longer holds its lease as soon as the lock says so [F-135]', async () => {
		const lock = createLock();
		const {isHeld, end} = await begin(lock);
		await lock.release([...lock.owners][0] ?? '');
		await lock.acquire('another');
		expect(isHeld()).toBe(true);
		await pass(lease / 3);
		expect(isHeld()).toBe(false);
		expect(await end()).toBe('done');
		expect(lock.holder()).toBe('another');
	});

	test('a task no longer holds a lease that could not be renewed in time, and holds it again if a renewal succeeds [F-135]', async () => {
		const lock = createLock();
		let isCut = true;
		const flaky = {
			...lock,
			renew: async (owner: string) => (isCut ? Promise.reject(new Error('no answer')) : lock.renew(owner)),
		};
		const {isHeld, end} = await begin(flaky);
		await pass(lease - 1);
		expect(isHeld()).toBe(true);
		isCut = false;
		await pass(1);
		expect(isHeld()).toBe(false);
		expect(await end()).toBe('done');

		isCut = true;
		const again = await begin(flaky);
		await pass(lease / 2);
		isCut = false;
		await pass(lease);
		expect(again.isHeld()).toBe(true);
		await again.end();
	});

	test('a process that is stopped for 11 seconds at any moment keeps a default lease [F-138]', async () => {
		const length = readLease(undefined);
		for (let stoppedAfter = 0; stoppedAfter <= length; stoppedAfter += 250) {
			const lock = createLock(length);
			let goesOnAt = 0;
			const stoppable = {
				...lock,
				renew: async (owner: string) => {
					while (Date.now() < goesOnAt) await new Promise(resolve => void setTimeout(resolve, goesOnAt - Date.now()));
					return lock.renew(owner);
				},
			};
			const gate = createGate();
			const done = runUnderLease(stoppable, length, gate.pass);
			await gate.reached;
			await pass(stoppedAfter);
			goesOnAt = Date.now() + 11_000;
			const holder = lock.holder();
			for (let second = 0; second < 15; second++) {
				await pass(1_000);
				expect([stoppedAfter, lock.holder()]).toEqual([stoppedAfter, holder]);
			}
			gate.open();
			await done;
		}
	});

	test('a task no longer holds its lease after a sleep, whichever clock shows it [F-135]', async () => {
		for (const clock of ['performance', 'Date'] as const) {
			const {isHeld, end} = await begin(createLock());
			const now = performance.now();
			if (clock === 'Date') vi.setSystemTime(Date.now() + lease);
			else vi.spyOn(performance, 'now').mockReturnValue(now + lease);
			expect(isHeld()).toBe(false);
			await end();
			vi.restoreAllMocks();
		}
	});

	test('a lease counts from before the request: an answer that comes too late gives no lease [F-135]', async () => {
		const lock = createLock();
		const slow = {
			...lock,
			acquire: async (owner: string) => {
				const isLent = await lock.acquire(owner);
				await pass(lease);
				return isLent;
			},
		};
		expect(await runUnderLease(slow, lease, async isHeld => isHeld())).toBe(false);
	});

	test('a task is not affected by a heartbeat that is never answered', async () => {
		const {isHeld, end} = await begin({...createLock(), renew: () => forever});
		await pass(lease);
		expect(isHeld()).toBe(false);
		expect(await end()).toBe('done');
	});
});

describe('the wait for a lease', () => {
	test('the wait for a lease lasts until the holder is done, and asks at intervals', async () => {
		const lock = createLock();
		const {end} = await begin(lock);
		let isOver = false;
		const waiting = runUnderLease(lock, lease, async () => {
			isOver = true;
		});
		await pass(10 * lease);
		expect(isOver).toBe(false);
		const asked = lock.log.filter(question => question === 'acquire').length;
		// At the end, a waiting caller asks every 100 to 330 milliseconds.
		expect(asked).toBeGreaterThan(10 * (lease / 330));
		expect(asked).toBeLessThan(10 * (lease / 90));
		await end();
		await pass(500);
		await waiting;
		expect(isOver).toBe(true);
	});

	test('the wait for a lease lasts as long as the lease of a holder that is gone, and no longer [F-97]', async () => {
		const lock = createLock();
		await lock.acquire('gone');
		const waiting = runUnderLease(lock, lease, async () => Date.now());
		const before = Date.now();
		await pass(lease + 500);
		const waited = (await waiting) - before;
		expect(waited).toBeGreaterThanOrEqual(lease);
	});

	test('the wait for a lease ends with its signal: the task never runs, and nothing is left [R72]', async () => {
		const lock = createLock();
		const {end} = await begin(lock);
		const holder = lock.holder();
		let runs = 0;
		const task = async (): Promise<number> => ++runs;
		await expect(runUnderLease(lock, lease, task, AbortSignal.abort())).rejects.toThrow(LockError);
		const waiting = new AbortController();
		const waited = outcomeOf(runUnderLease(lock, lease, task, waiting.signal));
		await pass(lease);
		waiting.abort();
		await pass(500);
		expect(await waited).toBe('LockError');
		expect(lock.holder()).toBe(holder);
		await end();
		await pass(lease);
		expect([runs, lock.holder(), vi.getTimerCount()]).toEqual([0, undefined, 0]);
	});

	test('a lease that comes after nobody waits for it any more is given back [R72]', async () => {
		const lock = createLock();
		const waiting = new AbortController();
		const slow = {
			...lock,
			acquire: async (owner: string) => {
				const isLent = await lock.acquire(owner);
				waiting.abort();
				return isLent;
			},
		};
		await expect(runUnderLease(slow, lease, async () => 'done', waiting.signal)).rejects.toThrow(LockError);
		expect(lock.holder()).toBe(undefined);
	});

	test('a signal has no effect on a task that has its lease [R72]', async () => {
		const waiting = new AbortController();
		const {isHeld, end} = await begin(createLock(), waiting.signal);
		waiting.abort();
		await pass(2 * lease);
		expect(isHeld()).toBe(true);
		expect(await end()).toBe('done');
	});

	test('the wait for a lease fails with the error of the lock, and releases what may have been acquired', async () => {
		const lock = createLock();
		const lost = {
			...lock,
			acquire: async (owner: string) => {
				await lock.acquire(owner);
				throw new RangeError('the answer was lost');
			},
		};
		await expect(runUnderLease(lost, lease, async () => 'done')).rejects.toThrow(RangeError);
		expect(lock.holder()).toBe(undefined);
		expect(vi.getTimerCount()).toBe(0);
	});
});

/** Times of each contender, in milliseconds: its start, its work, and how long a request and a response take. */
const contenders = fc.array(
	fc.record({
		start: fc.nat(2 * lease),
		work: fc.nat(3 * lease),
		way: fc.nat(lease / 8),
		back: fc.nat(lease / 8),
		/** How long the contender, including its timers, stands still in the middle of its work. */
		still: fc.oneof(fc.constant(0), fc.nat(3 * lease)),
	}),
	{minLength: 2, maxLength: 5},
);

describe('however slow the questions and the answers are, and whoever stands still,', () => {
	test('no two holders believe at once that they have the lease, and everybody who waits gets it once [F-135]', async () => {
		await fc.assert(
			fc.asyncProperty(contenders, async all => {
				const lock = createLock();
				const sleep = async (milliseconds: number): Promise<void> =>
					new Promise(resolve => void setTimeout(resolve, milliseconds));
				let done = 0;
				const believers = new Set<() => boolean>();
				const faults: number[] = [];
				const check = (): void => {
					const count = [...believers].filter(isHeld => isHeld()).length;
					if (count > 1) faults.push(count);
				};
				const runs = all.map(async ({start, work, way, back, still}) => {
					let stillUntil = 0;
					/** Waits, and for longer if the contender stands still. */
					const travel = async (milliseconds: number): Promise<void> => {
						await sleep(milliseconds);
						while (Date.now() < stillUntil) await sleep(stillUntil - Date.now());
					};
					const over =
						<T>(ask: (owner: string) => Promise<T>) =>
						async (owner: string): Promise<T> => {
							await travel(way);
							const answer = await ask(owner);
							await travel(back);
							return answer;
						};
					const {acquire, renew, release} = lock;
					await sleep(start);
					await runUnderLease(
						{acquire: over(acquire), renew: over(renew), release: over(release)},
						lease,
						async isHeld => {
							believers.add(isHeld);
							check();
							await sleep(work / 2);
							stillUntil = Date.now() + still;
							await travel(0);
							check();
							await sleep(work / 2);
							check();
							believers.delete(isHeld);
							done++;
						},
					);
				});
				const watch = setInterval(check, 50);
				for (let time = 0; done < all.length && time < 200 * lease; time += 100) await pass(100);
				await pass(2 * lease);
				clearInterval(watch);
				await Promise.all(runs);
				expect([done, faults, lock.holder()]).toEqual([all.length, [], undefined]);
				expect(vi.getTimerCount()).toBe(0);
			}),
			{numRuns: 40},
		);
	});
});

describe('the length of a lease', () => {
	test('the length of a lease is 15 seconds by default', () => {
		expect([readLease(undefined), readLease({}), readLease({lease: undefined})]).toEqual([15_000, 15_000, 15_000]);
		expect(readLease({lease: 100})).toBe(100);
	});

	test.for([0, -1, 99, 1.5, NaN, Infinity, '15000', null, 2 ** 60, {}, 100n] as const)(
		'a lease of %s is refused at once',
		(value, {canaries}) => {
			let error: unknown;
			try {
				readLease({lease: value as never});
			} catch (thrown) {
				error = canaries.see(thrown);
			}
			expect(error).toBeInstanceOf(ConfigError);
			expect((error as Error).message).toMatch(/^lease must be milliseconds/);
		},
	);

	test('a lease is not read from a polluted prototype [F-93]', () => {
		const root: object = Object.prototype;
		Object.defineProperty(root, 'lease', {value: 100, configurable: true});
		try {
			expect(readLease({})).toBe(15_000);
		} finally {
			Reflect.deleteProperty(root, 'lease');
		}
	});
});
