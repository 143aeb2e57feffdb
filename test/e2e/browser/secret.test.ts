import {describe, expect} from 'vitest';
import {clientSecretBasic, clientSecretPost, ConfigError, createAuth, requestToken} from '../../../src/index.ts';
import {test} from '../../support/test.ts';

const options = {tokenEndpoint: 'https://as.example/token', clientId: 'page'};
const request = {grant_type: 'client_credentials', scope: 'a', client_secret: 'told to everybody'} as const;

describe('a secret in a page', () => {
	test.for([
		['clientSecretBasic', {clientAuthentication: clientSecretBasic('told to everybody')}],
		['clientSecretPost', {clientAuthentication: clientSecretPost('told to everybody')}],
		['a client_secret in grant', {grant: request}],
	] as const)('%s is refused in a page, unless it is allowed [R13]', ([, secret], {canaries}) => {
		canaries.plant('told to everybody');
		let error: unknown;
		try {
			createAuth({...options, ...secret});
		} catch (caught) {
			error = canaries.see(caught);
		}
		expect(error).toBeInstanceOf(ConfigError);
		expect(error).toMatchObject({message: expect.stringContaining('allowSecretInBrowser')});
		expect(() => createAuth({...options, ...secret, allowSecretInBrowser: true})).not.toThrow();
	});

	test('a page that passes a client_secret to requestToken gets an error before anything is sent [R13]', async ({
		canaries,
	}) => {
		canaries.plant('told to everybody');
		const sent: unknown[] = [];
		const fetch = async (): Promise<Response> => {
			sent.push(1);
			return new Response();
		};
		expect(await canaries.rejection(requestToken({...options, fetch}, request))).toBeInstanceOf(ConfigError);
		expect(sent).toEqual([]);
	});
});

describe('the default store', () => {
	test('the default store writes nothing where a page could find it [R79]', async () => {
		const address = location.href;
		const auth = createAuth({...options, origins: ['https://api.example']});
		await auth.setToken({access_token: 'an-access-token', token_type: 'Bearer', refresh_token: 'a-refresh-token'});
		expect((await auth.getToken()).access_token).toBe('an-access-token');
		const places = [
			Object.keys(localStorage),
			Object.keys(sessionStorage),
			document.cookie,
			document.title,
			location.href,
		];
		expect(places).toEqual([[], [], '', '', address]);
	});
});
