import {execFile} from 'node:child_process';
import {readFileSync} from 'node:fs';
import {pathToFileURL} from 'node:url';
import {promisify} from 'node:util';
import {afterAll, describe, expect} from 'vitest';
import manifest from '../package.json' with {type: 'json'};
import {bundle, ownRows} from './bench/sizes.ts';
import {seedClient} from './support/seed-vault.ts';
import {test} from './support/test.ts';
import {createUserProject} from './support/user-project.ts';

const readme = readFileSync('README.md', 'utf8');

/** What an example takes for granted. */
const given = `
declare module 'cloudflare:workers' {
	export function waitUntil(promise: Promise<unknown>): void;
	export const env: {readonly VAULT: {getByName(name: string): import('regrant/cloudflare').VaultStub}};
}
declare const secret: string;
declare const accountID: string;
declare const api: import('ky').KyInstance;
declare const Account: import('valibot').GenericSchema<{accountID: string}>;
declare const tokenResponseFromYourLogin: import('regrant').AuthToken;
declare function showLogin(): void;
declare const database: {
	read(key: string): Promise<unknown>;
	write(key: string, value: unknown): Promise<void>;
	remove(key: string): Promise<void>;
	exclusively<T>(key: string, task: () => Promise<T>): Promise<T>;
};
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

const project = createUserProject();
afterAll(project.remove);

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
	const claims = [
		{pattern: /([\d.]+) kB of its own/, row: ownRows[0]},
		{pattern: /([\d.]+) kB with its part of valibot/, row: ownRows[1]},
		{pattern: /([\d.]+) kB with ky/, row: ownRows[2]},
		{pattern: /([\d.]+) kB, and no session/, row: ownRows.find(({name}) => name === 'endpoint alone')},
	];
	const prose = readme.replaceAll(/^```[^]*?^```$/gm, '').replaceAll(/\s+/g, ' ');

	test.for(claims)('is the measured one: $pattern', async ({pattern, row}) => {
		const stated = Number(pattern.exec(prose)?.[1]) * 1000;
		const {bytes} = await bundle(row ?? {code: '', external: []});
		expect(stated).toBeGreaterThanOrEqual(bytes);
		expect(stated - bytes).toBeLessThan(200);
	});

	test('is among those that are measured', () => {
		const rest = claims.reduce((text, {pattern}) => text.replace(pattern, ''), prose);
		expect(rest.match(/\d[\d.,]*\s?(?:kB|B|×|%|ms)(?!\w)|×\s?\d/g)).toBeNull();
	});
});
