import {type Counts, total} from './counts.ts';
import type {Vitals} from './vitals.ts';

/** The result of one run, in which many holders renewed sessions again and again. */
export interface ActResult {
	/** Describes the holders and the faults. */
	readonly name: string;
	readonly holders: number;
	/** The average number of callers of each holder. */
	readonly callers: number;
	readonly seed: number;
	readonly seconds: number;
	/** How often the server exchanged a refresh token. */
	readonly refreshes: number;
	/** How many token requests arrived. */
	readonly grants: number;
	/** Token requests for each refresh. It is 1 if every caller waits for one refresh and nothing fails. */
	readonly grantsPerRefresh: number;
	/** How long a holder waited for the lock, in milliseconds. */
	readonly waitInLock?: {readonly median: number; readonly max: number};
	readonly calls: number;
	/** How often the calls had which outcome: a status or an error code. */
	readonly outcomes: Readonly<Counts>;
	/** How often each fault was injected, by name. */
	readonly faults: Readonly<Counts>;
	/** Why sessions were lost, and how often. */
	readonly why: Readonly<Counts>;
	/** How many sessions were lost without an excuse. */
	readonly sessionsLost: number;
	/** Other things that must not happen, and how often they did. */
	readonly complaints: Readonly<Counts>;
	/** The memory and handles of the holders' process, at each pause of the faults. */
	readonly vitals?: readonly Vitals[];
}

/** What a run has counted, before averages are computed. */
export type Counted = Omit<ActResult, 'grantsPerRefresh' | 'waitInLock' | 'calls'> & {
	/** How long a holder waited for the lock, each time, in milliseconds. */
	readonly waits?: readonly number[];
};

/** Computes the result of a run from its counts. */
export function sumUp({waits, seconds, ...counted}: Counted): ActResult {
	const {refreshes, grants, outcomes} = counted;
	const sorted = waits?.toSorted((one, other) => one - other);
	return {
		...counted,
		seconds: Math.round(seconds),
		grantsPerRefresh: Math.round((grants / Math.max(refreshes, 1)) * 1000) / 1000,
		...(sorted && {
			waitInLock: {median: Math.round(sorted[sorted.length >> 1] ?? 0), max: Math.round(sorted.at(-1) ?? 0)},
		}),
		calls: total(outcomes),
	};
}

/** Options of a run. */
export interface ActOptions {
	/** The maximum length of the run, in seconds. */
	readonly seconds: number;
	/** The seed of all random decisions. */
	readonly seed: number;
	/** Disables the lock and compare-and-set, to show what happens without them. */
	readonly isUnlocked?: boolean;
	/** Is called with messages about the progress. */
	readonly log?: (line: string) => void;
}

/** Runs the holders of one kind of store. */
export type Act = (options: ActOptions) => Promise<ActResult>;

/** The results of all runs. */
export interface ChaosResult {
	readonly seed: number;
	/** The versions of the packages and of Node. */
	readonly versions: Readonly<Record<string, string>>;
	readonly refreshes: number;
	readonly calls: number;
	readonly why: Readonly<Counts>;
	readonly sessionsLost: number;
	readonly acts: readonly ActResult[];
}
