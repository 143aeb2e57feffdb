import {globSync, readFileSync} from 'node:fs';
import {basename, dirname, join} from 'node:path';

/** A file as a user would write it: an example from our documentation, completed with what it leaves out. */
export interface Snippet {
	readonly name: string;
	readonly code: string;
}

/** The declarations that Wrangler would generate for the example of a Worker. */
export const givenModules = `
declare module 'cloudflare:workers' {
	export function waitUntil(promise: Promise<unknown>): void;
	export const env: Readonly<
		Record<'TOKEN_ENDPOINT' | 'REVOCATION_ENDPOINT' | 'CLIENT_ID' | 'CLIENT_SECRET' | 'API', string> &
			Record<'GOOGLE_SERVICE_ACCOUNT' | 'GOOGLE_API', string>
	> & {readonly VAULT: {getByName(name: string): import('regrant/cloudflare').VaultStub}};
}
`;

/** The examples of the README. Those that are marked with \`\`\`ts run are also run, unchanged. */
export const readmeExamples: ReadonlyArray<Snippet & {readonly isRun: boolean}> = [
	...readFileSync('README.md', 'utf8').matchAll(/^```ts( run)?\n([^]*?)^```$/gm),
].map(([, run, code = ''], index) => ({name: `example-${index + 1}.ts`, code, isRun: run !== undefined}));

/** The modules from which the examples of doc comments import. */
const modules: Readonly<Record<string, readonly string[]>> = {
	regrant: ['clientSecretBasic', 'createAuth', 'createSession', 'customStore', 'endpoint', 'isRegrantError'].concat(
		'requestToken',
		'tokenHeader',
	),
	'regrant/cloudflare': ['durableObjectStore'],
	'regrant/deno-kv': ['denoKvStore'],
	'regrant/dpop': ['dpop'],
	'regrant/file': ['fileStore'],
	'regrant/jwt': ['googleServiceAccount', 'jwtBearer', 'privateKeyJwt'],
	'regrant/login': ['createLogin', 'deviceLogin', 'discover'],
	'regrant/redis': ['redisStore'],
	'regrant/web': ['indexedDbStore', 'webStorage'],
	react: ['useSyncExternalStore'],
	redis: ['createClient'],
};

/** The declarations that the examples of doc comments leave out. */
const given: Readonly<Record<string, string>> = {
	...Object.fromEntries(
		['accountID', 'clientId', 'code', 'code_verifier', 'redirect_uri', 'secret', 'tokenEndpoint'].map(name => [
			name,
			`declare const ${name}: string;`,
		]),
	),
	api: "declare const api: import('ky').KyInstance;",
	auth: "declare const auth: import('regrant').Auth;",
	client: "declare const client: import('regrant').TokenClient;",
	Deno: "declare const Deno: {openKv(): Promise<import('regrant/deno-kv').DenoKvLike>};",
	env: "declare const env: Readonly<Record<'GOOGLE_SERVICE_ACCOUNT' | 'PRIVATE_KEY', string>>;",
	error: 'declare const error: unknown;',
	form: 'declare const form: HTMLFormElement;',
	grant: "declare const grant: import('regrant').AuthTokenRequest;",
	listAccounts: `import {endpoint} from 'regrant';
const searchParams = v.object({count: v.number()});
const listAccounts = endpoint({method: 'get', path: 'accounts', searchParams, response: v.array(v.string())});`,
	login: "declare const login: import('regrant/login').Login;",
	report: 'declare function report(...facts: unknown[]): void;',
	server: "declare const server: import('regrant/login').AuthorizationServer;",
	showLogin: 'declare function showLogin(reason: string): void;',
	v: "import * as v from 'valibot';",
	ky: "import ky from 'ky';",
};

const isUsed = (name: string, code: string): boolean =>
	new RegExp(`(?:\\.\\.\\.|(?<![\\w.'-]))${name}(?=[.({,;:)\\s\`}])`).test(code);

const isDeclared = (name: string, code: string): boolean =>
	new RegExp(`\\b(?:const|function|import) (?:\\* as )?(?:\\{[^}]*\\b)?${name}\\b`).test(code);

/** Wraps an example that consists only of options, one on each line. */
function asOptions(code: string): string {
	const type = "Partial<import('regrant').AuthOptions> | Partial<import('regrant/login').LoginOptions>";
	const lines = code.trim().split('\n');
	return lines.map((line, index) => `export const options${index}: ${type} = {${line}};`).join('\n');
}

/** Completes an example of a doc comment with what it leaves out. */
function complete(example: string): string {
	const isOfOptions = /^(?:\w+: .*\n)+$/.test(example);
	let code = isOfOptions ? asOptions(example) : example;
	const misses = (name: string): boolean => isUsed(name, code) && !isDeclared(name, code);
	for (const [name, declaration] of Object.entries(given)) {
		// An example that uses `error.issues` has checked the class of the error before.
		const narrowed = name === 'error' && code.includes('error.issues');
		const needed = narrowed ? declaration.replace('unknown', "import('regrant').RequestValidationError") : declaration;
		if (misses(name)) code = `${needed}\n${code}`;
	}
	for (const [module, names] of Object.entries(modules)) {
		const missing = names.filter(misses);
		if (missing.length > 0) code = `import {${missing.join(', ')}} from '${module}';\n${code}`;
	}
	return /^(?:import|export) /m.test(code) ? code : `${code}export {};\n`;
}

/** The examples of all doc comments, completed. */
export const docExamples: readonly Snippet[] = globSync('src/**/*.ts')
	.toSorted()
	.flatMap(file =>
		[...readFileSync(file, 'utf8').matchAll(/^(\t*)```ts\n([^]*?)^\1```$/gm)].map(
			([, indent = '', code = ''], index) => ({
				name: `${file.replaceAll(/[\\/]/g, '-').replace(/\.ts$/, '')}-${index + 1}.ts`,
				code: complete(code.replaceAll(new RegExp(`^${indent}`, 'gm'), '')),
			}),
		),
	);

/** The recipes in playground/recipes. The service worker needs the types of workers, and the others those of the DOM. */
export const recipes: readonly Snippet[] = globSync('playground/recipes/*.ts')
	.toSorted()
	.map(file => ({
		name: join(basename(dirname(file)), basename(file)),
		code: readFileSync(file, 'utf8'),
	}));
