// @hey-api/openapi-ts: the generated client for ky takes its ky instance, and so its tokens, from this file. Its configuration has {name:
// '@hey-api/client-ky', runtimeConfigPath: './src/hey-api.ts'}. Run: npx vitest run test/recipes/hey-api.test.ts
import process from 'node:process';
import ky, {type KyInstance} from 'ky';
import {createAuth} from 'regrant';

const {TOKEN_ENDPOINT = '', CLIENT_ID = '', API = ''} = process.env;

// The generated client builds whole URLs, so ky has no `baseUrl`. That is why `origins` is needed.
export const auth = createAuth({tokenEndpoint: TOKEN_ENDPOINT, clientId: CLIENT_ID, origins: [API]});

/**
Called by the generated client.gen.ts. Its functions return `{data, error}`, or throw with `throwOnError: true`. In both cases,
`isRegrantError` recognises a failed renewal. Functions for server-sent events do not use ky, and have no token.
*/
export const createClientConfig = <Config extends object>(
	config?: Config,
): Config & {readonly baseUrl: string; readonly ky: KyInstance} => ({
	...(config as Config), // spreading undefined adds nothing
	baseUrl: API,
	ky: ky.extend({hooks: auth.hooks}),
});
