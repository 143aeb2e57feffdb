import type {Awaitable} from './client-authentication.ts';
import {type Waiter, within} from './deadline.ts';
import {StoreError, type StoreErrorCode} from './errors.ts';
import type {Settings} from './options.ts';
import type {AuthEvent} from './session-events.ts';
import {isSameToken, readTokenSet, type TokenSet} from './token-response.ts';
import type {TokenStore} from './token-store.ts';

/** The token of a session in its store, with the memory of this realm behind it for when the store fails. */
export interface SessionRecord {
	/** The token, or undefined where there is none. Fails with the reason of the waiter's signal alone. */
	read(settings: Settings, waiter?: Waiter): Promise<TokenSet | undefined>;
	/** The token at once, where the store is this realm's memory. Undefined says nothing. */
	peek(): TokenSet | undefined;
	/** Keeps a token, or forgets it: here in any case. Gives back the failure of a store that did not. */
	write(settings: Settings, token: TokenSet | undefined): Promise<StoreError | undefined>;
}

/** The record of the session in this store. */
export function createRecord(store: TokenStore, emit: (event: AuthEvent) => void): SessionRecord {
	/** As last seen or written. */
	let token: TokenSet | undefined;
	/** What the store was given for it: where the store gives that back, it needs no second check. */
	let saved: unknown;
	/** What our last write replaced: should the store come back with it, then it is behind. */
	let outdated: TokenSet | undefined;
	/** Whether the store failed to take our last write. */
	let isUnsaved = false;
	/** The last write, while it is under way. */
	let writing: Promise<unknown> | undefined;
	/** Counts the beginnings and the ends of writes. */
	let writes = 0;
	/** Whether the store gives back at once, and as it was, what it was given. */
	let isMemory = false;
	let isKnown = false;
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

	const read = async (settings: Settings, waiter?: Waiter): Promise<TokenSet | undefined> => {
		subscribe(settings);
		const before = writes;
		let record: unknown;
		try {
			if (settings.now() < stuckUntil) throw undefined;
			const answer = operate(() => store.get(), settings, waiter);
			isMemory = answer === saved && !!token;
			record = await answer;
		} catch {
			waiter?.signal?.throwIfAborted();
			fail('store_read');
			return token;
		}
		// Older than what has been written since.
		if (before !== writes) return read(settings, waiter);
		const isEmpty = record === undefined || record === null;
		const found = isEmpty ? undefined : check(record, settings);
		if (isSameToken(found, outdated) && (isUnsaved || outdated)) {
			if (isUnsaved) await write(settings, token);
			return token;
		}
		if (found || isEmpty) isFailing = false;
		// Not while a write is under way, whose own news this would be.
		if (isKnown && !writing && !isSameToken(found, token)) {
			emit(
				found
					? {type: 'token', cause: 'store', expires_at: found.expires_at}
					: {type: 'session-ended', reason: 'signed_out'},
			);
		}
		if (found !== token) saved = undefined;
		isKnown = true;
		isUnsaved = false;
		token = found;
		return token;
	};

	const put = async (settings: Settings, next: TokenSet | undefined): Promise<StoreError | undefined> => {
		const record = next && Object.freeze({...next});
		writes++;
		if (!isUnsaved) outdated = token;
		try {
			await operate(() => (record ? store.set(record) : store.delete()), settings);
			isUnsaved = false;
			return undefined;
		} catch {
			isUnsaved = true;
			return fail('store_write');
		} finally {
			// Not before: nobody gets a token that is not stored.
			writes++;
			isKnown = true;
			saved = record;
			token = next;
		}
	};

	/** One after the other, so that the last one stays. With a deadline: on Workers the one before may be gone. */
	const write: SessionRecord['write'] = async (settings, next) => {
		const before = writing;
		const turn = async (): Promise<StoreError | undefined> => {
			if (before) await within(before, settings.timeout, () => undefined).catch(() => {});
			return put(settings, next);
		};
		const mine = turn();
		writing = mine;
		const error = await mine;
		if (writing === mine) writing = undefined;
		return error;
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
		peek: () => {
			try {
				return isMemory && store.get() === saved ? token : undefined;
			} catch {
				// It will fail again, and be told, when it is read.
				return undefined;
			}
		},
		write,
	};
}
