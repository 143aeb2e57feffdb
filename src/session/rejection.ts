import type {TokenSet} from '../token/token-set.ts';

/** A new token that was rejected. It is remembered, so that an API that rejects everything does not cause a grant for each call. */
export interface Rejection {
	readonly access_token: string;
	/** Milliseconds since the epoch. */
	readonly since: number;
}

/** How long a rejected new token causes no further grant, in milliseconds. */
const memory = 60_000;

/** Records a response: whether it rejected a new token, or accepted a token. */
export function recordResponse(
	core: {rejection: Rejection | undefined},
	{access_token}: TokenSet,
	isRejected: boolean,
	now: () => number,
): void {
	if (isRejected) core.rejection = {access_token, since: now()};
	else if (core.rejection?.access_token === access_token) core.rejection = undefined;
}

/** Whether this token was rejected within the last minute. */
export function isRejectedLately(rejection: Rejection | undefined, {access_token}: TokenSet, now: number): boolean {
	if (rejection?.access_token !== access_token) return false;
	const age = now - rejection.since;
	return age >= 0 && age < memory;
}
