import type {Settled, World} from './world.ts';

/** How the results of `readings` describe a token that kept its lifetime and its scope. */
export const text = 'for 600 s, scope a b';

/** The grant of a session that needs no login. */
export const grant = {grant_type: 'client_credentials', scope: 'a b'} as const;

/** Hides all other headers from pages of another origin. */
export const hidden = ['access-control-expose-headers', ''] as const;

/**
The `timeout` of a case that waits for its end, in milliseconds. On a busy machine, it must not end before the request has arrived, nor before
a server has answered that does answer.
*/
export const deadline = 4_000;

// The errors that many rows expect, in the words of the results.
export const network = 'TokenNetworkError network';
export const timeout = 'TokenNetworkError timeout';
export const unexpected = 'TokenResponseError unexpected_status';
export const invalid = 'TokenResponseError invalid_response';

export const times = <T>(count: number, make: () => T): T[] => Array.from({length: count}, make);

/** Waits for all of the promises, and returns the outcome of each. */
export const all = async (world: World, promises: ReadonlyArray<Promise<unknown>>): Promise<Settled[]> =>
	Promise.all(promises.map(promise => world.get(promise)));
