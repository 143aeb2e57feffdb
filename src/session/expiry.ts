import type {TokenSet} from '../token/token-set.ts';

/**
Whether the token lives for more than these seconds, or for a time that is not known.

@param now Milliseconds since the epoch.
*/
export function isAlive(token: TokenSet | undefined, now: number, seconds = 0): token is TokenSet {
	if (!token) return false;
	const {expires_at, issued_at} = token;
	// Issued in the future: a clock was set, and the expiry is worth nothing.
	return expires_at === undefined || now < issued_at * 1000 || expires_at - now / 1000 > seconds;
}

/**
Whether the token can be sent without being renewed first.

@param leeway Seconds before its expiry. No more than a tenth of its lifetime counts: short tokens would be renewed for every call.
@param minimumLifetime Seconds for which it must still be good.
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
