import {execFile} from 'node:child_process';
import {symlinkSync, writeFileSync} from 'node:fs';
import {join, resolve} from 'node:path';
import {afterAll, describe, expect, test} from 'vitest';
import {createPackedProject} from '../support/packed-project.ts';

/** Every entry, as a user imports it: what is any, or missing, does not compile. */
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
for (const name of ['@types', '@cloudflare', 'undici-types'])
	symlinkSync(resolve('node_modules', name), join(project.root, 'node_modules', name), 'dir');
writeFileSync(join(project.root, 'consumer.ts'), consumer);

const platforms: Readonly<Record<string, object>> = {
	'the DOM': {lib: ['es2022', 'dom', 'dom.iterable'], types: []},
	'web workers': {lib: ['es2022', 'webworker'], types: []},
	'Node alone': {lib: ['es2022'], types: ['node']},
	'Cloudflare Workers alone': {lib: ['es2022'], types: ['@cloudflare/workers-types']},
};
const resolutions: Readonly<Record<string, object>> = {
	bundler: {module: 'esnext', moduleResolution: 'bundler'},
	nodenext: {module: 'nodenext', moduleResolution: 'nodenext'},
};

/** What a compiler says of our files and the user's. Others' types have troubles of their own: ky's need the DOM or Node. */
async function complaintsOf(version: string, options: object): Promise<string[]> {
	const compilerOptions = {
		target: 'es2022',
		strict: true,
		exactOptionalPropertyTypes: true,
		noUncheckedIndexedAccess: true,
		skipLibCheck: false,
		noEmit: true,
		preserveSymlinks: true,
		...options,
	};
	const config = join(project.root, `tsconfig.${version}.json`);
	writeFileSync(config, JSON.stringify({compilerOptions, files: ['consumer.ts']}));
	const args = ['--yes', '--package', `typescript@${version}`, 'tsc', '--pretty', 'false', '--project', config];
	const output = await new Promise<string>((resolve, reject) => {
		execFile('npx', args, {cwd: project.root, maxBuffer: 2 ** 26}, (error, output, problems) => {
			if (error && output === '') reject(new Error(`tsc ${version} did not run: ${problems}`));
			else resolve(output);
		});
	});
	return output
		.split('\n')
		.filter(line => /^(?:consumer\.ts|node_modules\/regrant\/)/.test(line) || line.startsWith('error'));
}

const newest = '7.0';
const both: ReadonlyArray<readonly [resolution: string, platform: string]> = [
	['bundler', 'the DOM'],
	['nodenext', 'Node alone'],
];
/** The oldest with both resolutions, those between with one each, the newest with all platforms: a compiler takes its seconds. */
const cases = [
	...both.map(rest => ['5.4', ...rest] as const),
	...['5.6', '5.9', '6.0'].map((version, index) => [version, ...(both[index % 2] ?? ['nodenext', 'the DOM'])] as const),
	...Object.keys(resolutions).flatMap(resolution =>
		Object.keys(platforms).map(platform => [newest, resolution, platform] as const),
	),
];

describe('the types', {timeout: 120_000}, () => {
	test.for(cases)('are known to TypeScript %s with %s, for %s', async ([version, resolution, platform]) => {
		expect(await complaintsOf(version, {...resolutions[resolution], ...platforms[platform]})).toEqual([]);
	});
});
