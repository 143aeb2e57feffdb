import {describe, expect, test, vi} from 'vitest';
import {withTimeout} from '../../src/lib/with-timeout.ts';

const never = (): Promise<never> => new Promise(() => {});

/** Blocks the event loop, as if the system had stopped the process: timers fire late, and data that has arrived is still unread. */
function block(milliseconds: number): void {
	const end = performance.now() + milliseconds;
	while (performance.now() < end);
}

describe('withTimeout', () => {
	test('withTimeout gives the outcome of work that ends in time, even if the work is synchronous', async () => {
		expect(await withTimeout(async () => 'done', 1000)).toBe('done');
		expect(await withTimeout(() => 'done', 1000)).toBe('done');
		const fail = (): never => {
			throw new Error('mine');
		};
		await expect(withTimeout(fail, 1000)).rejects.toThrow('mine');
	});

	test('withTimeout rejects at the deadline, and says so once', async () => {
		const onLate = vi.fn<() => void>();
		await expect(withTimeout(never, 20, onLate)).rejects.toMatchObject({code: 'timeout', retryable: true});
		expect(onLate).toHaveBeenCalledTimes(1);
	});

	test('withTimeout reads what has arrived before it rejects, if the process was stopped until after the deadline [R18, F-138]', async () => {
		// Node reads a socket in a later turn of the event loop than it fires timers in. Reading takes several turns.
		const work = async (): Promise<string> => {
			for (let turn = 0; turn < 5; turn++) await new Promise(resolve => setImmediate(resolve));
			return 'read';
		};
		// The deadline is long, because a quarter of it is left for reading.
		const waiting = withTimeout(work, 2_000);
		block(2_100);
		expect(await waiting).toBe('read');
	});

	test('withTimeout rejects soon after a process that was stopped goes on, if nothing has arrived [F-138]', async () => {
		const waiting = withTimeout(never, 20);
		block(100);
		await expect(waiting).rejects.toMatchObject({code: 'timeout'});
	});

	test('withTimeout ends a caller’s wait with the reason of its signal, and does not stop the work', async () => {
		const leaver = new AbortController();
		const reason = new Error('mine');
		let isDone = false;
		const work = async (): Promise<void> => {
			await new Promise(resolve => setTimeout(resolve, 20));
			isDone = true;
		};
		const waiting = withTimeout(work, 1000, undefined, {signal: leaver.signal});
		leaver.abort(reason);
		await expect(waiting).rejects.toBe(reason);
		await expect(withTimeout(never, 1000, undefined, {signal: AbortSignal.abort(reason)})).rejects.toBe(reason);
		await expect.poll(() => isDone, {timeout: 20_000}).toBe(true);
	});
});
