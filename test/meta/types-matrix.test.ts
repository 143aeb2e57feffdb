import {execFile} from 'node:child_process';
import {cpSync, mkdirSync, symlinkSync, writeFileSync} from 'node:fs';
import {join, resolve} from 'node:path';
import {promisify} from 'node:util';
import {afterAll, describe, expect, test} from 'vitest';
import {createPackedProject} from '../support/packed-project.ts';
import {docExamples, givenModules, readmeExamples, recipes} from '../support/snippets.ts';

/** Imports every entry point, as a user does. The code does not compile if an export is missing, or if its type is `any`. */
const consumer = `
import ky from 'ky';
import {type Auth, type AuthEvent, clientSecretBasic, createAuth, endpoint, isRegrantError, memoryStore, type TokenSet, type TokenStore} from 'regrant';
import {durableObjectStore, TokenVault} from 'regrant/cloudflare';
import {denoKvStore} from 'regrant/deno-kv';
import {dpop, type DpopKeyPair} from 'regrant/dpop';
import {googleServiceAccount, jwtBearer, type PrivateKey, privateKeyJwt} from 'regrant/jwt';
import {redisStore} from 'regrant/redis';
import {webStorage} from 'regrant/web';

type IsAny<T> = 0 extends 1 & T ? true : false;
const no = <T extends false>(): void => {};
no<IsAny<typeof createAuth>>();
no<IsAny<Auth['hooks']>>();
no<IsAny<TokenSet>>();
no<IsAny<ReturnType<typeof webStorage>>>();
no<IsAny<ReturnType<typeof redisStore>>>();
no<IsAny<ReturnType<typeof denoKvStore>>>();
no<IsAny<ReturnType<typeof durableObjectStore>>>();
no<IsAny<InstanceType<typeof TokenVault>>>();
no<IsAny<ReturnType<typeof dpop>>>();
no<IsAny<DpopKeyPair>>();
no<IsAny<ReturnType<typeof privateKeyJwt>>>();
no<IsAny<PrivateKey>>();

const store: TokenStore = memoryStore();
export const auth: Auth = createAuth({
	tokenEndpoint: 'https://as.example/token',
	clientId: 'id',
	clientAuthentication: clientSecretBasic('secret'),
	grant: {grant_type: 'client_credentials', scope: 'a'},
	store,
});
export const api = ky.extend({baseUrl: 'https://api.example', hooks: auth.hooks});
export const read = endpoint({method: 'get', path: 'accounts/{id}', response: 'text'});
export const text: Promise<string> = read(api, {params: {id: 'a'}});
auth.subscribe((event: AuthEvent) => void event.type);
export const token: Promise<string> = auth.getToken().then(({access_token}) => access_token);
export const isOurs: boolean = isRegrantError(undefined);
export const bound: Auth = createAuth({
	...googleServiceAccount('{}', {scope: 'a'}),
	clientAuthentication: privateKeyJwt({kty: 'EC', d: 'd'}, {algorithm: 'ES256'}),
	grant: jwtBearer({key: 'pem', issuer: 'id'}),
	scheme: dpop({algorithm: 'EdDSA'}),
});
// @ts-expect-error -- the client is missing
createAuth({tokenEndpoint: 'https://as.example/token'});
// @ts-expect-error -- a parameter is missing
void read(api, {params: {}});
`;

const project = await createPackedProject();
afterAll(project.remove);
const neighbours = [
	'@types',
	'@cloudflare',
	'@tanstack',
	'hono',
	'oauth4webapi',
	'oidc-client-ts',
	'openapi-fetch',
	'react',
	'undici-types',
];
for (const name of neighbours)
	symlinkSync(resolve('node_modules', name), join(project.root, 'node_modules', name), 'dir');

writeFileSync(join(project.root, 'consumer.ts'), consumer);
writeFileSync(join(project.root, 'given.d.ts'), givenModules);
cpSync('test/recipes/frameworks.d.ts', join(project.root, 'frameworks.d.ts'));
mkdirSync(join(project.root, 'recipes'));
for (const {name, code} of [...readmeExamples, ...docExamples, ...recipes]) {
	writeFileSync(join(project.root, name), code);
}

const namesOf = (snippets: ReadonlyArray<{readonly name: string}>): string[] => snippets.map(({name}) => name);
const isWorker = ({name}: {readonly name: string}): boolean => name.endsWith('service-worker.ts');

/** The files that are compiled together. */
const sets: Readonly<Record<string, readonly string[]>> = {
	'every entry': ['consumer.ts'],
	'every example': ['given.d.ts', ...namesOf(readmeExamples), ...namesOf(docExamples)],
	'the recipes': ['given.d.ts', 'frameworks.d.ts', ...namesOf(recipes.filter(recipe => !isWorker(recipe)))],
	'the recipe of a service worker': namesOf(recipes.filter(isWorker)),
};

const platforms: Readonly<Record<string, object>> = {
	'the DOM': {lib: ['es2022', 'dom', 'dom.iterable'], types: []},
	'web workers': {lib: ['es2022', 'webworker', 'webworker.iterable'], types: []},
	'Node alone': {lib: ['es2022'], types: ['node']},
	'the DOM and Node': {lib: ['es2022', 'dom', 'dom.iterable'], types: ['node']},
	'Cloudflare Workers alone': {lib: ['es2022'], types: ['@cloudflare/workers-types']},
};
const resolutions: Readonly<Record<string, object>> = {
	bundler: {module: 'esnext', moduleResolution: 'bundler'},
	nodenext: {module: 'nodenext', moduleResolution: 'nodenext'},
};

/** The installed compilers: the newest one, and the last one that is written in JavaScript. npx loads all others. */
const compilers = new Map([
	['7.0', resolve('node_modules/@typescript/native/bin/tsc')],
	['6.0', resolve('node_modules/typescript/bin/tsc6')],
]);

async function findCompiler(version: string): Promise<string> {
	const known = compilers.get(version);
	if (known !== undefined) return known;
	const {stdout} = await promisify(execFile)('npx', ['--yes', '--package', `typescript@${version}`, '-c', 'which tsc']);
	compilers.set(version, stdout.trim());
	return stdout.trim();
}

interface Compilation {
	readonly version: string;
	readonly resolution: string;
	readonly platform: string;
	readonly set: string;
}

/** Compiles a set. Returns the errors in our files and in the user's, but not those in the types of other packages. */
async function compile({version, resolution, platform, set}: Compilation, config: string): Promise<string[]> {
	const compilerOptions = {
		target: 'es2022',
		strict: true,
		exactOptionalPropertyTypes: true,
		noUncheckedIndexedAccess: true,
		// Only the first set checks our declarations. Checking those of other packages takes as long as everything else together.
		skipLibCheck: set !== 'every entry',
		allowImportingTsExtensions: true,
		noEmit: true,
		...resolutions[resolution],
		...platforms[platform],
	};
	writeFileSync(join(project.root, config), JSON.stringify({compilerOptions, files: sets[set]}));
	const args = [await findCompiler(version), '--pretty', 'false', '--project', config];
	const output = await new Promise<string>((resolve, reject) => {
		execFile(process.execPath, args, {cwd: project.root, maxBuffer: 2 ** 26}, (error, output, problems) => {
			if (error && output === '') reject(new Error(`tsc ${version} did not run: ${problems}`));
			else resolve(output);
		});
	});
	// All other files belong to other packages, or to another platform.
	const ours = [...(sets[set] ?? []), 'node_modules/regrant/'];
	return output.split('\n').filter(line => ours.some(name => line.startsWith(name)) || line.startsWith('error'));
}

const [entries = '', examples = '', copies = '', worker = ''] = Object.keys(sets);

/** The older compilers take seconds for each set, so they compile only a few. The newest one compiles all of them. */
const compilations: Compilation[] = [
	{version: '5.4', resolution: 'bundler', platform: 'the DOM', set: entries},
	{version: '5.6', resolution: 'nodenext', platform: 'Node alone', set: entries},
	{version: '5.9', resolution: 'bundler', platform: 'the DOM', set: entries},
	{version: '6.0', resolution: 'nodenext', platform: 'Node alone', set: entries},
	{version: '5.4', resolution: 'nodenext', platform: 'the DOM and Node', set: examples},
	{version: '5.4', resolution: 'bundler', platform: 'the DOM and Node', set: copies},
	{version: '7.0', resolution: 'nodenext', platform: 'the DOM and Node', set: examples},
	{version: '7.0', resolution: 'bundler', platform: 'the DOM and Node', set: copies},
	{version: '7.0', resolution: 'bundler', platform: 'web workers', set: worker},
	...Object.keys(resolutions).flatMap(resolution =>
		Object.keys(platforms).map(platform => ({version: '7.0', resolution, platform, set: entries})),
	),
];

describe('TypeScript', {timeout: 300_000}, () => {
	test.for(compilations.map((compilation, index) => ({...compilation, index})))(
		'$version compiles $set with $resolution, for $platform',
		async ({index, ...compilation}) => {
			expect(await compile(compilation, `tsconfig.${index}.json`)).toEqual([]);
		},
	);
});

test('the examples that are compiled are all that there are', () => {
	expect(readmeExamples.length).toBeGreaterThan(5);
	expect(docExamples.length).toBeGreaterThan(20);
	expect(recipes.length).toBeGreaterThan(20);
});
