import {describe, expect} from 'vitest';
import {
	clientSecretBasic,
	clientSecretPost,
	ConfigError,
	createAuth,
	isRegrantError,
	requestToken,
} from '../../src/index.ts';
import {createFakeClient} from '../support/fake-token-endpoint.ts';
import {test} from '../support/test.ts';

const endpoint = {tokenEndpoint: 'https://login.example.com/oauth/token', clientId: 'app'};
const grant = {grant_type: 'client_credentials', scope: null} as const;
const unset = undefined as unknown as string;

describe('the message for what newcomers do', () => {
	test.for<[title: string, options: object, words: readonly string[]]>([
		[
			'the secret’s environment variable is not set',
			{clientAuthentication: clientSecretBasic(unset)},
			['clientSecretBasic(secret)', 'secret is undefined'],
		],
		[
			'the same in the body',
			{clientAuthentication: clientSecretPost(unset)},
			['clientSecretPost(secret)', 'secret is undefined'],
		],
		[
			'the secret is empty',
			{clientAuthentication: clientSecretBasic('')},
			['clientSecretBasic(secret)', 'printable ASCII'],
		],
		['the endpoint’s is not set', {tokenEndpoint: unset}, ['tokenEndpoint is required']],
		['the client’s is not set', {clientId: unset}, ['clientId is required']],
		[
			'a secret as an option',
			{clientSecret: 'hunter2hunter2'},
			['clientSecret is not an option', 'clientAuthentication: clientSecretBasic(secret)'],
		],
		['a scope as an option', {scope: 'a'}, ['scope is not an option', 'grant']],
		['an audience as an option', {audience: 'hunter2hunter2'}, ['audience is not an option', 'parameters']],
		['an audience in the grant', {grant: {...grant, audience: 'a'}}, ['grant.audience is not an option', 'parameters']],
		[
			'an origin without a scheme',
			{origins: ['localhost:4101']},
			['origins[0] needs a scheme', 'https://api.example.com'],
		],
		[
			'client_credentials without scope',
			{grant: {grant_type: 'client_credentials'}},
			['grant.scope is required', 'null'],
		],
		[
			'the password grant',
			{grant: {grant_type: 'password', username: 'a', password: 'hunter2hunter2'}},
			['grant.grant_type', 'not password'],
		],
		[
			'an http endpoint',
			{tokenEndpoint: 'http://keycloak:8080/token'},
			['tokenEndpoint must be an https URL', 'allowInsecureOrigins'],
		],
		['a store of one’s own', {store: {get() {}, set() {}, delete() {}}}, ['store must be', 'customStore()']],
		['seconds for milliseconds', {timeout: 0.5}, ['timeout must be milliseconds']],
		[
			'a parameter that regrant sets',
			{parameters: {client_secret: 'hunter2hunter2'}},
			['parameters.client_secret', 'set by regrant'],
		],
		['a header that regrant sets', {headers: {authorization: 'Basic hunter2hunter2'}}, ['headers', 'authorization']],
	])('a message names the option, the fault and the remedy: %s', ([, options, words], {canaries}) => {
		canaries.plant('hunter2hunter2');
		let thrown: unknown;
		try {
			createAuth({...endpoint, ...options});
		} catch (error) {
			thrown = canaries.see(error);
		}
		expect(thrown).toBeInstanceOf(ConfigError);
		for (const word of words) expect((thrown as Error).message).toContain(word);
	});

	test.for([['hunter2-access-token'], [undefined], [null], [42]])(
		'the message for setToken says what it takes, for %j',
		async ([given], {canaries}) => {
			canaries.plant('hunter2-access-token');
			const {auth} = createFakeClient(() => undefined);
			const error = await canaries.rejection(auth.setToken(given as never));
			expect(error).toBeInstanceOf(ConfigError);
			expect(error).toMatchObject({
				message: expect.stringMatching(/^setToken takes the answer of a token endpoint.*an object with access_token/),
			});
		},
	);

	test.for<[title: string, token: object, says: string]>([
		[
			'camel case',
			{accessToken: 'hunter2-access-token'},
			'access_token must be there, and be visible ASCII without spaces',
		],
		[
			'a token that is no header',
			{access_token: 'hunter2-access-token\r\n'},
			'access_token must be there, and be visible ASCII without spaces',
		],
		['a type that cannot be sent', {access_token: 'a', token_type: 'mac'}, 'token_type must be bearer'],
		['a refresh token that is no text', {access_token: 'a', refresh_token: 5}, 'refresh_token must be printable ASCII'],
	])('the message for an unusable token names the field: %s', async ([, token, says], {canaries}) => {
		canaries.plant('hunter2-access-token');
		const {auth} = createFakeClient(() => undefined);
		const error = await canaries.rejection(auth.setToken(token as never));
		expect(error).toMatchObject({message: expect.stringMatching(`^setToken .*${says}$`)});
	});

	test.for<[title: string, answer: () => Response | Promise<Response>, says: string]>([
		[
			'a 404',
			() => new Response(null, {status: 404}),
			'POST https://login.example.com answered 404: is tokenEndpoint right?',
		],
		[
			'a 404 of a framework, in JSON',
			() => Response.json({message: 'Cannot POST', error: 'Not Found', statusCode: 404}, {status: 404}),
			'POST https://login.example.com answered 404: Not Found: is tokenEndpoint right?',
		],
		[
			'a host that is not there',
			() => Promise.reject(Object.assign(new TypeError('fetch failed'), {cause: {code: 'ENOTFOUND'}})),
			'POST https://login.example.com: ENOTFOUND',
		],
		[
			'a certificate of one’s own',
			() =>
				Promise.reject(Object.assign(new TypeError('fetch failed'), {cause: {code: 'DEPTH_ZERO_SELF_SIGNED_CERT'}})),
			'POST https://login.example.com: DEPTH_ZERO_SELF_SIGNED_CERT',
		],
		[
			'nothing that anybody knows',
			() => Promise.reject(new TypeError('Failed to fetch')),
			'POST https://login.example.com: no connection',
		],
		[
			'a redirect',
			() => new Response(null, {status: 302, headers: {location: '/login'}}),
			'POST https://login.example.com answered 302: unexpected_redirect',
		],
		[
			'a refusal',
			() => Response.json({error: 'invalid_scope'}, {status: 400}),
			'POST https://login.example.com answered 400: invalid_scope',
		],
		[
			'another type of token',
			() => Response.json({access_token: 'a', token_type: 'mac'}),
			'POST https://login.example.com answered 200: token_type must be bearer',
		],
	])(
		'the message of a token request names the endpoint and what it answered: %s',
		async ([, answer, says], {canaries}) => {
			const client = {...endpoint, fetch: async () => answer()};
			for (const error of [
				await canaries.rejection(requestToken(client, grant)),
				await canaries.rejection(createAuth({...client, grant}).getToken()),
			]) {
				expect(isRegrantError(error)).toBe(true);
				expect(error).toMatchObject({message: says});
			}
		},
	);

	test('the message of a token request says that Deno lacks a permission, and is not retryable', async ({canaries}) => {
		const denied = Object.assign(new Error('Requires net access to "login.example.com:443"'), {name: 'NotCapable'});
		const error = await canaries.rejection(requestToken({...endpoint, fetch: () => Promise.reject(denied)}, grant));
		expect(error).toMatchObject({
			message: 'POST https://login.example.com: NotCapable',
			platformCode: 'NotCapable',
			retryable: false,
		});
	});

	test('the message of a token request says how long it waited', async ({canaries}) => {
		const client = {...endpoint, timeout: 5, fetch: () => new Promise<Response>(() => {})};
		const error = await canaries.rejection(requestToken(client, grant));
		expect(error).toMatchObject({code: 'timeout', message: 'POST https://login.example.com: no answer within 5 ms'});
	});
});
