/** What came of a crowd of holders that renewed one session over and over. */
export interface SoakResult {
	/** The store, and whether its lock was used. */
	readonly store: string;
	readonly holders: number;
	/** Of each holder. */
	readonly callers: number;
	/** How often the access token expired. */
	readonly expiries: number;
	readonly grants: number;
	/** 1, where everybody waits for one. */
	readonly grantsPerExpiry: number;
	readonly refreshesPerSecond: number;
	/** How long a holder waited for the lock, in milliseconds. */
	readonly waitInLock: {readonly median: number; readonly max: number};
	readonly sessionsLost: number;
	/** What the losses came from, such as a process that was killed between the server's rotation and its write. */
	readonly why: Readonly<Record<string, number>>;
	readonly seed: number;
	/** What the calls came to, by status or error code. */
	readonly outcomes?: Readonly<Record<string, number>>;
}

/** How a crowd is let loose. */
export interface SoakOptions {
	/** For how long, at most. */
	readonly seconds: number;
	/** Where whatever happens at random begins. */
	readonly seed: number;
	/** Without lock and compare-and-set: what a store without them would be. */
	readonly isUnlocked?: boolean;
	/** Hears what happens meanwhile. */
	readonly log?: (line: string) => void;
}

/** The crowd of one store. */
export type Soak = (options: SoakOptions) => Promise<SoakResult>;
