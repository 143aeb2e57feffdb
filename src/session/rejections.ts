import type {TokenSet} from '../token/token-set.ts';

/** Remembers a token that was refused though it was new: an API that refuses everything must not cost a grant for each call. */
export interface Rejections {
	/** Takes note of an answer: whether it refused a token that was new, or accepted a token. */
	recordAnswer(token: TokenSet, isRejected: boolean, now: () => number): void;
	/** Whether this token was refused within the last minute. */
	isRefused(token: TokenSet, now: number): boolean;
	/** Forgets it. */
	forgetRefusal(): void;
}

/** For how long a token that was refused though it was new causes no further grant, in milliseconds. */
const memory = 60_000;

/** Creates a memory of rejections. Its times are milliseconds since the epoch. */
export function createRejections(): Rejections {
	let rejected: string | undefined;
	let since = 0;
	return {
		recordAnswer: ({access_token}, isRejected, now) => {
			if (isRejected) {
				rejected = access_token;
				since = now();
			} else if (rejected === access_token) rejected = undefined;
		},
		isRefused: ({access_token}, now) => {
			const age = now - since;
			return rejected === access_token && age >= 0 && age < memory;
		},
		forgetRefusal: () => {
			rejected = undefined;
		},
	};
}
