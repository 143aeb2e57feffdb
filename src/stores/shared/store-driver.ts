import type {Awaitable} from '../../lib/awaitable.ts';
import type {TokenSet} from '../../token/token-set.ts';

/**
What a store of your own does: the three operations of a store, and what it can do beside. A store whose token is shared with other
holders (tabs, isolates, processes) should have `lock` and `replace`.
*/
export interface StoreDriver {
	/** Gives what was stored last, or undefined. It is checked when it is read: what does not pass counts as absent, and is told. */
	get(): Awaitable<unknown>;
	/** Stores the token, durably, before it resolves. */
	set(token: TokenSet): Awaitable<void>;
	/** Removes the token. */
	delete(): Awaitable<void>;
	/**
	Runs the task while no other holder of this store runs one. It rejects if the task could not be run, and once the signal says that
	nobody waits for it any more. If the lock can run out, the task is given a function that tells whether it is still held.
	*/
	lock?<T>(task: (isHeld?: () => boolean) => Promise<T>, signal?: AbortSignal): Promise<T>;
	/** Calls back when another holder may have changed the token, until the function that it returns is called. */
	subscribe?(onChange: () => void): () => void;
	/**
	Compares and sets in one step: if the store still holds what `get` found, and nothing if it found undefined, it stores the token in its
	place, or removes it if there is none. Otherwise it changes nothing and gives false. `found` is as it came from `get`, or as it was given
	to `set` or `replace`. Without it, `set` and `delete` are called.
	*/
	replace?(found: unknown, token: TokenSet | undefined): Awaitable<boolean>;
	/**
	Whether one record came from another by `replace` alone, so that both are of one login: `set` begins another. Both are given as `found`
	is. Without it, the records of a store with `lock` bear two more fields: `login` and `client`.
	*/
	isSameLogin?(later: unknown, earlier: unknown): boolean;
}

/** What is particular to a driver. */
export interface SharedStoreOptions {
	/**
	Whether each record bears the names of its login and of its client: a sign-out has to know which login a record is of, and two programs
	may use one place by mistake.
	*/
	readonly isMarked?: boolean | undefined;
}

/** What a driver may lack. */
type Ability = 'lock' | 'subscribe' | 'replace' | 'isSameLogin';

/** Whether a driver has it: by itself or by its class, and not by what every object inherits. */
export function supports<Name extends Ability>(
	driver: StoreDriver,
	name: Name,
): driver is StoreDriver & Required<Pick<StoreDriver, Name>> {
	return !!driver[name] && driver[name] !== ({} as Partial<StoreDriver>)[name];
}
