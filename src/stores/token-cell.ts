import type {StoreError} from '../errors.ts';
import type {Waiter} from '../lib/with-timeout.ts';
import type {TokenSet} from '../token/token-set.ts';

/** What every operation of a cell gets from the session that uses it. */
export interface CellUse {
	/** The deadline of one operation, in milliseconds. */
	readonly timeout: number;
	/** The name of the client that the token belongs to. */
	readonly client: string;
	/** Reads what a store holds, which anybody may have written. Returns undefined if it is not a token. */
	readonly parse: (record: unknown) => TokenSet | undefined;
}

/** The changes that a cell reports to the session, whichever operation found them. */
export type CellChange =
	/** Another holder has changed or removed the token. */
	| {
			/** The kind of this change. */
			readonly type: 'changed';
			/** The token that it holds now. */
			readonly token: TokenSet | undefined;
			/** Whether the token belongs to the same login as before, so that it was renewed. */
			readonly isSameLogin: boolean;
	  }
	/** A slow holder has written a token of a login that was signed out. It has been deleted. */
	| {
			/** The kind of this change. */
			readonly type: 'late';
			/** The token that was deleted. */
			readonly token: TokenSet;
	  }
	/** The store failed. The token is kept in memory. */
	| {
			/** The kind of this change. */
			readonly type: 'failed';
			/** The error of the store. */
			readonly error: StoreError;
	  };

/** A cell whose lock is held. */
export interface LockedCell {
	/**
	Checks that the cell still holds `from`. Before a refresh token is used, it also checks that the store takes writes: if the new refresh
	token could not be stored, all other holders would lose the session.

	@returns False if the cell holds another token.
	@throws {LockError} if the store cannot be read, or the lock has expired.
	@throws {StoreError} if the store does not take writes. Nothing was sent then.
	*/
	claim(from: TokenSet | undefined, usesRefreshToken: boolean): Promise<boolean>;
	/** Stores `to` in place of `from`, as `swap` does, and tries again while the lock is held. */
	commit(from: TokenSet | undefined, to: TokenSet | undefined): Promise<boolean>;
}

/** The token to store. */
export interface Replacement {
	/** Undefined removes the token. */
	readonly token: TokenSet | undefined;
	/** Whether it belongs to the present login. Then it replaces that token, and no other. */
	readonly isSameLogin?: boolean;
}

/** The result of an overwrite. */
export interface Overwritten {
	/** The token that was there before. */
	readonly previous: TokenSet | undefined;
	/** Why the new token is only in memory. Undefined if it was stored. */
	readonly error?: StoreError | undefined;
}

/**
The interface between a session and its storage. Every store of regrant has it, `memoryStore()` included. For a store of your own, use
`customStore()`: the members of this interface are only for the session.
*/
export interface TokenCell {
	/** Returns the token if that is possible without waiting. Undefined means nothing. */
	peek(): TokenSet | undefined;
	/** Returns the token, or undefined if there is none. It only rejects with the reason of the waiter's signal. */
	read(use: CellUse, waiter?: Waiter): Promise<TokenSet | undefined>;
	/**
	Stores `to` in place of `from`. Undefined stands for no token. If the cell holds another token, it returns false and changes nothing.
	*/
	swap(use: CellUse, from: TokenSet | undefined, to: TokenSet | undefined): Promise<boolean>;
	/**
	Stores or removes a token, whatever the cell holds. `decide` gets the present token, and returns what to store. It runs again if the
	token changes before it is replaced. If it throws, nothing is written.
	*/
	overwrite(use: CellUse, decide: (previous: TokenSet | undefined) => Replacement): Promise<Overwritten>;
	/**
	Runs a task while no other holder of the cell runs one.

	@throws {LockError} if the lock was not available within `timeout`. Then the task does not run later either.
	*/
	exclusive<T>(use: CellUse, task: (cell: LockedCell) => Promise<T>): Promise<T>;
	/** Sets the function that gets changes which the session has not made itself. */
	onChange(listener: (change: CellChange) => void): void;
	/** Whether no read has succeeded yet. A cell that cannot fail has none. */
	isUnread?(): boolean;
	/** Listens for changes as they happen. Returns a function that stops that. A cell of one realm has no such changes. */
	watch?(use: CellUse): () => void;
	/** Runs after a sign-out: waits for the lock, and deletes what a slow holder has written. */
	deleteLateWrite?(use: CellUse): Promise<void>;
}

/** The store of a session: one of regrant's stores, or `customStore()`. */
export type TokenStore = TokenCell;
