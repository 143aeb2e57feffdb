import {expect} from 'vitest';
import {app, type AuthorizationServer} from '../support/authorization-server.ts';
import {createSharedMemory} from '../support/shared-memory.ts';
import {test} from '../support/test.ts';
import {tokenStoreSpec} from '../support/token-store-spec.ts';

test.override('serverOptions', {accessTokenSeconds: 60});

let current: AuthorizationServer | undefined;
const server = (): AuthorizationServer => {
	if (!current) throw new Error('The server is there while a test runs.');
	return current;
};

tokenStoreSpec({
	test: (title, run) =>
		test(title, async ({server}) => {
			current = server;
			await run();
		}),
	equal: (actual, expected) => expect(actual).toEqual(expected),
	place: async () => createSharedMemory(),
	server: {
		tokenEndpoint: () => server().tokenEndpoint,
		revocationEndpoint: () => server().revocationEndpoint,
		api: () => server().api,
		clientId: app.clientId,
		mint: async () => server().mint(),
		expire: async accessToken => server().expire(accessToken),
		grants: async () => server().tokenRequests.length,
	},
});
