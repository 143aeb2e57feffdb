import type {Settled, World} from './world.ts';

/** How `readings` spells a token that is kept with its lifetime and its scope. */
export const text = 'for 600 s, scope a b';

/** A grant for sessions that nobody signs in to. */
export const grant = {grant_type: 'client_credentials', scope: 'a b'} as const;

/** A header that hides all others from a page of another origin. */
export const hidden = ['access-control-expose-headers', ''] as const;

// How `gist` spells the errors that many rows expect.
export const network = 'TokenNetworkError network';
export const timeout = 'TokenNetworkError timeout';
export const unexpected = 'TokenResponseError unexpected_status';
export const invalid = 'TokenResponseError invalid_response';

export const times = <T>(count: number, make: () => T): T[] => Array.from({length: count}, make);

/** Waits for all of them, and gives what came of each. */
export const all = async (world: World, promises: ReadonlyArray<Promise<unknown>>): Promise<Settled[]> =>
	Promise.all(promises.map(promise => world.get(promise)));
