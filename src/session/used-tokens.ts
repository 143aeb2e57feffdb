import type {TokenSource} from '../token/renewer.ts';
import type {TokenSet} from '../token/token-set.ts';

/** Refresh tokens that must not be sent again: a server with reuse detection would end the whole grant. */
export interface UsedTokens {
	/** Whether a source can be used: it needs no refresh token, or one that is neither rejected nor used up. */
	isUsable(source: Pick<TokenSource, 'refreshToken'>): boolean;
	/** The server has rejected it. */
	markRejected(refreshToken: string | undefined): void;
	/** A grant has used one up, and the server has given another one. */
	markUsed(refreshToken: string | undefined, next: string | undefined): void;
	/** Keeps a new refresh token that came without an access token, to a session that has no record to keep it in. */
	keepOrphan(refreshToken: string | undefined, next: string): void;
	/** Gives the source that it is, for a session without a record. */
	orphan(token: TokenSet | undefined): readonly TokenSource[];
	/** Forgets what was rejected: a login may bring it back. */
	forgetRejected(): void;
}

/** Creates a list of used tokens. It holds the last one of each kind. */
export function createUsedTokens(): UsedTokens {
	let rejected: string | undefined;
	let usedUp: string | undefined;
	let orphan: string | undefined;
	return {
		isUsable: ({refreshToken}) => refreshToken === undefined || (refreshToken !== rejected && refreshToken !== usedUp),
		markRejected: refreshToken => {
			rejected = refreshToken;
		},
		markUsed: (refreshToken, next) => {
			if (refreshToken !== undefined && refreshToken !== next) usedUp = refreshToken;
		},
		keepOrphan: (refreshToken, next) => {
			if (refreshToken === undefined || refreshToken === next) return;
			usedUp = refreshToken;
			orphan = next;
		},
		orphan: token => (token || orphan === undefined ? [] : [{cause: 'refresh', refreshToken: orphan}]),
		forgetRejected: () => {
			rejected = undefined;
			orphan = undefined;
		},
	};
}
