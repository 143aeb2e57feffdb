// A command-line tool on Deno. It gets a token once, and then runs daily, even in several terminals at once. Its session is in a file
// that only its user can read.
// Run: npx vitest run test/recipes/deno-cli.test.ts
// deno run --allow-net --allow-env --allow-read --allow-write playground/recipes/deno-cli.ts accounts
import {homedir} from 'node:os';
import {join} from 'node:path';
import process from 'node:process';
import ky, {isHTTPError} from 'ky';
import {type AuthToken, createAuth, isRegrantError} from 'regrant';
import {fileStore} from 'regrant/file';

const {TOKEN_ENDPOINT = '', REVOCATION_ENDPOINT = '', CLIENT_ID = '', API = '', HOME = homedir()} = process.env;

const auth = createAuth({
	tokenEndpoint: TOKEN_ENDPOINT,
	revocationEndpoint: REVOCATION_ENDPOINT,
	clientId: CLIENT_ID,
	store: fileStore(join(HOME, '.config', 'my-tool', 'session.json')),
});
const api = ky.extend({baseUrl: API, hooks: auth.hooks});

/** Here the token is piped in. A real tool would log in with a browser instead, for example with the device flow: see device-cli.ts. */
async function login(): Promise<AuthToken> {
	let text = '';
	for await (const part of process.stdin) text += String(part);
	return JSON.parse(text) as AuthToken; // setToken checks it
}

const commands: Readonly<Record<string, () => Promise<unknown>>> = {
	login: async () => auth.setToken(await login()),
	logout: () => auth.signOut(),
	accounts: async () => console.log(JSON.stringify(await api.get('accounts').json())),
};

/** The message to print, and the exit code. */
function explain(error: unknown): readonly [message: string, code: number] {
	// A call without a token gets a 401: nobody has logged in, or somebody has logged out.
	const isRefused = isHTTPError(error) && error.response.status === 401;
	if (isRefused || (isRegrantError(error) && error.code === 'session_ended'))
		return ['Please log in: my-tool login', 2];
	if (isRegrantError(error) && error.retryable) return ['Not now, please try again later', 75];
	return [error instanceof Error ? error.message : 'Something went wrong', 1];
}

const [, , name = ''] = process.argv;
const command = Object.hasOwn(commands, name) ? commands[name] : undefined;
try {
	if (!command) throw new Error(`Usage: my-tool ${Object.keys(commands).join(' | ')}`);
	await command();
} catch (error) {
	const [message, code] = explain(error);
	console.error(message);
	process.exitCode = code;
}
