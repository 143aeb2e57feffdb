// These tests log in at a real OpenID provider: they open its pages and submit its forms. test/recipes/login-spa.test.ts does the same
// in a real browser.
import {describe, expect} from 'vitest';
import {clientSecretBasic, clientSecretPost, createAuth} from '../../src/index.ts';
import {dpop} from '../../src/dpop.ts';
import {createLogin, deviceLogin, discover, type Login, type LoginOptions} from '../../src/login/login.ts';
import {createFakeStorage} from '../support/fake-login.ts';
import {fetchEverySecond, spa, tool, website} from '../support/login-pages.ts';
import {test as base} from '../support/test.ts';
import {createVisitor} from '../support/visitor.ts';

const redirectUri = 'https://app.example/callback';
const scope = 'openid offline_access /accounts.read';

const test = base
	.override('serverOptions', {accessTokenSeconds: 60, pages: {redirectUris: [redirectUri]}})
	.extend('metadata', async ({server}) => discover(server.issuer))
	.extend(
		'loginWith',
		async ({metadata}) =>
			(options: Partial<LoginOptions> = {}): Login =>
				createLogin({
					...metadata,
					clientId: spa.clientId,
					redirectUri,
					scope,
					parameters: {prompt: 'consent'},
					storage: createFakeStorage(),
					...options,
				}),
	);

const isCallback = (url: string): boolean => url.startsWith(redirectUri);

/** Logs a user in on the server's pages. Returns the callback URL. */
async function visit(url: string, name = 'ann', visitor = createVisitor()): Promise<string> {
	const form = await visitor.open(url, {}, isCallback);
	const consent = await visitor.submit(form, {name}, isCallback);
	return (await visitor.submit(consent, {}, isCallback)).url;
}

describe('discover', () => {
	test('discover finds what oidc-provider says of itself', async ({metadata, server}) => {
		expect(metadata).toMatchObject({
			issuer: server.issuer,
			tokenEndpoint: server.tokenEndpoint,
			revocationEndpoint: server.revocationEndpoint,
			authorizationEndpoint: `${server.issuer}/auth`,
			deviceAuthorizationEndpoint: `${server.issuer}/device/auth`,
			endSessionEndpoint: `${server.issuer}/session/end`,
			metadata: {
				code_challenge_methods_supported: ['S256'],
				authorization_response_iss_parameter_supported: true,
				token_endpoint_auth_methods_supported: expect.arrayContaining(['none', 'client_secret_basic']) as string[],
			},
		});
	});
});

describe('createLogin', () => {
	test('createLogin logs a user in, and the session goes on from there', async ({loginWith, metadata, server}) => {
		const login = loginWith();
		const ann = createVisitor();
		const url = await visit(await login.start({returnTo: '/accounts'}), 'ann', ann);
		expect(login.isCallback(url)).toBe(true);
		expect(new URL(url).searchParams.get('iss')).toBe(server.issuer);
		const {token, returnTo, claims} = await login.finish(url);
		expect(returnTo).toBe('/accounts');
		expect(claims).toMatchObject({iss: server.issuer, sub: 'ann', aud: spa.clientId});
		const auth = createAuth({...metadata, clientId: spa.clientId, origins: [server.api], keep: ['id_token']});
		await auth.setToken(token);
		await auth.refresh();
		expect(await (await auth.fetch(`${server.api}/me`)).json()).toMatchObject({subject: 'ann'});
		expect(server.tokenRequests.map(({status, parameters}) => [status, parameters.get('grant_type')])).toEqual([
			[200, 'authorization_code'],
			[200, 'refresh_token'],
		]);
		const logout = await ann.open(login.logoutUrl({idToken: String((await auth.peek())?.['id_token'])}));
		expect(logout.text).toContain('Sign out?');
	});

	test.for([
		['basic', clientSecretBasic],
		['post', clientSecretPost],
	] as const)('createLogin logs a user in for a client with a secret: %s', async ([, proof], {loginWith}) => {
		const login = loginWith({clientId: website.clientId, clientAuthentication: proof(website.secret)});
		expect((await login.finish(await visit(await login.start()))).claims).toMatchObject({sub: 'ann'});
	});

	test('a login with a wrong secret says which client authentication the server takes', async ({loginWith}) => {
		const login = loginWith({clientId: website.clientId, clientAuthentication: clientSecretBasic('wrong-secret')});
		await expect(login.finish(await visit(await login.start()))).rejects.toMatchObject({
			error: 'invalid_client',
			message: expect.stringContaining('The server takes') as string,
		});
	});

	test('createLogin cannot finish with a code that another login began: the server asks for its verifier', async ({
		loginWith,
		server,
	}) => {
		const [mine, theirs] = [loginWith(), loginWith()];
		const own = new URL(await visit(await mine.start()));
		const stolen = new URL(await visit(await theirs.start(), 'mallory'));
		own.searchParams.set('code', stolen.searchParams.get('code') ?? '');
		await expect(mine.finish(own)).rejects.toMatchObject({error: 'invalid_grant'});
		expect(server.tokenRequests.map(({status}) => status)).toEqual([400]);
	});

	test('a login reports a user who says no, and one who has to be asked', async ({loginWith}) => {
		const login = loginWith();
		const visitor = createVisitor();
		const form = await visitor.open(await login.start());
		const {url} = await visitor.submit(form, {cancel: 'yes'}, isCallback);
		await expect(login.finish(url)).rejects.toMatchObject({
			error: 'access_denied',
			error_description: 'The user said no',
			retryable: false,
		});
		const silent = await visitor.open(await login.start({parameters: {prompt: 'none'}}), {}, isCallback);
		await expect(login.finish(silent.url)).rejects.toMatchObject({error: 'login_required'});
	});

	test('createLogin binds the tokens of a login to a key, which renews them [R105]', async ({
		loginWith,
		metadata,
		server,
	}) => {
		const scheme = dpop();
		const login = loginWith({scheme});
		const {token} = await login.finish(await visit(await login.start()));
		expect(token.token_type).toBe('DPoP');
		const client = {...metadata, clientId: spa.clientId, origins: [server.api]};
		const thief = createAuth({...client, scheme: dpop()});
		await thief.setToken(token);
		await expect(thief.refresh()).rejects.toMatchObject({code: 'session_ended', reason: 'invalid_grant'});
		const auth = createAuth({...client, scheme});
		await auth.setToken(token);
		expect((await auth.refresh()).token_type).toBe('DPoP');
	});

	test('createLogin checks how long ago the user signed in if max_age says so', async ({loginWith}) => {
		const login = loginWith();
		const {claims} = await login.finish(await visit(await login.start({parameters: {max_age: '60'}})));
		expect(claims).toMatchObject({auth_time: expect.any(Number) as number});
	});
});

describe('deviceLogin', () => {
	test('deviceLogin logs a user in who enters the code', async ({metadata, server, canaries}) => {
		const visitor = createVisitor();
		const prompts: object[] = [];
		const token = await deviceLogin(
			{...metadata, clientId: tool.clientId, fetch: fetchEverySecond, scope},
			async prompt => {
				prompts.push(prompt);
				const {verification_uri, user_code} = prompt;
				const confirm = await visitor.submit(await visitor.open(verification_uri), {user_code});
				expect(confirm.text).toContain(user_code);
				const consent = await visitor.submit(await visitor.submit(confirm, {}), {name: 'ann'});
				expect((await visitor.submit(consent, {})).text).toContain('You are signed in');
			},
		);
		prompts.forEach(canaries.see);
		expect(Object.keys(prompts[0] ?? {})).toEqual([
			'user_code',
			'verification_uri',
			'verification_uri_complete',
			'expires_in',
		]);
		const auth = createAuth({...metadata, clientId: tool.clientId, origins: [server.api]});
		await auth.setToken(token);
		expect(await (await auth.fetch(`${server.api}/me`)).json()).toMatchObject({subject: 'ann'});
	});

	test('a device login reports a user who says no', async ({metadata}) => {
		const visitor = createVisitor();
		const login = deviceLogin({...metadata, clientId: tool.clientId, fetch: fetchEverySecond, scope}, async prompt => {
			const confirm = await visitor.open(String(prompt.verification_uri_complete));
			await visitor.submit(await visitor.submit(confirm, {}), {abort: 'yes'});
		});
		await expect(login).rejects.toMatchObject({code: 'oauth_error', error: 'access_denied'});
	});
});
