import {ConfigError} from '../errors.ts';
import {type LeaseOptions, leaseOf, underLease} from './shared/lease.ts';
import {createRecordText} from './shared/record-text.ts';
import {sharedStore} from './shared/shared-store.ts';
import type {TokenStore} from './token-cell.ts';

export type {LeaseOptions} from './shared/lease.ts';

/** A part of a key, as in `Deno.KvKey`. */
export type DenoKvKeyPart = Uint8Array | string | number | bigint | boolean;

/** What is found under a key. */
export interface DenoKvEntry {
	/** Null where there is nothing. */
	readonly value: unknown;
	/** Another one after each change. */
	readonly versionstamp: string | null;
}

/** Changes that happen together, or not at all. */
export interface DenoKvAtomic {
	/**
	Nothing happens where the version is another one.

	@param check.key The key whose version counts.
	@param check.versionstamp The version that was read. Null where there was nothing.
	*/
	check(check: {key: DenoKvKeyPart[]; versionstamp: string | null}): DenoKvAtomic;
	/** Sets. */
	set(key: DenoKvKeyPart[], value: unknown): DenoKvAtomic;
	/** Deletes. */
	delete(key: DenoKvKeyPart[]): DenoKvAtomic;
	/** Does all of it, or nothing. */
	commit(): Promise<{
		/** Whether it was done. */
		ok: boolean;
	}>;
}

/** As much of `Deno.Kv` as is used here. */
export interface DenoKvLike {
	/** Reads. */
	get(key: DenoKvKeyPart[]): Promise<DenoKvEntry>;
	/** Sets. */
	set(key: DenoKvKeyPart[], value: unknown): Promise<unknown>;
	/** Deletes. */
	delete(key: DenoKvKeyPart[]): Promise<unknown>;
	/** Begins changes that happen together. */
	atomic(): DenoKvAtomic;
}

/**
Keeps the token in Deno KV, for a fleet of Deno processes: one at a time renews it, under a lease that ends where its process
does. Each write compares first, so that a process that was stopped for longer than its lease overwrites nothing.

Every call reads the record: to watch it would keep a script from ending. A lease is over when nobody has kept it up for its length by
the clock of who waits for it, so that the clocks of several machines need not agree.

@param kv What `Deno.openKv()` gives.
@param key The key of the record, or its only part. The lease is below it.
@throws {ConfigError} where one of them cannot be used, or the lease is no number of milliseconds.
@example
```ts
const auth = createAuth({tokenEndpoint, clientId, grant, store: denoKvStore(await Deno.openKv(), ['session'])});
```
*/
export function denoKvStore(
	kv: DenoKvLike,
	key: string | readonly DenoKvKeyPart[],
	options?: LeaseOptions,
): TokenStore {
	if (typeof Object(kv).atomic !== 'function') throw new ConfigError('kv must be what Deno.openKv() gives');
	const place = typeof key === 'string' ? [key] : Array.isArray(key) ? [...(key as DenoKvKeyPart[])] : [];
	if (place.length === 0 || place[0] === '') throw new ConfigError('key must be a text or a list of parts, not empty');
	const lease = leaseOf(options);
	const record = createRecordText();
	const leasePlace = [...place, 'regrant lease'];
	const textOf = ({value}: DenoKvEntry): string | undefined => {
		if (value === null) return undefined;
		// Another program's, and no token.
		return typeof value === 'string' ? value : typeof value;
	};
	const read = (key: DenoKvKeyPart[]): Promise<DenoKvEntry> => patiently(() => kv.get(key));
	/** Sets or deletes what is under a key, if it is as it was found. */
	const change = async (key: DenoKvKeyPart[], found: DenoKvEntry, text: string | undefined): Promise<boolean> => {
		const {ok} = await patiently(() => {
			const checked = kv.atomic().check({key, versionstamp: found.versionstamp});
			return (text === undefined ? checked.delete(key) : checked.set(key, text)).commit();
		});
		return ok;
	};
	/** What was last seen of another's lease, and since when, in milliseconds. */
	let seen: {readonly versionstamp: string | null; readonly at: number} | undefined;

	return sharedStore(
		{
			get: async () => record.parse(textOf(await read(place))),
			set: async token => {
				const text = record.format(token);
				await patiently(() => kv.set(place, text));
			},
			delete: async () => void (await patiently(() => kv.delete(place))),
			replace: async (found, token) => {
				const entry = await read(place);
				const isThere = record.textOf(found) === textOf(entry);
				return isThere && change(place, entry, token && record.format(token));
			},
			lock: (task, signal) =>
				underLease(
					{
						lease,
						take: async owner => {
							const found = await read(leasePlace);
							const isOthers = found.value !== null && found.value !== owner;
							if (isOthers && found.versionstamp !== seen?.versionstamp) {
								seen = {versionstamp: found.versionstamp, at: performance.now()};
							}
							if (isOthers && performance.now() < (seen?.at ?? Infinity) + lease) return false;
							return change(leasePlace, found, owner);
						},
						keep: async owner => {
							const found = await read(leasePlace);
							return found.value === owner && change(leasePlace, found, owner);
						},
						free: async owner => {
							const found = await read(leasePlace);
							return found.value === owner && change(leasePlace, found, undefined);
						},
					},
					task,
					signal,
				),
		},
		{isMarked: true},
	);
}

/** How often a file is tried that another process is writing to. Each time after a pause of up to so many milliseconds more. */
const tries = 20;
const pause = 10;

/** Tries again while the file of the database is another process's, which Deno does not wait for. Nothing has been done then. */
async function patiently<T>(operation: () => Promise<T>): Promise<T> {
	for (let count = 1; ; count++) {
		try {
			return await operation();
		} catch (error) {
			if (count === tries || !/database is (?:locked|busy)/.test(String(error))) throw error;
		}
		await new Promise(resolve => void setTimeout(resolve, Math.random() * pause * count));
	}
}
