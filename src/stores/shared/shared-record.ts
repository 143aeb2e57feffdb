import {ConfigError} from '../../errors.ts';
import type {Awaitable} from '../../lib/awaitable.ts';
import {createMutex, type Mutex} from '../../lib/mutex.ts';
import {ownProperties} from '../../lib/own-properties.ts';
import {randomId} from '../../lib/random-id.ts';
import type {Waiter} from '../../lib/with-timeout.ts';
import {isSameToken, type TokenSet} from '../../token/token-set.ts';
import type {CellChange, CellUse, Overwritten, Replacement} from '../token-cell.ts';
import {createDriverOperations, type DriverOperations} from './driver-operations.ts';
import {
	afterRead,
	afterWrite,
	compareRecord,
	type KnownRecord,
	type LoginComparison,
	type StoredRecord,
	unread,
} from './known-record.ts';
import type {StoreDriver} from './store-driver.ts';

/** The record of a shared store, and what this holder knows about it. */
export interface SharedRecord extends DriverOperations {
	readonly driver: StoreDriver;
	readonly tell: (change: CellChange) => void;
	readonly isSameLogin: LoginComparison;
	/** Writes run one at a time, so that the last one wins. */
	readonly mutex: Mutex;
	/** What is known now. */
	known: KnownRecord;
	/** Counts reads as they begin, and the beginnings and ends of writes. */
	count: number;
	/** The count of the latest answered read, or of the latest write. The answer to an earlier read is outdated. */
	latest: number;
	/** How often the store held another record than this write was to replace. */
	conflicts: number;
}

/** How often a comparison is tried before the record is written anyway: some stores refuse every comparison. */
const mostComparisons = 3;

/** Creates the record of a driver, of which nothing is known yet. */
export function createSharedRecord(driver: StoreDriver, tell: (change: CellChange) => void): SharedRecord {
	const isSameLogin: LoginComparison = (later, earlier, isUnknown) => {
		const isSame = driver.isSameLogin?.(later.raw, earlier.raw);
		if (isSame !== undefined) return isSame;
		return later.login === undefined || earlier.login === undefined ? isUnknown : later.login === earlier.login;
	};
	return {
		...createDriverOperations(error => tell({type: 'failed', error})),
		driver,
		tell,
		isSameLogin,
		mutex: createMutex(),
		known: unread,
		count: 0,
		latest: 0,
		conflicts: 0,
	};
}

/** Waits until nothing is being written. */
async function idle({mutex}: SharedRecord, waiter?: Waiter): Promise<void> {
	do await mutex.wait(waiter);
	while (mutex.isBusy());
}

/**
Reads the record. If that fails, what was known before stays known.

@param isInTurn Set by a task of the mutex, so that it does not wait for itself.
*/
export async function readRecord(record: SharedRecord, use: CellUse, waiter?: Waiter, isInTurn = false): Promise<void> {
	if (!isInTurn) await idle(record, waiter);
	const order = ++record.count;
	let take: () => Promise<void> | void;
	try {
		const raw = await record.operate(() => record.driver.get(), use.timeout, waiter);
		take = () => adopt(record, use, parseRecord(record, use, raw), isInTurn);
	} catch (reason) {
		waiter?.signal?.throwIfAborted();
		take = () => record.fail('store_read', reason);
	}
	// Something was written meanwhile, or a later read has been answered: what is known is newer.
	if (order < record.latest && record.known.state !== 'unread') {
		return isInTurn ? undefined : record.mutex.wait(waiter);
	}
	record.latest = order;
	return take();
}

/** Others can write to the store, so its content is checked like a response from the network. */
function parseRecord({fail, failures}: SharedRecord, use: CellUse, raw: unknown): StoredRecord {
	let token: TokenSet | undefined;
	let login: unknown;
	let reason: ConfigError | undefined;
	try {
		// A record that others have written may not have these marks.
		const marks = ownProperties(raw as {readonly login?: unknown; readonly client?: unknown});
		login = marks.login;
		if (typeof marks.client === 'string' && marks.client !== use.client) {
			reason = new ConfigError('The record in the token store is of another client: give each its own');
		} else token = use.parse(raw);
	} catch {
		// A getter of the record has thrown.
	}
	if (token || raw === undefined || raw === null) failures.delete('store_corrupt');
	else fail('store_corrupt', reason);
	failures.delete('store_read');
	return {token, raw: raw ?? undefined, login};
}

/** Records what was read. */
async function adopt(record: SharedRecord, use: CellUse, found: StoredRecord, isInTurn: boolean): Promise<void> {
	const {known, isSameLogin, tell} = record;
	const finding = compareRecord(known, found, isSameLogin);
	if (finding === 'same' || finding === 'changed') {
		record.known = afterRead(known, found);
		// The store did not take a renewed token in time, and somebody has signed out since: nobody else knows that token.
		if (!found.token && known.token && known.isRenewal) tell({type: 'late', token: known.token});
		const isSame = !known.token || isSameLogin(found, known, true);
		if (finding === 'changed') tell({type: 'changed', token: found.token, isSameLogin: isSame});
		return;
	}
	const isLate = finding === 'late';
	if (!isLate && known.state !== 'unsaved') {
		// The store took the write, and will catch up.
		record.known = {...known, state: 'lagging'};
		return;
	}
	if (isInTurn) {
		if (isLate && found.token) tell({type: 'late', token: found.token});
		await writeRecord(record, use, known.token, isLate || known.isRenewal === true, found);
	} else {
		await inTurn(record, use, () => readRecord(record, use, undefined, true));
	}
}

/** Runs a task that writes, one at a time. */
async function inTurn<T>(record: SharedRecord, {timeout}: CellUse, task: () => Promise<T>): Promise<T> {
	const run = async (): Promise<T> => {
		record.conflicts = 0;
		record.latest = ++record.count;
		try {
			return await task();
		} finally {
			// A read may have begun meanwhile.
			record.latest = ++record.count;
		}
	};
	return record.mutex.runExclusive(run, 2 * timeout);
}

/**
Writes a token, or removes it. If the store does not take it, it is kept in memory.

@param isRenewal Whether it replaces the record in the store, and no other.
@param replaced That record.
@returns False if the store holds another record. Then nothing was written, and that record has been read.
*/
async function writeRecord(
	record: SharedRecord,
	use: CellUse,
	token: TokenSet | undefined,
	isRenewal: boolean,
	replaced: StoredRecord = record.known,
): Promise<boolean> {
	const {driver, failures} = record;
	const written = formatRecord(record, use, token, isRenewal ? replaced : undefined);
	// A sign-out has to know what it removes: that is revoked.
	const isCompared = driver.replace && (isRenewal || !token) && record.conflicts < mostComparisons;
	const write = (): Awaitable<unknown> => {
		const {raw} = written;
		if (isCompared) return driver.replace?.(replaced.raw, raw);
		return raw ? driver.set(raw) : driver.delete();
	};
	let isWritten: unknown;
	try {
		isWritten = await record.operate(
			write,
			use.timeout,
			undefined,
			() => void repair(record, use, written).catch(() => {}),
		);
		failures.delete('store_write');
	} catch (reason) {
		record.fail('store_write', reason);
	}
	if (isCompared && isWritten === false) {
		record.conflicts++;
		await readRecord(record, use, undefined, true);
		return false;
	}
	// Not earlier, because nobody gets a token before it is stored.
	record.known = afterWrite(record.known, written, !failures.has('store_write'), isRenewal);
	return true;
}

/**
Adds the names of the login and of the client: a sign-out has to know the login of a record, and two programs may use the same place by
mistake. `origin` is the record that it renews. Both belong to the same login.
*/
function formatRecord(
	{known}: SharedRecord,
	{client}: CellUse,
	token: TokenSet | undefined,
	origin: StoredRecord | undefined,
): StoredRecord & {readonly raw: TokenSet | undefined} {
	if (!token) return {token, raw: undefined, login: undefined};
	const login = (token === known.token ? known : origin)?.login ?? randomId();
	return {token, raw: Object.freeze({...token, login, client}), login};
}

/**
A write that timed out has ended after all. If something else has been written meanwhile, or is just being written, the store may hold the
older record now.
*/
async function repair(record: SharedRecord, use: CellUse, late: StoredRecord): Promise<void> {
	await idle(record);
	if (isSameToken(record.known.token, late.token)) return;
	record.known = {...record.known, state: 'unsaved', replaced: late};
	await readRecord(record, use);
}

/** Stores `to` in place of `from`. If the store holds another token, returns false and changes nothing. */
export async function swapRecord(
	record: SharedRecord,
	use: CellUse,
	from: TokenSet | undefined,
	to: TokenSet | undefined,
): Promise<boolean> {
	return inTurn(record, use, async () => {
		// If the stored record changed but still holds the token we refreshed, overwrite it: the server has rotated that token, so ours is
		// the only valid one.
		while (isSameToken(from, record.known.token)) {
			if (await writeRecord(record, use, to, true)) return true;
		}
		return false;
	});
}

/** Stores or removes a token, whatever the store holds. `decide` returns the token when it is its turn. */
export async function overwriteRecord(
	record: SharedRecord,
	use: CellUse,
	decide: (previous: TokenSet | undefined) => Replacement,
): Promise<Overwritten> {
	return inTurn(record, use, async () => {
		await readRecord(record, use, undefined, true);
		for (;;) {
			const previous = record.known.token;
			const {token, isSameLogin = false} = decide(previous);
			if (await writeRecord(record, use, token, isSameLogin)) {
				return {previous, error: record.failures.get('store_write')};
			}
		}
	});
}
