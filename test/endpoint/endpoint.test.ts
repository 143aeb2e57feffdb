import ky, {HTTPError, type KyInstance} from 'ky';
import * as v from 'valibot';
import {describe, expect} from 'vitest';
import {ConfigError, endpoint, RequestValidationError} from '../../src/index.ts';
import type {CapturedRequest, Served} from '../support/serve.ts';
import {test as base} from '../support/test.ts';

/** A server that answers all with `{"ok": true}`, and a ky instance for it. */
const test = base
	.extend('served', ({serve}): Promise<Served> => serve(() => Response.json({ok: true})))
	.extend('api', ({served}): KyInstance => ky.create({baseUrl: `${served.origin}/v1/`, retry: 0}));

const answered = v.object({ok: v.boolean()});

/** What went out, less what the platform adds. */
function sent({requests}: Served): Array<Pick<CapturedRequest, 'method' | 'path' | 'body'>> {
	return requests.map(({method, path, body}) => ({method, path, body}));
}

describe('a definition becomes a function that', () => {
	test('sends what its schemas give and gives what the answer’s schema gives', async ({api, served}) => {
		const schedule = endpoint({
			method: 'post',
			path: 'accounts/{accountID}/transfers/{number}',
			params: v.object({accountID: v.string(), number: v.pipe(v.number(), v.transform(String))}),
			searchParams: v.object({dryRun: v.boolean()}),
			headers: v.object({'x-key': v.string()}),
			json: v.object({
				at: v.pipe(
					v.date(),
					v.transform(date => date.toISOString()),
				),
			}),
			response: v.pipe(
				answered,
				v.transform(({ok}) => (ok ? 'done' : 'not done')),
			),
		});
		const result: string = await schedule(api, {
			params: {accountID: 'a', number: 7},
			searchParams: {dryRun: true},
			headers: {'x-key': 'k'},
			json: {at: new Date(0)},
		});
		expect(result).toBe('done');
		expect(sent(served)).toEqual([
			{
				method: 'POST',
				path: '/v1/accounts/a/transfers/7?dryRun=true',
				body: '{"at":"1970-01-01T00:00:00.000Z"}',
			},
		]);
		expect(served.requests[0]?.headers).toMatchObject({
			'x-key': 'k',
			'content-type': 'application/json',
			accept: 'application/json',
		});
	});

	test.for(['get', 'post', 'put', 'patch', 'delete', 'head', 'options', 'query', 'PURGE', 'GET'])(
		'sends by the method %s',
		async (method, {api, served}) => {
			await endpoint({method, path: 'a'})(api);
			expect(sent(served)).toEqual([{method: method.toUpperCase(), path: '/v1/a', body: ''}]);
		},
	);

	test('repeats what is an array in the query and leaves out what is undefined', async ({api, served}) => {
		const list = endpoint({
			method: 'get',
			path: 'a',
			searchParams: v.object({
				tag: v.array(v.union([v.string(), v.undefined()])),
				count: v.number(),
				big: v.bigint(),
				none: v.optional(v.string()),
				empty: v.array(v.string()),
			}),
		});
		await list(api, {searchParams: {tag: ['a b', undefined, 'c&d=é'], count: 0, big: 10n, none: undefined, empty: []}});
		expect(sent(served)[0]?.path).toBe('/v1/a?tag=a+b&tag=c%26d%3D%C3%A9&count=0&big=10');
	});

	test('adds its query to that of the instance', async ({api, served}) => {
		const list = endpoint({method: 'get', path: 'a', searchParams: v.object({b: v.string()})});
		await list(api.extend({searchParams: {key: 'k'}}), {searchParams: {b: '1'}});
		expect(sent(served)[0]?.path).toBe('/v1/a?key=k&b=1');
	});

	test('sends a form URL-encoded', async ({api, served}) => {
		const save = endpoint({
			method: 'post',
			path: 'a',
			form: v.object({name: v.string(), tag: v.array(v.string()), none: v.optional(v.string())}),
		});
		await save(api, {form: {name: 'a b&c=d', tag: ['x', 'y']}});
		expect(sent(served)[0]?.body).toBe('name=a+b%26c%3Dd&tag=x&tag=y');
		expect(served.requests[0]?.headers['content-type']).toMatch(/^application\/x-www-form-urlencoded/);
	});

	test.for<[name: string, make: () => BodyInit]>([
		['text', () => 'some text'],
		['a Blob', () => new Blob(['some text'])],
		['bytes', () => new TextEncoder().encode('some text')],
		['URLSearchParams', () => new URLSearchParams({some: 'text'})],
		['a stream', () => new Blob(['some text']).stream()],
	])('sends %s as a body', async ([, make], {api, served}) => {
		const upload = endpoint({method: 'put', path: 'a', body: v.custom<BodyInit>(() => true)});
		await upload(api, {body: make()});
		expect(sent(served)[0]?.body).toMatch(/^some.text$/);
	});

	test('sends FormData as a body, with its boundary', async ({api, served}) => {
		const form = new FormData();
		form.set('file', new Blob(['some text']), 'a.txt');
		const upload = endpoint({method: 'post', path: 'a', body: v.instance(FormData)});
		await upload(api, {body: form});
		expect(served.requests[0]?.headers['content-type']).toMatch(/^multipart\/form-data; boundary=/);
		expect(sent(served)[0]?.body).toContain('some text');
	});

	test('sends no body where a schema gives undefined', async ({api, served}) => {
		await endpoint({method: 'post', path: 'a', json: v.optional(v.string())})(api);
		await endpoint({method: 'post', path: 'a', body: v.optional(v.string())})(api, {});
		await endpoint({method: 'post', path: 'a', form: v.optional(v.object({b: v.string()}))})(api, {form: {b: '1'}});
		expect(sent(served).map(({body}) => body)).toEqual(['', '', 'b=1']);
	});

	test('needs no part all of whose fields are optional, also not where it is undefined', async ({api, served}) => {
		const parts = v.object({b: v.optional(v.string())});
		const call = endpoint({method: 'post', path: 'a', searchParams: parts, form: parts, headers: parts});
		await call(api);
		await call(api, {searchParams: {}, form: {b: undefined}, headers: {b: undefined}}, {});
		// As a project without exactOptionalPropertyTypes may.
		await call(api, JSON.parse('{}', () => ({searchParams: undefined, form: undefined})) as object, undefined);
		expect(sent(served).map(({path, body}) => path + body)).toEqual(['/v1/a', '/v1/a', '/v1/a']);
	});

	test('runs asynchronous schemas', async ({api, served}) => {
		const save = endpoint({
			method: 'post',
			path: 'a',
			json: v.pipeAsync(
				v.string(),
				v.transformAsync(async text => `${await Promise.resolve(text)}!`),
			),
			response: v.pipeAsync(
				answered,
				v.transformAsync(async ({ok}) => Promise.resolve(ok)),
			),
		});
		expect(await save(api, {json: 'a'})).toBe(true);
		expect(sent(served)[0]?.body).toBe('"a!"');
	});

	test('sends what a schema gives, also through hooks that clone it', async ({api, served}) => {
		const save = endpoint({method: 'post', path: 'a', json: v.pipe(v.string(), v.toDate())});
		await save(api.extend({hooks: {init: [() => {}]}}), {json: '1970-01-01T00:00:00.000Z'});
		expect(sent(served)[0]?.body).toBe('"1970-01-01T00:00:00.000Z"');
	});
});

describe('where an endpoint is', () => {
	const get = (path: string, api: KyInstance): Promise<void> => endpoint({method: 'get', path})(api);

	test('a path is below baseUrl and below prefix', async ({served}) => {
		await get('a/b', ky.create({baseUrl: `${served.origin}/v1/`}));
		await get('/a/b', ky.create({baseUrl: `${served.origin}/v1/`}));
		await get('a/b', ky.create({prefix: `${served.origin}/v1`}));
		await get('/a/b', ky.create({prefix: `${served.origin}/v1`}));
		await get('a', ky.create({prefix: 'v2', baseUrl: served.origin}));
		await get('', ky.create({baseUrl: `${served.origin}/graphql`}));
		expect(sent(served).map(({path}) => path)).toEqual(['/v1/a/b', '/a/b', '/v1/a/b', '/v1/a/b', '/v2/a', '/graphql']);
	});
});

describe('the options of a call', () => {
	const ping = endpoint({method: 'post', path: 'a', headers: v.object({'x-checked': v.optional(v.string())})});

	test('reach ky: headers, hooks, fetch, signal, timeout, context', async ({api, served}) => {
		const seen: string[] = [];
		await ping(
			api.extend({headers: {'x-instance': '1', 'x-gone': '1'}}),
			{headers: {'x-checked': 'input'}},
			{
				headers: {'x-call': '1', 'x-checked': 'option', 'x-gone': undefined},
				context: {name: 'context'},
				hooks: {beforeRequest: [({options}) => void seen.push(String(options.context['name']))]},
				fetch: async (input, init) => {
					seen.push('fetch');
					return fetch(input, init);
				},
			},
		);
		expect(seen).toEqual(['context', 'fetch']);
		expect(served.requests[0]?.headers).toMatchObject({'x-instance': '1', 'x-call': '1', 'x-checked': 'input'});
		expect(served.requests[0]?.headers).not.toHaveProperty('x-gone');
		const aborted = ping(api, {}, {signal: AbortSignal.abort(new Error('enough'))});
		await expect(aborted).rejects.toThrow('enough');
		await expect(ping(api, {}, {timeout: 2 ** 31})).rejects.toThrow(RangeError);
		expect(served.requests.length).toBe(1);
	});

	test('let ky retry as often as they say', async ({serve}) => {
		const served = await serve(() => new Response(null, {status: 503}));
		const api = ky.create({baseUrl: served.origin});
		const call = endpoint({method: 'get', path: 'a'})(api, {}, {retry: {limit: 2, delay: () => 0}});
		await expect(call).rejects.toThrow(HTTPError);
		expect(served.requests.length).toBe(3);
	});

	test.for(['method', 'json', 'body', 'searchParams', 'baseUrl', 'prefix', 'throwHttpErrors'])(
		'cannot say %s, which is not theirs',
		async (name, {api, served, canaries}) => {
			const error = await canaries.rejection(ping(api, {}, {[name]: 'PUT'}));
			expect(error).toBeInstanceOf(ConfigError);
			expect((error as ConfigError).message).toContain(`${name} is no option of a call`);
			expect(served.requests).toEqual([]);
		},
	);

	test('are read by own properties alone', async ({api, served}) => {
		await ping(api, {}, Object.create({method: 'put', headers: {'x-inherited': '1'}}) as object);
		expect(sent(served)[0]?.method).toBe('POST');
		expect(served.requests[0]?.headers).not.toHaveProperty('x-inherited');
	});
});

describe('an input that does not pass', () => {
	const transfer = endpoint({
		method: 'post',
		path: 'accounts/{accountID}/transfers',
		params: v.object({accountID: v.pipe(v.string(), v.length(3))}),
		searchParams: v.object({page: v.pipe(v.number(), v.integer())}),
		headers: v.object({'x-key': v.string()}),
		json: v.object({amount: v.pipe(v.number(), v.minValue(1)), items: v.array(v.object({name: v.string()}))}),
	});
	const right = {
		params: {accountID: 'abc'},
		searchParams: {page: 1},
		headers: {'x-key': 'k'},
		json: {amount: 1, items: [{name: 'a'}]},
	};
	const call = transfer as (api: KyInstance, input: unknown) => Promise<void>;

	test('R48: is refused before any request, with every fault in every part', async ({api, served, canaries}) => {
		const error = await canaries.rejection(
			call(api, {
				params: {accountID: 'abcd'},
				searchParams: {page: 1.5},
				headers: {},
				json: {amount: 0, items: [{name: 'a'}, {name: 1}]},
			}),
		);
		expect(error).toBeInstanceOf(RequestValidationError);
		expect(error).toMatchObject({
			code: 'invalid_request',
			retryable: false,
			issues: [
				{path: 'params.accountID', expected: '3'},
				{path: 'searchParams.page', expected: 'integer'},
				{path: 'json.amount', expected: '>=1'},
				{path: 'json.items.1.name', expected: 'string'},
				{path: 'headers.x-key', expected: '"x-key"'},
			],
		});
		expect((error as Error).message).toContain('json.amount (expected >=1), json.items.1.name (expected string)');
		expect(served.requests).toEqual([]);
	});

	test.for<[name: string, input: unknown, issue: object]>([
		['a part that the definition has not', {...right, form: {a: '1'}}, {path: 'form', expected: 'nothing'}],
		['a part that no definition has', {...right, query: {a: '1'}}, {path: '*', expected: 'nothing'}],
		['null', null, {path: '', expected: 'an object'}],
		['a text', 'input', {path: '', expected: 'an object'}],
		['a list', [right], {path: '', expected: 'an object'}],
		['a part that is null', {...right, json: null}, {path: 'json', expected: 'Object'}],
		['parts that are inherited', Object.create(right), {path: 'json', expected: 'Object'}],
	])('is refused where it is or has %s', async ([, input, issue], {api, served, canaries}) => {
		const error = await canaries.rejection(call(api, input));
		expect(error).toBeInstanceOf(RequestValidationError);
		expect((error as RequestValidationError).issues).toContainEqual(issue);
		expect(served.requests).toEqual([]);
	});

	test('has no params where the path has none', async ({api, served, canaries}) => {
		const plain = endpoint({method: 'post', path: 'a'}) as typeof call;
		const error = await canaries.rejection(plain(api, {params: {}}));
		expect(error).toMatchObject({issues: [{path: 'params', expected: 'nothing'}]});
		expect(served.requests).toEqual([]);
	});

	test('may have parts of undefined', async ({api, served}) => {
		await call(api, {...right, form: undefined, query: undefined});
		expect(served.requests.length).toBe(1);
	});

	test('has at most twenty issues', async ({api}) => {
		const items = Array.from({length: 100}, () => ({name: 1}));
		const issues = await call(api, {...right, json: {amount: 1, items}}).catch((error: unknown) => error);
		expect((issues as RequestValidationError).issues.length).toBe(20);
	});

	const any = v.custom<never>(() => true);
	test.for<[part: 'searchParams' | 'form' | 'headers', value: unknown]>([
		...(['searchParams', 'form'] as const).flatMap(part =>
			[{a: null}, {a: {}}, {a: [[]]}, {a: [null]}, {a: new Date()}, {a: '\ud800'}, {'\udfff': 'a'}].map(
				value => [part, value] as [typeof part, unknown],
			),
		),
		...(['searchParams', 'form', 'headers'] as const).flatMap(part =>
			['text', 1, null, [], ['a'], new Map([['a', '1']]), new URLSearchParams('a=1')].map(
				value => [part, value] as [typeof part, unknown],
			),
		),
		...[{a: 1}, {a: ['b']}, {a: 'b\nc'}, {a: 'é\u0100'}, {'a b': 'c'}, {'': 'a'}, {a: null}].map(
			value => ['headers', value] as ['headers', unknown],
		),
	])('is refused where its schema for %s gives %j', async ([part, value], {api, served, canaries}) => {
		const loose = endpoint({method: 'post', path: 'a', [part]: any});
		const input = {[part]: value} as never;
		const error = await canaries.rejection(loose(api, input));
		expect(error).toMatchObject({name: 'RequestValidationError', issues: [{path: part, expected: expect.any(String)}]});
		expect(served.requests).toEqual([]);
	});
});

describe('an endpoint', () => {
	test('shows its definition: a frozen copy of what it was made of', () => {
		const errors = {404: v.object({})};
		const definition = {method: 'get', path: 'a/{id}', response: v.string(), json: undefined, errors} as const;
		const get = endpoint(definition as never);
		expect(get.definition).toEqual({method: 'get', path: 'a/{id}', response: definition.response, errors});
		expect('json' in get.definition).toBe(false);
		expect(get.definition.response).toBe(definition.response);
		expect([get, get.definition, get.definition.errors].map(part => Object.isFrozen(part))).toEqual([true, true, true]);
		expect(Object.isFrozen(errors)).toBe(false);
	});

	test('is not changed by what becomes of the definition', async ({api, served}) => {
		const definition = {method: 'get', path: 'a'};
		const get = endpoint(definition);
		Object.assign(definition, {method: 'put', path: 'b'});
		await get(api);
		expect(sent(served)).toEqual([{method: 'GET', path: '/v1/a', body: ''}]);
	});
});

describe('endpoint refuses', () => {
	const schema = v.any();
	test.for<[problem: string, definition: unknown, message: string]>([
		['nothing', undefined, 'method must be'],
		['a list', ['get'], '0 is no part'],
		['no method', {path: 'a'}, 'method must be'],
		['a method that is no token', {method: 'GET /', path: 'a'}, 'method must be'],
		['an empty method', {method: '', path: 'a'}, 'method must be'],
		['a method that fetch forbids', {method: 'trace', path: 'a'}, 'method must be'],
		['CONNECT', {method: 'CONNECT', path: 'a'}, 'method must be'],
		['an inherited method', Object.create({method: 'get', path: 'a'}), 'method must be'],
		['no path', {method: 'get'}, 'path must be'],
		['a URL', {method: 'get', path: new URL('https://a')}, 'path must be'],
		['a part that is not known', {method: 'get', path: 'a', query: schema}, 'query is no part'],
		['a part like what every object inherits', {method: 'get', path: 'a', toString: schema}, 'toString is no part'],
		[
			'params that are no schema',
			{method: 'get', path: '{a}', params: {a: 'string'}},
			'params must be a Standard Schema',
		],
		['params of a path without', {method: 'get', path: 'a', params: schema}, 'params needs a path with {name}'],
		['json and form', {method: 'post', path: 'a', json: schema, form: schema}, 'json and form are two bodies'],
		['form and body', {method: 'post', path: 'a', form: schema, body: schema}, 'form and body are two bodies'],
		['json and body', {method: 'post', path: 'a', json: schema, body: schema}, 'json and body are two bodies'],
		['a body of GET', {method: 'get', path: 'a', json: schema}, 'json needs another method'],
		['a body of HEAD', {method: 'HEAD', path: 'a', form: schema}, 'form needs another method'],
		['headers as data', {method: 'get', path: 'a', headers: {a: 'b'}}, 'headers must be a Standard Schema'],
		[
			'a response of no kind',
			{method: 'get', path: 'a', response: 'html'},
			'response must be a Standard Schema or one of',
		],
		[
			'errors that are a schema',
			{method: 'get', path: 'a', errors: schema},
			'errors must be Standard Schemas by status',
		],
		['errors in a list', {method: 'get', path: 'a', errors: [schema]}, 'errors must be'],
		['the errors of a success', {method: 'get', path: 'a', errors: {200: schema}}, 'errors must be'],
		['an error without schema', {method: 'get', path: 'a', errors: {404: {}}}, 'errors must be'],
		['a schema that is null', {method: 'post', path: 'a', json: null}, 'json must be a Standard Schema'],
	])('%s', ([, definition, message]) => {
		expect(() => endpoint(definition as {method: string; path: string})).toThrow(ConfigError);
		expect(() => endpoint(definition as {method: string; path: string})).toThrow(message);
	});
});
