import type {CellUse, TokenStore} from '../stores/token-cell.ts';
import type {Renewer} from '../token/renewer.ts';

/** What a session is told by whoever uses it. Several may use one session, each with settings of its own. */
export interface SessionSettings extends CellUse {
	/** Where tokens come from. */
	readonly renewer: Renewer;
	/** Where the token lives. */
	readonly store: TokenStore;
	/** Seconds before its expiry in which a token is renewed. */
	readonly leeway: number;
	/** The clock: milliseconds since the epoch. */
	readonly now: () => number;
	/** Keeps a renewal alive after the request that began it. */
	readonly waitUntil: (promise: Promise<unknown>) => void;
}
