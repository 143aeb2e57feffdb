import {afterEach, beforeEach, describe, expect, vi} from 'vitest';
import {createLeaseWatch, createWatch} from '../../../src/stores/shared/watch.ts';
import {test} from '../../support/test.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

const pass = (milliseconds: number): void => void vi.advanceTimersByTime(milliseconds);

/** Calls the check every 200 milliseconds until it returns true. Returns the elapsed milliseconds, or undefined after a minute. */
function waitFor(check: () => boolean): number | undefined {
	for (let waited = 0; waited < 60_000; waited += 200) {
		if (check()) return waited;
		pass(200);
	}
	return undefined;
}

describe('a watch', () => {
	test('a watch gives how long a state has stayed the same, and starts again with another one', () => {
		const watch = createWatch();
		expect(watch('a')).toBe(0);
		pass(300);
		expect(watch('a')).toBe(300);
		pass(300);
		expect(watch('a')).toBe(600);
		expect(watch('b')).toBe(0);
		pass(100);
		expect(watch('b')).toBe(100);
		expect(watch('a')).toBe(0);
	});

	test('a watch counts no time in which this process was stopped or asleep [F-138]', () => {
		const watch = createWatch();
		watch('a');
		pass(3_600_000);
		expect(watch('a')).toBe(1_000);
	});

	test('a watch does not go by the wall clock [F-150]', () => {
		const watch = createWatch();
		watch('a');
		vi.setSystemTime(Date.now() + 86_400_000);
		expect(watch('a')).toBe(0);
		vi.setSystemTime(Date.now() - 2 * 86_400_000);
		pass(500);
		expect(watch('a')).toBe(500);
	});
});

describe('a lease that was watched', () => {
	const lease = 15_000;

	test('a lease that was watched is over after its whole length without a renewal, whatever the clock of its owner says [F-97]', () => {
		for (const difference of [0, 59_000, -30_000]) {
			const isOver = createLeaseWatch(lease);
			const renewedAt = Date.now() + difference;
			expect(waitFor(() => isOver('owner', renewedAt))).toBe(lease);
		}
	});

	test('a lease that was watched is not over while it is renewed, though the clock of its owner is a day behind', () => {
		const isOver = createLeaseWatch(lease);
		let renewals = 0;
		const check = (): boolean => isOver(`renewal ${Math.floor(renewals++ / 15)}`, Date.now() - 86_400_000);
		expect(waitFor(check)).toBe(undefined);
	});

	test('a lease that was watched is over after half its length if it is left from long ago: a script that runs for seconds can take it over', () => {
		const isOver = createLeaseWatch(lease);
		expect(waitFor(() => isOver('crashed yesterday', Date.now() - 86_400_000))).toBe(lease / 2 + 100);
	});

	test.for<[title: string, difference: number]>([
		['lies in the future', 86_400_000],
		['is no time', NaN],
	])('a lease that was watched is over after half its length if the time of its renewal %s', ([, difference]) => {
		const isOver = createLeaseWatch(lease);
		const renewedAt = Date.now() + difference;
		expect(waitFor(() => isOver('owner', renewedAt))).toBe(lease / 2 + 100);
	});

	test('a lease that was watched is over once it has run out by the clock of one machine, if a script has watched half of it', () => {
		const isOver = createLeaseWatch(lease, lease);
		const renewedAt = Date.now();
		pass(12_000);
		expect(waitFor(() => isOver('killed', renewedAt))).toBe(lease / 2 + 100);
		const isOverEarly = createLeaseWatch(lease, lease);
		const again = Date.now();
		expect(waitFor(() => isOverEarly('killed', again))).toBe(lease);
	});

	test('a lease that was watched is not over when its owner and the watcher wake from a long sleep, and the owner renews it [F-138]', () => {
		const isOver = createLeaseWatch(lease);
		const renewedAt = Date.now();
		expect(isOver('before', renewedAt)).toBe(false);
		pass(3_600_000);
		expect(isOver('before', renewedAt)).toBe(false);
		pass(1_000);
		expect(isOver('before', renewedAt)).toBe(false);
		expect(isOver('renewed', Date.now())).toBe(false);
	});
});
