import * as fc from 'fast-check';
import ky from 'ky';
import * as v from 'valibot';
import {describe, expect} from 'vitest';
import {ConfigError, endpoint, RequestValidationError} from '../../src/index.ts';
import {test} from '../support/test.ts';

const origin = 'https://api.example.com';
const instances = {
	baseUrl: ky.create({baseUrl: `${origin}/v1/`}),
	prefix: ky.create({prefix: `${origin}/v1`}),
};
const get = endpoint({method: 'get', path: 'accounts/{id}/files'});
const inSegment = endpoint({method: 'get', path: 'files/{name}.json'});
const twice = endpoint({method: 'get', path: 'a/{one}{two}/b'});

/** The URL that a request for this id would have. */
async function urlOf(id: string, api = instances.baseUrl): Promise<string> {
	return (await get.request(api, {params: {id}})).url;
}

describe('a path parameter [F-134]', () => {
	test.for([
		['a/b', 'a%2Fb'],
		['a\\b', 'a%5Cb'],
		['a?b=c', 'a%3Fb%3Dc'],
		['a#b', 'a%23b'],
		['%2e%2e', '%252e%252e'],
		['..%2f', '..%252f'],
		['a b', 'a%20b'],
		["!'()*", "!'()*"],
		['-._~', '-._~'],
		[';=:@&+$,', '%3B%3D%3A%40%26%2B%24%2C'],
		['é€😀', '%C3%A9%E2%82%AC%F0%9F%98%80'],
		['a\t\r\n\0b', 'a%09%0D%0A%00b'],
		['...', '...'],
		['{id}', '%7Bid%7D'],
		['https://evil.example', 'https%3A%2F%2Fevil.example'],
		['//evil.example', '%2F%2Fevil.example'],
		['$&', '%24%26'],
	] as const)(
		'a path parameter is percent-encoded as encodeURIComponent does: %j becomes %s',
		async ([id, encoded]) => {
			for (const api of Object.values(instances))
				expect(await urlOf(id, api)).toBe(`${origin}/v1/accounts/${encoded}/files`);
		},
	);

	test.for([
		[0, '0'],
		[-1.5, '-1.5'],
		[1e21, '1e%2B21'],
		[7n, '7'],
		[2n ** 70n, '1180591620717411303424'],
	] as const)('a path parameter may be a number or a bigint: %s becomes %s', async ([id, encoded]) => {
		const {url} = await get.request(instances.baseUrl, {params: {id}});
		expect(url).toBe(`${origin}/v1/accounts/${encoded}/files`);
	});

	const notText = [
		null,
		undefined,
		true,
		false,
		{},
		new String('a'),
		[],
		['a'],
		['a', 'b'],
		[['a']],
		() => 'a',
		Symbol('a'),
	];
	test.for(['', '.', '..', '\ud800', 'a\udc00', NaN, Infinity, -Infinity, ...notText])(
		'a path parameter is refused before any request if it is %j',
		async (id, {serve, canaries}) => {
			const served = await serve(() => new Response());
			const error = await canaries.rejection(get(ky.create({prefix: served.origin}), {params: {id}} as never));
			expect(error).toBeInstanceOf(RequestValidationError);
			expect((error as RequestValidationError).issues).toEqual([{path: 'params.id', message: 'cannot be used'}]);
			expect((error as Error).message).toBe('The request is not valid: params.id');
			expect(served.requests).toEqual([]);
		},
	);

	test.for([undefined, null, 'id', {}, ['id'], Object.create({id: 'a'})])(
		'a path parameter is reported as missing if the params are %j',
		async (params, {canaries}) => {
			const error = await canaries.rejection(get(instances.baseUrl, {params}));
			const path = expect.stringMatching(/^params(?:\.id)?$/);
			expect(error).toMatchObject({name: 'RequestValidationError', issues: [{path}]});
		},
	);

	test('a path parameter can be a part of a segment, but never turns it into a dot segment', async () => {
		const {url} = await inSegment.request(instances.baseUrl, {params: {name: '...'}});
		expect(url).toBe(`${origin}/v1/files/....json`);
		expect((await twice.request(instances.baseUrl, {params: {one: '...', two: 'a/'}})).url).toBe(
			`${origin}/v1/a/...a%2F/b`,
		);
		await expect(twice.request(instances.baseUrl, {params: {one: '.', two: '.'}})).rejects.toMatchObject({
			issues: [{path: 'params.one'}],
		});
		const half = endpoint({method: 'get', path: 'a/%2e{one}'});
		await expect(half.request(instances.baseUrl, {params: {one: '.'}})).rejects.toThrow(RequestValidationError);
	});

	test('a path parameter is the output of its schema, if a path can hold that', async () => {
		const loose = endpoint({
			method: 'get',
			path: '{id}/{id}',
			params: v.object({
				id: v.pipe(
					v.unknown(),
					v.transform(value => value as string),
				),
			}),
		});
		expect((await loose.request(instances.baseUrl, {params: {id: 'x'}})).url).toBe(`${origin}/v1/x/x`);
		expect((await loose.request(instances.baseUrl, {params: {id: 7}})).url).toBe(`${origin}/v1/7/7`);
		await expect(loose.request(instances.baseUrl, {params: {id: new Date()}})).rejects.toThrow('params.id');
		const lost = endpoint({method: 'get', path: '{id}', params: v.custom<{id: string}>(() => true)});
		await expect(lost.request(instances.baseUrl, {params: 'id' as never})).rejects.toThrow('not valid: params');
	});

	test('a path parameter may be named like an inherited property', async () => {
		const odd = endpoint({method: 'get', path: '{toString}/{__proto__}/{x-y.z}'});
		const params = JSON.parse('{"toString": "a", "__proto__": "b", "x-y.z": "c"}') as never;
		expect((await odd.request(instances.baseUrl, {params})).url).toBe(`${origin}/v1/a/b/c`);
		await expect(odd.request(instances.baseUrl, {params: {'x-y.z': 'c'} as never})).rejects.toThrow('params.toString');
	});

	test('a path parameter never changes the shape of the path, the origin or the query', async () => {
		const text = fc.oneof(
			fc.string({unit: 'grapheme'}),
			fc.string({
				unit: fc.constantFrom('.', '/', '\\', '%', '2', 'e', 'E', 'f', ':', '?', '#', '@', '{', '}', '\t', '\n', ' '),
			}),
		);
		const path = endpoint({method: 'get', path: '{a}/x{b}y/{c}{d}'});
		await fc.assert(
			fc.asyncProperty(text, text, text, text, async (a, b, c, d) => {
				const refused = [a, b, c, d].some(value => /^\.{0,2}$/.test(value));
				for (const api of Object.values(instances)) {
					const request = await path.request(api, {params: {a, b, c, d}}).catch(() => undefined);
					if (!request) {
						expect(refused).toBe(true);
						continue;
					}
					const url = new URL(request.url);
					expect(refused).toBe(false);
					expect([url.origin, url.search, url.hash]).toEqual([origin, '', '']);
					expect(url.pathname.split('/').map(decodeURIComponent)).toEqual(['', 'v1', a, `x${b}y`, c + d]);
				}
			}),
		);
	});
});

describe('a path of a definition', () => {
	test.for([
		'https://evil.example/a',
		'https:a',
		'a:b',
		'{a}:b',
		':a',
		'//evil.example',
		'//{host}/a',
		'a?b=c',
		'a#b',
		'a\\b',
		'/\\evil.example',
		'a b',
		' a',
		'a\n',
		'\ta',
		'\t//evil.example',
		'é',
		'a/{a b}',
		'a/{?b}',
		'a/{#b}',
		'a/{',
		'a/}',
		'a/{}',
		'accounts/{id',
		'accounts/id}',
		'a/}b',
		'a/}{b}',
		'a/{b}}',
		'a/{{id}}',
		'a/{{b}c}',
		'a/{b}/{',
		7,
		null,
	])('a path of a definition cannot be %j', path => {
		expect(() => endpoint({method: 'get', path} as {method: 'get'; path: string})).toThrow(ConfigError);
		expect(() => endpoint({method: 'get', path} as {method: 'get'; path: string})).toThrow('path is missing or cannot');
	});

	// The platform resolves or encodes these paths itself. A path is a constant of the program, so no attacker chooses it.
	test.for([
		['a/', '/v1/a/'],
		['a//b', '/v1/a//b'],
		["-._~!$&'()*+,;=@%20", "/v1/-._~!$&'()*+,;=@%20"],
		['a/b:batch', '/v1/a/b:batch'],
		['/a:b', '/a:b'],
		['a/...', '/v1/a/...'],
		['../a', '/a'],
		['a/%2e%2E/b', '/v1/b'],
		['a/%7Bb%7D', '/v1/a/%7Bb%7D'],
	] as const)(
		'a path of a definition goes out as the platform writes it: %s',
		async ([path, pathname]: readonly [path: string, pathname: string]) => {
			const request = await endpoint({method: 'get', path}).request(instances.baseUrl);
			expect(request.url).toBe(origin + pathname);
		},
	);
});
