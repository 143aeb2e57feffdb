import {type Counts, total} from './counts.ts';
import type {Vitals} from './vitals.ts';

/** What came of holders that renewed sessions over and over. */
export interface ActResult {
	/** Who they were, and what was done to them. */
	readonly name: string;
	readonly holders: number;
	/** Of each holder, on average. */
	readonly callers: number;
	readonly seed: number;
	readonly seconds: number;
	/** How often the server exchanged a refresh token. */
	readonly refreshes: number;
	/** How many token requests came. */
	readonly grants: number;
	/** 1, where everybody waits for one and nothing fails. */
	readonly grantsPerRefresh: number;
	/** How long a holder waited for the lock, in milliseconds. */
	readonly waitInLock?: {readonly median: number; readonly max: number};
	readonly calls: number;
	/** What the calls came to, by status or error code. */
	readonly outcomes: Readonly<Counts>;
	/** What was done to requests, answers and holders, by name. */
	readonly faults: Readonly<Counts>;
	/** What the losses of sessions came from. */
	readonly why: Readonly<Counts>;
	/** How many sessions were lost that should not have been. */
	readonly sessionsLost: number;
	/** What else must not have been. */
	readonly complaints: Readonly<Counts>;
	/** Of the process of the holders, at moments of rest. */
	readonly vitals?: readonly Vitals[];
}

/** What an act has counted, before it is summed up. */
export type Counted = Omit<ActResult, 'grantsPerRefresh' | 'waitInLock' | 'calls'> & {
	/** How long a holder waited for the lock, each time, in milliseconds. */
	readonly waits?: readonly number[];
};

/** Sums up. */
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

/** How holders are let loose. */
export interface ActOptions {
	/** For how long, at most. */
	readonly seconds: number;
	/** Where whatever happens at random begins. */
	readonly seed: number;
	/** Without lock and compare-and-set: what a store without them would be. */
	readonly isUnlocked?: boolean;
	/** Hears what happens meanwhile. */
	readonly log?: (line: string) => void;
}

/** The holders of one store. */
export type Act = (options: ActOptions) => Promise<ActResult>;

/** A whole run. */
export interface ChaosResult {
	readonly seed: number;
	/** By package, and of Node. */
	readonly versions: Readonly<Record<string, string>>;
	readonly refreshes: number;
	readonly calls: number;
	readonly why: Readonly<Counts>;
	readonly sessionsLost: number;
	readonly acts: readonly ActResult[];
}
