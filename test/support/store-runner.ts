import {expect} from 'vitest';
import {app, type AuthorizationServer} from './authorization-server.ts';
import {test} from './test.ts';
import type {StoreRunner} from './token-store-spec.ts';

/** Everything that the specification of the stores needs in vitest, except for the place. */
export function storeRunner(name: string): Pick<StoreRunner, 'test' | 'equal' | 'server'> {
	let current: AuthorizationServer | undefined;
	const server = (): AuthorizationServer => {
		if (!current) throw new Error('The server is there while a test runs.');
		return current;
	};
	return {
		test: (title, run) =>
			test(`${name}: ${title}`, async ({server}) => {
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
		},
	};
}
