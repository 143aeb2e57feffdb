import {setFlagsFromString} from 'node:v8';
import {runInNewContext} from 'node:vm';
import ky from 'ky';
import {describe, expect} from 'vitest';
import {createAuth} from '../../src/index.ts';
import {appOptions, signIn} from '../support/scenario.ts';
import {test} from '../support/test.ts';

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void; // the flag applies only to contexts that are created after it is set

describe('a call that is aborted after a garbage collection', () => {
	test.for(['ky', 'auth.fetch', 'auth.fetch of a Request'] as const)(
		'a call that is aborted after a garbage collection ends at once: %s [F-73]',
		async (way, {server}) => {
			const auth = createAuth(appOptions(server));
			await signIn(server, auth);
			const api = ky.create({baseUrl: server.api, hooks: auth.hooks, retry: 0, timeout: false});
			const arrived = Promise.withResolvers<void>();
			const over = Promise.withResolvers<void>();
			server.onCall(async () => {
				arrived.resolve();
				await over.promise;
			});
			const leaving = new AbortController();
			const {signal} = leaving;
			const url = `${server.api}/me`;
			const request = new Request(url, {signal});
			const calls = {
				ky: () => api.get('me', {signal}),
				'auth.fetch': () => auth.fetch(url, {signal}),
				'auth.fetch of a Request': () => auth.fetch(request),
			};
			const call = calls[way]().then(
				() => 'answered',
				(error: unknown) => error,
			);
			await arrived.promise;
			// The second collection at the latest removes a request that nothing refers to any more.
			for (let times = 0; times < 2; times++) {
				collect();
				await new Promise(resolve => void setTimeout(resolve, 10));
			}
			leaving.abort();
			const deadline = new Promise(resolve => void setTimeout(resolve, 15_000, 'still waiting'));
			expect(await Promise.race([call, deadline])).toBe(signal.reason);
			over.resolve();
		},
	);
});
