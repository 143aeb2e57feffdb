import type {TokenSource} from '../token/renewer.ts';
import type {TokenSet} from '../token/token-set.ts';

/** Refresh tokens that must not be sent again, because a server that detects reuse would revoke the whole grant. */
export interface UsedTokens {
	/** Whether a source can be used: it needs no refresh token, or one that was neither rejected nor used. */
	isUsable(source: Pick<TokenSource, 'refreshToken'>): boolean;
	/** Records that the server has rejected it. */
	reject(refreshToken: string | undefined): void;
	/** Records that a grant has used a refresh token, and that the server has sent another one. */
	use(refreshToken: string | undefined, next: string | undefined): void;
	/** Keeps a new refresh token that came without an access token, for a session that has no record to store it in. */
	keepOrphan(refreshToken: string | undefined, next: string): void;
	/** Returns that refresh token as a source, for a session without a record. */
	orphan(token: TokenSet | undefined): readonly TokenSource[];
	/** Takes it out. */
	takeOrphan(): string | undefined;
	/** Forgets the rejected token, because a login may bring it again. */
	forgetRejected(): void;
}

/** Creates a list of used tokens. It holds the latest one that was rejected. */
export function createUsedTokens(): UsedTokens {
	let rejected: string | undefined;
	const usedUp = new Set<string | undefined>();
	let orphan: string | undefined;
	return {
		isUsable: ({refreshToken}) =>
			refreshToken === undefined || (refreshToken !== rejected && !usedUp.has(refreshToken)),
		reject: refreshToken => {
			rejected = refreshToken;
		},
		use: (refreshToken, next) => {
			if (refreshToken !== next) usedUp.add(refreshToken);
			orphan = undefined;
		},
		keepOrphan: (refreshToken, next) => {
			if (refreshToken === undefined || refreshToken === next) return;
			usedUp.add(refreshToken);
			orphan = next;
		},
		orphan: token => (token || orphan === undefined ? [] : [{cause: 'refresh', refreshToken: orphan}]),
		takeOrphan: () => {
			const taken = orphan;
			orphan = undefined;
			return taken;
		},
		forgetRejected: () => {
			rejected = undefined;
			orphan = undefined;
		},
	};
}
