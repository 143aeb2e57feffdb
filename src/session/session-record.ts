import type {Awaitable} from '../oauth/client-authentication.ts';
import {type Waiter, withTimeout} from '../lib/with-timeout.ts';
import {LockError, StoreError, type StoreErrorCode} from '../errors.ts';
import type {Settings} from '../oauth/options.ts';
import type {AuthEvent} from './events.ts';
import {isSameToken, readTokenSet, type TokenSet} from '../token/token-response.ts';
import {supports, type TokenStore} from '../stores/token-store.ts';
import {createMutex} from '../lib/mutex.ts';

/** What a session is at just now. */
export interface SessionState {
	/** Counts sign-ins and sign-outs, here and elsewhere: what began before one counts for nothing after it. */
	epoch: number;
	/** Counts sign-outs alone. */
	signOuts: number;
	/** Whether a `grant` function is being called: what it asks of the session would wait for itself. */
	isAsking: boolean;
}

/** The token of a session in its store, with the memory of this realm behind it for when the store fails. */
export interface SessionRecord {
	/** As it is now. */
	readonly state: SessionState;
	/**
	The token, or undefined where there is none: what a sign-in, a sign-out or a write leaves, also one that comes meanwhile. Fails
	with the reason of the waiter's signal alone.

	@param isLocked For the holder of the store's lock, who is about to spend the token.
	@throws {LockError} then, where the store does not tell what it told before: others may have renewed the token meanwhile.
	*/
	read(settings: Settings, waiter?: Waiter, isLocked?: boolean): Promise<TokenSet | undefined>;
	/** The token at once, where the store is this realm's memory. Undefined says nothing. */
	peek(): TokenSet | undefined;
	/**
	Keeps a token in place of whatever is there, or forgets it: here in any case. Gives back what was there, and the failure of a
	store that did not. What `begin` throws prevents it.
	*/
	write(
		settings: Settings,
		token: TokenSet | undefined,
		begin?: () => void,
	): Promise<{readonly previous: TokenSet | undefined; readonly error: StoreError | undefined}>;
	/** The same in place of a token that was read. False, and nothing is done, where the store holds another one by now. */
	replace(settings: Settings, from: TokenSet | undefined, token: TokenSet | undefined): Promise<boolean>;
	/** What is under way counts for nothing from now on. */
	supersede(isSignOut: boolean): void;
}

/**
The record of the session in this store.

@param emit Tells all listeners.
@param onSuperseded Is called when somebody has signed out, or has signed in, here or elsewhere.
*/
export function createRecord(
	store: TokenStore,
	emit: (event: AuthEvent) => void,
	onSuperseded: (isSignOut: boolean) => void,
): SessionRecord {
	const state: SessionState = {epoch: 0, signOuts: 0, isAsking: false};
	/** One reads and writes, so that the last one stays. */
	const turns = createMutex();
	/** Counts what makes an answer of the store one of before. */
	let changes = 0;
	/** As last seen or written. */
	let token: TokenSet | undefined;
	/** The token as the store gave it, or was given it. What is frozen is as it was when it was checked. */
	let raw: unknown;
	/** What our last write replaced: should the store come back with it, then it is behind. */
	let outdated: TokenSet | undefined;
	/** Whether the store failed to take our last write. */
	let isUnsaved = false;
	/** Whether that was to replace what had been found. */
	let isReplacement = false;
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

	const inTurn = async <T>(settings: Settings, task: () => Promise<T>): Promise<T> =>
		turns.take(settings, async () => {
			changes++;
			return task();
		});

	const supersede: SessionRecord['supersede'] = isSignOut => {
		changes++;
		state.epoch++;
		if (isSignOut) state.signOuts++;
		isMemory = false;
		onSuperseded(isSignOut);
	};

	/** An operation of the store, within the deadline. */
	const operate = async <T>(operation: () => Awaitable<T>, {timeout, now}: Settings, waiter?: Waiter): Promise<T> => {
		const work = async (): Promise<T> => {
			try {
				return await operation();
			} finally {
				stuckUntil = 0;
			}
		};
		const onLate = (): void => {
			stuckUntil = now() + timeout;
		};
		return withTimeout(work, timeout, onLate, waiter);
	};

	/** What the store holds is checked like an answer from the network: others can write there. */
	const check = (record: unknown, {tokenTypes}: Settings): TokenSet | undefined => {
		if (record === raw && Object.isFrozen(record)) return token;
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
		if (token && supports(store, 'isSameLogin') && !store.isSameLogin(record, raw)) supersede(false);
		emit({type: 'token', cause: 'store', expires_at: found.expires_at});
	};

	/** Reads until nothing has come between. In a turn of its own it does not wait for that. */
	const load = async (
		settings: Settings,
		waiter?: Waiter,
		isLocked?: boolean,
		isInTurn?: boolean,
	): Promise<TokenSet | undefined> => {
		subscribe(settings);
		for (;;) {
			if (!isInTurn) await turns.wait(settings, waiter);
			const before = changes;
			const order = ++reads;
			let record: unknown;
			let error: StoreError | undefined;
			try {
				if (settings.now() < stuckUntil) throw undefined;
				const get = (): Awaitable<unknown> => {
					const answer = store.get();
					isMemory = !isInTurn && !!token && answer === raw && Object.isFrozen(answer);
					return answer;
				};
				record = await operate(get, settings, waiter);
			} catch {
				waiter?.signal?.throwIfAborted();
				error = fail('store_read');
			}
			if (before !== changes) continue;
			if (error && isLocked && supports(store, 'lock') && isTelling && !isUnsaved) throw new LockError();
			// Also where it was overtaken by one that began later.
			if (error || order < lastRead) return token;
			lastRead = order;
			const isEmpty = record === undefined || record === null;
			const found = isEmpty ? undefined : check(record, settings);
			if (isSameToken(found, outdated) && (isUnsaved || outdated)) {
				if (isUnsaved && !isInTurn) return inTurn(settings, async () => load(settings, waiter, isLocked, true));
				if (isUnsaved && (await write(settings, token, isReplacement, record)) === false) continue;
				return token;
			}
			if (found || isEmpty) isFailing = false;
			if (isKnown && !isSameToken(found, token)) tell(found, record);
			isKnown = isTelling = true;
			isUnsaved = false;
			token = found;
			raw = record;
			return token;
		}
	};

	/** False where the store holds something else than the record that it is to replace. */
	const write = async (
		settings: Settings,
		next: TokenSet | undefined,
		isReplacing = false,
		found = raw,
	): Promise<StoreError | false | undefined> => {
		const record = next && Object.freeze({...next});
		const operation = (): Awaitable<unknown> => {
			if (isReplacing && supports(store, 'replace')) return store.replace(found ?? undefined, record);
			return record ? store.set(record) : store.delete();
		};
		const replaced = isUnsaved ? outdated : token;
		let error: StoreError | undefined;
		try {
			if ((await operate(operation, settings)) === false && isReplacing && supports(store, 'replace')) return false;
		} catch {
			error = fail('store_write');
		}
		// Not before: nobody gets a token that is not stored.
		outdated = replaced;
		// What renews a login that was not written begins it, too.
		isReplacement = isReplacing && (isReplacement || !isUnsaved);
		isUnsaved = !!error;
		isKnown = true;
		raw = record;
		token = next;
		return error;
	};

	/** Late, since at module scope a Worker may do nothing. */
	const subscribe = (settings: Settings): void => {
		if (isSubscribed) return;
		isSubscribed = true;
		try {
			if (supports(store, 'subscribe')) store.subscribe(() => void load(settings));
		} catch {}
	};

	return {
		state,
		supersede,
		read: load,
		peek: () => {
			try {
				return isMemory && store.get() === raw ? token : undefined;
			} catch {
				// It will fail again, and be told, when it is read.
				return undefined;
			}
		},
		write: async (settings, next, begin) =>
			inTurn(settings, async () => {
				const previous = await load(settings, undefined, false, true);
				begin?.();
				return {previous, error: (await write(settings, next)) || undefined};
			}),
		replace: async (settings, from, next) =>
			inTurn(settings, async () => {
				for (let tries = 0; isSameToken(from, token); tries++) {
					// The same token in a record that is not quite the same is ours to replace: what it was spent for must not be lost.
					if ((await write(settings, next, tries < 3)) !== false) return true;
					await load(settings, undefined, false, true);
				}
				return false;
			}),
	};
}
