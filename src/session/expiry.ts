import type {TokenSet} from '../token/token-set.ts';

/**
Whether the token is valid for more than this many seconds, or for an unknown time.

@param now Milliseconds since the epoch.
*/
export function isAlive(token: TokenSet | undefined, now: number, seconds = 0): token is TokenSet {
	if (!token) return false;
	const {expires_at, issued_at} = token;
	// A token that was issued in the future means that a clock was set, so its expiry says nothing.
	return expires_at === undefined || now < issued_at * 1000 || expires_at - now / 1000 > seconds;
}

/**
Whether the token can be sent without a renewal.

@param leeway Seconds before its expiry, but at most a tenth of its lifetime: otherwise short-lived tokens would be renewed for every call.
@param minimumLifetime How many seconds it must still be valid.
*/
export function isFresh(
	token: TokenSet | undefined,
	now: number,
	leeway: number,
	minimumLifetime = 0,
): token is TokenSet {
	const {expires_at = Infinity, issued_at = 0} = token ?? {};
	return isAlive(token, now, Math.max(Math.min(leeway, (expires_at - issued_at) / 10), minimumLifetime));
}
