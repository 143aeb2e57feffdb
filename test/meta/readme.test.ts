import {execFile} from 'node:child_process';
import {readdirSync, readFileSync} from 'node:fs';
import {join} from 'node:path';
import {pathToFileURL} from 'node:url';
import {promisify} from 'node:util';
import {afterAll, describe, expect} from 'vitest';
import manifest from '../../package.json' with {type: 'json'};
import benchmark from '../bench/result.json' with {type: 'json'};
import {claims, measuredNumber, toNumber} from '../support/claims.ts';
import {createPackedProject} from '../support/packed-project.ts';
import {seedClient} from '../support/seed-vault.ts';
import {test} from '../support/test.ts';
import {createUserProject} from '../support/user-project.ts';

const readme = readFileSync('README.md', 'utf8');

/** What an example takes for granted. */
const given = `
declare module 'cloudflare:workers' {
	export function waitUntil(promise: Promise<unknown>): void;
	export const env: {
		readonly VAULT: {getByName(name: string): import('regrant/cloudflare').VaultStub};
		readonly TOKEN_ENDPOINT: string;
		readonly CLIENT_ID: string;
	};
}
declare const secret: string;
declare const accountID: string;
declare const api: import('ky').KyInstance;
declare const Account: import('valibot').GenericSchema<{accountID: string}>;
declare const tokenResponseFromYourLogin: import('regrant').AuthToken;
declare function showLogin(): void;
`;

interface Example {
	readonly name: string;
	readonly code: string;
	/** Marked with \`\`\`ts run: it is also run, as it stands, against the test's servers. */
	readonly isRun: boolean;
}

const examples: Example[] = [...readme.matchAll(/^```ts( run)?\n([^]*?)^```$/gm)].map(([, run, code = ''], index) => ({
	name: `example-${index + 1}.ts`,
	code,
	isRun: run !== undefined,
}));

/** As much of a lock file as counts here. */
interface Lock {
	readonly packages: Readonly<Record<string, {readonly version?: string} | undefined>>;
}

const lock = JSON.parse(readFileSync('package-lock.json', 'utf8')) as Lock;

/** The version that is installed. */
const versionOf = (name = ''): string | undefined => lock.packages[`node_modules/${name}`]?.version;

// Compiled and run against what npm would publish, not against what is built here.
const packed = await createPackedProject();
const project = createUserProject(packed.regrant);
afterAll(() => {
	project.remove();
	packed.remove();
});

// A busy machine takes longer to start a process than the server's tokens are good for.
test.override('serverOptions', {accessTokenSeconds: 600});

describe('the README', {timeout: 60_000}, () => {
	test('shows code by its twentieth line, and is short', () => {
		const lines = readme.split('\n');
		expect(lines.findIndex(line => line.startsWith('```ts'))).toBeLessThan(20);
		expect(lines.length).toBeLessThanOrEqual(150);
	});

	test('has examples that compile under the strictest settings', async () => {
		project.write('given.d.ts', given);
		for (const {name, code} of examples) project.write(name, code);
		expect(examples.length).toBe([...readme.matchAll(/^```\w/gm)].length);
		expect(await project.compile({module: 'nodenext', lib: ['es2022', 'dom', 'dom.iterable']})).toEqual([]);
	});

	test('has its examples tried on the tarball', async () => {
		const code = "console.log(import.meta.resolve('regrant'))";
		const args = ['--input-type=module', '--eval', code];
		const {stdout} = await promisify(execFile)(process.execPath, args, {cwd: project.root});
		expect(stdout.trim()).toBe(pathToFileURL(join(packed.regrant, 'dist/index.js')).href);
		expect(readdirSync(packed.regrant)).not.toContain('test');
	});

	test.for(examples.filter(({isRun}) => isRun))('$name runs as it stands', async (example, {server, seedApi}) => {
		const hosts = [
			['https://api.moov.io/oauth2/', new URL('/oauth2/', seedApi.tokenEndpoint).href],
			['https://api.moov.io/', `${seedApi.api}/`],
			['https://login.example.com/', `${server.issuer}/`],
			['https://api.example.com/', `${server.api}/`],
		];
		const names = {secret: seedClient.secret, tokenResponseFromYourLogin: await server.mint()};
		const world = pathToFileURL('test/support/readme-world.ts').href;
		const env = {...process.env, README_HOSTS: JSON.stringify(hosts), README_NAMES: JSON.stringify(names)};
		const path = project.write(example.name, example.code);
		expect(await promisify(execFile)(process.execPath, ['--import', world, path], {env})).toEqual({
			stdout: '',
			stderr: '',
		});
		const requests = [server, seedApi].flatMap(at => [at.tokenRequests, at.revocationRequests, at.calls]).flat();
		expect(requests.filter(({status}) => status !== 200 && status !== 204)).toEqual([]);
		const sent = example.code.match(/await (?:api\.|auth\.fetch|auth\.signOut)/g) ?? [];
		expect(requests.length).toBeGreaterThanOrEqual(sent.length);
	});

	test('names no command that package.json does not have', () => {
		const commands = [...readme.matchAll(/`npm (?:run )?(\w+)`/g)].map(([, name]) => name);
		expect(commands).not.toEqual([]);
		expect(Object.keys(manifest.scripts)).toEqual(expect.arrayContaining(commands));
	});
});

describe('a number of the README', () => {
	const prose = readme.replaceAll(/^```[^]*?^```$/gm, '').replaceAll(/\s+/g, ' ');

	test.for(claims)('is the measured one: $pattern', async ({pattern, checks}) => {
		const [, ...stated] = pattern.exec(prose) ?? [];
		expect(stated).toHaveLength(checks.length);
		for (const [index, check] of checks.entries()) await check(toNumber(stated[index] ?? ''));
	});

	test('is among those that are measured', () => {
		const rest = claims.reduce((text, {pattern}) => text.replace(pattern, ''), prose);
		expect(rest.match(measuredNumber)).toBeNull();
	});

	test('is found wherever it is a measured one, and no version, status or date is', () => {
		const measured =
			'costs 1.12 × as much, or × 3, holds 9.7 kB and 64 %, makes 1 grant of 1,000 calls, loses 0 sessions';
		expect(measured.match(measuredNumber)).toEqual(['1.12', '× 3', '9.7', '64', '1', '1,000', '0']);
		const others = 'ky 2.1.0 on Node 24, a 401 after 503, RFC 6750 and 7009 (§11), workerd 2026-11-02, 5xx, OAuth 2.0';
		expect(others.match(measuredNumber)).toBeNull();
		expect(['1,000', '1.12', 'A thousand', ' one'].map(toNumber)).toEqual([1000, 1.12, 1000, 1]);
	});

	test('of a version is that of the package which is compared', () => {
		const head = /^\|.*ky's readme.*$/m.exec(readme)?.[0] ?? '';
		const named = [...head.matchAll(/(@?[\w/-]+?)(?:'s readme,)? (\d+\.\d+\.\d+)/g)].map(([, name, version]) => [
			name,
			version,
		]);
		expect(named).toHaveLength(6);
		expect(Object.fromEntries(named)).toEqual(Object.fromEntries(named.map(([name]) => [name, versionOf(name)])));
	});

	test('of a benchmark is that of the packages which are installed', () => {
		const {regrant: _, node: __, ...others} = benchmark.versions;
		const installed = Object.keys(others).map(name => [name, versionOf(name)]);
		expect(Object.fromEntries(installed)).toEqual(others);
	});
});
