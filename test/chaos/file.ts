import {mkdtempSync, rmSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {fileDriver} from '../../src/stores/file-driver.ts';
import {crowd, type CrowdOptions, loginTo} from './crowd.ts';
import type {Act, ActResult} from './result.ts';

/** Runs processes that share one file. */
export async function fileCrowd(options: Omit<CrowdOptions, 'store' | 'place' | 'login'>): Promise<ActResult> {
	const place = mkdtempSync(join(tmpdir(), 'regrant-file-'));
	try {
		return await crowd({
			...options,
			store: 'file',
			place,
			login: loginTo(key => fileDriver(join(place, key))),
		});
	} finally {
		rmSync(place, {recursive: true, force: true});
	}
}

/** Six processes with ten callers each. Some are killed or stopped. */
export const run: Act = async options =>
	fileCrowd({
		...options,
		command: [process.execPath],
		holders: 6,
		callers: 10,
		// If a process is killed in the middle of a change, the others wait for a second. The lease must be longer than that.
		lease: 3_000,
		isCruel: !options.isUnlocked,
		isFoul: !options.isUnlocked,
	});
