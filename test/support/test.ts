import {test as base} from 'vitest';
import {
	type AuthorizationServer,
	type AuthorizationServerOptions,
	startAuthorizationServer,
} from './authorization-server.ts';
import {createCanaries} from './canaries.ts';
import {interceptConsole} from './console.ts';
import {type SeedApiOptions, startSeedApi} from './seed-api.ts';
import {type Handler, type Served, serve} from './serve.ts';
import {type Watchable, watchAuth} from './watched-auth.ts';

/**
vitest's `test` with checks after every test and with servers on demand. After each test, the console must be untouched, nothing recorded
may contain a secret, and no server may have lost a session unexpectedly.

- `canaries`: `see` and `rejection` record values to search for secrets. It is active in every test.
- `watch(auth)`: returns an `Auth` whose rejections and events are recorded.
- `server`: the real authorization server and its API. All tests of a file share it, and it is reset for each test.
- `seedApi`: Moov’s API, a new one for each test.
- `serve(handler)`: starts any other server, and closes it after the test.
- `serverOptions`, `seedApiOptions`: `test.override('serverOptions', {accessTokenSeconds: 60})`.
*/
export const test = base
	.extend('serverOptions', {scope: 'file'}, {} as AuthorizationServerOptions)
	.extend('seedApiOptions', {} as SeedApiOptions)
	// oxlint-disable-next-line no-empty-pattern -- vitest reads which fixtures are used from the pattern
	.extend('canaries', {auto: true}, async ({}, {onCleanup}) => {
		const canaries = createCanaries();
		const output = interceptConsole();
		onCleanup(() => {
			output.restore();
			for (const {values} of output.calls) values.forEach(canaries.see);
			canaries.scan();
			const [first] = output.calls;
			if (first) throw new Error(`The console was written to: ${first.method} ${first.values.map(String).join(' ')}`);
		});
		return canaries;
	})
	.extend('watch', async ({canaries}, {onCleanup}) => {
		const stops: Array<() => void> = [];
		onCleanup(() => stops.forEach(stop => stop()));
		return <Auth extends Watchable>(auth: Auth): Auth => {
			const watched = watchAuth(auth, canaries.see);
			stops.push(watched.stop);
			return watched.auth;
		};
	})
	.extend('runningServer', {scope: 'file'}, async ({serverOptions}, {onCleanup}) => {
		const server = await startAuthorizationServer(serverOptions);
		onCleanup(server.close);
		return server;
	})
	.extend('server', async ({runningServer, canaries}, {onCleanup}) => {
		runningServer.reset();
		onCleanup(() => {
			canaries.plantAll(runningServer.issued);
			inspectTraffic(runningServer);
			runningServer.referee.verdict();
		});
		return runningServer;
	})
	.extend('seedApi', async ({seedApiOptions, canaries}, {onCleanup}) => {
		const seedApi = await startSeedApi(seedApiOptions);
		onCleanup(async () => {
			canaries.plantAll(seedApi.issued);
			await seedApi.close();
			inspectTraffic(seedApi);
			seedApi.referee.verdict();
		});
		return seedApi;
	})
	// oxlint-disable-next-line no-empty-pattern -- vitest reads which fixtures are used from the pattern
	.extend('serve', async ({}, {onCleanup}) => {
		const running: Served[] = [];
		onCleanup(async () => void (await Promise.all(running.map(({close}) => close()))));
		return async (handler: Handler): Promise<Served> => {
			const served = await serve(handler);
			running.push(served);
			return served;
		};
	});

/** Throws if an API got a refresh token or a client secret, or any secret in a URL or a body. */
function inspectTraffic(
	server: Pick<AuthorizationServer, 'calls' | 'issued'> & {
		readonly tokenRequests: ReadonlyArray<{readonly path: string}>;
	},
): void {
	const anywhere = createCanaries();
	const headers = createCanaries();
	for (const [secret, kind] of server.issued) {
		anywhere.plant(secret, kind);
		if (kind !== 'access token') headers.plant(secret, kind);
	}
	for (const call of server.calls) {
		anywhere.see(`${call.path}\n${call.body}`);
		headers.see(JSON.stringify(call.headers));
	}
	for (const {path} of server.tokenRequests) anywhere.see(path);
	anywhere.scan();
	headers.scan();
}
