import {execFile} from 'node:child_process';
import {globSync, readFileSync} from 'node:fs';
import {basename} from 'node:path';
import {promisify} from 'node:util';
import {describe, expect} from 'vitest';
import jsr from '../../jsr.json' with {type: 'json'};
import manifest from '../../package.json' with {type: 'json'};
import {test} from '../support/test.ts';

const {version} = manifest;
const isPrerelease = version.includes('-');

describe('a release', () => {
	test('a release has a page of the changelog with its date, below what is to come', () => {
		const headings = readFileSync('CHANGELOG.md', 'utf8').match(/^## .*$/gm) ?? [];
		expect(headings[0]).toBe('## [Unreleased]');
		expect(headings[1]).toMatch(new RegExp(`^## \\[${version.replaceAll('.', '\\.')}\\] - \\d{4}-\\d{2}-\\d{2}$`));
	});

	test('a release is the same version everywhere', () => {
		const lock = JSON.parse(readFileSync('package-lock.json', 'utf8')) as {readonly version: string};
		expect([jsr.version, lock.version]).toEqual([version, version]);
	});

	test('a release candidate gets the tag next, and every release has signed provenance', () => {
		expect(manifest.publishConfig).toEqual({
			access: 'public',
			provenance: true,
			...(isPrerelease && {tag: 'next'}),
		});
	});

	test('npm publish --dry-run accepts a release', async ({serve}) => {
		// This registry does not have the package yet.
		const {origin} = await serve(() => new Response('{}', {status: 404}));
		const args = ['publish', '--dry-run', '--registry', origin];
		const {stdout, stderr} = await promisify(execFile)('npm', args);
		expect(stdout.trim()).toBe(`+ regrant@${version}`);
		const warnings = stderr.split('\n').filter(line => /^npm (?:warn|error)/.test(line));
		expect(warnings).toEqual([expect.stringContaining('requires you to be logged in')]);
	});
});

const workflows = globSync('.github/workflows/*.yml').map(file => ({
	name: basename(file, '.yml'),
	text: readFileSync(file, 'utf8'),
}));

/** The text of each job by its name, and the text above all jobs. */
function jobsOf(text: string): {readonly head: string; readonly jobs: ReadonlyMap<string, string>} {
	const [head = '', body = ''] = text.split(/^jobs:\n/m);
	const jobs = body.split(/^(?= {2}\w)/m).map(job => [/^ {2}([\w-]+):/.exec(job)?.[1] ?? '', job] as const);
	return {head, jobs: new Map(jobs)};
}

describe('the workflow', () => {
	test('there is a workflow for each change, each release and each week', () => {
		expect(workflows.map(({name}) => name).toSorted()).toEqual(['ci', 'newest', 'release']);
	});

	test.for(workflows)('the workflow $name has only the permissions that each of its jobs needs', ({text}) => {
		const {head, jobs} = jobsOf(text);
		expect(head).toMatch(/^permissions: \{\}$/m);
		expect(jobs.size).toBeGreaterThan(0);
		for (const job of jobs.values()) {
			const [, given = ''] = /^ {4}permissions:\n((?: {6}.*\n)+)/m.exec(job) ?? [];
			const permissions = given.match(/^ {6}[a-z-]+: \w+$/gm)?.map(line => line.trim());
			expect(permissions).toEqual(/publish/.test(job) ? ['contents: read', 'id-token: write'] : ['contents: read']);
			expect(job).toMatch(/^ {4}timeout-minutes: \d+$/m);
		}
	});

	test.for(workflows)('the workflow $name pins its actions by commit', ({text}) => {
		const actions = text.match(/uses:.*$/gm) ?? [];
		expect(actions.length).toBeGreaterThan(0);
		expect(actions.filter(line => !/^uses: [\w-]+\/[\w-]+@[\da-f]{40} # v\d+\.\d+\.\d+$/.test(line))).toEqual([]);
		const checkouts = actions.filter(line => line.includes('actions/checkout'));
		expect(text.match(/persist-credentials: false/g)).toHaveLength(checkouts.length);
	});

	test.for(workflows)('the workflow $name puts nothing of an event into a command, and needs no secret', ({text}) => {
		expect(text.match(/^\s*(?:- )?run:.*\$\{\{/gm)).toBeNull();
		expect(text).not.toContain('secrets.');
	});

	test('the workflow release publishes tested code, from a tag that is the version, to npm with provenance and to JSR', () => {
		const {head, jobs} = jobsOf(workflows.find(({name}) => name === 'release')?.text ?? '');
		expect(head).toMatch(/^on:\n {2}push:\n {4}tags: \['v\*'\]\n\n/m);
		const publish = jobs.get('publish') ?? '';
		expect(publish).toMatch(/^ {4}needs: test$/m);
		expect(publish).toContain(`test "$GITHUB_REF_NAME" = "v$(npm pkg get version | tr -d '"')"`);
		expect(publish).toMatch(/npm publish --provenance /);
		expect(publish).toMatch(/deno publish/);
		expect(jobs.get('test')).toContain('bash .ci/run');
	});

	test('the workflow newest runs every week, with the newest ky, valibot and TypeScript', () => {
		const {text = ''} = workflows.find(({name}) => name === 'newest') ?? {};
		expect(text).toMatch(/^ {2}schedule:\n {4}- cron: '\d+ \d+ \* \* [0-6]'$/m);
		expect(text).toMatch(/npm install --no-save .*ky@latest valibot@latest @typescript\/native@npm:typescript@latest/);
		expect(text.indexOf('npm install')).toBeLessThan(text.indexOf('run: npm test'));
	});
});
