import process from 'node:process';
import {count, type Counts} from './counts.ts';

/** The memory and the handles of a process. */
export interface Vitals {
	/** Megabytes of live objects. If possible, a garbage collection runs first. */
	readonly heap: number;
	/** Megabytes of resident memory. */
	readonly resident: number;
	/** The handles that keep the process alive, such as timers and sockets, by kind. */
	readonly handles: Readonly<Counts>;
}

/** Measures this process now. */
export function takeVitals(): Vitals {
	globalThis.gc?.();
	globalThis.gc?.();
	const {heapUsed, rss} = process.memoryUsage();
	const handles: Counts = {};
	for (const kind of process.getActiveResourcesInfo()) count(handles, kind);
	return {heap: toMegabytes(heapUsed), resident: toMegabytes(rss), handles};
}

const toMegabytes = (bytes: number): number => Math.round(bytes / 1e5) / 10;

/** The most that each value may grow over a run. It is far less than one object for each refresh. */
const bounds = {heap: 16, resident: 128, handles: 100};

/** Describes what has grown between two pauses. Returns one text for each value. */
export function findGrowth(before: Vitals, after: Vitals): string[] {
	const total = ({handles}: Vitals): number => Object.values(handles).reduce((sum, more) => sum + more, 0);
	const growth = {
		heap: after.heap - before.heap,
		resident: after.resident - before.resident,
		handles: total(after) - total(before),
	};
	return (['heap', 'resident', 'handles'] as const)
		.filter(name => growth[name] > bounds[name])
		.map(name => `${name} grew by ${growth[name].toFixed(1)}`);
}
