// Reads the configuration that users copy as Wrangler itself reads it.
import {execFile} from 'node:child_process';
import {copyFileSync, cpSync, globSync, mkdtempSync, readFileSync, realpathSync, rmSync, symlinkSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join, resolve} from 'node:path';
import process from 'node:process';
import {promisify} from 'node:util';
import {convertV4MiniflareOptions, Miniflare} from 'miniflare';
import {afterAll, expect, onTestFinished} from 'vitest';
import {unstable_getMiniflareWorkerOptions, unstable_readConfig} from 'wrangler';
import {servicePost} from '../support/authorization-server.ts';
import {test} from '../support/test.ts';

test.override('serverOptions', {accessTokenSeconds: 60});

/** A project of a user, with the package as it was built. */
const root = realpathSync(mkdtempSync(join(tmpdir(), 'regrant-worker-')));
afterAll(() => rmSync(root, {recursive: true, force: true}));
for (const file of ['wrangler.jsonc', 'worker.ts']) copyFileSync(`playground/${file}`, join(root, file));
const installed = join(root, 'node_modules/regrant');
for (const file of ['dist', 'package.json']) cpSync(file, join(installed, file), {recursive: true});
for (const name of ['ky', 'valibot'])
	symlinkSync(resolve('node_modules', name), join(root, 'node_modules', name), 'dir');
const config = join(root, 'wrangler.jsonc');

/** What Wrangler makes of the configuration. The package does not export the whole type. */
interface WorkerOptions {
	readonly compatibilityDate: string;
	readonly durableObjects: Record<string, {className: string}>;
}

/** Returns the bundle that Wrangler would upload. */
async function bundle(): Promise<string> {
	const args = ['deploy', '--dry-run', '--config', config, '--outdir', join(root, 'out')];
	const env = {...process.env, CI: '1', WRANGLER_SEND_METRICS: 'false', WRANGLER_LOG_PATH: join(root, 'logs')};
	await promisify(execFile)(resolve('node_modules/.bin/wrangler'), args, {cwd: root, env});
	const [script] = globSync('out/*.js', {cwd: root});
	return readFileSync(join(root, script ?? ''), 'utf8');
}

test(
	'a copy of wrangler.jsonc and worker.ts is a worker whose session is in a Durable Object',
	{timeout: 300_000},
	async ({server}) => {
		const {compatibilityDate, durableObjects} = unstable_getMiniflareWorkerOptions(config)
			.workerOptions as object as WorkerOptions;
		const miniflare = new Miniflare({
			...convertV4MiniflareOptions({
				compatibilityDate,
				durableObjects,
				host: '127.0.0.1',
				port: 0,
				cf: false,
				telemetry: {enabled: false},
				modules: true,
				script: await bundle(),
				bindings: {
					TOKEN_ENDPOINT: server.tokenEndpoint,
					API: server.api,
					CLIENT_ID: servicePost.clientId,
					CLIENT_SECRET: servicePost.secret,
				},
			}),
			// Drops the worker's log, and a warning that Cloudflare cannot be reached.
			handleStructuredLogs: () => {},
		});
		onTestFinished(() => miniflare.dispose());
		const url = new URL('/accounts', await miniflare.ready);
		const statuses = await Promise.all(Array.from({length: 10}, async () => (await fetch(url)).status));
		expect(new Set(statuses)).toEqual(new Set([200]));
		expect(server.tokenRequests).toHaveLength(1);
	},
);

test('wrangler.jsonc says in a few lines what a vault needs', () => {
	const {main, durable_objects, migrations, compatibility_date} = unstable_readConfig({config});
	expect({main, durable_objects, migrations, compatibility_date}).toEqual({
		main: join(root, 'worker.ts'),
		durable_objects: {bindings: [{name: 'VAULT', class_name: 'TokenVault'}]},
		migrations: [{tag: 'v1', new_sqlite_classes: ['TokenVault']}],
		compatibility_date: expect.stringMatching(/^\d{4}-\d\d-\d\d$/),
	});
});
