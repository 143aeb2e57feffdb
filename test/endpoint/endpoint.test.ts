import ky, {HTTPError, type KyInstance, type Options} from 'ky';
import * as v from 'valibot';
import {describe, expect} from 'vitest';
import {ConfigError, endpoint, RequestValidationError} from '../../src/index.ts';
import type {CapturedRequest, Served} from '../support/serve.ts';
import {test as base} from '../support/test.ts';

/** A server that answers every request with `{"ok": true}`, and a ky instance for it. */
const test = base
	.extend('served', ({serve}): Promise<Served> => serve(() => Response.json({ok: true})))
	.extend('api', ({served}): KyInstance => ky.create({baseUrl: `${served.origin}/v1/`, retry: 0}));

const answered = v.object({ok: v.boolean()});

/** The requests that the server received, without the headers that the platform adds. */
function sent({requests}: Served): Array<Pick<CapturedRequest, 'method' | 'path' | 'body'>> {
	return requests.map(({method, path, body}) => ({method, path, body}));
}

describe('a definition becomes a function that', () => {
	test('an endpoint sends the outputs of its input schemas, and returns the output of its response schema', async ({
		api,
		served,
	}) => {
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
		'an endpoint sends the method %s',
		async (method, {api, served}) => {
			await endpoint({method, path: 'a'})(api);
			expect(sent(served)).toEqual([{method: method.toUpperCase(), path: '/v1/a', body: ''}]);
		},
	);

	test('an endpoint repeats arrays in the query, and leaves out what is undefined', async ({api, served}) => {
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

	test('an endpoint adds its query to that of the instance', async ({api, served}) => {
		const list = endpoint({method: 'get', path: 'a', searchParams: v.object({b: v.string()})});
		await list(api.extend({searchParams: {key: 'k'}}), {searchParams: {b: '1'}});
		expect(sent(served)[0]?.path).toBe('/v1/a?key=k&b=1');
	});

	test('an endpoint sends a form URL-encoded', async ({api, served}) => {
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
	])('an endpoint sends %s as a body', async ([, make], {api, served}) => {
		const upload = endpoint({method: 'put', path: 'a', body: v.custom<BodyInit>(() => true)});
		await upload(api, {body: make()});
		expect(sent(served)[0]?.body).toMatch(/^some.text$/);
	});

	test('an endpoint sends FormData as a body, with its boundary', async ({api, served}) => {
		const form = new FormData();
		form.set('file', new Blob(['some text']), 'a.txt');
		const upload = endpoint({method: 'post', path: 'a', body: v.instance(FormData)});
		await upload(api, {body: form});
		expect(served.requests[0]?.headers['content-type']).toMatch(/^multipart\/form-data; boundary=/);
		expect(sent(served)[0]?.body).toContain('some text');
	});

	test('an endpoint sends no body if the schema gives undefined', async ({api, served}) => {
		await endpoint({method: 'post', path: 'a', json: v.optional(v.string())})(api);
		await endpoint({method: 'post', path: 'a', body: v.optional(v.string())})(api, {});
		await endpoint({method: 'post', path: 'a', form: v.optional(v.object({b: v.string()}))})(api, {form: {b: '1'}});
		expect(sent(served).map(({body}) => body)).toEqual(['', '', 'b=1']);
	});

	test('a part can be left out or undefined if all of its fields are optional', async ({api, served}) => {
		const parts = v.object({b: v.optional(v.string())});
		const call = endpoint({method: 'post', path: 'a', searchParams: parts, form: parts, headers: parts});
		await call(api);
		await call(api, {searchParams: {}, form: {b: undefined}, headers: {b: undefined}}, {});
		// A project without `exactOptionalPropertyTypes` may pass `undefined`.
		await call(api, JSON.parse('{}', () => ({searchParams: undefined, form: undefined})) as object, undefined);
		expect(sent(served).map(({path, body}) => path + body)).toEqual(['/v1/a', '/v1/a', '/v1/a']);
	});

	test('an endpoint runs asynchronous schemas', async ({api, served}) => {
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

	test('an endpoint sends null as JSON if the schema gives null', async ({api, served}) => {
		await endpoint({method: 'post', path: 'a', json: v.nullable(v.string())})(api, {json: null});
		expect(sent(served)[0]?.body).toBe('null');
	});

	test('an endpoint sends numbers and lists in headers as text, and each header once, whatever its case', async ({
		api,
		served,
	}) => {
		const ping = endpoint({method: 'post', path: 'a', headers: v.any()});
		const headers = {'x-count': 1, 'X-List': ['a', undefined, 'b'], 'x-none': undefined};
		await ping(api.extend({headers: {'X-Count': '7', 'x-list': '7'}}), {headers}, {headers: {'X-COUNT': '8'}});
		expect(served.requests[0]?.headers).toMatchObject({'x-count': '1', 'x-list': 'a, b'});
		expect(served.requests[0]?.headers).not.toHaveProperty('x-none');
	});

	test('an endpoint sends the output of its schema even through hooks that clone the request', async ({
		api,
		served,
	}) => {
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

	test('a ky instance without baseUrl and prefix is a ConfigError that says so, before anything is sent', async ({
		canaries,
	}) => {
		const calls: unknown[] = [];
		const bare = ky.create({
			fetch: async input => {
				calls.push(input);
				return new Response();
			},
			hooks: {beforeRequest: [({request}) => void calls.push(request)]},
		});
		const ping = endpoint({method: 'get', path: 'a', response: 'text'});
		const {request, withResponse} = ping;
		for (const call of [ping, request, withResponse]) {
			const error = await canaries.rejection(call(bare));
			expect(error).toBeInstanceOf(ConfigError);
			expect((error as Error).message).toBe('The ky instance is missing a baseUrl or prefix');
		}
		expect(calls).toEqual([]);
	});

	test('a baseUrl may come from an init hook', async ({served}) => {
		const setBase = (options: Options): void => {
			options.baseUrl = served.origin;
		};
		await get('a', ky.create({hooks: {init: [setBase]}}));
		await endpoint({method: 'get', path: 'a'})(ky.create({}), {}, {hooks: {init: [setBase]}});
		expect(served.requests.length).toBe(2);
	});
});

describe('the options of a call', () => {
	const ping = endpoint({method: 'post', path: 'a', headers: v.object({'x-checked': v.optional(v.string())})});

	test('the options of a call reach ky: headers, hooks, fetch, signal, timeout, context', async ({api, served}) => {
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

	test('the options of a call let ky retry as often as they say', async ({serve}) => {
		const served = await serve(() => new Response(null, {status: 503}));
		const api = ky.create({baseUrl: served.origin});
		const call = endpoint({method: 'get', path: 'a'})(api, {}, {retry: {limit: 2, delay: () => 0}});
		await expect(call).rejects.toThrow(HTTPError);
		expect(served.requests.length).toBe(3);
	});

	test('the options of a call cannot replace the method or the body of the definition, even if the program has no types', async ({
		api,
		served,
		canaries,
	}) => {
		const options: object = {method: 'put', json: {a: 1}, body: 'a', throwHttpErrors: false};
		await ping(api, {}, options);
		await endpoint({method: 'post', path: 'a', json: v.string()})(api, {json: 'checked'}, options);
		expect(sent(served)).toEqual([
			{method: 'POST', path: '/v1/a', body: ''},
			{method: 'POST', path: '/v1/a', body: '"checked"'},
		]);
		const missing = api.extend({fetch: async () => new Response(null, {status: 404})});
		expect(await canaries.rejection(ping(missing, {}, options))).toBeInstanceOf(HTTPError);
	});

	test('the options of a call are read as own properties', async ({api, served}) => {
		await ping(api, {}, Object.create({method: 'put', headers: {'x-inherited': '1'}}) as object);
		expect(sent(served)[0]?.method).toBe('POST');
		expect(served.requests[0]?.headers).not.toHaveProperty('x-inherited');
	});
});

describe('an input that does not pass', () => {
	const transfer = endpoint({
		method: 'post',
		path: 'accounts/{accountID}/transfers',
		params: v.object({accountID: v.pipe(v.string(), v.length(3, 'Three characters'))}),
		searchParams: v.object({page: v.pipe(v.number(), v.integer('A whole page'))}),
		headers: v.object({'x-key': v.string('A key')}),
		json: v.object(
			{
				amount: v.pipe(v.number(), v.minValue(1, 'At least a cent')),
				items: v.array(v.object({name: v.string('A name')})),
			},
			'An object',
		),
	});
	const right = {
		params: {accountID: 'abc'},
		searchParams: {page: 1},
		headers: {'x-key': 'k'},
		json: {amount: 1, items: [{name: 'a'}]},
	};
	const call = transfer as (api: KyInstance, input: unknown) => Promise<void>;

	test('an invalid input is refused before any request, with every issue in the words of its schema [R48]', async ({
		api,
		served,
		canaries,
	}) => {
		const error = await canaries.rejection(
			call(api, {
				params: {accountID: 'abcd'},
				searchParams: {page: 1.5},
				headers: {'x-key': 7},
				json: {amount: 0, items: [{name: 'a'}, {name: 1}]},
			}),
		);
		expect(error).toBeInstanceOf(RequestValidationError);
		expect(error).toMatchObject({code: 'invalid_request', retryable: false});
		expect((error as RequestValidationError).issues).toEqual([
			{path: 'params.accountID', message: 'Three characters'},
			{path: 'searchParams.page', message: 'A whole page'},
			{path: 'json.amount', message: 'At least a cent'},
			{path: 'json.items.1.name', message: 'A name'},
			{path: 'headers.x-key', message: 'A key'},
		]);
		// The message shows only short numbers and keys made of letters. Any other key may be a secret.
		expect((error as Error).message).toBe(
			'The request is not valid: params.accountID, searchParams.page, json.amount, json.items.1.name, headers.*',
		);
		expect(served.requests).toEqual([]);
	});

	test.for<[name: string, input: unknown, issue: object]>([
		['null', null, {path: 'json', message: 'An object'}],
		['a text', 'input', {path: 'json', message: 'An object'}],
		['a list', [right], {path: 'json', message: 'An object'}],
		['a part that is null', {...right, json: null}, {path: 'json', message: 'An object'}],
		['parts that are inherited', Object.create(right), {path: 'json', message: 'An object'}],
	])('an input is refused if it is or has %s', async ([, input, issue], {api, served, canaries}) => {
		const error = await canaries.rejection(call(api, input));
		expect(error).toBeInstanceOf(RequestValidationError);
		expect((error as RequestValidationError).issues).toContainEqual(issue);
		expect(served.requests).toEqual([]);
	});

	test('the error of an invalid input names at most twenty paths in its message, but has all issues', async ({
		api,
		canaries,
	}) => {
		const items = Array.from({length: 100}, () => ({name: 1}));
		const error = (await canaries.rejection(call(api, {...right, json: {amount: 1, items}}))) as RequestValidationError;
		expect(error.issues.length).toBe(100);
		expect(error.message).toMatch(/json\.items\.19\.name$/);
	});

	test('a value that passes its schema, but cannot be sent, has an issue too', async ({api, served, canaries}) => {
		const loose = endpoint({method: 'post', path: '{id}', searchParams: v.any(), json: v.string('A text')});
		const input = {params: {id: ''}, searchParams: {a: [1, NaN]}, json: 1 as never};
		const error = (await canaries.rejection(loose(api, input))) as RequestValidationError;
		expect(error.issues).toEqual([
			{path: 'params.id', message: 'cannot be used'},
			{path: 'searchParams.a', message: 'cannot be used'},
			{path: 'json', message: 'A text'},
		]);
		expect(served.requests).toEqual([]);
	});

	const any = v.custom<never>(() => true);
	const parts = ['searchParams', 'form', 'headers'] as const;
	test.for<[part: (typeof parts)[number], value: unknown, path: string]>([
		...parts.flatMap(part =>
			[null, {}, [[]], [null], new Date(), NaN, '\ud800', () => 1, Symbol('a'), ['b', () => 1], [Symbol('a')]].map(
				value => [part, {a: value}, `${part}.a`] as [typeof part, unknown, string],
			),
		),
		...parts.flatMap(part =>
			[
				'text',
				1,
				null,
				Symbol('a'),
				() => ({a: '1'}),
				[],
				['a'],
				new Map([['a', '1']]),
				new URLSearchParams('a=1'),
			].map(value => [part, value, part] as [typeof part, unknown, string]),
		),
		['form', {'\udfff': 'a'}, 'form.\udfff'],
		// Side by side, the two halves would be a whole character.
		['form', {'\ud83d': '\ude00'}, 'form.\ud83d'],
		...[{a: 'b\nc'}, {a: 'é\u0100'}, {'a b': 'c'}, {'': 'a'}].map(
			value => ['headers', value, 'headers'] as ['headers', unknown, string],
		),
	])('an input is refused if its schema for %s gives %j', async ([part, value, path], {api, served, canaries}) => {
		const loose = endpoint({method: 'post', path: 'a', [part]: any});
		const input = {[part]: value} as never;
		const error = await canaries.rejection(loose(api, input));
		expect(error).toMatchObject({name: 'RequestValidationError', issues: [{path, message: 'cannot be used'}]});
		expect(served.requests).toEqual([]);
	});
});

describe('a part that the definition lacks', () => {
	// An endpoint drops a part without a schema, as schemas drop unknown keys. The compiler rejects such a part.
	test('a part that the definition lacks is not sent', async ({api, served}) => {
		const ping = endpoint({method: 'post', path: 'a'}) as (api: KyInstance, input: unknown) => Promise<void>;
		await ping(api, {
			params: {a: 'b'},
			searchParams: {a: 'b'},
			json: {a: 'b'},
			headers: {'x-a': 'b'},
			method: 'put',
			hooks: {},
			other: 1,
		});
		await ping(api, {form: {a: 'b'}, body: 'a'});
		expect(sent(served)).toEqual([1, 2].map(() => ({method: 'POST', path: '/v1/a', body: ''})));
		expect(served.requests[0]?.headers).not.toHaveProperty('x-a');
	});
});

describe('an endpoint', () => {
	test('an endpoint exposes its definition, as a frozen copy', () => {
		const json = v.object({a: v.string()});
		const errors = {404: v.object({})};
		const save = endpoint({method: 'post', path: 'a/{id}', json, response: 'text', errors});
		expect(save.definition).toEqual({method: 'post', path: 'a/{id}', json, response: 'text', errors});
		expect(v.parse(save.definition.json, {a: 'b'})).toEqual({a: 'b'});
		expect([save, save.definition].map(part => Object.isFrozen(part))).toEqual([true, true]);
		const ping = endpoint({method: 'post', path: 'a', json: undefined});
		expect('json' in ping.definition).toBe(false);
	});

	test('later changes to a definition do not change its endpoint', async ({api, served}) => {
		const definition = {method: 'get', path: 'a'};
		const get = endpoint(definition);
		Object.assign(definition, {method: 'put', path: 'b'});
		await get(api);
		expect(sent(served)).toEqual([{method: 'GET', path: '/v1/a', body: ''}]);
	});
});

// The compiler reports the other mistakes in a definition: see test/types/endpoint.ts.
describe('endpoint refuses', () => {
	const schema = v.any();
	test.for<[problem: string, definition: unknown, member: string]>([
		['nothing', undefined, 'method'],
		['a list', ['get'], 'method'],
		['no method', {path: 'a'}, 'method'],
		['an inherited method', Object.create({method: 'get', path: 'a'}), 'method'],
		['no path', {method: 'get'}, 'path'],
		['a URL', {method: 'get', path: new URL('https://a')}, 'path'],
		['a part that is not known', {method: 'get', path: 'a', query: schema}, 'query'],
		['a part like what every object inherits', {method: 'get', path: 'a', toString: schema}, 'toString'],
		['params that are no schema', {method: 'get', path: '{a}', params: {a: 'string'}}, 'params'],
		['headers as data', {method: 'get', path: 'a', headers: {a: 'b'}}, 'headers'],
		['a schema that is null', {method: 'post', path: 'a', json: null}, 'json'],
		...[{a: 'string'}, () => 1, null, 'json', '', 'toString', ['text'], 7, true, Object.create(null)].map(
			response =>
				['a response that is no schema', {method: 'get', path: 'a', response}, 'response'] as [string, unknown, string],
		),
		...[{404: {}}, {404: 'text'}, {404: null}, {200: schema, 404: () => 1}, schema, 'text'].map(
			errors =>
				['errors that are no schemas', {method: 'get', path: 'a', errors}, 'errors'] as [string, unknown, string],
		),
	])('%s', ([, definition, member]) => {
		const define = (): unknown => endpoint(definition as {method: string; path: string});
		expect(define).toThrow(ConfigError);
		expect(define).toThrow(`${member} is missing or cannot be used`);
	});
});

describe('a definition that the compiler refuses, in a program without types,', () => {
	const define = endpoint as (definition: object) => (api: KyInstance, input?: object) => Promise<unknown>;

	test.for<[problem: string, definition: object]>([
		['a method that is no token', {method: 'GET /'}],
		['an empty method', {method: ''}],
		['a method that fetch forbids', {method: 'trace'}],
		['a body of GET', {method: 'get', json: v.any()}],
		['a body of HEAD', {method: 'HEAD', form: v.any()}],
	])(
		'a definition that only the compiler refuses is a TypeError before anything is sent: %s',
		async ([, definition], {api, served, canaries}) => {
			const call = define({path: 'a', ...definition});
			expect(await canaries.rejection(call(api, {json: {a: 1}, form: {a: 1}}))).toBeInstanceOf(TypeError);
			expect(served.requests).toEqual([]);
		},
	);

	test('an error status without a schema is left to ky', async ({api, canaries}) => {
		const missing = api.extend({fetch: async () => Response.json({a: 1}, {status: 404})});
		for (const errors of [{400: v.any()}, [v.any()], null]) {
			const call = define({method: 'get', path: 'a', errors});
			const error = await canaries.rejection(call(missing));
			expect(error).toMatchObject({name: 'HTTPError', data: {a: 1}});
			expect((call as unknown as {isError(...given: unknown[]): boolean}).isError(error, 404)).toBe(false);
		}
	});
});
