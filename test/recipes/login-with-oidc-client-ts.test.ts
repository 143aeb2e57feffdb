// @vitest-environment happy-dom
import {UserManager} from 'oidc-client-ts';
import {expect, vi} from 'vitest';
import {app} from '../support/authorization-server.ts';
import {test as base} from '../support/recipe-test.ts';

const redirect_uri = 'https://app.example.com/callback';

const test = base
	.extend('recipe', {scope: 'file'}, async ({environment, runningServer}) => {
		environment({ISSUER: runningServer.issuer, REDIRECT_URI: redirect_uri});
		return import('../../playground/recipes/login-with-oidc-client-ts.ts');
	})
	/** Begins a login, and returns the URL that the page would go to. The page itself stays. */
	// oxlint-disable-next-line no-empty-pattern -- vitest reads which fixtures are used from the pattern
	.extend('leave', async ({}, {onCleanup}) => async (begin: () => Promise<unknown>): Promise<string> => {
		const target = Promise.withResolvers<string>();
		const assign = vi.spyOn(location, 'assign').mockImplementation(url => target.resolve(String(url)));
		onCleanup(() => assign.mockRestore());
		// The promise waits until the page is left, which never happens here.
		begin().catch(target.reject);
		return target.promise;
	});

const grants = (server: {readonly tokenRequests: ReadonlyArray<{readonly parameters: URLSearchParams}>}): unknown[] =>
	server.tokenRequests.map(({parameters}) => parameters.get('grant_type'));

test('a user who comes back from the login has a session, which regrant alone renews', async ({
	server,
	recipe: {auth, start, finish},
	leave,
}) => {
	await finish(await server.authorize(await leave(start)));
	const me = `${server.api}/me`;
	expect((await auth.fetch(me)).status).toBe(200);
	const {access_token} = await auth.getToken();
	const stored = JSON.stringify([Object.entries(localStorage), Object.entries(sessionStorage)]);
	expect(stored).not.toContain(access_token);
	await Promise.all(Array.from({length: 20}, () => auth.refresh()));
	expect((await auth.fetch(me)).status).toBe(200);
	expect(grants(server)).toEqual(['authorization_code', 'refresh_token']);
});

test('without the setting, oidc-client-ts also uses the refresh token', async ({server, leave}) => {
	const manager = new UserManager({
		authority: server.issuer,
		client_id: app.clientId,
		redirect_uri,
		scope: 'openid offline_access /accounts.read',
	});
	await manager.signinRedirectCallback(await server.authorize(await leave(() => manager.signinRedirect())));
	// It does so again and again, so that a busy machine may see several.
	await expect.poll(() => grants(server).slice(0, 2)).toEqual(['authorization_code', 'refresh_token']);
	await manager.removeUser();
});
