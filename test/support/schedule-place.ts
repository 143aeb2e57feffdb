import {LockError, type StoreDriver} from '../../src/index.ts';
import {runUnderLease} from '../../src/stores/shared/lease.ts';
import {textDriver} from '../../src/stores/shared/text-driver.ts';
import type {VirtualTime} from './virtual-time.ts';

/**
What the store of a schedule supports. With `realm`, all holders use one store in one realm. With the others, each holder has its own realm.
*/
export type PlaceKind = 'no lock' | 'realm' | 'realm, compared' | 'lock' | 'lock, compared' | 'lease';

/** How an operation of the store fails. */
export type OperationFate =
	/** It fails without an effect. */
	| 'refused'
	/** It has its effect, and then fails. */
	| 'unanswered'
	/** It has its effect after its deadline. */
	| 'late';

/** The place of a record that several holders share. */
export interface Place {
	/** Returns the stored text. */
	readonly text: () => string | undefined;
	/** Returns the driver of one holder. */
	readonly driver: (holder: number) => StoreDriver;
	/** The failures of each holder's next writes. An undefined entry stands for a write that works. */
	readonly trouble: Map<number, Array<OperationFate | undefined>>;
	/** Called with each text that a holder reads. */
	readonly readers: Map<number, (text: string | undefined) => void>;
}

/** The default lease, in milliseconds. */
const lease = 15_000;

/** The durations of operations. */
interface Latencies {
	/** Returns the milliseconds of one direction. */
	readonly latency: () => number;
	/** Returns milliseconds that exceed every deadline. */
	readonly late: () => number;
	/** Called with each text that is written late. */
	readonly onLate: (text: string | undefined) => void;
}

/** Creates a place. */
export function createPlace(time: VirtualTime, kind: PlaceKind, {latency, late, onLate}: Latencies): Place {
	const trouble: Place['trouble'] = new Map();
	const listeners = new Map<number, () => void>();
	const readers: Place['readers'] = new Map();
	let text: string | undefined;

	const put = (holder: number, next: string | undefined): void => {
		text = next;
		for (const [other, listener] of listeners) if (other !== holder) void time.asNobody(() => tell(other, listener));
	};
	const tell = async (other: number, listener: () => void): Promise<void> => {
		await time.sleep(latency());
		time.as(other, () => void time.sleep(0).then(listener));
	};

	const fateOf = (holder: number, next: string | undefined): OperationFate | undefined => {
		const fate = trouble.get(holder)?.shift();
		if (fate === 'late') onLate(next);
		return fate;
	};

	/** Runs an operation at the store. It completes there even if the holder that asked for it is stopped. */
	const operate = async <T>(fate: OperationFate | undefined, task: () => T): Promise<T> => {
		const effect = (): T => {
			if (fate === 'refused') throw new Error('The store is out of order');
			return task();
		};
		const result = await time.asNobody(async () => {
			await time.sleep(fate === 'late' ? late() : latency());
			return effect();
		});
		await time.sleep(latency());
		if (fate === 'unanswered') throw new Error('The connection is gone');
		return result;
	};

	const backendOf = (holder: number) => ({
		read: async () =>
			operate(undefined, () => {
				readers.get(holder)?.(text);
				return text;
			}),
		write: async (next: string | undefined) => operate(fateOf(holder, next), () => put(holder, next)),
		compareAndSet: async (found: string | undefined, next: string | undefined) =>
			operate(fateOf(holder, next), () => {
				if (text !== found && text !== next) return false;
				if (text !== next) put(holder, next);
				return true;
			}),
	});

	const withLock = kind === 'lease' ? createLease(time, latency) : createLock(time);
	return {
		text: () => text,
		trouble,
		readers,
		driver: holder => {
			const {replace, ...driver} = textDriver(backendOf(holder));
			return {
				...driver,
				...(kind.endsWith('compared') || kind === 'lease' ? {replace} : {}),
				...(kind.startsWith('realm') || kind === 'no lock'
					? {}
					: {
							lock: withLock,
							subscribe: (listener: () => void) => {
								listeners.set(holder, listener);
								return () => listeners.delete(holder);
							},
						}),
			};
		},
	};
}

/** A lock as in browsers: a holder that is stopped keeps it. */
function createLock(time: VirtualTime): NonNullable<StoreDriver['lock']> {
	let isTaken = false;
	const queue: Array<() => void> = [];
	return async (task, signal) => {
		while (isTaken) {
			await new Promise<void>(resolve => {
				queue.push(resolve);
				signal?.addEventListener('abort', () => resolve());
			});
			if (signal?.aborted) throw new LockError();
		}
		isTaken = true;
		try {
			await time.sleep(0);
			return await task();
		} finally {
			isTaken = false;
			for (const wake of queue.splice(0)) wake();
		}
	};
}

/** A lock that expires by itself, as with Redis. */
function createLease(time: VirtualTime, latency: () => number): NonNullable<StoreDriver['lock']> {
	let held: {readonly owner: string; readonly end: number} | undefined;
	const there = async <T>(task: () => T): Promise<T> => {
		const result = await time.asNobody(async () => {
			await time.sleep(latency());
			return task();
		});
		await time.sleep(latency());
		return result;
	};
	const give = (owner: string, isFree: boolean): boolean => {
		const isMine = held?.owner === owner && time.now() < held.end;
		if (!isMine && !(isFree && (!held || time.now() >= held.end))) return false;
		held = {owner, end: time.now() + lease};
		return true;
	};
	const owners = {
		acquire: async (owner: string) => there(() => give(owner, true)),
		renew: async (owner: string) => there(() => give(owner, false)),
		release: async (owner: string) =>
			there(() => {
				if (held?.owner === owner) held = undefined;
			}),
	};
	return async (task, signal) => runUnderLease(owners, lease, task, signal);
}
