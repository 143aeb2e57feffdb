import {LockError, type StoreDriver} from '../../src/index.ts';
import {runUnderLease} from '../../src/stores/shared/lease.ts';
import {textDriver} from '../../src/stores/shared/text-driver.ts';
import type {VirtualTime} from './virtual-time.ts';

/** What a store of a schedule can do. `realm` is one store in one realm: the others are shared by realms. */
export type PlaceKind = 'no lock' | 'realm' | 'realm, compared' | 'lock' | 'lock, compared' | 'lease';

/** What becomes of one operation of a store. */
export type OperationFate =
	/** It fails, and nothing was done. */
	| 'refused'
	/** It was done, and then fails. */
	| 'unanswered'
	/** It takes effect after its deadline. */
	| 'late';

/** The place of one record, which holders share. */
export interface Place {
	/** What is stored. */
	readonly text: () => string | undefined;
	/** The store of one holder. */
	readonly driver: (holder: number) => StoreDriver;
	/** What becomes of the next writes of a holder: undefined for those that work. */
	readonly trouble: Map<number, Array<OperationFate | undefined>>;
	/** Hear of what a holder reads. */
	readonly readers: Map<number, (text: string | undefined) => void>;
}

/** The default lease, in milliseconds. */
const lease = 15_000;

/** How long operations take. */
interface Latencies {
	/** Each way, in milliseconds. */
	readonly latency: () => number;
	/** What takes longer than any deadline. */
	readonly late: () => number;
	/** Hears of what is written late. */
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

	/** Runs an operation there, whatever becomes of who asked for it. */
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

/** A lock as browsers have it: who is stopped keeps it. */
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

/** A lock that ends by itself, as Redis has it. */
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
