import process from 'node:process';
import {app} from './authorization-server.ts';
import {test as base} from './test.ts';

/**
The same for the recipes: access tokens that last, and an environment in which a recipe finds the server. It is read when the
recipe is imported, so once for a file. `environment(more)` adds to it.
*/
export const test = base
	.override('serverOptions', {accessTokenSeconds: 60})
	.extend('environment', {scope: 'file'}, async ({runningServer}, {onCleanup}) => {
		const before = {...process.env};
		onCleanup(() => {
			process.env = before;
		});
		const {tokenEndpoint, revocationEndpoint, api} = runningServer;
		return (more: Readonly<Record<string, string>> = {}): void => {
			Object.assign(process.env, {
				TOKEN_ENDPOINT: tokenEndpoint,
				REVOCATION_ENDPOINT: revocationEndpoint,
				CLIENT_ID: app.clientId,
				API: api,
				...more,
			});
		};
	});
