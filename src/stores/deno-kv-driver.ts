import {ConfigError} from '../errors.ts';
import {readLease} from './shared/lease.ts';
import {leasedDriver} from './shared/text-driver.ts';
import type {StoreDriver} from './shared/store-driver.ts';
import {type ExpiringStoreOptions, readTtl} from './shared/ttl.ts';
import {createLeaseWatch} from './shared/watch.ts';

/** A part of a key, as in `Deno.KvKey`. Deno has no place for a symbol, so a key with one is refused. */
export type DenoKvKeyPart = Uint8Array | string | number | bigint | boolean | symbol;

/** The entry of a key. */
export interface DenoKvEntry {
	/** The value, or null if there is none. */
	readonly value: unknown;
	/** The version, which is different after each change. Null if there is no value. */
	readonly versionstamp: string | null;
}

/** How a value is set. */
export interface DenoKvSetOptions {
	/** Milliseconds until the value is deleted. Default: never. */
	readonly expireIn?: number;
}

/** Changes that are made together, or not at all. */
export interface DenoKvAtomic {
	/**
	Makes no change if the version is another one.

	@param check.key The key whose version counts.
	@param check.versionstamp The version that was read, or null if there was nothing.
	*/
	check(check: {key: DenoKvKeyPart[]; versionstamp: string | null}): DenoKvAtomic;
	/** Sets a value. */
	set(key: DenoKvKeyPart[], value: unknown, options?: DenoKvSetOptions): DenoKvAtomic;
	/** Deletes a value. */
	delete(key: DenoKvKeyPart[]): DenoKvAtomic;
	/** Makes all changes, or none. */
	commit(): Promise<{
		/** Whether the changes were made. */
		ok: boolean;
	}>;
}

/** The part of `Deno.Kv` that is used here. */
export interface DenoKvLike {
	/** Reads a value. */
	get(key: DenoKvKeyPart[]): Promise<DenoKvEntry>;
	/** Sets a value. */
	set(key: DenoKvKeyPart[], value: unknown, options?: DenoKvSetOptions): Promise<unknown>;
	/** Deletes a value. */
	delete(key: DenoKvKeyPart[]): Promise<unknown>;
	/** Begins changes that are made together. */
	atomic(): DenoKvAtomic;
}

/** A lease as it is stored. */
interface StoredLease {
	readonly owner?: unknown;
	/** When it was acquired or renewed, in milliseconds since the epoch, by the clock of its owner. */
	readonly at?: unknown;
}

/** The driver of `denoKvStore`. */
export function denoKvDriver(
	kv: DenoKvLike,
	key: string | readonly DenoKvKeyPart[],
	options?: ExpiringStoreOptions,
): StoreDriver {
	if (typeof Object(kv).atomic !== 'function') throw new ConfigError('kv must be what Deno.openKv() gives');
	const recordKey = typeof key === 'string' ? [key] : Array.isArray(key) ? [...(key as DenoKvKeyPart[])] : [];
	const isRight = (part: unknown): boolean =>
		/^(?:string|number|bigint|boolean)$/.test(typeof part) || part instanceof Uint8Array;
	if (recordKey.length === 0 || recordKey[0] === '' || !recordKey.every(isRight)) {
		throw new ConfigError('key must be a text or a list of parts, not empty');
	}
	const lease = readLease(options);
	const ttl = readTtl(options);
	const expiry = ttl === undefined ? undefined : {expireIn: ttl};
	const leaseKey = [...recordKey, 'regrant lease'];
	const isOver = createLeaseWatch(lease);

	const read = (from: DenoKvKeyPart[]): Promise<DenoKvEntry> => retryWhileLocked(() => kv.get(from));
	/** Sets or deletes a value, if nobody has changed it since it was read. */
	const change = async (
		at: DenoKvKeyPart[],
		{versionstamp}: DenoKvEntry,
		value: unknown,
		how?: DenoKvSetOptions,
	): Promise<boolean> => {
		const {ok} = await retryWhileLocked(() => {
			const checked = kv.atomic().check({key: at, versionstamp});
			return (value === undefined ? checked.delete(at) : checked.set(at, value, how)).commit();
		});
		return ok;
	};
	const renewed = (owner: string): StoredLease => ({owner, at: Date.now()});
	const changeOwn = async (owner: string, value: StoredLease | undefined): Promise<boolean> => {
		const found = await read(leaseKey);
		return readOwner(found) === owner && change(leaseKey, found, value);
	};

	return leasedDriver(
		{
			read: async () => textOf(await read(recordKey)),
			write: text =>
				retryWhileLocked(() => (text === undefined ? kv.delete(recordKey) : kv.set(recordKey, text, expiry))),
			compareAndSet: async (found, text) => {
				const entry = await read(recordKey);
				const present = textOf(entry);
				const isThere = text !== undefined && present === text;
				return (isThere || present === found) && change(recordKey, entry, text, expiry);
			},
			acquire: async owner => {
				const found = await read(leaseKey);
				const isTaken = found.value !== null && readOwner(found) !== owner;
				const {at} = Object(found.value) as StoredLease;
				if (isTaken && !isOver(String(found.versionstamp), Number(at))) return false;
				return change(leaseKey, found, renewed(owner));
			},
			renew: owner => changeOwn(owner, renewed(owner)),
			release: owner => changeOwn(owner, undefined),
		},
		lease,
	);
}

const readOwner = ({value}: DenoKvEntry): unknown => (Object(value) as StoredLease).owner;

/** The text of a record. A value of another type is no token, and some other program's. */
function textOf({value}: DenoKvEntry): string | undefined {
	if (value === null) return undefined;
	return typeof value === 'string' ? value : typeof value;
}

/** How often an operation is tried. */
const tries = 20;
/** How much longer each pause between two tries may be than the one before, in milliseconds. */
const pause = 10;

/** Tries again while the database file is locked, since Deno does not wait for it. Nothing has been done then. */
async function retryWhileLocked<T>(operation: () => Promise<T>): Promise<T> {
	for (let count = 1; ; count++) {
		try {
			return await operation();
		} catch (error) {
			if (count === tries || !/database is (?:locked|busy)/.test(String(error))) throw error;
		}
		await new Promise(resolve => void setTimeout(resolve, Math.random() * pause * count));
	}
}
