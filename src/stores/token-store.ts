import type {Awaitable} from '../oauth/client-authentication.ts';
import type {TokenSet} from '../token/token-response.ts';

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
	/**
	Runs the task while no other holder of this store runs one. Rejects where it could not be run, and once the signal says that
	nobody waits for it any more. Where the lock can run out, the task is given a function that tells whether it still holds.
	*/
	lock?<T>(task: (isHeld?: () => boolean) => Promise<T>, signal?: AbortSignal): Promise<T>;
	/** Calls back when another holder may have changed the token, until the function that it returns is called. */
	subscribe?(onChange: () => void): () => void;
	/**
	Compares and sets, as one step: where the store still holds what `get` found, and nothing where it found undefined, keeps the
	token in its place, or forgets it where there is none. Else it changes nothing and gives false. What is replaced is given as
	it came from `get`, or as it was given to `set` or `replace`. Without it, `set` and `delete` are called.
	*/
	replace?(found: unknown, token: TokenSet | undefined): Awaitable<boolean>;
	/**
	Whether one record came from another by `replace` alone, so that both are of one login: `set` begins another. Both are given
	as `found` is. Without it, every record is taken for a renewed one.
	*/
	isSameLogin?(later: unknown, earlier: unknown): boolean;
}

/** What a store may lack. */
type Ability = 'lock' | 'subscribe' | 'replace' | 'isSameLogin';

/** Whether a store can do that: by itself or by its class, and not by what every object inherits. */
export function supports<Name extends Ability>(
	store: TokenStore,
	name: Name,
): store is TokenStore & Required<Pick<TokenStore, Name>> {
	return !!store[name] && store[name] !== ({} as Partial<TokenStore>)[name];
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
