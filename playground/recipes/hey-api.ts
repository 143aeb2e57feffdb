// @hey-api/openapi-ts: its client for ky takes its instance, and so its tokens, from here, where its configuration has
// {name: '@hey-api/client-ky', runtimeConfigPath: './src/hey-api.ts'}. Run: npx vitest run test/recipes/hey-api.test.ts
import process from 'node:process';
import ky, {type KyInstance} from 'ky';
import {createAuth} from 'regrant';

const {TOKEN_ENDPOINT = '', CLIENT_ID = '', API = ''} = process.env;

// The generated client builds whole URLs, of which ky knows no base: hence `origins`.
export const auth = createAuth({tokenEndpoint: TOKEN_ENDPOINT, clientId: CLIENT_ID, origins: [API]});

/**
Called by the generated client.gen.ts. Its functions give `{data, error}`, and with `throwOnError: true` they throw: in both cases
`isRegrantError` tells what a renewal has failed with. Those for server-sent events go past ky, and have no token.
*/
export const createClientConfig = <Config extends object>(
	config?: Config,
): Config & {readonly baseUrl: string; readonly ky: KyInstance} => ({
	...(config as Config), // spread, undefined is nothing
	baseUrl: API,
	ky: ky.extend({hooks: auth.hooks}),
});
