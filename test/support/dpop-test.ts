import {type DpopApi, startDpopApi} from './dpop-api.ts';
import {test as base} from './test.ts';

/** vitest's `test` with an API that asks for proofs, one for each file. The server's access tokens live for a minute. */
export const test = base
	.override('serverOptions', {accessTokenSeconds: 60})
	.extend('runningApi', {scope: 'file'}, async ({runningServer: {findBound}}, {onCleanup}): Promise<DpopApi> => {
		const api = await startDpopApi(findBound);
		onCleanup(api.close);
		return api;
	});
