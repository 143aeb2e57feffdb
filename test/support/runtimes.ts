import {execFile} from 'node:child_process';
import {resolve} from 'node:path';
import {Miniflare} from 'miniflare';
import type {LabFacts} from '../shared/lab-client.ts';
import type {Report} from '../shared/run.ts';
import {type browsers, openBrowser} from './browsers.ts';
import {type Lab, startLab} from './lab.ts';
import type {PackedProject} from './packed-project.ts';
import {startRedis} from './redis-server.ts';
import {serve} from './serve.ts';

/** Runs the specification in one runtime, and returns its report. */
type Adapter = (project: PackedProject, facts: LabFacts) => Promise<Report>;

/** How long a whole run may take, in milliseconds. It takes two minutes, and several times that on a busy machine. */
const patience = 1_800_000;
const local = (name: string): string => resolve('node_modules/.bin', name);

/** Creates an adapter for a process that prints its report. */
function script(command: string, ...args: readonly string[]): Adapter {
	return async (project, facts) => {
		const redis = await startRedis();
		const told = [JSON.stringify(facts), happyDom, redis.url];
		const options = {cwd: project.root, timeout: patience, maxBuffer: 2 ** 26};
		const reported = new Promise<Report>((resolve, reject) => {
			execFile(command, [...args, ...told], options, (error, output, problems) => {
				const report = /^REPORT (.*)$/m.exec(output)?.[1];
				if (report === undefined || error)
					reject(new Error(`It ended without a report: ${error?.message} ${problems}`));
				else resolve(JSON.parse(report) as Report);
			});
		});
		try {
			return await reported;
		} finally {
			await redis.close();
		}
	};
}

const {default: manifest} = await import('happy-dom/package.json', {with: {type: 'json'}});
const happyDom = manifest.version;

/** Creates an adapter for a page that posts its report. */
function browser(name: keyof typeof browsers): Adapter {
	return async (project, facts) => {
		const code = await project.bundle('e2e/runtimes/page.ts');
		const reported = Promise.withResolvers<Report>();
		const page = await serve((_request, {path, body}) => {
			if (path === '/facts') return Response.json(facts);
			if (path === '/page.js') return {headers: [['content-type', 'text/javascript']], body: code};
			if (path !== '/report') return {headers: [['content-type', 'text/html']], body: html};
			reported.resolve(JSON.parse(body) as Report);
			return {};
		});
		const close = openBrowser(name, page.origin);
		const timer = setTimeout(() => reported.reject(new Error(`${name} has not reported in time`)), patience);
		try {
			return await reported.promise;
		} finally {
			clearTimeout(timer);
			await close();
			await page.close();
		}
	};
}

const html = '<!doctype html><title>regrant</title><script type="module" src="/page.js"></script>';

/** Creates an adapter for a worker that answers with its report. */
function workerd(compatibilityDate: string): Adapter {
	return async (project, facts) => {
		const contents = await project.bundle('e2e/runtimes/worker.ts');
		const miniflare = new Miniflare({
			host: '127.0.0.1',
			port: 0,
			telemetry: {enabled: false},
			workers: [
				{
					config: {
						name: 'spec',
						compatibilityDate,
						compatibilityFlags: [],
						manifest: {
							mainModule: 'worker.js',
							modulesRoot: project.root,
							modules: {'worker.js': {type: 'esm', contents}},
						},
						env: {
							DATE: {type: 'text', value: compatibilityDate},
							VAULT: {type: 'durable-object', worker: 'spec', exportName: 'TokenVault'},
						},
						exports: {TokenVault: {type: 'durable-object', storage: 'sqlite'}},
					},
				},
			],
		});
		try {
			const response = await fetch(await miniflare.ready, {method: 'POST', body: JSON.stringify(facts)});
			return (await response.json()) as Report;
		} finally {
			await miniflare.dispose();
		}
	};
}

const deno = ['run', '--no-check', '--node-modules-dir=manual', '--no-remote', '--unstable-kv', '-A'];
const npmNode = (version: string): Adapter => script('npx', '--yes', `node@${version}`, 'e2e/runtimes/script.ts');

/** All runtimes of the specification, by their names in the table of the README. */
export const runtimes: Readonly<Record<string, Adapter>> = {
	'Node 22': npmNode('22'),
	'Node 24': script(local('node'), 'e2e/runtimes/script.ts'),
	'Node 26': npmNode('26'),
	Deno: script(local('deno'), ...deno, 'e2e/runtimes/script.ts'),
	Bun: script(local('bun'), 'run', 'e2e/runtimes/script.ts'),
	'workerd 2026-11-02': workerd('2026-11-02'),
	'workerd 2025-08-31': workerd('2025-08-31'),
	'workerd 2024-01-01': workerd('2024-01-01'),
	Chromium: browser('chromium'),
	Firefox: browser('firefox'),
	WebKit: browser('webkit'),
	'happy-dom': script(local('node'), 'e2e/runtimes/happy-dom.ts'),
};

/** Runs the specification in one runtime, with servers of its own. */
export async function runOn(
	name: string,
	project: PackedProject,
): Promise<{readonly report: Report; readonly lab: Lab}> {
	const adapter = runtimes[name];
	if (!adapter) throw new Error(`No runtime is called ${name}`);
	const lab = await startLab();
	try {
		return {report: await adapter(project, lab.facts), lab};
	} finally {
		await lab.close();
	}
}
