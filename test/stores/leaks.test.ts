import {setFlagsFromString} from 'node:v8';
import {runInNewContext} from 'node:vm';
import {describe, expect} from 'vitest';
import {createAuth, customStore, memoryStore, type StoreDriver} from '../../src/index.ts';
import {createMutex} from '../../src/lib/mutex.ts';
import {appOptions, memoryDriver} from '../support/scenario.ts';
import {test} from '../support/test.ts';

setFlagsFromString('--expose_gc');
const collectGarbage = runInNewContext('gc') as () => void; // the flag in the line above defines it

/** Returns how many bytes of memory are in use after a garbage collection. */
async function heldBytes(): Promise<number> {
	for (let count = 0; count < 3; count++) {
		collectGarbage();
		await new Promise(resolve => setImmediate(resolve));
	}
	return process.memoryUsage().heapUsed;
}

/**
Returns how many bytes each round adds, after some rounds to warm up. If it is `most` or more, it is measured again, up to three times: what
is left behind shows each time, and what else happens in this process does not.
*/
async function growth(rounds: number, most: number, round: () => Promise<unknown>): Promise<number> {
	for (let count = 0; count < 500; count++) await round();
	let least = Infinity;
	for (let times = 0; times < 3 && least >= most; times++) {
		const before = await heldBytes();
		for (let count = 0; count < rounds; count++) await round();
		least = Math.min(least, ((await heldBytes()) - before) / rounds);
	}
	return least;
}

/** Creates drivers of a shared store, and the set of their listeners. */
function createCounted(): {driver: () => StoreDriver; listeners: Set<() => void>} {
	const listeners = new Set<() => void>();
	return {
		listeners,
		driver: () => ({
			...memoryDriver(),
			lock: async task => task(),
			subscribe: onChange => {
				listeners.add(onChange);
				return () => listeners.delete(onChange);
			},
		}),
	};
}

describe('what is left of sessions that were closed', () => {
	test('200 sessions on shared stores leave no listener [F-162]', async ({server}) => {
		const {driver, listeners} = createCounted();
		const auths = Array.from({length: 200}, () => createAuth({...appOptions(server), store: customStore(driver())}));
		const heard: unknown[] = [];
		const leaves = auths.map(auth => auth.subscribe(event => void heard.push(event)));
		for (const auth of auths) auth.subscribe(() => {});
		expect(listeners.size).toBe(200);
		// Closes every second session as `using` does.
		for (const [index, auth] of auths.entries()) {
			if (index % 2) auth.close();
			else auth[Symbol.dispose]();
		}
		expect(listeners.size).toBe(0);
		for (const leave of leaves) leave();
		for (const auth of auths) auth.close();
		expect(listeners.size).toBe(0);
		// A listener that is added later still gets the events of this `Auth`, but no events of the store.
		auths[0]?.subscribe(event => void heard.push(event));
		expect(listeners.size).toBe(0);
		await auths[0]?.setToken(await server.mint());
		expect(heard.length).toBeGreaterThan(0);
	});

	test('the store is listened to once, for as long as one listener is left [F-162]', ({server}) => {
		const {driver, listeners} = createCounted();
		const store = customStore(driver());
		const [one, other] = [createAuth({...appOptions(server), store}), createAuth({...appOptions(server), store})];
		const leaves = [one, one, other].map(auth => auth.subscribe(() => {}));
		expect(listeners.size).toBe(1);
		leaves[0]?.();
		one.close();
		expect(listeners.size).toBe(1);
		leaves[2]?.();
		expect(listeners.size).toBe(0);
		other.subscribe(() => {});
		expect(listeners.size).toBe(1);
		other.close();
		expect(listeners.size).toBe(0);
	});

	test('10,000 locks that were taken and freed leave no queue entry [F-162]', async () => {
		const use = {timeout: 1000, client: 'app', parse: () => undefined};
		const mutex = createMutex();
		const {driver} = createCounted();
		const cells = [memoryStore(), customStore(memoryDriver()), customStore(driver())];
		const tasks: Array<() => Promise<unknown>> = [
			() => mutex.runExclusive(async () => 'done', 1000),
			...cells.map(cell => () => cell.exclusive(use, async () => 'done')),
		];
		for (const task of tasks) expect(await growth(10_000, 20, task)).toBeLessThan(20);
	});

	test('10,000 locks for which many wait at once leave no queue entry [F-162]', async () => {
		const use = {timeout: 1000, client: 'app', parse: () => undefined};
		const {driver} = createCounted();
		for (const cell of [memoryStore(), customStore(memoryDriver()), customStore(driver())]) {
			const crowd = async (): Promise<unknown> =>
				Promise.all(Array.from({length: 20}, () => cell.exclusive(use, async () => 'done')));
			expect(await growth(500, 400, crowd)).toBeLessThan(400);
		}
	});
});
