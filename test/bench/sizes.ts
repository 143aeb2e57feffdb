import {gzipSync} from 'node:zlib';
import {build} from 'esbuild';

/** What a user imports, and how much of it may reach the user's bundle. */
export interface SizeRow {
	readonly name: string;
	/** The user's module. */
	readonly code: string;
	/** Packages that are not counted. */
	readonly external: readonly string[];
	/** Bytes, minified and compressed. None for the packages of others. */
	readonly limit?: number;
	/** What must have stayed out: names of properties and texts, which survive minifying. */
	readonly without: readonly string[];
}

/** A bundle as a user would ship it. */
export interface Bundle {
	/** Compressed. */
	readonly bytes: number;
	/** Minified. */
	readonly text: string;
}

/** Of the request builder alone. */
const builder = ['searchParams', 'arrayBuffer', 'unrecognized_keys', 'ValidationError'];

const session = "export {createAuth, memoryStore} from 'regrant';";

/** The limits, which benchmark and tests share. */
export const ownRows: readonly SizeRow[] = [
	{
		name: 'createAuth, hooks, memoryStore: own code',
		code: session,
		external: ['ky', 'valibot'],
		limit: 9_700,
		without: builder,
	},
	{
		name: 'the same and its part of valibot',
		code: session,
		external: ['ky'],
		limit: 11_100,
		without: ['picklist', ...builder],
	},
	{
		name: 'the same and ky',
		code: `${session} export {default} from 'ky';`,
		external: [],
		limit: 19_400,
		// ky has words of its own for the rest.
		without: ['picklist', 'unrecognized_keys', 'RequestValidationError', 'ResponseValidationError'],
	},
	{
		name: 'endpoint alone',
		code: "export {endpoint} from 'regrant';",
		external: [],
		limit: 3_700,
		without: ['picklist', 'grant_type', 'access_token', 'refresh_token', 'OAuthError', 'bearer', 'session', 'Session'],
	},
	{
		name: 'clientSecretBasic alone',
		code: "export {clientSecretBasic} from 'regrant';",
		external: [],
		limit: 300,
		without: ['variant', 'grant_type', 'access_token', 'RegrantError', 'session', 'Session'],
	},
];

/** The neighbours, in the versions that are installed. */
export const peerRows: readonly SizeRow[] = [
	{name: 'ky', code: "export {default} from 'ky';", external: [], without: []},
	{
		name: '@badgateway/oauth2-client: OAuth2Client, OAuth2Fetch',
		code: "export {OAuth2Client, OAuth2Fetch} from '@badgateway/oauth2-client';",
		external: [],
		without: [],
	},
	{
		name: 'oauth4webapi: both grants, no session and no retry',
		code: `export {
			ClientSecretBasic, None, clientCredentialsGrantRequest, processClientCredentialsResponse,
			processRefreshTokenResponse, protectedResourceRequest, refreshTokenGrantRequest,
		} from 'oauth4webapi';`,
		external: [],
		without: [],
	},
];

/** Bundles what a user would write. */
export async function bundle({code, external}: Pick<SizeRow, 'code' | 'external'>): Promise<Bundle> {
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

/** In kilobytes of a thousand, rounded up to a tenth: a number that may be promised. */
export const toKilobytes = (bytes: number): number => Math.ceil(bytes / 100) / 10;
