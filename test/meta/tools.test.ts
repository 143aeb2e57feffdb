import {execFile} from 'node:child_process';
import {globSync} from 'node:fs';
import {join, resolve} from 'node:path';
import {afterAll, describe, expect} from 'vitest';
import jsr from '../../jsr.json' with {type: 'json'};
import {createKvFolder, deno} from '../support/deno.ts';
import {service} from '../support/authorization-server.ts';
import {createPackedProject} from '../support/packed-project.ts';
import {test} from '../support/test.ts';

interface Run {
	readonly status: number;
	readonly output: string;
}

function run(
	command: string,
	args: readonly string[],
	options: {cwd?: string; env?: NodeJS.ProcessEnv} = {},
): Promise<Run> {
	return new Promise(resolve => {
		execFile(command, args, {maxBuffer: 2 ** 26, ...options}, (error, output, problems) => {
			resolve({status: error ? Number(error.code ?? 1) : 0, output: output + problems});
		});
	});
}

const local = (name: string): string => resolve('node_modules/.bin', name);
const offline = ['--quiet', '--node-modules-dir=manual', '--no-remote'];

const project = await createPackedProject();
afterAll(project.remove);

describe('what others check before they take a package', {timeout: 300_000}, () => {
	test('publint finds nothing to complain about', async () => {
		expect(await run(local('publint'), ['--strict'])).toEqual({
			status: 0,
			output: expect.stringContaining('All good!'),
		});
	});

	test('arethetypeswrong finds the types of every entry', async () => {
		const [tarball = ''] = globSync('*.tgz', {cwd: project.root});
		// The JSON does not depend on the terminal.
		const args = [join(project.root, tarball), '--profile', 'esm-only', '--format', 'json'];
		const {status, output} = await run(local('attw'), args);
		const {analysis} = JSON.parse(output) as {
			readonly analysis: {
				readonly entrypoints: object;
				readonly problems: ReadonlyArray<{readonly resolutionKind?: string}>;
			};
		};
		expect(Object.keys(analysis.entrypoints).toSorted()).toEqual(
			[...Object.keys(jsr.exports), './package.json'].toSorted(),
		);
		// Neither of these two can load a package that has only ES modules.
		const isIgnored = (kind = ''): boolean => ['node10', 'node16-cjs'].includes(kind);
		expect([status, analysis.problems.filter(({resolutionKind}) => !isIgnored(resolutionKind))]).toEqual([0, []]);
	});

	test('Deno checks every entry', async () => {
		expect(await run(local('deno'), ['check', ...offline, ...Object.values(jsr.exports)])).toEqual({
			status: 0,
			output: '',
		});
	});

	test('deno publish --dry-run accepts the package for JSR, without slow types', async () => {
		const {status, output} = await run(local('deno'), ['publish', ...offline, '--dry-run', '--allow-dirty']);
		expect([status, output]).toEqual([0, expect.not.stringMatching(/slow|error|warn/i)]);
	});
});

test('the Deno script of the playground calls an API, and ends by itself', async ({server}) => {
	const {file, remove} = createKvFolder();
	const [command, ...flags] = deno;
	const env = {
		...process.env,
		TOKEN_ENDPOINT: server.tokenEndpoint,
		CLIENT_ID: service.clientId,
		CLIENT_SECRET: service.secret,
		API: server.api,
		KV: file,
	};
	try {
		for (const runs of [1, 2]) {
			const {status, output} = await run(command, [...flags, 'playground/deno.ts'], {env});
			const [printed, ...logged] = output.trim().split('\n');
			expect([runs, status, JSON.parse(printed ?? '')]).toEqual([runs, 0, {subject: service.clientId, body: ''}]);
			const events = logged.map(line => JSON.parse(line) as unknown);
			expect(events).toEqual(runs === 1 ? [{type: 'token', cause: 'grant', expires_at: expect.any(Number)}] : []);
		}
		// The second run found the token that the first one had stored.
		expect(server.tokenRequests).toHaveLength(1);
	} finally {
		remove();
	}
});
