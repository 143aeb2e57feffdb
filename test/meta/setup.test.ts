import {spawnSync} from 'node:child_process';
import {chmodSync, mkdtempSync, rmSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {expect, test} from 'vitest';
import manifest from '../../package.json' with {type: 'json'};

/** Runs the script as root or not, and on a machine that has all programs or lacks some of them. */
function setUp({isRoot, hasAll}: {readonly isRoot: boolean; readonly hasAll: boolean}) {
	const folder = mkdtempSync(join(tmpdir(), 'regrant-setup-'));
	try {
		const command = (name: string, text: string): string => {
			const path = join(folder, name);
			writeFileSync(path, `#!/bin/sh\n${text}\n`);
			chmodSync(path, 0o755);
			return path;
		};
		command('id', `echo ${isRoot ? 0 : 1000}`);
		command('apt-get', 'echo "$@" >&2');
		if (hasAll) for (const name of ['xvfb-run', 'redis-server']) command(name, 'true');
		const there = command('there', 'true');
		const names = ['CHROME_PATH', 'FIREFOX_PATH', 'MINIBROWSER_PATH', 'REDIS_SERVER_PATH'];
		const paths = Object.fromEntries(names.map(name => [name, there]));
		const {REDIS_SERVER_PATH: _, ...browsers} = paths;
		const result = spawnSync('/bin/sh', ['test/setup.sh'], {
			encoding: 'utf8',
			env: {PATH: folder, ...(hasAll ? paths : browsers)},
		});
		return {status: result.status, stdout: result.stdout.trim(), stderr: result.stderr.trim()};
	} finally {
		rmSync(folder, {recursive: true, force: true});
	}
}

test('the setup says nothing if the machine has everything', () => {
	expect(setUp({isRoot: false, hasAll: true})).toEqual({status: 0, stdout: '', stderr: ''});
});

test('the setup installs what is missing if it may', () => {
	expect(setUp({isRoot: true, hasAll: false})).toEqual({
		status: 0,
		stdout: 'Installing from Debian: xvfb xauth redis-server',
		stderr: 'update -q\ninstall -y -q --no-install-recommends xvfb xauth redis-server',
	});
});

test('the setup names what is missing in one sentence if it may not install, and fails', () => {
	expect(setUp({isRoot: false, hasAll: false})).toEqual({
		status: 1,
		stdout: '',
		stderr: 'The tests need what is not on this machine: install xvfb xauth redis-server.',
	});
});

test('npm test calls the setup before anything else', () => {
	expect(manifest.scripts.test).toMatch(/^sh test\/setup\.sh && /);
});
