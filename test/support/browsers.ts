import {spawn} from 'node:child_process';
import {existsSync, globSync, mkdtempSync, rmSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {setTimeout as sleep} from 'node:timers/promises';

/** How to start a program. */
export interface Start {
	readonly command: string;
	readonly args: readonly string[];
	readonly env?: Readonly<Record<string, string>>;
}

interface Kind {
	/** The possible paths of the program. The first one that exists is used. */
	readonly paths: ReadonlyArray<string | undefined>;
	/** What to do if the program is missing. */
	readonly help: string;
	start(path: string, profile: string, url: string): Start;
}

/** The environment that WebKit needs to run without a screen. */
export const webkitEnvironment = (profile: string): Readonly<Record<string, string>> => ({
	XDG_RUNTIME_DIR: profile,
	TMPDIR: profile,
	WEBKIT_DISABLE_COMPOSITING_MODE: '1',
	LIBGL_ALWAYS_SOFTWARE: '1',
	NO_AT_BRIDGE: '1',
});

/** The browsers. They need no driver, because their page talks to the test by itself. */
export const browsers: Readonly<Record<'chromium' | 'firefox' | 'webkit', Kind>> = {
	chromium: {
		paths: [process.env['CHROME_PATH'], '/usr/bin/chromium', '/usr/bin/google-chrome'],
		help: 'install chromium, or set CHROME_PATH',
		start: (command, profile, url) => ({
			command,
			args: [
				'--headless',
				'--no-sandbox',
				'--disable-gpu',
				'--disable-quic',
				'--no-first-run',
				'--disable-background-networking',
				'--disable-component-update',
				'--disable-sync',
				`--user-data-dir=${profile}`,
				url,
			],
		}),
	},
	firefox: {
		paths: [process.env['FIREFOX_PATH'], '/usr/bin/firefox-esr', '/usr/bin/firefox'],
		help: 'install firefox-esr, or set FIREFOX_PATH',
		start: (command, profile, url) => ({
			command,
			args: ['--headless', '--no-remote', '--profile', profile, url],
			env: {MOZ_CRASHREPORTER_DISABLE: '1'},
		}),
	},
	webkit: {
		paths: [process.env['MINIBROWSER_PATH'], ...globSync('/usr/lib/*/webkit2gtk-4.*/MiniBrowser').toSorted()],
		help: 'install webkit2gtk-driver, xvfb and xauth, or set MINIBROWSER_PATH',
		start: (path, profile, url) => ({
			command: 'xvfb-run',
			args: ['-a', path, '--private', url],
			env: webkitEnvironment(profile),
		}),
	},
};

/** Sends a signal to a process group that this file has started. Returns false if the group is gone. */
function signalGroup(pid: number, signal: NodeJS.Signals | 0): boolean {
	try {
		return process.kill(-pid, signal);
	} catch {
		return false;
	}
}

/** Opens a page in an installed browser. Returns a function that closes it. */
export function openBrowser(name: keyof typeof browsers, url: string): () => Promise<void> {
	const {start} = browsers[name];
	return startProgram((path, profile) => start(path, profile, url), findBrowser(name));
}

/** Returns the path of an installed browser. */
export function findBrowser(name: keyof typeof browsers): string {
	const {paths, help} = browsers[name];
	const path = paths.find(candidate => candidate && existsSync(candidate));
	if (path === undefined) throw new Error(`${name} was not found: ${help}.`);
	return path;
}

/** Starts a program with a temporary folder. Returns a function that ends the program and everything that it has started. */
export function startProgram(start: (path: string, profile: string) => Start, path: string): () => Promise<void> {
	const profile = mkdtempSync(join(tmpdir(), 'regrant-browser-'));
	const {command, args, env} = start(path, profile);
	// The shell ends everything when its input closes, even if this process is killed.
	const child = spawn('/bin/sh', ['-c', '"$@" & read -r _; kill 0', 'sh', command, ...args], {
		detached: true,
		stdio: ['pipe', 'ignore', 'ignore'],
		env: {...process.env, HOME: profile, ...env},
	});
	// If a program cannot be started, no report arrives, and the test fails for that reason.
	child.on('error', () => {});
	child.stdin.on('error', () => {});
	return async () => {
		const {pid} = child;
		child.stdin.end();
		if (pid !== undefined) {
			// Waits until all processes are gone, because Xvfb removes its lock file last.
			for (let tries = 0; tries < 100 && signalGroup(pid, 0); tries++) await sleep(50);
			signalGroup(pid, 'SIGKILL');
		}
		rmSync(profile, {recursive: true, force: true, maxRetries: 10, retryDelay: 100});
	};
}
