import {execFile} from 'node:child_process';
import {
	chmodSync,
	existsSync,
	lstatSync,
	mkdirSync,
	mkdtempSync,
	readdirSync,
	readFileSync,
	renameSync,
	rmSync,
	statSync,
	symlinkSync,
	writeFileSync,
} from 'node:fs';
import * as files from 'node:fs/promises';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import process from 'node:process';
import {pathToFileURL} from 'node:url';
import {promisify} from 'node:util';
import {afterAll, afterEach, describe, expect, vi} from 'vitest';
import {ConfigError, createAuth, type TokenSet} from '../../src/index.ts';
import {createAtomicFiles} from '../../src/stores/atomic-file.ts';
import {fileStore} from '../../src/stores/file.ts';
import {fileDriver} from '../../src/stores/file-driver.ts';
import {deno} from '../support/deno.ts';
import {appOptions, createGate, expired, gist, outcomeOf, record, signIn} from '../support/scenario.ts';
import {storeRunner} from '../support/store-runner.ts';
import {test} from '../support/test.ts';
import {type Place, tokenStoreSpec} from '../support/token-store-spec.ts';

vi.mock('node:fs/promises', {spy: true});

test.override('serverOptions', {accessTokenSeconds: 60});

afterEach(() => {
	vi.restoreAllMocks();
	// Resets the mocks, so that each function of the module works normally.
	vi.resetAllMocks();
});

const root = mkdtempSync(join(tmpdir(), 'regrant-file-'));
afterAll(() => rmSync(root, {recursive: true, force: true}));

let places = 0;
const newFolder = (): string => {
	const folder = join(root, `place ${++places}`);
	mkdirSync(folder);
	return folder;
};

const token: TokenSet = {access_token: 'hunter2hunter2', token_type: 'Bearer', refresh_token: 'r', issued_at: 1};

/** Creates holders in this process, each with a driver of its own. */
async function createPlace(): Promise<Place> {
	const folder = newFolder();
	const path = join(folder, 'session.json');
	const holder = (): ReturnType<typeof fileDriver> => fileDriver(path, {lease: 3_000});
	return {
		holder,
		peek: async () => (existsSync(path) ? readFileSync(path, 'utf8') : undefined),
		poke: async text => writeFileSync(path, text),
		abandonLock: async () => writeFileSync(`${path}.lock`, `gone ${Date.now()}`),
		breakable: async () => ({
			store: holder(),
			// Replaces the directory by something that is not a directory.
			breaks: async () => {
				renameSync(folder, `${folder} away`);
				writeFileSync(folder, '');
			},
			mends: async () => {
				rmSync(folder);
				renameSync(`${folder} away`, folder);
			},
		}),
	};
}

// fileStore reads the file at every call, so it has no subscription. If the path breaks, a holder cannot release its lease, so the others
// have to wait until it ends.
tokenStoreSpec({
	...storeRunner('fileStore, in one process'),
	place: createPlace,
	lacks: ['subscribe'],
	timeout: 4_000,
});

const modeOf = (path: string): string => (statSync(path).mode & 0o777).toString(8);

describe('fileStore', () => {
	test.for([
		['an empty path', ''],
		['no path', undefined],
		['a number', 42],
		['a path with a NUL', 'a\0b'],
		['a URL of the web', new URL('https://example.com/session.json')],
		['a URL of the web, as text', 'https://example.com/session.json'],
		['a URL of another machine', 'file://server/session.json'],
		['a URL with a NUL', new URL('file:///session%00.json')],
	] as const)('fileStore refuses %s when it is created', ([, path]) => {
		expect(() => fileStore(path as string)).toThrow(ConfigError);
		expect(() => fileStore(path as string)).toThrow('path must be');
	});

	test('fileStore refuses a bad lease when it is created', () => {
		expect(() => fileStore('session.json', {lease: 1})).toThrow(/^lease must be/);
	});

	test('fileStore does nothing when it is created', () => {
		const path = join(newFolder(), 'deeper', 'session.json');
		createAuth({tokenEndpoint: 'https://as.example/token', clientId: 'app', store: fileStore(path)});
		expect(existsSync(join(path, '..'))).toBe(false);
	});

	test('fileStore keeps the record in a file that only its user can read, in directories that only its user can enter', async () => {
		const folder = newFolder();
		const path = join(folder, 'tool', 'sessions', 'session.json');
		await fileDriver(path).set(token);
		expect(JSON.parse(readFileSync(path, 'utf8'))).toEqual(token);
		expect([path, join(path, '..'), join(path, '../..')].map(modeOf)).toEqual(['600', '700', '700']);
	});

	test('fileStore makes a file private that others can read, and leaves an existing directory as it is', async () => {
		const folder = newFolder();
		const path = join(folder, 'session.json');
		writeFileSync(path, '{}');
		chmodSync(path, 0o644);
		chmodSync(folder, 0o755);
		const driver = fileDriver(path);
		expect(await driver.replace?.(await driver.get(), token)).toBe(true);
		expect([modeOf(path), modeOf(folder)]).toEqual(['600', '755']);
	});

	test('fileStore leaves nothing but the record when nobody has the lock, and nothing at all after a sign-out [F-162]', async () => {
		const folder = newFolder();
		const driver = fileDriver(join(folder, 'session.json'));
		for (let count = 0; count < 50; count++) {
			await driver.lock?.(async () => {
				expect(readdirSync(folder)).toContain('session.json.lock');
				await driver.set(token);
			});
		}
		expect(readdirSync(folder)).toEqual(['session.json']);
		await driver.delete();
		expect(readdirSync(folder)).toEqual([]);
	});

	test('fileStore takes a file: URL, as text and as an object', async () => {
		const url = pathToFileURL(join(newFolder(), 'sessions of ümlauts', 'session.json'));
		await fileDriver(url).set(token);
		expect(await fileDriver(url.href).get()).toEqual(token);
	});

	test('fileStore follows a symbolic link, and leaves it as it is', async () => {
		const folder = newFolder();
		const [target, link] = [join(folder, 'target'), join(folder, 'link')];
		writeFileSync(target, '');
		symlinkSync(target, link);
		await fileDriver(link).set(token);
		expect(lstatSync(link).isSymbolicLink()).toBe(true);
		expect(await fileDriver(target).get()).toEqual(token);
		const gate = createGate();
		const held = fileDriver(link).lock?.(gate.pass);
		await gate.reached;
		expect(existsSync(`${target}.lock`)).toBe(true);
		gate.open();
		await held;
	});

	test('fileStore follows a symbolic link to a file that does not exist yet', async () => {
		const folder = newFolder();
		const link = join(folder, 'link');
		symlinkSync('target', link);
		await fileDriver(link).set(token);
		expect(lstatSync(link).isSymbolicLink()).toBe(true);
		expect(await fileDriver(join(folder, 'target')).get()).toEqual(token);
	});

	test('fileStore lets a script that begins after a kill refresh as soon as the lease has run out [F-97]', async ({
		server,
		watch,
	}) => {
		const path = join(newFolder(), 'session.json');
		const lease = 3_600;
		const store = fileStore(path, {lease});
		await signIn(server, watch(createAuth({...appOptions(server), store})), expired);
		// A killed process has left its lock. No script waits for the whole lease.
		writeFileSync(`${path}.lock`, `killed ${Date.now()}`);
		const outcomes: string[] = [];
		while (outcomes.at(-1) !== 'fulfilled' && outcomes.length < 4) {
			const script = watch(createAuth({...appOptions(server), store: fileStore(path, {lease}), timeout: 3_000}));
			outcomes.push(await outcomeOf(script.getToken()));
		}
		expect(outcomes.slice(0, -1).every(outcome => outcome.startsWith('LockError'))).toBe(true);
		expect(outcomes.at(-1)).toBe('fulfilled');
		expect(outcomes.length).toBeLessThan(4);
	});

	test('fileStore flushes each write to the disk before the new file replaces the old one', async () => {
		const path = join(newFolder(), 'session.json');
		const steps: string[] = [];
		const handle = await files.open(root, 'r');
		const prototype = Object.getPrototypeOf(handle) as typeof handle;
		await handle.close();
		vi.spyOn(prototype, 'sync').mockImplementation(async () => void steps.push('sync'));
		vi.mocked(files.rename).mockImplementation(async (from, to) => {
			const {rename} = await vi.importActual<typeof files>('node:fs/promises');
			steps.push(String(to) === path ? 'rename' : 'other');
			await rename(from, to);
		});
		await fileDriver(path).set(token);
		// The last sync is that of the directory, because a rename changes the directory.
		expect(steps).toEqual(['other', 'sync', 'rename', 'sync']);
	});

	test('replacing a record by itself really writes it, so that a session learns whether the store takes writes', async () => {
		const path = join(newFolder(), 'session.json');
		const driver = fileDriver(path);
		await driver.set(token);
		const {ino} = statSync(path);
		expect(await driver.replace?.(await driver.get(), token)).toBe(true);
		expect(statSync(path).ino).not.toBe(ino);
	});

	test('a full disk after a rotation does not lose the session [F-87]', async ({server, watch}) => {
		const path = join(newFolder(), 'session.json');
		const auth = watch(createAuth(appOptions(server, {store: fileStore(path), timeout: 3_000})));
		const events = record(auth);
		await signIn(server, auth, expired);
		const full = Object.assign(new Error('ENOSPC: no space left on device'), {code: 'ENOSPC'});
		const stop = server.onTokenAnswer(() => void vi.mocked(files.open).mockRejectedValue(full));
		const {access_token} = await auth.getToken();
		stop();
		vi.resetAllMocks();
		expect((await auth.fetch(`${server.api}/me`)).status).toBe(200);
		expect(readFileSync(path, 'utf8')).toContain(access_token);
		expect(gist(events)).toEqual(['token set', 'store-failed store_write', 'token refresh']);
	});
});

describe('a place where a file cannot be', () => {
	test('the error of an unusable path names the option and the code of the system, and not the content [R90]', async ({
		canaries,
	}) => {
		canaries.plant(token.access_token);
		const folder = newFolder();
		const file = join(folder, 'file');
		writeFileSync(file, token.access_token);
		for (const [path, code] of [
			[folder, 'EISDIR'],
			[join(file, 'session.json'), 'ENOTDIR'],
			[join(folder, 'x'.repeat(300)), 'ENAMETOOLONG'],
		] as const) {
			const driver = fileDriver(path);
			expect(await canaries.rejection(Promise.resolve(driver.get()))).toEqual(
				new ConfigError(`path: cannot read there: ${code}`),
			);
			const failure = await canaries.rejection(Promise.resolve(driver.set(token)));
			expect(failure).toBeInstanceOf(ConfigError);
			expect((failure as Error).message).toMatch(/^path: cannot (?:read|write) there: E[A-Z]+$/);
			expect((failure as Error).cause).toBeUndefined();
		}
	});

	test('an unusable path is reported by the error of setToken, and by an event', async ({server, watch, canaries}) => {
		const file = join(newFolder(), 'file');
		writeFileSync(file, '');
		const auth = watch(createAuth(appOptions(server, {store: fileStore(join(file, 'session.json'))})));
		const events = record(auth);
		const error = await canaries.rejection(auth.setToken(await server.mint()));
		expect(error).toMatchObject({
			name: 'StoreError',
			code: 'store_write',
			message: 'path: cannot write there: ENOTDIR',
		});
		expect(events[0]).toMatchObject({error: {code: 'store_read', message: 'path: cannot read there: ENOTDIR'}});
		expect((await auth.fetch(`${server.api}/me`)).status).toBe(200);
	});

	test('an unusable path is reported by a refresh that cannot take the lease there', async ({server, watch}) => {
		const path = join(newFolder(), 'session.json');
		const auth = watch(createAuth(appOptions(server, {store: fileStore(path)})));
		await signIn(server, auth);
		mkdirSync(`${path}.lock`);
		await expect(auth.refresh()).rejects.toMatchObject({
			name: 'LockError',
			message: 'path: cannot read there: EISDIR',
			retryable: true,
		});
		expect(server.tokenRequests).toHaveLength(0);
		expect((await auth.fetch(`${server.api}/me`)).status).toBe(200);
	});

	test('the file stays the same even if the program changes its working directory', async () => {
		const folder = newFolder();
		const cwd = vi.spyOn(process, 'cwd').mockReturnValue(folder);
		const driver = fileDriver('session.json');
		cwd.mockReturnValue(newFolder());
		await driver.set(token);
		expect(readFileSync(join(folder, 'session.json'), 'utf8')).toContain(token.access_token);
	});

	/** A script that writes a token, and prints the error if that fails. */
	const script = `
		import process from 'node:process';
		import {fileDriver} from ${JSON.stringify(pathToFileURL('src/stores/file-driver.ts').href)};
		const [, , path, user] = process.argv;
		// The super-user may write everywhere.
		if (user) process.setuid?.(Number(user));
		const driver = fileDriver(path);
		await driver.set({access_token: 'hunter2', token_type: 'Bearer', issued_at: 1}).catch(error => console.log(String(error)));
		await driver.get().catch(error => console.log(String(error)));`;

	test('a directory that this user may only read is an unusable path', async () => {
		const folder = newFolder();
		const program = join(folder, 'program.mjs');
		writeFileSync(program, script);
		chmodSync(root, 0o755);
		chmodSync(folder, 0o555);
		const args = [program, join(folder, 'session.json'), process.getuid?.() === 0 ? '65534' : ''];
		const {stdout} = await promisify(execFile)(process.execPath, args);
		chmodSync(folder, 0o755);
		expect(stdout.trim()).toBe('ConfigError: path: cannot write there: EACCES');
	});

	test('a path without a permission of Deno is unusable', async () => {
		const folder = newFolder();
		const program = join(folder, 'program.mjs');
		writeFileSync(program, script);
		const [command, ...flags] = deno;
		const run = async (...permissions: readonly string[]): Promise<string> => {
			const args = [...flags.filter(flag => flag !== '-A'), '--no-prompt', ...permissions];
			const {stdout} = await promisify(execFile)(command, [...args, program, join(folder, 'session.json')]);
			return stdout.trim();
		};
		expect(await run('--allow-read')).toBe('ConfigError: path: cannot write there: NotCapable');
		expect(await run(`--allow-read=${folder},${process.cwd()}`, `--allow-write=${folder}`)).toBe('');
		expect(readFileSync(join(folder, 'session.json'), 'utf8')).toContain('hunter2');
	});
});

describe('files that several processes change', () => {
	const create = () => {
		const folder = newFolder();
		const [file, scratch] = [join(folder, 'file'), join(folder, 'scratch')];
		return {file, scratch, ...createAtomicFiles(scratch)};
	};
	const actual = () => vi.importActual<typeof files>('node:fs/promises');
	const failure = (code: string): Error => Object.assign(new Error(code), {code});

	test('files are changed by one process at a time, however many ask at once', async () => {
		const {file, change, read} = create();
		await change(file, () => '0');
		// The clock stands still, so that nobody gives up: on a busy machine, the last one waits for long.
		vi.spyOn(performance, 'now').mockReturnValue(0);
		await Promise.all(Array.from({length: 30}, () => change(file, found => String(Number(found) + 1))));
		expect(await read(file)).toBe('30');
	});

	test('a process that was pushed aside between its comparison and its write overwrites nothing [F-135]', async () => {
		const {file, scratch, change, read} = create();
		await change(file, () => 'first');
		const seen: unknown[] = [];
		const isChanged = await change(file, found => {
			seen.push(found);
			if (seen.length > 1) return undefined;
			// At this point the process stands still, and another process takes over and writes.
			rmSync(scratch, {recursive: true});
			writeFileSync(file, 'of another');
			return 'outdated';
		});
		expect(isChanged).toBe(false);
		expect(seen).toEqual(['first', 'of another']);
		expect(await read(file)).toBe('of another');
	});

	test('a process that was pushed aside deletes nothing [F-135]', async () => {
		const {file, scratch, change, read} = create();
		await change(file, () => 'first');
		const seen: unknown[] = [];
		await change(file, found => {
			seen.push(found);
			if (seen.length > 1) return undefined;
			rmSync(scratch, {recursive: true});
			writeFileSync(file, 'of another');
			return null;
		});
		expect(await read(file)).toBe('of another');
	});

	test('a process that was pushed aside leaves the change of the next process alone [F-135]', async () => {
		const {file, scratch, change, read} = create();
		await change(file, () => 'first');
		let isFirst = true;
		const decided = Promise.withResolvers<void>();
		const changing = change(file, found => {
			if (!isFirst) return `${found}, then ours`;
			isFirst = false;
			rmSync(scratch, {recursive: true});
			mkdirSync(join(scratch, 'busy', 'another'), {recursive: true});
			writeFileSync(join(scratch, 'busy', 'another', 'new'), 'of another');
			decided.resolve();
			return 'outdated';
		});
		await decided.promise;
		renameSync(join(scratch, 'busy', 'another', 'new'), file);
		rmSync(join(scratch, 'busy', 'another'), {recursive: true});
		await changing;
		expect(await read(file)).toBe('of another, then ours');
	});

	test('the files that a killed process has left are removed after a second, with the token in them [F-97]', async () => {
		const {file, scratch, change, read} = create();
		mkdirSync(join(scratch, 'busy', 'killed'), {recursive: true});
		writeFileSync(join(scratch, 'busy', 'killed', 'new'), token.access_token);
		mkdirSync(join(scratch, 'killed earlier', 'killed earlier'), {recursive: true});
		expect(await change(file, () => 'text')).toBe(true);
		expect(await read(file)).toBe('text');
		expect(existsSync(scratch)).toBe(false);
	});

	test('a change that has waited for too long is given up: its process may have been stopped [F-161]', async () => {
		const {file, scratch, change} = create();
		await change(file, () => 'first');
		const {mkdir} = await actual();
		vi.mocked(files.mkdir).mockImplementationOnce(async (path, options) => {
			const now = performance.now();
			vi.spyOn(performance, 'now').mockReturnValue(now + 10_000);
			return mkdir(path, options);
		});
		expect(await outcomeOf(change(file, () => 'late'))).toBe('StoreError');
		expect(readFileSync(file, 'utf8')).toBe('first');
		expect(existsSync(scratch)).toBe(false);
	});

	test.for(['EPERM', 'EACCES', 'EBUSY'])(
		'a %s of Windows, because somebody has the file open, is waited for, and reported if it persists',
		async code => {
			const {file, change} = create();
			const {rename} = await actual();
			let failures = 3;
			let passed = 0;
			const clock = performance.now.bind(performance);
			vi.spyOn(performance, 'now').mockImplementation(() => clock() + passed);
			vi.mocked(files.rename).mockImplementation(async (from, to) => {
				if (to === file && failures-- > 0) {
					passed += 300;
					throw failure(code);
				}
				await rename(from, to);
			});
			expect(await change(file, () => 'text')).toBe(true);
			if (code !== 'EPERM') return;
			failures = Infinity;
			await expect(change(file, () => 'text')).rejects.toEqual(new ConfigError(`path: cannot write there: ${code}`));
		},
	);

	test('fileStore works if a directory cannot replace even an empty one, as on Windows', async () => {
		const {file, scratch, change, read} = create();
		const {rename} = await actual();
		vi.mocked(files.rename).mockImplementation(async (from, to) => {
			if (to !== file && existsSync(String(to))) throw failure('EPERM');
			await rename(from, to);
		});
		mkdirSync(join(scratch, 'busy'), {recursive: true});
		await change(file, () => '0');
		await Promise.all(Array.from({length: 10}, () => change(file, found => String(Number(found) + 1))));
		expect(await read(file)).toBe('10');
	});
});
