import {expect} from 'vitest';
import {authSpec} from '../shared/auth.spec.ts';
import {app, type AuthorizationServer} from '../support/authorization-server.ts';
import {test} from '../support/test.ts';

let current: AuthorizationServer | undefined;
const server = (): AuthorizationServer => {
	if (!current) throw new Error('The server is there while a test runs.');
	return current;
};

authSpec({
	test: (title, run) =>
		test(title, async ({server}) => {
			current = server;
			await run();
		}),
	equal: (actual, expected) => expect(actual).toEqual(expected),
	server: {
		tokenEndpoint: () => server().tokenEndpoint,
		revocationEndpoint: () => server().revocationEndpoint,
		api: () => server().api,
		clientId: app.clientId,
		mint: async () => server().mint(),
		expire: async accessToken => server().expire(accessToken),
		grants: async () => server().tokenRequests.length,
		authorizations: async () => server().calls.map(({authorization}) => authorization ?? ''),
	},
});
