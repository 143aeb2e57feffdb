import type {TokenSource} from '../token/renewer.ts';
import type {TokenSet} from '../token/token-set.ts';

/** The refresh tokens of a session that its record does not tell of. */
export interface UsedTokens {
	/** Those that were used. A server that detects reuse would revoke the whole grant. */
	readonly usedUp: Set<string>;
	/** The latest one that was rejected. */
	rejected: string | undefined;
	/** A new refresh token that came without an access token, for a session that has no record to store it in. */
	orphan: string | undefined;
}

/** Whether a source can be used: it needs no refresh token, or one that was neither rejected nor used. */
export const isUsable =
	({usedUp, rejected}: UsedTokens): ((source: Pick<TokenSource, 'refreshToken'>) => boolean) =>
	({refreshToken}) =>
		refreshToken === undefined || (refreshToken !== rejected && !usedUp.has(refreshToken));

/** Makes sure that a refresh token is not sent again, unless the server has sent the same one. Returns whether that is so. */
export function useUp({usedUp}: UsedTokens, refreshToken: string | undefined, next: string | undefined): boolean {
	const isUsedUp = refreshToken !== undefined && refreshToken !== next;
	if (isUsedUp) usedUp.add(refreshToken);
	return isUsedUp;
}

/** The ways to get a token in place of this one, in the order in which to try them. */
export const sourcesOf = (
	{orphan}: UsedTokens,
	sources: readonly TokenSource[],
	token: TokenSet | undefined,
): readonly TokenSource[] =>
	token || orphan === undefined ? sources : [{cause: 'refresh', refreshToken: orphan}, ...sources];
