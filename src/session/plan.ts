import type {TokenSource} from '../token/renewer.ts';
import type {TokenSet} from '../token/token-set.ts';
import {isAlive} from './expiry.ts';

/** What a renewal does, given the content of the store. */
export type Plan =
	/** Use a token that somebody else has renewed. */
	| {readonly type: 'use'; readonly token: TokenSet}
	/** Send a request. */
	| {readonly type: 'send'; readonly source: TokenSource}
	/** End the session: every way to get a token needs a refresh token that was rejected or used. */
	| {readonly type: 'end'; readonly source?: undefined}
	/** Give up: there is no way to get a token, or no session to end. */
	| {readonly type: 'stop'};

/**
Makes the plan of a renewal.

@param from The token that the store holds.
@param stale The token to renew.
@param sources The ways to get a token in place of `from`, in the order in which to try them.
@param isUsable Whether a source can be used: its refresh token was neither rejected nor used.
@param now Milliseconds since the epoch.
*/
export function planRenewal(
	from: TokenSet | undefined,
	stale: TokenSet | undefined,
	sources: readonly TokenSource[],
	isUsable: (source: TokenSource) => boolean,
	now: number,
): Plan {
	if (from && from.access_token !== stale?.access_token && isAlive(from, now)) return {type: 'use', token: from};
	const source = sources.find(isUsable);
	if (source) return {type: 'send', source};
	return {type: from && sources.length > 0 ? 'end' : 'stop'};
}
