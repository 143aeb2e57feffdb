import {ConfigError, type StoreError} from '../../errors.ts';
import {createMutex, type Mutex} from '../../lib/mutex.ts';
import {ownProperty} from '../../lib/own-properties.ts';
import {randomId} from '../../lib/random-id.ts';
import type {Waiter} from '../../lib/with-timeout.ts';
import {isSameToken, type TokenSet} from '../../token/token-set.ts';
import type {CellChange, CellUse, Overwritten, Replacement} from '../token-cell.ts';
import type {DriverOperations} from './driver-operations.ts';
import {
	afterRead,
	afterWrite,
	compareRecord,
	type KnownRecord,
	type LoginComparison,
	type StoredRecord,
	unread,
} from './known-record.ts';
import {type SharedStoreOptions, type StoreDriver, supports} from './store-driver.ts';

/** The record of a shared store, and what this holder knows of it. */
export interface SharedRecord {
	readonly driver: StoreDriver;
	readonly operations: DriverOperations;
	readonly tell: (change: CellChange) => void;
	/** Whether records bear the names of their login and of their client. */
	readonly isMarked: boolean;
	readonly isSameLogin: LoginComparison;
	/** One writes at a time, so that the last one stays. */
	readonly mutex: Mutex;
	/** What is known now. */
	known: KnownRecord;
	/** Counts writes. An answer that was asked for before one is out of date. */
	writes: number;
	/** Counts reads, as they begin, and the latest of those that have been answered, and of those that failed. */
	reads: number;
	lastRead: number;
	lastFailure: number;
}

/** The token, and why the store could not be read: then it is what was known before. */
interface Reading {
	readonly token: TokenSet | undefined;
	readonly error?: StoreError | undefined;
}

/** What became of a write. */
interface Writing {
	/** Whether the store holds another record than was to be replaced: nothing was written. */
	readonly isConflict: boolean;
	readonly error?: StoreError | undefined;
}

/** How often a store is asked to compare before it is written all the same: some refuse whatever they are asked. */
const mostComparisons = 3;

/** Creates the record of a driver, of which nothing is known yet. */
export function createSharedRecord(
	driver: StoreDriver,
	operations: DriverOperations,
	tell: (change: CellChange) => void,
	{isMarked = false}: SharedStoreOptions,
): SharedRecord {
	const isSameLogin: LoginComparison = (later, earlier, isUnknown) => {
		try {
			if (supports(driver, 'isSameLogin')) return driver.isSameLogin(later, earlier);
			const [now, before] = [markOf(later, 'login'), markOf(earlier, 'login')];
			return now === undefined || before === undefined ? isUnknown : now === before;
		} catch {
			// A getter of a record has thrown.
			return isUnknown;
		}
	};
	return {
		driver,
		operations,
		tell,
		isMarked,
		isSameLogin,
		mutex: createMutex(),
		known: unread,
		writes: 0,
		reads: 0,
		lastRead: 0,
		lastFailure: 0,
	};
}

/** A record that others write may have none. */
const markOf = (raw: unknown, name: 'login' | 'client'): unknown =>
	ownProperty(Object(raw) as {readonly login?: unknown; readonly client?: unknown}, name);

/**
Reads the record until no write has come between.

@param isInTurn For a task of the mutex: it does not wait for itself.
*/
export async function readRecord(
	record: SharedRecord,
	use: CellUse,
	waiter?: Waiter,
	isInTurn = false,
): Promise<Reading> {
	for (let tries = 0; ; tries++) {
		if (!isInTurn) await record.mutex.wait(waiter);
		const {writes} = record;
		const order = ++record.reads;
		let raw: unknown;
		let error: StoreError | undefined;
		try {
			raw = await record.operations.read(() => record.driver.get(), use.timeout, waiter);
		} catch (reason) {
			waiter?.signal?.throwIfAborted();
			error = record.operations.fail('store_read', explanationOf(reason));
			record.lastFailure = Math.max(order, record.lastFailure);
		}
		if (writes !== record.writes) continue;
		// A read that began later has been answered already: it knows better.
		if (error || order < record.lastRead) return {token: record.known.token, error};
		record.lastRead = order;
		if (await adopt(record, use, parseRecord(record, use, raw), isInTurn, tries)) return {token: record.known.token};
	}
}

/** What a store of ours says about an option that is at fault. Any other error may quote the token. */
const explanationOf = (reason: unknown): string | undefined =>
	reason instanceof ConfigError ? reason.message : undefined;

/** Others can write to the store: what it holds is checked like an answer from the network. */
function parseRecord({operations}: SharedRecord, use: CellUse, raw: unknown): StoredRecord {
	if (raw === undefined || raw === null) return {token: undefined, raw: undefined};
	try {
		const client = markOf(raw, 'client');
		if (typeof client === 'string' && client !== use.client) {
			operations.fail(
				'store_corrupt',
				'The record in the token store belongs to another client: give each its own place',
			);
			return {token: undefined, raw};
		}
		const token = use.parse(raw);
		if (token) return {token, raw};
	} catch {
		// A getter of the record has thrown.
	}
	operations.fail('store_corrupt');
	return {token: undefined, raw};
}

/** Takes note of a record that was read. Gives false if it has to be read again. */
async function adopt(
	record: SharedRecord,
	use: CellUse,
	found: StoredRecord,
	isInTurn: boolean,
	tries: number,
): Promise<boolean> {
	const {known} = record;
	const finding = compareRecord(known, found, record.isSameLogin);
	if (finding === 'same' || finding === 'changed') {
		// An answer that was asked for before the store failed does not say that it works again.
		const isRecent = record.lastRead > record.lastFailure;
		if (isRecent && (found.token || found.raw === undefined)) record.operations.succeed('read');
		record.known = afterRead(known, found);
		if (finding === 'changed') {
			const isSameLogin = !known.token || record.isSameLogin(found.raw, known.raw, true);
			record.tell({type: 'changed', token: found.token, isSameLogin});
		}
		return true;
	}
	if (finding === 'outdated' && known.state !== 'unsaved') {
		record.known = {...known, state: 'lagging'};
		return true;
	}
	if (!isInTurn) {
		await inTurn(record, use, () => readRecord(record, use, undefined, true));
		return true;
	}
	if (finding === 'late' && found.token) record.tell({type: 'late', token: found.token});
	const isRenewal = finding === 'late' || known.isRenewal === true;
	const isCompared = isRenewal && tries < mostComparisons;
	const {isConflict} = await writeRecord(record, use, known.token, isRenewal, found.raw, isCompared);
	return !isConflict;
}

/** Runs a task that writes, when no other runs. */
export async function inTurn<T>(record: SharedRecord, {timeout}: CellUse, task: () => Promise<T>): Promise<T> {
	const run = async (): Promise<T> => {
		record.writes++;
		try {
			return await task();
		} finally {
			// A read may have begun meanwhile.
			record.writes++;
		}
	};
	return record.mutex.runExclusive(run, 2 * timeout);
}

/**
Writes a token, or removes it. What the store does not take is kept in memory.

@param isRenewal Whether it replaces the record in the store, and nothing else.
*/
async function writeRecord(
	record: SharedRecord,
	use: CellUse,
	token: TokenSet | undefined,
	isRenewal: boolean,
	replaced = record.known.raw,
	isCompared = isRenewal,
): Promise<Writing> {
	const {driver, operations} = record;
	const raw = token && formatRecord(record, use, token, isRenewal ? replaced : undefined);
	const canCompare = isCompared && supports(driver, 'replace');
	let error: StoreError | undefined;
	try {
		const write = async (): Promise<unknown> => {
			if (canCompare) return driver.replace(replaced ?? undefined, raw);
			return raw ? driver.set(raw) : driver.delete();
		};
		const isDone = await operations.write(write, use.timeout, () => repair(record, use, {token, raw}));
		if (isDone === false && canCompare) return {isConflict: true};
		operations.succeed('write');
	} catch (reason) {
		error = operations.fail('store_write', explanationOf(reason));
	}
	// Not before: nobody gets a token that is not stored.
	record.known = afterWrite(record.known, {token, raw}, !error, isRenewal);
	return {isConflict: false, error};
}

/** `origin` is the record that it renews: both are of one login. */
function formatRecord({isMarked, known}: SharedRecord, {client}: CellUse, token: TokenSet, origin: unknown): TokenSet {
	if (!isMarked) return Object.freeze({...token});
	const login = markOf(token === known.token ? known.raw : origin, 'login') ?? randomId();
	return Object.freeze({...token, login, client});
}

/** A write that timed out has ended after all. If something else was written meanwhile, the store may hold the older record now. */
function repair(record: SharedRecord, use: CellUse, late: StoredRecord): void {
	if (record.known.raw === late.raw) return;
	record.known = {...record.known, state: 'unsaved', replaced: late};
	void readRecord(record, use);
}

/** Stores `to` in place of `from`. Gives false, and changes nothing, if the store holds another token. */
export async function swapRecord(
	record: SharedRecord,
	use: CellUse,
	from: TokenSet | undefined,
	to: TokenSet | undefined,
): Promise<boolean> {
	return inTurn(record, use, async () => {
		for (let tries = 0; isSameToken(from, record.known.token); tries++) {
			// If the stored record changed but still holds the token we refreshed, overwrite it: the server has rotated that token, so ours
			// is the only valid one.
			const {isConflict} = await writeRecord(record, use, to, true, undefined, tries < mostComparisons);
			if (!isConflict) return true;
			await readRecord(record, use, undefined, true);
		}
		return false;
	});
}

/** Stores a token whatever is there, or removes it: what `decide` says when its turn has come. */
export async function overwriteRecord(
	record: SharedRecord,
	use: CellUse,
	decide: (previous: TokenSet | undefined) => Replacement,
): Promise<Overwritten> {
	return inTurn(record, use, async () => {
		for (let tries = 0; ; tries++) {
			const {token: previous} = await readRecord(record, use, undefined, true);
			const {token, isSameLogin = false} = decide(previous);
			const isCompared = isSameLogin && tries < mostComparisons;
			const {isConflict, error} = await writeRecord(record, use, token, isSameLogin, undefined, isCompared);
			if (!isConflict) return {previous, error};
		}
	});
}

/**
Writes the record once more as it is, to see whether the store takes writes.

@returns False if the store holds another record.
@throws {StoreError} if it does not.
*/
export async function rewriteRecord(record: SharedRecord, use: CellUse): Promise<boolean> {
	return inTurn(record, use, async () => {
		const {known} = record;
		const {isConflict, error} = await writeRecord(record, use, known.token, true);
		if (error) {
			record.known = known;
			throw error;
		}
		if (!isConflict) record.known = {...known, raw: record.known.raw};
		// A store may refuse whatever it is asked to compare.
		else await readRecord(record, use, undefined, true);
		return isSameToken(known.token, record.known.token);
	});
}
