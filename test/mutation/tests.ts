/**
Which tests run for the mutants of each folder of src, or of each file at its top: those about the same subject. The names lack `.test.ts`.
Running all tests would kill no more mutants, but take hours.
*/
const tests: Readonly<Record<string, readonly string[]>> = {
	'auth.ts': ['session/*', 'oauth/options', 'fetch/authorized-fetch'],
	'create-auth.ts': ['session/*', 'oauth/options', 'fetch/authorized-fetch'],
	'create-session.ts': ['session/*', 'oauth/options', 'fetch/authorized-fetch'],
	'dpop.ts': ['dpop/dpop', 'dpop/key-store', 'dpop/session', 'dpop/odd-calls'],
	'errors.ts': ['session/errors', 'session/secrets'],
	dpop: ['dpop/dpop', 'dpop/key-store', 'dpop/session', 'dpop/odd-calls'],
	endpoint: ['endpoint/*'],
	fetch: ['fetch/*', 'session/auth', 'session/logins', 'session/overtaken'],
	jwt: ['jwt/*'],
	lib: [
		'lib/runtime',
		'lib/www-authenticate',
		'lib/with-timeout',
		'lib/hostile-text',
		'oauth/options',
		'session/secrets',
	],
	login: ['login/create-login', 'login/discover', 'login/device-login'],
	oauth: ['oauth/t*', 'oauth/client-authentication', 'oauth/options', 'session/renewal', 'token/*'],
	session: ['session/*', 'stores/compare-and-set'],
	stores: [
		'stores/token-store',
		'stores/compare-and-set',
		'stores/protocol',
		'stores/shared-memory',
		'stores/shared/*',
		'session/sign-out',
	],
	token: ['token/*', 'session/renewal'],
};

/** Files without logic to test: types, names and adapters of storage engines. Tests of the adapters need the engines. */
export const leftOut: readonly string[] = [
	'endpoint/inference.ts',
	'index.ts',
	'jwt.ts',
	'lib/awaitable.ts',
	'login/login.ts',
	'oauth/server-metadata.ts',
	'session/settings.ts',
	'stores/atomic-file.ts',
	'stores/cloudflare.ts',
	'stores/deno-kv-driver.ts',
	'stores/deno-kv.ts',
	'stores/durable-object-driver.ts',
	'stores/file-driver.ts',
	'stores/file.ts',
	'stores/indexed-db-driver.ts',
	'stores/indexed-db.ts',
	'stores/node-modules.d.ts',
	'stores/redis-driver.ts',
	'stores/redis.ts',
	'stores/shared/lease.ts',
	'stores/shared/ttl.ts',
	'stores/shared/watch.ts',
	'stores/token-cell.ts',
	'stores/token-vault.ts',
	'stores/vault-message.ts',
	'stores/web-lock.ts',
	'stores/web-news.ts',
	'stores/web-storage-driver.ts',
	'stores/web.ts',
	'token/renewer.ts',
	'token/token-scheme.ts',
];

/**
Returns the patterns of the test files for the mutants of a file of src.

@throws {Error} if no tests are named for the file.
*/
export function testsOf(file: string): readonly string[] {
	const names = tests[file.split('/')[0] ?? file];
	if (!names) throw new Error(`tests.ts names no tests of ${file}`);
	return names.map(name => `test/${name}.test.ts`);
}
