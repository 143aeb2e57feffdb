import {execFile} from 'node:child_process';
import {mkdtempSync, rmSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join, resolve} from 'node:path';

/** The command for Deno, with the flags for scripts of this project. Deno then uses only what is installed here. */
export const deno: readonly [string, ...string[]] = [
	resolve('node_modules/.bin/deno'),
	'run',
	'--quiet',
	'--no-check',
	'--node-modules-dir=manual',
	'--no-remote',
	'--unstable-kv',
	'-A',
];

/** Runs a script to its end. Returns its output. */
export function runDeno(script: string, ...args: readonly string[]): Promise<string> {
	const [command, ...flags] = deno;
	return new Promise((resolve, reject) => {
		execFile(
			command,
			[...flags, script, ...args],
			{timeout: 300_000, maxBuffer: 2 ** 26},
			(error, output, problems) => {
				if (error) reject(new Error(`${error.message}\n${problems}`));
				else resolve(output);
			},
		);
	});
}

/** Creates a temporary folder for files of Deno KV. */
export function createKvFolder(): {readonly file: string; remove(): void} {
	const folder = mkdtempSync(join(tmpdir(), 'regrant-kv-'));
	return {file: join(folder, 'kv'), remove: () => rmSync(folder, {recursive: true, force: true})};
}
