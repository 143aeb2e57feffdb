import * as fc from 'fast-check';
import {afterEach, beforeEach, describe, expect, vi} from 'vitest';
import {ConfigError, LockError} from '../../../src/index.ts';
import {leaseOf, type Lessor, underLease} from '../../../src/stores/shared/lease.ts';
import {createGate, outcomeOf} from '../../support/scenario.ts';
import {test} from '../../support/test.ts';

const lease = 3_000;

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

/** A lessor as a server is one, with a log of what it is asked. */
function createLessor(): Lessor & {readonly log: string[]; readonly owners: Set<string>; holder(): string | undefined} {
	let lent: {readonly owner: string; readonly until: number} | undefined;
	const log: string[] = [];
	const owners = new Set<string>();
	const holder = (): string | undefined => (lent && Date.now() < lent.until ? lent.owner : undefined);
	const hear = (question: string, owner: string): void => {
		log.push(question);
		owners.add(owner);
	};
	const lend = (owner: string): true => {
		lent = {owner, until: Date.now() + lease};
		return true;
	};
	return {
		lease,
		log,
		owners,
		holder,
		take: async owner => {
			hear('take', owner);
			return [undefined, owner].includes(holder()) && lend(owner);
		},
		keep: async owner => {
			hear('keep', owner);
			return holder() === owner && lend(owner);
		},
		free: async owner => {
			hear('free', owner);
			if (holder() === owner) lent = undefined;
		},
	};
}

/** A task that lasts until it is told to end, and the question whether it still holds. */
async function begin(lessor: Lessor, signal?: AbortSignal) {
	const gate = createGate();
	let isHeld = (): boolean => false;
	const done = underLease(
		lessor,
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
	test('runs with it and gives what it gives; then the lease is given back, by the one who took it', async () => {
		const lessor = createLessor();
		const outcome = await underLease(lessor, async isHeld => [isHeld(), [...lessor.owners][0] === lessor.holder()]);
		expect(outcome).toEqual([true, true]);
		expect(lessor.log).toEqual(['take', 'free']);
		expect(lessor.owners.size).toBe(1);
		expect(vi.getTimerCount()).toBe(0);
	});

	test('F-103: that fails, or throws at once, gives it back', async () => {
		const lessor = createLessor();
		const thrower = (): never => {
			throw new RangeError('at once');
		};
		for (const task of [thrower, async () => Promise.reject(new RangeError('later'))]) {
			await expect(underLease(lessor, task)).rejects.toThrow(RangeError);
			expect(lessor.holder()).toBe(undefined);
			expect(vi.getTimerCount()).toBe(0);
		}
	});

	test('has a name of its own each time', async () => {
		const lessor = createLessor();
		for (let count = 0; count < 3; count++) await underLease(lessor, async () => {});
		expect(lessor.owners.size).toBe(3);
	});

	test('gives what it gives though the lease could not be given back', async () => {
		const lessor = {...createLessor(), free: async () => Promise.reject(new Error('no answer'))};
		expect(await underLease(lessor, async () => 'done')).toBe('done');
	});

	test('that lasts many times as long keeps it, and nobody else has it meanwhile', async () => {
		const lessor = createLessor();
		const {isHeld, end} = await begin(lessor);
		for (let count = 0; count < 20; count++) {
			await pass(lease / 2);
			expect(isHeld()).toBe(true);
			expect(await lessor.take('another')).toBe(false);
		}
		expect(await end()).toBe('done');
		expect(await lessor.take('another')).toBe(true);
	});

	test('F-135: no longer holds it as soon as the lessor says so', async () => {
		const lessor = createLessor();
		const {isHeld, end} = await begin(lessor);
		await lessor.free([...lessor.owners][0] ?? '');
		await lessor.take('another');
		expect(isHeld()).toBe(true);
		await pass(lease / 3);
		expect(isHeld()).toBe(false);
		expect(await end()).toBe('done');
		expect(lessor.holder()).toBe('another');
	});

	test('F-135: no longer holds it when it could not be kept up for its length, and holds it again where that works in time', async () => {
		const lessor = createLessor();
		let isCut = true;
		const flaky = {
			...lessor,
			keep: async (owner: string) => (isCut ? Promise.reject(new Error('no answer')) : lessor.keep(owner)),
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

	test('F-135: no longer holds it after a sleep, by whichever clock shows that', async () => {
		for (const clock of ['performance', 'Date'] as const) {
			const {isHeld, end} = await begin(createLessor());
			const now = performance.now();
			if (clock === 'Date') vi.setSystemTime(Date.now() + lease);
			else vi.spyOn(performance, 'now').mockReturnValue(now + lease);
			expect(isHeld()).toBe(false);
			await end();
			vi.restoreAllMocks();
		}
	});

	test('F-135: counts from before it asked: an answer that comes too late lends nothing', async () => {
		const lessor = createLessor();
		const slow = {
			...lessor,
			take: async (owner: string) => {
				const isLent = await lessor.take(owner);
				await pass(lease);
				return isLent;
			},
		};
		expect(await underLease(slow, async isHeld => isHeld())).toBe(false);
	});

	test('takes no harm from a heartbeat that is never answered', async () => {
		const {isHeld, end} = await begin({...createLessor(), keep: () => forever});
		await pass(lease);
		expect(isHeld()).toBe(false);
		expect(await end()).toBe('done');
	});
});

describe('the wait for a lease', () => {
	test('lasts until the holder is done, and asks again and again, but not hot', async () => {
		const lessor = createLessor();
		const {end} = await begin(lessor);
		let isOver = false;
		const waiting = underLease(lessor, async () => {
			isOver = true;
		});
		await pass(10 * lease);
		expect(isOver).toBe(false);
		const asked = lessor.log.filter(question => question === 'take').length;
		// Between a tenth of a second and a third of one each time, at last.
		expect(asked).toBeGreaterThan(10 * (lease / 330));
		expect(asked).toBeLessThan(10 * (lease / 90));
		await end();
		await pass(500);
		await waiting;
		expect(isOver).toBe(true);
	});

	test('F-97: lasts as long as the lease of a holder that is gone, and no longer', async () => {
		const lessor = createLessor();
		await lessor.take('gone');
		const waiting = underLease(lessor, async () => Date.now());
		const before = Date.now();
		await pass(lease + 500);
		const waited = (await waiting) - before;
		expect(waited).toBeGreaterThanOrEqual(lease);
	});

	test('R72: ends with its signal, before or while it lasts; the task never runs, and nothing is left', async () => {
		const lessor = createLessor();
		const {end} = await begin(lessor);
		const holder = lessor.holder();
		let runs = 0;
		const task = async (): Promise<number> => ++runs;
		await expect(underLease(lessor, task, AbortSignal.abort())).rejects.toThrow(LockError);
		const waiting = new AbortController();
		const waited = outcomeOf(underLease(lessor, task, waiting.signal));
		await pass(lease);
		waiting.abort();
		await pass(500);
		expect(await waited).toBe('LockError');
		expect(lessor.holder()).toBe(holder);
		await end();
		await pass(lease);
		expect([runs, lessor.holder(), vi.getTimerCount()]).toEqual([0, undefined, 0]);
	});

	test('R72: a lease that is had after nobody waits for it any more is given back', async () => {
		const lessor = createLessor();
		const waiting = new AbortController();
		const slow = {
			...lessor,
			take: async (owner: string) => {
				const isLent = await lessor.take(owner);
				waiting.abort();
				return isLent;
			},
		};
		await expect(underLease(slow, async () => 'done', waiting.signal)).rejects.toThrow(LockError);
		expect(lessor.holder()).toBe(undefined);
	});

	test('R72: once it is over, the signal is nothing to the task', async () => {
		const waiting = new AbortController();
		const {isHeld, end} = await begin(createLessor(), waiting.signal);
		waiting.abort();
		await pass(2 * lease);
		expect(isHeld()).toBe(true);
		expect(await end()).toBe('done');
	});

	test('fails as the lessor fails, and gives back what may have been lent all the same', async () => {
		const lessor = createLessor();
		const lost = {
			...lessor,
			take: async (owner: string) => {
				await lessor.take(owner);
				throw new RangeError('the answer was lost');
			},
		};
		await expect(underLease(lost, async () => 'done')).rejects.toThrow(RangeError);
		expect(lessor.holder()).toBe(undefined);
		expect(vi.getTimerCount()).toBe(0);
	});
});

/** What a contender meets: how long each of its questions and its answers are under way, and its task. In milliseconds. */
const contenders = fc.array(
	fc.record({
		start: fc.nat(2 * lease),
		work: fc.nat(3 * lease),
		way: fc.nat(lease / 8),
		back: fc.nat(lease / 8),
		/** Stands still for so long in the middle of its work, with its timers. */
		still: fc.oneof(fc.constant(0), fc.nat(3 * lease)),
	}),
	{minLength: 2, maxLength: 5},
);

describe('however slow the questions and the answers are, and whoever stands still,', () => {
	test('F-135: no two believe at once that they have the lease, and everybody who waits has it once', async () => {
		await fc.assert(
			fc.asyncProperty(contenders, async all => {
				const lessor = createLessor();
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
					/** Nothing gets past one that stands still. */
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
					const {take, keep, free} = lessor;
					await sleep(start);
					await underLease({lease, take: over(take), keep: over(keep), free: over(free)}, async isHeld => {
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
					});
				});
				const watch = setInterval(check, 50);
				for (let time = 0; done < all.length && time < 200 * lease; time += 100) await pass(100);
				await pass(2 * lease);
				clearInterval(watch);
				await Promise.all(runs);
				expect([done, faults, lessor.holder()]).toEqual([all.length, [], undefined]);
				expect(vi.getTimerCount()).toBe(0);
			}),
			{numRuns: 40},
		);
	});
});

describe('the length of a lease', () => {
	test('is 15 seconds by default', () => {
		expect([leaseOf(undefined), leaseOf({}), leaseOf({lease: undefined})]).toEqual([15_000, 15_000, 15_000]);
		expect(leaseOf({lease: 100})).toBe(100);
	});

	test.for([0, -1, 99, 1.5, NaN, Infinity, '15000', null, 2 ** 60, {}, 100n] as const)(
		'is not %s: that is said at once',
		(value, {canaries}) => {
			let error: unknown;
			try {
				leaseOf({lease: value as never});
			} catch (thrown) {
				error = canaries.see(thrown);
			}
			expect(error).toBeInstanceOf(ConfigError);
			expect((error as Error).message).toMatch(/^lease must be milliseconds/);
		},
	);

	test('F-93: is none of a polluted prototype', () => {
		const root: object = Object.prototype;
		Object.defineProperty(root, 'lease', {value: 100, configurable: true});
		try {
			expect(leaseOf({})).toBe(15_000);
		} finally {
			Reflect.deleteProperty(root, 'lease');
		}
	});
});
