import {mkdir, open, readdir, readFile, rename, rm, rmdir} from 'node:fs/promises';
import {dirname} from 'node:path';
import {ConfigError, isRegrantError, StoreError} from '../errors.ts';
import {randomId} from '../lib/random-id.ts';
import {createWatch} from './shared/watch.ts';

/** What to do with a file, given its text: a text replaces it, null deletes it, and undefined leaves it as it is. */
export type Decide = (found: string | undefined) => string | null | undefined;

/** Files that several processes read and change, each change as one step. */
export interface AtomicFiles {
	/** Reads a file. Returns undefined if there is none. */
	read(file: string): Promise<string | undefined>;
	/**
	Reads a file, decides, and replaces or deletes it, as one step among all processes. Returns whether it did.

	@param isDurable Whether the change must outlive a power failure.
	@throws if the file system refuses, or other processes leave no chance in time. Nothing is changed then.
	*/
	change(file: string, decide: Decide, isDurable?: boolean): Promise<boolean>;
}

/** How long a change may wait for others, in milliseconds. A process that was stopped meanwhile gives up: its change could be outdated. */
const longestWait = 5_000;
/** How long a change of another process may take before it is pushed aside, in milliseconds. That process starts again, if it lives. */
const longestChange = 1_000;
/** The longest pause between two attempts, in milliseconds. */
const longestPause = 20;

/**
Creates such files.

One process at a time changes them: the one whose directory has been renamed to `busy`. It writes the new file in there, in a directory
of its own name, and moves it out to where it belongs. If it does not finish, another process removes that directory. A process that was
only stopped, and goes on, then has nothing to move: it cannot overwrite a newer file, since the file system itself refuses.

@param folder A directory for changes under way, on the same file system as the files. It exists only while it is needed.
*/
export function createAtomicFiles(folder: string): AtomicFiles {
	const busy = `${folder}/busy`;
	const watch = createWatch();

	/** Makes this process the busy one, and makes the change. Throws if another process is busy, or pushes this one aside. */
	const attempt = async (id: string, file: string, decide: Decide, isDurable: boolean): Promise<boolean> => {
		await rename(`${folder}/${id}`, busy);
		const place = `${busy}/${id}`;
		const found = await readText(file);
		const text = decide(found);
		if (text === undefined) return false;
		if (text !== null) {
			await writeText(`${place}/new`, text, isDurable);
			await rename(`${place}/new`, file);
		} else if (found !== undefined) await rename(file, `${place}/old`);
		// The name of a file outlives a power failure once its directory is written. Not every system can do that.
		if (isDurable) await syncFolder(dirname(file)).catch(() => {});
		return true;
	};

	/** Removes the changes of others, if the busy process has been at the same one for too long. */
	const pushAside = async (): Promise<void> => {
		const [holder] = await readdir(busy);
		// Windows renames no directory to the name of another one, not even of an empty one.
		if (holder === undefined) await rmdir(busy);
		else if (watch(holder) > longestChange) await remove(folder);
	};

	const tidy = async (id: string): Promise<void> => {
		await remove(`${folder}/${id}`);
		await remove(`${busy}/${id}`);
		// Neither is removed while others have something in it.
		await rmdir(busy).catch(() => {});
		await rmdir(folder);
	};

	return {
		read: readText,
		change: async (file, decide, isDurable = false) => {
			const id = randomId();
			const begun = performance.now();
			let obstacle: unknown;
			try {
				for (;;) {
					// Another process may just be removing the folder. Then the attempt fails, too.
					await mkdir(`${folder}/${id}/${id}`, {
						recursive: true,
						mode: 0o700,
					}).catch(ignore(/^ENOENT$/));
					if (performance.now() - begun > longestWait) throw obstacle;
					const isChanged = await attempt(id, file, decide, isDurable).catch((error: unknown) => {
						ignore(busyCodes)(error);
						obstacle = deniedCodes.test(codeOf(error)) ? error : undefined;
					});
					if (isChanged !== undefined) return isChanged;
					await pushAside().catch(() => {});
					await new Promise(resolve => void setTimeout(resolve, Math.random() * longestPause));
				}
			} catch (error) {
				throw explain(error, 'write');
			} finally {
				await tidy(id).catch(() => {});
			}
		},
	};
}

const remove = (path: string): Promise<void> => rm(path, {recursive: true, force: true});

async function readText(file: string): Promise<string | undefined> {
	try {
		return await readFile(file, 'utf8');
	} catch (error) {
		if (codeOf(error) === 'ENOENT') return undefined;
		throw explain(error, 'read');
	}
}

async function writeText(file: string, text: string, isDurable: boolean): Promise<void> {
	const handle = await open(file, 'wx', 0o600);
	try {
		await handle.writeFile(text);
		if (isDurable) await handle.sync();
	} finally {
		await handle.close();
	}
}

async function syncFolder(folder: string): Promise<void> {
	const handle = await open(folder, 'r');
	try {
		await handle.sync();
	} finally {
		await handle.close();
	}
}

/**
What says that this process may not do that. On Windows, and for a file that is mounted by itself, it can also say that somebody just has
the file open.
*/
const deniedCodes = /^(?:EPERM|EACCES|EBUSY)$/;

/** What says that another process is busy, or has pushed this one aside. */
const busyCodes = /^(?:ENOTEMPTY|EEXIST|ENOENT|EPERM|EACCES|EBUSY)$/;

const ignore =
	(codes: RegExp) =>
	(error: unknown): undefined => {
		if (!codes.test(codeOf(error))) throw error;
	};

/** What says that the path is wrong, or that this process has no right to use it. The last one is Deno's. */
const pathCodes = /^(?:EACCES|EPERM|EBUSY|EROFS|ENOENT|ENOTDIR|EISDIR|ENAMETOOLONG|ELOOP|EINVAL|NotCapable)$/;

/** Returns the error to throw. It names the option and the system's code, and holds nothing of the file. */
function explain(error: unknown, action: 'read' | 'write'): Error {
	if (isRegrantError(error)) return error;
	const code = codeOf(error);
	return pathCodes.test(code)
		? new ConfigError(`path: cannot ${action} there: ${code}`)
		: new StoreError(`store_${action}`);
}

/** Returns the system's code of an error. If a permission is missing, Deno's error has only a name. */
function codeOf(error: unknown): string {
	const {code, name} = Object(error) as {
		readonly code?: unknown;
		readonly name?: unknown;
	};
	return String(code ?? name);
}
