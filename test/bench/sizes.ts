import {gzipSync} from 'node:zlib';
import {build} from 'esbuild';

/** A user's import, and how much it may add to a bundle. */
export interface SizeRow {
	readonly name: string;
	/** The user's module. */
	readonly code: string;
	/** Code that the user has anyway. It is bundled, but its size is subtracted. Default: nothing. */
	readonly beside?: string;
	/** Packages that are not counted. */
	readonly external: readonly string[];
	/** The goal in bytes, if that is less than the limit. */
	readonly goal?: number;
	/** The limit in bytes, minified and compressed. A test enforces it. Packages of others have none. */
	readonly limit?: number;
	/** Texts that must not be in the bundle. They are property names and strings, because those survive minifying. */
	readonly without: readonly string[];
}

/** A bundle as a user would ship it. */
export interface Bundle {
	/** Compressed size. */
	readonly bytes: number;
	/** The minified code. */
	readonly text: string;
}

/** Texts by which the request builder is recognised in a bundle. */
const builder = ['searchParams', 'arrayBuffer', 'hook has answered', 'ValidationError'];
/** Texts by which the shared stores are recognised, one for each store. */
const stores = ['BroadcastChannel', 'token-vault', 'PEXPIRE', 'versionstamp'];
/** Texts by which a session is recognised, and below those of the OAuth protocol. */
const sessions = ['session-ended', 'refresh-failed', 'store-failed'];
const protocol = ['grant_type', 'token_type', 'www-authenticate', 'OAuthError'];
/** Texts by which `regrant/jwt` and `regrant/dpop` are recognised. */
const proofs = ['client-assertion-type', 'dpop+jwt'];

const session = "export {createAuth, memoryStore} from 'regrant';";

/** A row for a store. What the store shares with a session is in the bundle only once. */
const store = (entry: string, name: string, limit: number, mark: string): SizeRow => ({
	name: `${entry}: ${name} alone`,
	code: `export {${name}} from '${entry}';`,
	external: ['node:*'],
	goal: 2_600,
	limit,
	without: [...builder, ...sessions, ...protocol, ...stores.filter(text => text !== mark)],
});

/** The size rows of regrant, for the benchmark and for the tests. */
export const ownRows: readonly SizeRow[] = [
	{
		name: 'createSession, hooks, memoryStore: own code',
		code: "export {createSession, memoryStore} from 'regrant';",
		external: ['ky'],
		goal: 4_500,
		limit: 10_100,
		without: ['grant_type', 'client_secret', 'OAuthError', ...builder, ...stores],
	},
	{
		name: 'createAuth, hooks, memoryStore: own code',
		code: session,
		external: ['ky', 'valibot'],
		goal: 7_000,
		limit: 13_600,
		// A login reads the query of a URL, so its code contains `searchParams`.
		without: [...builder.filter(text => text !== 'searchParams'), ...stores, ...proofs],
	},
	{
		name: 'the same and its part of valibot',
		code: session,
		external: ['ky'],
		goal: 8_400,
		limit: 13_600,
		without: ['picklist', ...builder, ...stores],
	},
	{
		name: 'the same and ky',
		code: `${session} export {default} from 'ky';`,
		external: [],
		goal: 16_700,
		limit: 21_900,
		// ky itself contains the other texts of the request builder.
		without: ['picklist', 'hook has answered', 'RequestValidationError', 'ResponseValidationError', ...stores],
	},
	{
		name: 'endpoint alone',
		code: "export {endpoint} from 'regrant';",
		external: [],
		goal: 1_600,
		limit: 2_000,
		without: [
			'picklist',
			'grant_type',
			'access_token',
			'refresh_token',
			'OAuthError',
			'bearer',
			'session',
			'Session',
			...stores,
		],
	},
	{
		name: 'requestToken alone',
		code: "export {requestToken} from 'regrant';",
		external: [],
		goal: 3_600,
		limit: 6_000,
		without: ['picklist', ...builder, ...sessions, ...stores, ...proofs],
	},
	{
		name: 'clientSecretBasic alone',
		code: "export {clientSecretBasic} from 'regrant';",
		external: [],
		limit: 300,
		without: ['variant', 'grant_type', 'access_token', 'RegrantError', 'session', 'Session', ...stores],
	},
	store('regrant/web', 'indexedDbStore', 4_200, 'BroadcastChannel'),
	store('regrant/web', 'webStorage', 4_000, 'BroadcastChannel'),
	store('regrant/cloudflare', 'durableObjectStore', 4_100, 'token-vault'),
	store('regrant/cloudflare', 'TokenVault', 1_300, 'token-vault'),
	store('regrant/redis', 'redisStore', 4_400, 'PEXPIRE'),
	store('regrant/deno-kv', 'denoKvStore', 4_400, 'versionstamp'),
	store('regrant/file', 'fileStore', 4_900, 'regrant-'),
	{
		name: 'regrant/jwt: privateKeyJwt, beside createAuth',
		code: "export {privateKeyJwt} from 'regrant/jwt';",
		beside: session,
		external: ['ky', 'valibot'],
		goal: 700,
		limit: 900,
		without: [...builder, ...stores, 'dpop+jwt', 'client_email'],
	},
	{
		name: 'regrant/dpop: dpop, beside createAuth',
		code: "export {dpop} from 'regrant/dpop';",
		beside: session,
		external: ['ky', 'valibot'],
		goal: 1_200,
		limit: 1_600,
		without: [...builder, ...stores, 'client-assertion-type', 'RSA-PSS'],
	},
	...(
		[
			['createLogin', 1_200, 1_600],
			['discover', 500, 800],
			['deviceLogin', 600, 900],
		] as const
	).map(([name, goal, limit]) => ({
		name: `regrant/login: ${name}, beside createAuth`,
		code: `export {${name}} from 'regrant/login';`,
		beside: session,
		external: ['ky', 'valibot'],
		goal,
		limit,
		// A login reads the query of a URL, so its code contains `searchParams`.
		without: [...builder.filter(text => text !== 'searchParams'), ...stores, ...proofs],
	})),
];

const peer = (name: string, code: string): SizeRow => ({name, code, external: [], without: []});

/** Other libraries, in the installed versions. */
export const peerRows: readonly SizeRow[] = [
	peer('ky', "export {default} from 'ky';"),
	peer(
		'@badgateway/oauth2-client: OAuth2Client, OAuth2Fetch',
		"export {OAuth2Client, OAuth2Fetch} from '@badgateway/oauth2-client';",
	),
	peer(
		'oauth4webapi: both grants, no session and no retry',
		`export {
			ClientSecretBasic, None, clientCredentialsGrantRequest, processClientCredentialsResponse,
			processRefreshTokenResponse, protectedResourceRequest, refreshTokenGrantRequest,
		} from 'oauth4webapi';`,
	),
	peer(
		'axios and axios-auth-refresh',
		"export {default} from 'axios'; export {default as refresh} from 'axios-auth-refresh';",
	),
	peer('@auth0/auth0-spa-js: Auth0Client', "export {Auth0Client} from '@auth0/auth0-spa-js';"),
	peer('oidc-client-ts: UserManager', "export {UserManager} from 'oidc-client-ts';"),
];

/** The measured size of a row. */
export interface Size extends Pick<SizeRow, 'name' | 'goal' | 'limit'> {
	/** Minified and compressed. */
	readonly bytes: number;
}

/** Measures all rows: those of regrant and those of other libraries. */
export async function measureSizes(): Promise<Size[]> {
	return Promise.all(
		[...ownRows, ...peerRows].map(async ({name, goal, limit, ...row}) => {
			const {bytes} = await bundle(row);
			return {name, bytes, ...(goal && {goal}), ...(limit && {limit})};
		}),
	);
}

/** Bundles the code of a row. The size of what the user has anyway is subtracted. */
export async function bundle(row: Pick<SizeRow, 'beside' | 'code' | 'external'>): Promise<Bundle> {
	const {beside = '', code, external} = row;
	const {bytes, text} = await bundleAll({code: `${beside} ${code}`, external});
	const already = beside ? await bundleAll({code: beside, external}) : undefined;
	return {bytes: bytes - (already?.bytes ?? 0), text};
}

async function bundleAll({code, external}: Pick<SizeRow, 'code' | 'external'>): Promise<Bundle> {
	const {outputFiles} = await build({
		stdin: {contents: code, resolveDir: import.meta.dirname},
		bundle: true,
		minify: true,
		format: 'esm',
		platform: 'browser',
		target: 'es2022',
		external: [...external],
		write: false,
		logLevel: 'silent',
	});
	const text = outputFiles.map(file => file.text).join('');
	return {bytes: gzipSync(text, {level: 9}).length, text};
}

/** Converts bytes to kilobytes (1,000 bytes), rounded up to a tenth. */
export const toKilobytes = (bytes: number): number => Math.ceil(bytes / 100) / 10;
