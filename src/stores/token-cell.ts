import type {StoreError} from '../errors.ts';
import type {Waiter} from '../lib/with-timeout.ts';
import type {TokenSet} from '../token/token-set.ts';

/** What every operation of a cell is told about the session that uses it. */
export interface CellUse {
	/** The deadline of one operation: milliseconds. */
	readonly timeout: number;
	/** Names the client whose token it is. */
	readonly client: string;
	/** Reads what a store holds, which anybody may have written. Gives undefined for what is no token. */
	readonly parse: (record: unknown) => TokenSet | undefined;
}

/** What a cell tells the session, whichever operation found it. */
export type CellChange =
	/** Another holder has changed the token, or has removed it. */
	| {
			/** The kind of this change. */
			readonly type: 'changed';
			/** What it holds now. */
			readonly token: TokenSet | undefined;
			/** Whether the token is of the login that was there before: renewed, and not another one. */
			readonly isSameLogin: boolean;
	  }
	/** A slow holder has written a token of a login that has been signed out. It is deleted already. */
	| {
			/** The kind of this change. */
			readonly type: 'late';
			/** What was deleted. */
			readonly token: TokenSet;
	  }
	/** The store failed. The token is kept in memory. */
	| {
			/** The kind of this change. */
			readonly type: 'failed';
			/** What it failed to do. */
			readonly error: StoreError;
	  };

/** A cell whose lock is held. */
export interface LockedCell {
	/**
	Makes sure that the cell still holds `from`, and, before a refresh token is used, that the store takes writes: a new refresh token that
	cannot be stored would be lost to all other holders.

	@returns False if it holds another token.
	@throws {LockError} if the store cannot be read, or the lock has run out.
	@throws {StoreError} if the store takes no write. Nothing has been sent then.
	*/
	claim(from: TokenSet | undefined, usesRefreshToken: boolean): Promise<boolean>;
	/** Stores `to` in place of `from`, as `swap` does, and tries again for as long as the lock is held. */
	commit(from: TokenSet | undefined, to: TokenSet | undefined): Promise<boolean>;
}

/** What to store. */
export interface Replacement {
	/** Undefined removes the token. */
	readonly token: TokenSet | undefined;
	/** Whether it belongs to the login that is there: then it replaces that token and no other. */
	readonly isSameLogin?: boolean;
}

/** What there was before an overwrite, and why the store did not take it. */
export interface Overwritten {
	/** What was there. */
	readonly previous: TokenSet | undefined;
	/** Why it is kept in memory. Undefined if it was stored. */
	readonly error?: StoreError | undefined;
}

/**
Where a token lives: the seam between a session and storage. `memoryStore()` is one, and every store of regrant is one. For a store of
your own use `customStore()`, which makes one of a few functions: these members are for the session alone.
*/
export interface TokenCell {
	/** Gives the token, if that takes no time. Undefined says nothing. */
	peek(): TokenSet | undefined;
	/** Gives the token, or undefined if there is none. It rejects with the reason of the waiter's signal, and with nothing else. */
	read(use: CellUse, waiter?: Waiter): Promise<TokenSet | undefined>;
	/** Stores `to` in place of `from`; undefined stands for no token. Gives false, and changes nothing, if it holds another token. */
	swap(use: CellUse, from: TokenSet | undefined, to: TokenSet | undefined): Promise<boolean>;
	/**
	Stores a token whatever is there, or removes it. `decide` says what to store; it runs when its turn has come, is told what is there, and
	runs again if that has changed before it could be replaced. What it throws prevents the write.
	*/
	overwrite(use: CellUse, decide: (previous: TokenSet | undefined) => Replacement): Promise<Overwritten>;
	/**
	Runs a task while no other holder of the cell runs one.

	@throws {LockError} if the lock could not be had within `timeout`. The task does not run later either.
	*/
	exclusive<T>(use: CellUse, task: (cell: LockedCell) => Promise<T>): Promise<T>;
	/** Sets who is told of changes that the session has not made itself. */
	onChange(listener: (change: CellChange) => void): void;
	/** Hears of changes as they happen, until the function that it returns is called. A cell of one realm has nothing to hear of. */
	watch?(use: CellUse): () => void;
	/** After a sign-out: waits for the lock, and looks for what a slow holder has written. */
	deleteLateWrite?(use: CellUse): Promise<void>;
}

/** Where the token of a session lives: one of regrant's stores. */
export type TokenStore = TokenCell;
