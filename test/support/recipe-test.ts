import {vi} from 'vitest';
import {app} from './authorization-server.ts';
import {test as base} from './test.ts';

/**
The vitest `test` for recipes. Its access tokens live long. `environment` sets the variables that a recipe reads when it is imported, so a
file can set them only once.
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
