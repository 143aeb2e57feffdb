import {vi} from 'vitest';
import {app} from './authorization-server.ts';
import {test as base} from './test.ts';

/**
The same for the recipes: access tokens that last, and `environment`, which puts where the server is, and what more is given, where a
recipe looks for it when it is imported. That is once for a file.
*/
export const test = base
	.override('serverOptions', {accessTokenSeconds: 60})
	.extend('environment', {scope: 'file'}, async ({runningServer}, {onCleanup}) => {
		onCleanup(() => void vi.unstubAllEnvs());
		const {tokenEndpoint, revocationEndpoint, api} = runningServer;
		return (more: Readonly<Record<string, string>> = {}): void => {
			const place = {TOKEN_ENDPOINT: tokenEndpoint, REVOCATION_ENDPOINT: revocationEndpoint, API: api};
			for (const [name, value] of Object.entries({...place, CLIENT_ID: app.clientId, ...more})) vi.stubEnv(name, value);
		};
	});
