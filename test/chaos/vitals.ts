import process from 'node:process';
import {count, type Counts} from './counts.ts';

/** What a process holds on to. */
export interface Vitals {
	/** Megabytes of live objects, after a collection where one can be asked for. */
	readonly heap: number;
	/** Megabytes of resident memory. */
	readonly resident: number;
	/** What keeps a process alive, such as timers and sockets, by kind. */
	readonly handles: Readonly<Counts>;
}

/** Of this process, now. */
export function takeVitals(): Vitals {
	globalThis.gc?.();
	globalThis.gc?.();
	const {heapUsed, rss} = process.memoryUsage();
	const handles: Counts = {};
	for (const kind of process.getActiveResourcesInfo()) count(handles, kind);
	return {heap: toMegabytes(heapUsed), resident: toMegabytes(rss), handles};
}

const toMegabytes = (bytes: number): number => Math.round(bytes / 1e5) / 10;

/** How much more there may be at the end than at the beginning: far less than one object for each refresh would be. */
const bounds = {heap: 16, resident: 128, handles: 100};

/** What has grown between two moments of rest, in words. */
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
