import {mkdtempSync, rmSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {fileDriver} from '../../src/stores/file-driver.ts';
import {crowd, type CrowdOptions, loginTo} from './crowd.ts';
import type {Act, ActResult} from './result.ts';

/** Processes on one file. */
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

/** Six processes with ten callers each, that are killed and stopped. */
export const run: Act = async options =>
	fileCrowd({
		...options,
		command: [process.execPath],
		holders: 6,
		callers: 10,
		// A process that is killed in the middle of a change holds the others up for a second: a lease must outlive that.
		lease: 3_000,
		isCruel: !options.isUnlocked,
		isFoul: !options.isUnlocked,
	});
