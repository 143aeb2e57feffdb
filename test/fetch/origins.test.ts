import ky from 'ky';
import {describe, expect, vi} from 'vitest';
import {ConfigError, createSession, type SessionOptions} from '../../src/index.ts';
import {authorizations, createFakeApi} from '../support/fake-api.ts';
import {test} from '../support/test.ts';

/** The `Authorization` header of a call to each of these URLs. */
async function sent(
	options: Omit<SessionOptions, 'renew'>,
	...urls: readonly string[]
): Promise<ReadonlyArray<string | null>> {
	const api = createFakeApi(() => new Response('{}'));
	const auth = createSession({renew: () => null, ...options});
	await auth.setToken({access_token: 't'});
	const client = ky.create({fetch: api.fetch, hooks: auth.hooks, retry: 0});
	for (const url of urls) await client.get(url);
	return authorizations(api);
}

test('each origin of a list gets the token, and no other does [R40]', async () => {
	const origins = ['https://a.example', 'https://b.example:8443', 'http://localhost:3000'];
	const urls = [...origins, 'https://b.example/', 'https://a.example.evil.example/', 'https://evil.example/a.example'];
	expect(await sent({origins}, ...urls)).toEqual(['Bearer t', 'Bearer t', 'Bearer t', null, null, null]);
});

describe('origins as a function', () => {
	const isTenant = ({hostname}: URL): boolean => hostname.endsWith('.example.com');

	test('origins as a function says what a list cannot: the subdomains of tenants', async () => {
		const urls = [
			'https://a.example.com/me',
			'https://A.EXAMPLE.COM:8443/me',
			'https://example.com/me',
			'https://example.com.evil.example/me',
			'https://evil.example/?a.example.com',
			'https://evil.example\\@a.example.com/',
		];
		expect(await sent({origins: isTenant}, ...urls)).toEqual(['Bearer t', 'Bearer t', null, null, null, null]);
	});

	test('origins as a function is not asked about plain http, whatever it would say', async () => {
		const origins = vi.fn<(url: URL) => boolean>(() => true);
		const urls = ['http://a.example.com/', 'http://localhost/', 'http://app.localhost:3000/', 'http://keycloak:8080/'];
		const allowInsecureOrigins = ['http://keycloak:8080'];
		expect(await sent({origins, allowInsecureOrigins}, ...urls)).toEqual([null, 'Bearer t', 'Bearer t', 'Bearer t']);
		expect(origins.mock.calls.map(([{origin}]) => origin)).toEqual(urls.slice(1).map(url => new URL(url).origin));
	});

	test('origins as a function judges a copy: what it does to the URL changes nothing', async () => {
		const api = createFakeApi(() => new Response('{}'));
		const origins = (url: URL): boolean => {
			url.href = 'https://evil.example/';
			return true;
		};
		const auth = createSession({renew: () => null, origins});
		await auth.setToken({access_token: 't'});
		await ky.create({fetch: api.fetch, hooks: auth.hooks}).get('https://api.example.com/me?a=1');
		expect(api.requests.map(({url}) => url)).toEqual(['https://api.example.com/me?a=1']);
	});

	test('origins as a function is asked for each call, so that it may change its mind', async () => {
		const origins = vi.fn<() => boolean>().mockReturnValueOnce(true).mockReturnValueOnce(false);
		const url = 'https://api.example.com/';
		expect(await sent({origins}, url, url)).toEqual(['Bearer t', null]);
	});

	test('origins as a function gives no token away if it throws: the call fails with its error', async () => {
		const origins = (): never => {
			throw new Error('mine');
		};
		await expect(sent({origins}, 'https://api.example.com/')).rejects.toThrow('mine');
	});

	test.for<[title: string, verdict: unknown]>([
		['a promise, which would let everything pass', Promise.resolve(false)],
		['a number', 1],
		['a match', ['a']],
	])('origins as a function must give true or false, and not %s', async ([, verdict]) => {
		const origins = (): boolean => verdict as boolean;
		await expect(sent({origins}, 'https://evil.example/')).rejects.toThrow(ConfigError);
	});

	test('origins as a function counts no origin in if it gives nothing', async () => {
		expect(await sent({origins: () => undefined as unknown as boolean}, 'https://api.example.com/')).toEqual([null]);
	});
});

describe('origins that could never match', () => {
	test.for<[title: string, origins: unknown, says: string]>([
		['an empty list', [], 'origins is empty: name an origin'],
		[
			'a wildcard',
			['https://*.example.com'],
			'origins[0] has a wildcard or a comma: list each origin, or use a function',
		],
		['a wildcard behind a good one', ['https://a.example', 'https://*'], 'origins[1] has a wildcard'],
		['a host alone', ['api.example.com'], 'origins[0] needs a scheme, as in https://api.example.com'],
		['a host with a port', ['localhost:4101'], 'origins[0] needs a scheme, as in https://api.example.com'],
		['plain http', ['http://api.example.com'], 'origins[0] must be an https origin, or be in allowInsecureOrigins'],
		['a path', ['/api'], 'origins[0] needs a scheme, as in https://api.example.com'],
		['a host and a path', ['api.example.com/v1'], 'origins[0] needs a scheme'],
		['a list in one text', ['https://a.example,https://b.example'], 'origins[0] has a wildcard or a comma'],
		['a text', 'https://api.example.com', 'origins must be a list of origins, or a function'],
		['a set', new Set(['https://api.example.com']), 'origins must be a list of origins, or a function'],
		['what is no text', [undefined], 'origins[0] needs a scheme'],
	])('origins that could never match are refused when the session is created: %s', ([, origins, says]) => {
		const make = (): unknown => createSession({renew: () => null, origins: origins as string[]});
		expect(make).toThrow(ConfigError);
		expect(make).toThrow(says);
	});

	test.for<[title: string, options: object, url: string]>([
		['an http baseUrl', {baseUrl: 'http://api.example.com'}, 'me'],
		['an http prefix', {prefix: 'http://api.example.com'}, 'me'],
		['a baseUrl that is none', {baseUrl: '/api'}, 'https://api.example.com/me'],
		['neither baseUrl, prefix nor origins', {}, 'https://api.example.com/me'],
	])('origins that could never match are refused when a call is made: %s', async ([, options, url]) => {
		const api = createFakeApi();
		const auth = createSession({renew: () => null});
		await expect(ky.create({...options, fetch: api.fetch, hooks: auth.hooks}).get(url)).rejects.toThrow(
			/^(?:baseUrl or prefix must be https, or be in allowInsecureOrigins|origins is required, as in .+, unless ky has a baseUrl or prefix)$/,
		);
		expect(api.requests).toEqual([]);
	});
});

describe('allowInsecureOrigins', () => {
	const allowInsecureOrigins = ['http://keycloak:8080', new URL('http://api.internal/path')];

	test('allowInsecureOrigins lets the token go to such an origin, and to no other port or host', async () => {
		const urls = [
			'http://keycloak:8080/a',
			'http://api.internal/',
			'http://keycloak/',
			'http://keycloak:8081/',
			'http://b.api.internal/',
		];
		expect(await sent({origins: () => true, allowInsecureOrigins}, ...urls)).toEqual([
			'Bearer t',
			'Bearer t',
			null,
			null,
			null,
		]);
		expect(await sent({origins: ['http://keycloak:8080'], allowInsecureOrigins}, ...urls.slice(0, 3))).toEqual([
			'Bearer t',
			null,
			null,
		]);
	});

	test('allowInsecureOrigins lets a baseUrl be one', async () => {
		const api = createFakeApi(() => new Response('{}'));
		const auth = createSession({renew: () => ({access_token: 't'}), allowInsecureOrigins});
		await ky.create({baseUrl: 'http://keycloak:8080/a/', fetch: api.fetch, hooks: auth.hooks}).get('me');
		expect(authorizations(api)).toEqual(['Bearer t']);
	});

	test('allowInsecureOrigins adds nobody to origins', async () => {
		const url = 'http://keycloak:8080/a';
		expect(await sent({origins: ['https://api.example.com'], allowInsecureOrigins}, url)).toEqual([null]);
	});

	test.for([
		['https://keycloak'],
		['keycloak:8080'],
		['ws://keycloak'],
		['http://*.svc.local'],
		'http://keycloak:8080',
		[5],
		null,
		{},
	])('allowInsecureOrigins is a list of http origins, and not %j', given => {
		const make = (): unknown => createSession({renew: () => null, allowInsecureOrigins: given as string[]});
		expect(make).toThrow('allowInsecureOrigins must be a list of http origins');
	});
});
