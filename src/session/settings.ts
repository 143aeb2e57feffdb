import type {CellUse, TokenStore} from '../stores/token-cell.ts';
import type {Renewer} from '../token/renewer.ts';

/** The settings of one user of a session. Several can use the same session, each with settings of their own. */
export interface SessionSettings extends CellUse {
	/** Where tokens come from. */
	readonly renewer: Renewer;
	/** Where the token lives. */
	readonly store: TokenStore;
	/** How many seconds before its expiry a token is renewed. */
	readonly leeway: number;
	/** The clock, in milliseconds since the epoch. */
	readonly now: () => number;
	/** Keeps work running after the request that started it. Nobody hears of its failure. */
	readonly waitUntil: (promise: Promise<unknown>) => void;
}
