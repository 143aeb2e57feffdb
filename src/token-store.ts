import type {Awaitable} from './client-authentication.ts';
import type {TokenSet} from './token-response.ts';

/**
Where the token of a session lives. A store that shares its token with other holders (tabs, isolates, processes) also knows
how to keep them apart: it has `lock`.
*/
export interface TokenStore {
	/** What was set last. It is checked when read: what does not pass counts as absent, and is reported. */
	get(): Awaitable<unknown>;
	/** Keeps the token, durably, before it resolves. */
	set(token: TokenSet): Awaitable<void>;
	/** Forgets the token. */
	delete(): Awaitable<void>;
	/** Runs the task while no other holder of this store runs one. Rejects where it could not be run. */
	lock?<T>(task: () => Promise<T>): Promise<T>;
	/** Calls back when another holder may have changed the token, until the function that it returns is called. */
	subscribe?(onChange: () => void): () => void;
}

/**
Keeps the token in the memory of this realm: the default. Every `createAuth` that is given the same store shares one session,
and one grant at a time.
*/
export function memoryStore(): TokenStore {
	let held: TokenSet | undefined;
	return {
		get: () => held,
		set: token => {
			held = token;
		},
		delete: () => {
			held = undefined;
		},
	};
}
