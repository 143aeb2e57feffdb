import type {Awaitable} from '../../lib/awaitable.ts';
import type {TokenSet} from '../../token/token-set.ts';

/**
The functions of your own store: three that it needs, and optional ones. If other tabs, isolates or processes share the store, it should
have `lock` and `replace`.
*/
export interface StoreDriver {
	/** Returns what was stored last, or undefined. regrant checks it: an invalid record counts as absent, and is reported by an event. */
	get(): Awaitable<unknown>;
	/** Stores the record, durably, before it resolves: the token, and two fields that say which login and which client it belongs to. */
	set(token: TokenSet): Awaitable<void>;
	/** Removes the token. */
	delete(): Awaitable<void>;
	/**
	Runs the task while no other holder of this store runs one. It rejects if it cannot run the task, or if the signal aborts before the
	task starts. If the lock can expire, it passes the task a function that says whether the lock is still held.
	*/
	lock?<T>(task: (isHeld?: () => boolean) => Promise<T>, signal?: AbortSignal): Promise<T>;
	/** Calls back when another holder may have changed the token. Returns a function that stops that. */
	subscribe?(onChange: () => void): () => void;
	/**
	Compares and sets in one step. If the store still holds `found`, it stores the token in its place, or deletes `found` if the token is
	undefined. Otherwise it changes nothing and returns false. `found` is a value that came from `get`, or that was passed to `set` or
	`replace`; undefined stands for no record. Without `replace`, `set` and `delete` are called.
	*/
	replace?(found: unknown, token: TokenSet | undefined): Awaitable<boolean>;
	/**
	Whether the later record was made from the earlier one by `replace` only, so that both belong to the same login. `set` starts another
	login. Without this function, the field `login` of the records says so.
	*/
	isSameLogin?(later: unknown, earlier: unknown): boolean;
}
