// Virtual time: it advances when nothing else is left to do. It replaces the timers and clocks of this realm, so hundreds of schedules of
// many seconds take one second. Each timer belongs to the holder that set it, and a holder can be stopped, as a process is by SIGSTOP.
import {AsyncLocalStorage} from 'node:async_hooks';

/** The virtual time of one schedule. */
export interface VirtualTime {
	/** Milliseconds since the schedule began. */
	readonly now: () => number;
	/** Waits, as for the network. If its holder is stopped meanwhile, it continues after the stop, and after the timers that were due. */
	readonly sleep: (milliseconds: number) => Promise<void>;
	/** Runs a task as a holder. Its timers belong to that holder. */
	readonly as: <T>(holder: number, task: () => T) => T;
	/** Runs a task that belongs to no holder, so nothing stops it. It stands for the other side of a connection. */
	readonly asNobody: <T>(task: () => T) => T;
	/** Stops a holder for this many milliseconds from now. */
	readonly stop: (holder: number, milliseconds: number) => void;
	/** Advances the time until a promise is settled. */
	readonly until: <T>(promise: Promise<T>) => Promise<T>;
	/** Advances the time by this many milliseconds. */
	readonly pass: (milliseconds: number) => Promise<void>;
}

/** An event that is due at a time. */
interface Happening {
	readonly at: number;
	/** At equal times, timers run before network events. Event loops do the same, and so a deadline wins where it can. */
	readonly rank: 0 | 1;
	readonly order: number;
	readonly holder: number | undefined;
	readonly task: () => void;
}

const realImmediate = setImmediate;

/** Waits until all promises have settled that can settle without a timer. */
const settle = async (): Promise<void> => new Promise(resolve => void realImmediate(resolve));

/** The most that a schedule may take, in milliseconds. regrant never waits that long. */
const longest = 3_600_000;

/**
Runs a task in virtual time. Everything that it has begun must be complete when it ends.

@param random Replaces `Math.random`, so that a schedule can be repeated.
*/
export async function inVirtualTime<T>(random: () => number, run: (time: VirtualTime) => Promise<T>): Promise<T> {
	const holders = new AsyncLocalStorage<number | undefined>();
	const awakeAt = new Map<number, number>();
	const happenings = new Map<number, Happening>();
	let now = 0;
	let count = 0;

	const add = (task: () => void, milliseconds: number, rank: Happening['rank']): number => {
		const order = ++count;
		const holder = holders.getStore();
		happenings.set(order, {at: now + Math.max(0, milliseconds || 0), rank, order, holder, task});
		return order;
	};

	/** When an event happens: when it is due, or when its holder is no longer stopped. */
	const timeOf = ({at, holder}: Happening): number => Math.max(at, awakeAt.get(holder ?? -1) ?? 0);

	const takeNext = (): Happening | undefined => {
		let next: Happening | undefined;
		for (const one of happenings.values()) {
			const difference = next ? timeOf(one) - timeOf(next) || one.rank - next.rank || one.at - next.at : -1;
			if (difference < 0 || (difference === 0 && next && one.order < next.order)) next = one;
		}
		return next;
	};

	const advance = async (end: number, isOver: () => boolean): Promise<void> => {
		for (;;) {
			await settle();
			if (isOver()) return;
			const next = takeNext();
			if (!next || timeOf(next) > end) {
				now = Math.max(now, Math.min(end, longest));
				return;
			}
			happenings.delete(next.order);
			now = Math.max(now, timeOf(next));
			holders.run(next.holder, next.task);
		}
	};

	const until = async <R>(promise: Promise<R>): Promise<R> => {
		let isSettled = false;
		const note = (): void => {
			isSettled = true;
		};
		promise.then(note, note);
		await advance(longest, () => isSettled);
		if (!isSettled) throw new Error('Somebody waits for ever');
		return promise;
	};

	const restore = replaceTimers(
		add,
		order => happenings.delete(order),
		() => now,
		random,
	);
	try {
		return await run({
			now: () => now,
			sleep: async milliseconds => new Promise(resolve => void add(resolve, milliseconds, 1)),
			as: (holder, task) => holders.run(holder, task),
			asNobody: task => holders.run(undefined, task),
			stop: (holder, milliseconds) => void awakeAt.set(holder, Math.max(now + milliseconds, awakeAt.get(holder) ?? 0)),
			until,
			pass: async milliseconds => advance(now + milliseconds, () => false),
		});
	} finally {
		restore();
	}
}

/** Replaces the timers and `performance.now` of this realm. The returned function restores them. */
function replaceTimers(
	add: (task: () => void, milliseconds: number, rank: Happening['rank']) => number,
	remove: (order: number) => void,
	now: () => number,
	random: () => number,
): () => void {
	const names = ['setTimeout', 'clearTimeout', 'setInterval', 'clearInterval'] as const;
	const before = names.map(name => [globalThis, name, Object.getOwnPropertyDescriptor(globalThis, name)] as const);
	const others = [
		[performance, 'now', Object.getOwnPropertyDescriptor(performance, 'now')] as const,
		[Math, 'random', Object.getOwnPropertyDescriptor(Math, 'random')] as const,
	];

	/** Creates a timer like Node's. An interval starts again under its first number. */
	const createTimer = (task: (...values: unknown[]) => void, delay: number, isRepeated: boolean, values: unknown[]) => {
		const timer = {order: 0, isCleared: false, unref: () => timer, ref: () => timer};
		const start = (): void => {
			timer.order = add(
				() => {
					if (timer.isCleared) return;
					if (isRepeated) start();
					task(...values);
				},
				delay,
				0,
			);
		};
		start();
		return timer;
	};
	const clear = (timer: ReturnType<typeof createTimer> | undefined): void => {
		if (!timer) return;
		timer.isCleared = true;
		remove(timer.order);
	};
	const set =
		(isRepeated: boolean) =>
		(task: () => void, delay: number, ...values: unknown[]) =>
			createTimer(task, delay, isRepeated, values);
	const replacements = [set(false), clear, set(true), clear];
	for (const [index, name] of names.entries())
		Object.defineProperty(globalThis, name, {value: replacements[index], configurable: true, writable: true});
	Object.defineProperty(performance, 'now', {value: now, configurable: true, writable: true});
	Object.defineProperty(Math, 'random', {value: random, configurable: true, writable: true});

	return () => {
		for (const [target, name, descriptor] of [...before, ...others]) {
			if (descriptor) Object.defineProperty(target, name, descriptor);
			else Reflect.deleteProperty(target, name);
		}
	};
}
