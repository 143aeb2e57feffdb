import {createKvFolder, deno, runDeno} from '../support/deno.ts';
import {crowd, type CrowdOptions} from './crowd.ts';
import type {Act, ActResult} from './result.ts';

/** Runs Deno processes that share one file of Deno KV. */
export async function denoCrowd(
	options: Omit<CrowdOptions, 'store' | 'place' | 'command' | 'login'>,
): Promise<ActResult> {
	const {file, remove} = createKvFolder();
	try {
		return await crowd({
			...options,
			store: 'deno-kv',
			place: file,
			command: deno,
			login: async (key, {expires_in, ...token}) => {
				const issued_at = Math.floor(Date.now() / 1000);
				const record = {...token, issued_at, expires_at: issued_at + expires_in};
				await runDeno('test/e2e/deno/login.ts', file, key, JSON.stringify(record));
			},
		});
	} finally {
		remove();
	}
}

/** Six processes with ten callers each. Some are killed or stopped. */
export const run: Act = async options =>
	denoCrowd({
		...options,
		holders: 6,
		callers: 10,
		lease: 2_000,
		isCruel: !options.isUnlocked,
		isFoul: !options.isUnlocked,
	});
