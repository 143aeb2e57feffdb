import type {TokenSet} from '../token/token-set.ts';

/** Remembers a new token that was rejected, so that an API that rejects everything does not cause a grant for each call. */
export interface Rejections {
	/** Records a response: whether it rejected a new token, or accepted a token. */
	record(token: TokenSet, isRejected: boolean, now: () => number): void;
	/** Whether this token was rejected within the last minute. */
	isRecent(token: TokenSet, now: number): boolean;
	/** Forgets it. */
	reset(): void;
}

/** How long a rejected new token causes no further grant, in milliseconds. */
const memory = 60_000;

/** Creates a memory of rejections. Its times are milliseconds since the epoch. */
export function createRejections(): Rejections {
	let rejected: string | undefined;
	let since = 0;
	return {
		record: ({access_token}, isRejected, now) => {
			if (isRejected) {
				rejected = access_token;
				since = now();
			} else if (rejected === access_token) rejected = undefined;
		},
		isRecent: ({access_token}, now) => {
			const age = now - since;
			return rejected === access_token && age >= 0 && age < memory;
		},
		reset: () => {
			rejected = undefined;
		},
	};
}
