import type {Awaitable} from './client-authentication.ts';
import {type Waiter, within} from './deadline.ts';
import {LockError, StoreError, type StoreErrorCode} from './errors.ts';
import type {Settings} from './options.ts';
import type {AuthEvent} from './session-events.ts';
import {isSameToken, readTokenSet, type TokenSet} from './token-response.ts';
import type {TokenStore} from './token-store.ts';

/** The token of a session in its store, with the memory of this realm behind it for when the store fails. */
export interface SessionRecord {
	/** The token, or undefined where there is none. Fails with the reason of the waiter's signal alone. */
	read(settings: Settings, waiter?: Waiter): Promise<TokenSet | undefined>;
	/**
	The same for the holder of the lock, who is about to spend the token.

	@throws {LockError} where the store does not tell what it told before: others may have renewed the token meanwhile.
	*/
	readLocked(settings: Settings): Promise<TokenSet | undefined>;
	/** The token at once, where the store is this realm's memory. Undefined says nothing. */
	peek(): TokenSet | undefined;
	/** Keeps a token, or forgets it: here in any case. Gives back the failure of a store that did not. */
	write(settings: Settings, token: TokenSet | undefined): Promise<StoreError | undefined>;
	/** The same in place of a token that was read. False, and nothing is done, where the store holds another one by now. */
	replace(settings: Settings, from: TokenSet | undefined, token: TokenSet | undefined): Promise<boolean>;
}

/** What a write is to replace, as it came from the store. */
interface Found {
	readonly record: unknown;
}

/** Who is told of what is found in the store. */
export interface RecordWatch {
	/** An event for all listeners. */
	emit(event: AuthEvent): void;
	/** Another holder has signed out, or has signed in: what is under way counts for nothing. */
	supersede(isSignOut: boolean): void;
}

/** The record of the session in this store. */
export function createRecord(store: TokenStore, {emit, supersede}: RecordWatch): SessionRecord {
	/** As last seen or written. */
	let token: TokenSet | undefined;
	/** The token as the store gave it, or was given it. */
	let raw: unknown;
	/** What the store was given for it: where the store gives that back, it needs no second check. */
	let saved: unknown;
	/** What our last write replaced: should the store come back with it, then it is behind. */
	let outdated: TokenSet | undefined;
	/** Whether the store failed to take our last write. */
	let isUnsaved = false;
	/** The last write, while it is under way. */
	let writing: Promise<unknown> | undefined;
	/** What it is to leave. */
	let pending: {readonly token: TokenSet | undefined} | undefined;
	/** Whether it was to replace what had been found. */
	let isReplacement = false;
	/** Counts the beginnings and the ends of writes. */
	let writes = 0;
	/** Count reads: as they begin, and the latest of those whose answer has come. */
	let reads = 0;
	let lastRead = 0;
	/** Whether the store gives back at once, and as it was, what it was given. */
	let isMemory = false;
	let isKnown = false;
	/** Whether the store has ever told something: then it may know more than this realm. */
	let isTelling = false;
	let isFailing = false;
	/**
	Where an operation hangs, nothing is read before this time: each call would cost its caller the deadline. But what is to be
	kept is written. In milliseconds.
	*/
	let stuckUntil = 0;
	let isSubscribed = false;

	const fail = (code: StoreErrorCode): StoreError => {
		const error = new StoreError(code);
		if (!isFailing) emit({type: 'store-failed', error});
		isFailing = true;
		return error;
	};

	/** An operation of the store, within the deadline. */
	const operate = <T>(operation: () => Awaitable<T>, {timeout, now}: Settings, waiter?: Waiter): Awaitable<T> => {
		const answer = operation();
		if (typeof Object(answer).then !== 'function') return answer;
		const settled = Promise.resolve(answer).finally(() => {
			stuckUntil = 0;
		});
		return within(settled, timeout, () => (stuckUntil = now() + timeout), waiter);
	};

	/** What the store holds is checked like an answer from the network: others can write there. */
	const check = (record: unknown, {tokenTypes}: Settings): TokenSet | undefined => {
		if (record === saved) return token;
		const found = readTokenSet(record, {tokenTypes, expiresIn: 'seconds', issued_at: NaN});
		if (!('problem' in found) && found.issued_at >= 0) return found;
		fail('store_corrupt');
		return undefined;
	};

	/** News from another holder. */
	const tell = (found: TokenSet | undefined, record: unknown): void => {
		if (!found) {
			supersede(true);
			emit({type: 'session-ended', reason: 'signed_out'});
			return;
		}
		if (token && store.continues && !store.continues(record, raw)) supersede(false);
		emit({type: 'token', cause: 'store', expires_at: found.expires_at});
	};

	const read = async (settings: Settings, waiter?: Waiter, isLocked?: boolean): Promise<TokenSet | undefined> => {
		subscribe(settings);
		const before = writes;
		const order = ++reads;
		let record: unknown;
		try {
			if (settings.now() < stuckUntil) throw undefined;
			const answer = operate(() => store.get(), settings, waiter);
			isMemory = answer === saved && !!token;
			record = await answer;
		} catch {
			waiter?.signal?.throwIfAborted();
			fail('store_read');
			if (isLocked && isTelling && !isUnsaved) throw new LockError();
			return token;
		}
		// Older than what has been written since.
		if (before !== writes) return read(settings, waiter, isLocked);
		// Overtaken by one that began later.
		if (order < lastRead) return token;
		lastRead = order;
		const isEmpty = record === undefined || record === null;
		const found = isEmpty ? undefined : check(record, settings);
		if (isSameToken(found, outdated) && (isUnsaved || outdated)) {
			const again = isReplacement ? {record} : undefined;
			if (isUnsaved && (await turn(settings, token, again)) === false) return read(settings, waiter, isLocked);
			return token;
		}
		if (found || isEmpty) isFailing = false;
		// What is just being written is no news.
		const isOurs = isSameToken(found, token) || (!!pending && isSameToken(found, pending.token));
		if (isKnown && !isOurs) tell(found, record);
		if (found !== token) saved = undefined;
		isKnown = isTelling = true;
		isUnsaved = false;
		token = found;
		raw = record;
		return token;
	};

	/** False where the store holds something else than the record that it is to replace. */
	const put = async (
		settings: Settings,
		next: TokenSet | undefined,
		found: Found | undefined,
	): Promise<StoreError | false | undefined> => {
		const record = next && Object.freeze({...next});
		const operation = (): Awaitable<unknown> => {
			if (found && store.replace) return store.replace(found.record ?? undefined, record);
			return record ? store.set(record) : store.delete();
		};
		const replaced = isUnsaved ? outdated : token;
		let error: StoreError | undefined;
		pending = {token: next};
		writes++;
		try {
			if ((await operate(operation, settings)) === false && found && store.replace) return false;
		} catch {
			error = fail('store_write');
		} finally {
			writes++;
			pending = undefined;
		}
		// Not before: nobody gets a token that is not stored.
		outdated = replaced;
		// What renews a login that was not written begins it, too.
		isReplacement = !!found && (isReplacement || !isUnsaved);
		isUnsaved = !!error;
		isKnown = true;
		raw = saved = record;
		token = next;
		return error;
	};

	/** One after the other, so that the last one stays. With a deadline: on Workers the one before may be gone. */
	const turn = async (
		settings: Settings,
		next: TokenSet | undefined,
		found?: Found,
	): Promise<StoreError | false | undefined> => {
		const before = writing;
		const take = async (): Promise<StoreError | false | undefined> => {
			if (before) await within(before, settings.timeout, () => undefined).catch(() => {});
			return put(settings, next, found);
		};
		const mine = take();
		writing = mine;
		const outcome = await mine;
		if (writing === mine) writing = undefined;
		return outcome;
	};

	/** Late, since at module scope a Worker may do nothing. */
	const subscribe = (settings: Settings): void => {
		if (isSubscribed) return;
		isSubscribed = true;
		try {
			store.subscribe?.(() => void read(settings));
		} catch {}
	};

	return {
		read,
		readLocked: async settings => read(settings, undefined, !!store.lock),
		peek: () => {
			try {
				return isMemory && store.get() === saved ? token : undefined;
			} catch {
				// It will fail again, and be told, when it is read.
				return undefined;
			}
		},
		write: async (settings, next) => (await turn(settings, next)) || undefined,
		replace: async (settings, from, next) => {
			for (let tries = 0; isSameToken(from, token); tries++) {
				// The same token in a record that is not quite the same is ours to replace: what it was spent for must not be lost.
				if ((await turn(settings, next, tries < 3 ? {record: raw} : undefined)) !== false) return true;
				await read(settings);
			}
			return false;
		},
	};
}
