import {execFile} from 'node:child_process';
import {existsSync, globSync, readdirSync, readFileSync} from 'node:fs';
import {dirname, join} from 'node:path';
import {pathToFileURL} from 'node:url';
import {promisify} from 'node:util';
import {afterAll, describe, expect} from 'vitest';
import manifest from '../../package.json' with {type: 'json'};
import benchmark from '../bench/result.json' with {type: 'json'};
import {claims, measuredNumber, toNumber} from '../support/claims.ts';
import {createPackedProject} from '../support/packed-project.ts';
import {readReference} from '../support/reference.ts';
import {seedClient} from '../support/seed-vault.ts';
import {givenModules, readmeExamples} from '../support/snippets.ts';
import {test} from '../support/test.ts';
import {createUserProject} from '../support/user-project.ts';

const read = (path: string): string => readFileSync(path, 'utf8');

const readme = read('README.md');

/** The types whose members the tables list. */
const tabled = ['Auth', 'AuthOptions', 'TokenClient', 'GrantOptions', 'SessionOptions', 'CreateSessionOptions'];

/** The part of a lock file that these tests read. */
interface Lock {
	readonly packages: Readonly<Record<string, {readonly version?: string} | undefined>>;
}

const lock = JSON.parse(readFileSync('package-lock.json', 'utf8')) as Lock;

/** The installed version of a package. */
const versionOf = (name = ''): string | undefined => lock.packages[`node_modules/${name}`]?.version;

// The examples are compiled and run against the package as npm would publish it, not against `dist`.
const packed = await createPackedProject();
const project = createUserProject(packed.regrant);
afterAll(() => {
	project.remove();
	packed.remove();
});

// A busy machine may need longer to start a process than the server's tokens are usually valid.
test.override('serverOptions', {accessTokenSeconds: 600});

describe('the README', {timeout: 180_000}, () => {
	test('the README shows code by its twentieth line', () => {
		expect(readme.split('\n').findIndex(line => line.startsWith('```ts'))).toBeLessThan(20);
	});

	test('the README has examples that compile under the strictest settings', async () => {
		project.write('given.d.ts', givenModules);
		for (const {name, code} of readmeExamples) project.write(name, code);
		expect(readmeExamples.length).toBe([...readme.matchAll(/^```ts/gm)].length);
		const options = {module: 'nodenext', lib: ['es2022', 'dom', 'dom.iterable'], types: ['node']};
		expect(await project.compile(options)).toEqual([]);
	});

	test('the examples of the README are compiled and run on the tarball', async () => {
		const code = "console.log(import.meta.resolve('regrant'))";
		const args = ['--input-type=module', '--eval', code];
		const {stdout} = await promisify(execFile)(process.execPath, args, {cwd: project.root});
		expect(stdout.trim()).toBe(pathToFileURL(join(packed.regrant, 'dist/index.js')).href);
		expect(readdirSync(packed.regrant)).not.toContain('test');
	});

	test.for(readmeExamples.filter(({isRun}) => isRun))(
		'the README’s $name runs as it stands',
		async (example, {server, seedApi}) => {
			const hosts = [
				['https://api.moov.io/oauth2/', new URL('/oauth2/', seedApi.tokenEndpoint).href],
				['https://api.moov.io/', `${seedApi.api}/`],
				['https://login.example.com/', `${server.issuer}/`],
				['https://api.example.com/', `${server.api}/`],
			];
			const world = pathToFileURL('test/support/readme-world.ts').href;
			const env = {
				...process.env,
				README_HOSTS: JSON.stringify(hosts),
				README_TOKEN: JSON.stringify(await server.mint()),
				CLIENT_SECRET: seedClient.secret,
			};
			const path = project.write(example.name, example.code);
			expect(await promisify(execFile)(process.execPath, ['--import', world, path], {env})).toEqual({
				stdout: '',
				stderr: '',
			});
			const requests = [server, seedApi].flatMap(at => [at.tokenRequests, at.revocationRequests, at.calls]).flat();
			expect(requests.filter(({status}) => status !== 200 && status !== 204)).toEqual([]);
			const sent = example.code.match(/await (?:api\.|auth\.fetch|auth\.signOut)/g) ?? [];
			expect(requests.length).toBeGreaterThanOrEqual(sent.length);
		},
	);

	test.for(['README.md', 'test/README.md'])('%s names no command that package.json does not have', page => {
		const commands = [...read(page).matchAll(/npm (start|test|run ([\w:]+))/g)].map(([, word, name]) => name ?? word);
		expect(commands).not.toEqual([]);
		expect(Object.keys(manifest.scripts)).toEqual(expect.arrayContaining(commands));
	});

	test.for(['README.md', 'test/README.md', 'CHANGELOG.md'])('%s links to files that are there', page => {
		const links = [...read(page).matchAll(/\]\((?!https:|#)([^)#]+)\)/g)].map(([, link = '']) => link);
		expect(links.filter(link => !existsSync(join(dirname(page), link)))).toEqual([]);
	});

	test('the README links to each recipe', () => {
		// The page belongs to the recipe of the service worker.
		const recipes = globSync('playground/recipes/*.ts').filter(file => !file.endsWith('-page.ts'));
		expect(recipes).not.toEqual([]);
		expect(recipes.filter(file => !readme.includes(`](${file.replaceAll('\\', '/')})`))).toEqual([]);
	});

	test('the README shows lines of the tested Workers configuration', () => {
		const tested = read('playground/wrangler.jsonc')
			.split('\n')
			.map(line => line.trim());
		const shown = /^```jsonc\n\{\n([^]*?)\n\}\n```$/m.exec(readme)?.[1] ?? '';
		expect(shown).not.toBe('');
		expect(shown.split('\n').filter(line => !tested.includes(line.trim()))).toEqual([]);
	});
});

describe('the tables of the README', () => {
	const reference = readReference('dist', [manifest.exports['.'].types]);
	/** The names in the first columns of the tables. */
	const named = new Set(
		[...readme.matchAll(/^\| ([^|]+) \|/gm)].flatMap(([, cell = '']) =>
			[...cell.matchAll(/`\[?([\w.-]+)/g)].map(([, name = '']) => name),
		),
	);

	test('the tables of the README have every member of an Auth, and every option of createAuth and createSession', () => {
		const members = reference
			.map(({name}) => name.split('.'))
			.filter(([type = '', member]) => member && tabled.includes(type))
			.map(([, member = '']) => member);
		expect(members).toEqual(expect.arrayContaining(['peek', 'leeway', 'renew', 'clientId', 'grant']));
		expect(members.filter(member => !named.has(member) && /^\w/.test(member))).toEqual([]);
	});

	test('the tables of the README have every event', () => {
		const events = [...read('src/session/events.ts').matchAll(/readonly type: '([\w-]+)'/g)].map(
			([, type = '']) => type,
		);
		expect(events).toContain('session-ended');
		expect(events.filter(type => !named.has(type))).toEqual([]);
	});

	test('the tables of the README have every error that can be caught', () => {
		const names = reference
			.map(({name}) => name)
			.filter(name => /^[A-Z]\w+Error$/.test(name) && name !== 'RegrantError');
		const ours = names.filter(name => !['EndpointError', 'AnyRegrantError', 'ValidationError'].includes(name));
		expect(ours).toContain('OAuthError');
		expect(ours.filter(name => !readme.includes(`\`${name}\``))).toEqual([]);
	});
});

describe('a number of the README', () => {
	// Both pages state numbers: the README, and the page for contributors.
	const prose = `${readme}\n${read('test/README.md')}`.replaceAll(/^```[^]*?^```$/gm, '').replaceAll(/\s+/g, ' ');

	// If a number is wrong, `node test/support/state-claims.ts` writes the measured one.
	test.for(claims)('the README states the measured number: $pattern', async ({pattern, measures}) => {
		const [, ...stated] = pattern.exec(prose) ?? [];
		expect(stated).toHaveLength(measures.length);
		for (const [index, measure] of measures.entries()) {
			const {value, allows} = await measure();
			const number = toNumber(stated[index] ?? '');
			expect(allows?.(number) ? value : number).toBe(value);
		}
	});

	test('every number of the README is a measured one', () => {
		const rest = claims.reduce((text, {pattern}) => text.replace(pattern, ''), prose);
		expect(rest.match(measuredNumber)).toBeNull();
	});

	test('measured numbers are found in the README, and versions, statuses and dates are not', () => {
		const measured =
			'costs 1.12 × as much, or × 3, holds 9.7 kB and 64 %, makes 1 grant of 1,000 calls, loses 0 sessions';
		expect(measured.match(measuredNumber)).toEqual(['1.12', '× 3', '9.7', '64', '1', '1,000', '0']);
		const others = 'ky 2.1.0 on Node 24, a 401 after 503, RFC 6750 and 7009 (§11), workerd 2026-11-02, 5xx, OAuth 2.0';
		expect(others.match(measuredNumber)).toBeNull();
		expect(['1,000', '1.12', 'A thousand', ' one'].map(toNumber)).toEqual([1000, 1.12, 1000, 1]);
	});

	test('the versions in the comparison are those that are installed', () => {
		const head = /^\|.*ky's readme, .*$/m.exec(readme)?.[0] ?? '';
		const named = [...head.matchAll(/(@?[\w/-]+?)(?:'s readme,)? (\d+\.\d+\.\d+)/g)].map(([, name, version]) => [
			name,
			version,
		]);
		expect(named).toHaveLength(6);
		expect(Object.fromEntries(named)).toEqual(Object.fromEntries(named.map(([name]) => [name, versionOf(name)])));
	});

	test('the benchmark was run with the packages that are installed', () => {
		const {regrant: _, node: __, ...others} = benchmark.versions;
		const installed = Object.keys(others).map(name => [name, versionOf(name)]);
		expect(Object.fromEntries(installed)).toEqual(others);
	});
});
