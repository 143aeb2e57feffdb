import {readlink, realpath} from 'node:fs/promises';
import {dirname, resolve} from 'node:path';
import {fileURLToPath} from 'node:url';
import {ConfigError} from '../errors.ts';
import {type AtomicFiles, createAtomicFiles, type Decide} from './atomic-file.ts';
import {type LeaseOptions, readLease} from './shared/lease.ts';
import {leasedDriver} from './shared/text-driver.ts';
import type {StoreDriver} from './shared/store-driver.ts';
import {createLeaseWatch} from './shared/watch.ts';

/** The files of one session. */
interface SessionFiles extends AtomicFiles {
	/** The path of the record, and that of the lease beside it. */
	readonly record: string;
	readonly lock: string;
}

/** The driver of `fileStore`. */
export function fileDriver(path: string | URL, options?: LeaseOptions): StoreDriver {
	const given = readPath(path);
	const lease = readLease(options, ['lease']);
	// All processes are on one machine, and have one clock.
	const isOver = createLeaseWatch(lease, lease);
	let files: Promise<SessionFiles> | undefined;
	/** Not before it is needed: to create a store does nothing. */
	const open = (): Promise<SessionFiles> => (files ??= openFiles(given));

	const changeRecord = async (decide: Decide): Promise<boolean> => {
		const {record, change} = await open();
		return change(record, decide, true);
	};
	const changeLease = async (decide: Decide): Promise<boolean> => {
		const {lock, change} = await open();
		return change(lock, decide);
	};
	const changeOwn = (owner: string, text: string | null): Promise<boolean> =>
		changeLease(found => (ownerOf(found) === owner ? text : undefined));
	const stamp = (owner: string): string => `${owner} ${Date.now()}`;

	return leasedDriver(
		{
			read: async () => {
				const {record, read} = await open();
				return read(record);
			},
			write: text => changeRecord(() => text ?? null),
			compareAndSet: (expected, text) => {
				const next = text ?? null;
				return changeRecord(found => (found === expected || found === next ? next : undefined));
			},
			acquire: async owner => {
				const {lock, read} = await open();
				const seen = await read(lock);
				const isTaken = !!seen && ownerOf(seen) !== owner;
				if (isTaken && !isOver(seen, Number(seen.split(' ')[1]))) return false;
				return changeLease(found => (found === seen ? stamp(owner) : undefined));
			},
			renew: owner => changeOwn(owner, stamp(owner)),
			release: owner => changeOwn(owner, null),
		},
		lease,
	);
}

/** A lease as text is its owner, and when it was renewed. */
const ownerOf = (text: string | undefined): string | undefined => text?.split(' ')[0];

function readPath(path: string | URL): string {
	const text = typeof path === 'string' || Object.prototype.toString.call(path) === '[object URL]' ? String(path) : '';
	try {
		// The program may change its working directory later.
		const found = text.startsWith('file:') ? fileURLToPath(text) : typeof path === 'string' && text && resolve(text);
		// A URL of another kind is no path, and neither is a text with a NUL.
		if (found && !found.includes('\0') && !/^(?!file:)\w+:\/\//.test(text)) return found;
	} catch {
		// Such as a URL with a host.
	}
	throw new ConfigError('path must be a path of a file, or a file: URL');
}

/** A symbolic link is followed, since the file that a change moves into place would replace the link. */
async function openFiles(path: string): Promise<SessionFiles> {
	const record = await realpath(path).catch(async () =>
		// What it leads to may not exist yet.
		readlink(path).then(
			target => resolve(dirname(path), target),
			() => path,
		),
	);
	return {
		record,
		lock: `${record}.lock`,
		...createAtomicFiles(`${record}.tmp`),
	};
}
