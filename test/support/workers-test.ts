import {test as base} from './test.ts';
import {startWorkers, type Workers, type WorkersOptions} from './workers.ts';

/** The `test` for workers. Its access tokens live long. `workersAt` starts each kind of worker once in a file. */
export const test = base
	.override('serverOptions', {accessTokenSeconds: 60})
	.extend('workersAt', {scope: 'file'}, async ({runningServer}, {onCleanup}) => {
		const {tokenEndpoint, revocationEndpoint, api} = runningServer;
		const started = new Map<string, Promise<Workers>>();
		onCleanup(async () => {
			for (const workers of started.values()) await (await workers).stop();
		});
		return async (options: Omit<WorkersOptions, 'env'> = {}): Promise<Workers> => {
			const key = JSON.stringify(options);
			const env = {SERVER: JSON.stringify({tokenEndpoint, revocationEndpoint, api})};
			const workers = started.get(key) ?? startWorkers({...options, env});
			started.set(key, workers);
			return workers;
		};
	});
