import ky, {HTTPError, isHTTPError, type KyInstance, type Options} from 'ky';
import * as v from 'valibot';
import {describe, expect} from 'vitest';
import {createAuth, ConfigError, endpoint, RequestValidationError, ResponseValidationError} from '../../src/index.ts';
import type {Answer} from '../support/serve.ts';
import {test as base} from '../support/test.ts';

/** Creates a ky instance whose server gives the same response to every request. */
const test = base.extend(
	'answered',
	({serve}) =>
		async (answer: () => Answer, options: Options = {}): Promise<KyInstance> => {
			const {origin} = await serve(answer);
			return ky.create({baseUrl: origin, retry: 0, ...options});
		},
);

const secret = 'answer-canary-8Kd2';
const json = (body: unknown, status = 200): Response => Response.json(body, {status});
const record = v.object({id: v.string(), list: v.array(v.object({n: v.number()}))});
const get = endpoint({method: 'get', path: 'a', response: record});

describe('an answer', () => {
	test('a response is the output of its schema, not what the API sent', async ({answered}) => {
		const api = await answered(() => json({id: 'a', list: [{n: 1, more: true}], more: true}));
		expect(await get(api)).toEqual({id: 'a', list: [{n: 1}]});
	});

	test('a response that does not match its schema is an error: its message has only paths, and its issues have the words of the schema', async ({
		answered,
		canaries,
	}) => {
		canaries.plant(secret);
		const api = await answered(() => json({id: {[secret]: secret}, list: [{n: 1}, {n: secret}]}));
		const error = await canaries.rejection(get(api));
		expect(error).toBeInstanceOf(ResponseValidationError);
		expect(error).toMatchObject({code: 'invalid_api_response', retryable: false});
		expect((error as ResponseValidationError).issues).toEqual([
			{path: 'id', message: 'Invalid type: Expected string but received Object'},
			{path: 'list.1.n', message: `Invalid type: Expected number but received "${secret}"`},
		]);
		expect((error as Error).message).toBe('The response is not valid: id, list.1.n');
	});

	test.for<[name: string, answer: () => Answer]>([
		['HTML', () => new Response(`<p>${secret}`, {headers: {'content-type': 'text/html'}})],
		['cut JSON', () => new Response(`{"id": "${secret}`, {headers: {'content-type': 'application/json'}})],
		['bare text', () => new Response(secret)],
	])(
		'a response that should be JSON, but is %s, is an error that does not quote it',
		async ([, answer], {answered, canaries}) => {
			canaries.plant(secret);
			const error = await canaries.rejection(get(await answered(answer)));
			expect(error).toMatchObject({name: 'ResponseValidationError', issues: [{path: '', message: 'is not JSON'}]});
			expect((error as Error).message).toBe('The response is not valid');
			expect((error as Error).cause).toBeUndefined();
		},
	);

	test('an answer that the parseJson of the instance cannot read is not JSON', async ({answered, canaries}) => {
		const api = await answered(() => new Response('ID'), {parseJson: text => JSON.parse(text) as unknown});
		expect(await canaries.rejection(get(api))).toMatchObject({issues: [{path: '', message: 'is not JSON'}]});
	});

	test.for(['init', 'beforeRequest', 'afterResponse'] as const)(
		'a SyntaxError of a hook is not taken for one of the response: %s',
		async (name, {answered}) => {
			const wrong = new SyntaxError('of a hook');
			const fail = (): never => {
				throw wrong;
			};
			const api = await answered(() => json({id: 'a', list: []}), {hooks: {[name]: [fail]}});
			const calls = [get(api), get.withResponse(api), endpoint({method: 'get', path: 'a'})(api)];
			if (name !== 'afterResponse') calls.push(get.request(api) as never);
			for (const call of calls) await expect(call).rejects.toBe(wrong);
		},
	);

	test('a SyntaxError of fetch or of a grant is not taken for one of the response', async ({server, watch}) => {
		const fail = (): never => JSON.parse('x') as never;
		const auth = watch(createAuth({tokenEndpoint: server.tokenEndpoint, clientId: 'app', grant: fail}));
		for (const options of [{fetch: fail}, {hooks: auth.hooks}]) {
			const api = ky.create({baseUrl: server.api, retry: 0, ...options});
			const error: unknown = await get(api).catch((reason: unknown) => reason);
			expect(error).toBeInstanceOf(SyntaxError);
			expect((error as Error).message).toContain('"x"');
		}
	});

	test('an answer is read by the parseJson of the instance', async ({answered}) => {
		const api = await answered(() => new Response('ID'), {
			parseJson: text => ({id: text, list: []}),
		});
		expect(await get(api)).toEqual({id: 'ID', list: []});
	});

	test.for([() => new Response(null, {status: 204}), () => new Response('')])(
		'an empty response is undefined for its schema',
		async (answer, {answered, canaries}) => {
			const maybe = endpoint({method: 'get', path: 'a', response: v.optional(record)});
			const api = await answered(answer);
			expect(await maybe(api)).toBeUndefined();
			expect(await canaries.rejection(get(api))).toBeInstanceOf(ResponseValidationError);
		},
	);

	test('an answer may be text, a Blob, bytes or a stream', async ({answered}) => {
		const api = await answered(() => new Response('täxt', {headers: {'content-type': 'text/csv'}}));
		const as = <const Kind extends 'text' | 'blob' | 'arrayBuffer' | 'stream'>(response: Kind) =>
			endpoint({method: 'get', path: 'a', response})(api);
		expect(await as('text')).toBe('täxt');
		const blob: Blob = await as('blob');
		expect([blob.type, await blob.text()]).toEqual(['text/csv', 'täxt']);
		const bytes: ArrayBuffer = await as('arrayBuffer');
		expect(new TextDecoder().decode(bytes)).toBe('täxt');
		const stream: ReadableStream<Uint8Array> = await as('stream');
		expect(await new Response(stream).text()).toBe('täxt');
	});

	test('an answer without a body is a stream that is empty', async ({answered}) => {
		const api = await answered(() => new Response(null, {status: 204}));
		const stream = await endpoint({method: 'get', path: 'a', response: 'stream'})(api);
		expect(stream).toBeInstanceOf(ReadableStream);
		expect(await new Response(stream).text()).toBe('');
	});

	test('the kind of a response decides the accept header of the request', async ({serve}) => {
		const served = await serve(() => json({id: 'a', list: []}));
		const api = ky.create({baseUrl: served.origin});
		await get(api);
		for (const response of ['text', 'blob', 'void'] as const) await endpoint({method: 'get', path: 'a', response})(api);
		await endpoint({method: 'get', path: 'a', headers: v.object({accept: v.string()}), response: record})(api, {
			headers: {accept: 'application/vnd.a+json'},
		});
		expect(served.requests.map(({headers}) => headers['accept'])).toEqual([
			'application/json',
			'text/*',
			'*/*',
			'*/*',
			'application/vnd.a+json',
		]);
	});

	test.for(['void', undefined] as const)(
		'an answer of %s is dropped, and its body is cancelled',
		async (response, {answered}) => {
			const dropped = Promise.withResolvers<void>();
			const endless = new ReadableStream<Uint8Array>({
				pull: controller => controller.enqueue(new Uint8Array(1024)),
				cancel: () => dropped.resolve(),
			});
			const api = await answered(() => ({body: endless}));
			const call = response ? endpoint({method: 'get', path: 'a', response}) : endpoint({method: 'get', path: 'a'});
			expect(await call(api)).toBeUndefined();
			await dropped.promise;
		},
	);

	test('a response of kind void is dropped even if a hook holds its clone', async ({answered}) => {
		const held: Response[] = [];
		const api = await answered(() => new Response('text'), {
			hooks: {afterResponse: [({response}) => void held.push(response.clone())]},
		});
		expect(await endpoint({method: 'get', path: 'a'})(api)).toBeUndefined();
		expect(held.length).toBe(1);
	});

	test('an answer to HEAD has no body', async ({answered}) => {
		const api = await answered(() => ({headers: [['content-length', '7']]}));
		expect(await endpoint({method: 'head', path: 'a'})(api)).toBeUndefined();
	});

	test('an answer whose asynchronous schema never settles is ended by totalTimeout', async ({answered, canaries}) => {
		const stuck = endpoint({
			method: 'get',
			path: 'a',
			response: v.pipeAsync(
				v.unknown(),
				v.transformAsync(() => new Promise(() => {})),
			),
		});
		const api = await answered(() => json({}));
		expect(await canaries.rejection(stuck(api, {}, {totalTimeout: 200}))).toMatchObject({name: 'TimeoutError'});
	});

	test('an answer whose connection breaks is the error that ky makes of it', async ({answered, canaries}) => {
		const api = await answered(() => ({reset: true}));
		expect(await canaries.rejection(get(api))).toMatchObject({name: 'NetworkError'});
	});
});

describe('endpoint.withResponse', () => {
	const withHeaders = (): Response =>
		Response.json({id: 'a', list: []}, {headers: {etag: '"1"', link: '</b>; rel="next"', 'x-total-count': '7'}});

	test('endpoint.withResponse gives the data and the response with its headers', async ({answered}) => {
		const {data, response} = await get.withResponse(await answered(withHeaders));
		const {id}: {id: string} = data;
		expect(id).toBe('a');
		expect(['etag', 'link', 'x-total-count'].map(name => response.headers.get(name))).toEqual([
			'"1"',
			'</b>; rel="next"',
			'7',
		]);
		expect([response.status, response.bodyUsed]).toEqual([200, true]);
	});

	test('endpoint.withResponse checks input and options as a call does', async ({serve, canaries}) => {
		const served = await serve(withHeaders);
		const api = ky.create({prefix: served.origin});
		const save = endpoint({method: 'put', path: '{id}', json: v.object({a: v.number()}), response: record});
		const wrong = save.withResponse(api, {params: {id: 'a'}, json: {a: 'b' as never}});
		expect(await canaries.rejection(wrong)).toBeInstanceOf(RequestValidationError);
		await save.withResponse(api, {params: {id: 'a'}, json: {a: 1}}, {headers: {'x-call': '1'}});
		expect(served.requests.map(({body, headers}) => [body, headers['x-call']])).toEqual([['{"a":1}', '1']]);
	});

	test('endpoint.withResponse fails as a call does', async ({answered, canaries}) => {
		const wrong = await answered(() => json({id: 1}));
		expect(await canaries.rejection(get.withResponse(wrong))).toBeInstanceOf(ResponseValidationError);
		const missing = endpoint({method: 'get', path: 'a', errors: {404: v.object({message: v.string()})}});
		const error = await canaries.rejection(missing.withResponse(await answered(() => json({message: 'a'}, 404))));
		expect(missing.isError(error, 404) && error.data.message).toBe('a');
	});

	test('endpoint.withResponse gives the response of every kind', async ({answered}) => {
		const api = await answered(() => new Response('text', {headers: {etag: '"1"'}}));
		for (const kind of ['text', 'blob', 'arrayBuffer', 'void', 'stream'] as const) {
			const {data, response} = await endpoint({method: 'get', path: 'a', response: kind}).withResponse(api);
			expect(response.headers.get('etag')).toBe('"1"');
			if (kind === 'text') expect(data).toBe('text');
			if (kind === 'stream') expect(await new Response(data as ReadableStream).text()).toBe('text');
		}
	});
});

describe('a status that is no success', () => {
	const transfer = endpoint({
		method: 'post',
		path: 'a',
		response: record,
		errors: {
			404: v.object({message: v.string()}),
			422: v.pipe(
				v.object({fields: v.record(v.string(), v.string())}),
				v.transform(({fields}) => Object.keys(fields)),
			),
		},
	});

	test('an error status is ky’s own HTTPError', async ({answered, canaries}) => {
		const error = await canaries.rejection(get(await answered(() => json({a: 1}, 400))));
		expect(error).toBeInstanceOf(HTTPError);
		expect(error).toMatchObject({data: {a: 1}});
		expect(get.isError(error, 400 as never)).toBe(false);
	});

	test('an error status has the data that its schema describes, typed by isError', async ({answered, canaries}) => {
		const error = await canaries.rejection(transfer(await answered(() => json({fields: {amount: 'is low'}}, 422))));
		expect(error).toBeInstanceOf(HTTPError);
		expect([transfer.isError(error, 422), transfer.isError(error, 404)]).toEqual([true, false]);
		if (!transfer.isError(error, 422)) return;
		const [field]: string[] = error.data;
		const status: 422 = error.response.status;
		expect([field, status, isHTTPError(error)]).toEqual(['amount', 422, true]);
	});

	test.for<[name: string, answer: () => Answer, data: unknown]>([
		['another body', () => json({message: 1}, 404), {message: 1}],
		['no body', () => new Response(null, {status: 404}), undefined],
		['HTML', () => new Response('<p>', {status: 404}), '<p>'],
		['another status', () => json({message: 'a'}, 403), {message: 'a'}],
	])('an error status stays as ky made it if its body is %s', async ([, answer, data], {answered, canaries}) => {
		const error = await canaries.rejection(transfer(await answered(answer)));
		expect(error).toBeInstanceOf(HTTPError);
		expect((error as HTTPError).data).toEqual(data);
		expect([transfer.isError(error, 404), transfer.isError(error, 422)]).toEqual([false, false]);
	});

	test('an error belongs to the endpoint that was called, and to no other', async ({answered, canaries}) => {
		const other = endpoint({method: 'post', path: 'a', errors: {404: v.object({message: v.string()})}});
		const error = await canaries.rejection(transfer(await answered(() => json({message: 'a'}, 404))));
		expect([transfer.isError(error, 404), other.isError(error, 404)]).toEqual([true, false]);
		for (const value of [undefined, null, 'error', 1, {}, new Error('a')])
			expect(other.isError(value, 404)).toBe(false);
	});

	test('an error status is an error even if the instance throws none: an error’s body is never the output', async ({
		answered,
		canaries,
	}) => {
		const api = await answered(() => json({id: 'a', list: []}, 404), {throwHttpErrors: false});
		expect(await canaries.rejection(get(api))).toBeInstanceOf(HTTPError);
	});

	test('an error status is an error even if an init hook of the instance or of the call says that none is thrown', async ({
		answered,
		canaries,
	}) => {
		const hooks = {
			init: [
				(options: Options): void => {
					options.throwHttpErrors = false;
				},
			],
		};
		const errorAsData = (): Response => json({id: 'a', list: []}, 404);
		expect(await canaries.rejection(get(await answered(errorAsData, {hooks})))).toBeInstanceOf(HTTPError);
		expect(await canaries.rejection(get(await answered(errorAsData), {}, {hooks}))).toBeInstanceOf(HTTPError);
	});

	test('an error status is typed even if ky retried first', async ({answered, canaries}) => {
		const api = await answered(() => json({message: 'a'}, 404), {
			retry: {limit: 1, methods: ['post'], statusCodes: [404], delay: () => 0},
		});
		const error = await canaries.rejection(transfer(api));
		expect(transfer.isError(error, 404)).toBe(true);
	});

	test('a redirect that is not followed counts as an error status', async ({answered, canaries}) => {
		const moved = endpoint({method: 'get', path: 'a', errors: {303: v.undefined()}});
		const api = await answered(() => ({status: 303, headers: [['location', '/b']]}));
		const error = await canaries.rejection(moved(api, {}, {redirect: 'manual'}));
		expect(moved.isError(error, 303)).toBe(true);
	});
});

describe('endpoint.request', () => {
	const save = endpoint({
		method: 'put',
		path: 'accounts/{id}',
		searchParams: v.object({q: v.optional(v.string())}),
		json: v.object({a: v.number()}),
		response: record,
	});
	const input = {params: {id: 'a/b'}, searchParams: {q: '1'}, json: {a: 1}};

	test('endpoint.request gives the request that a call sends, and sends nothing', async ({serve}) => {
		const served = await serve(() => json({id: 'a', list: []}));
		const api = ky.create({
			prefix: `${served.origin}/v1`,
			searchParams: {key: 'k'},
			headers: {'x-instance': '1'},
			hooks: {beforeRequest: [({request}) => request.headers.set('x-hook', '1')]},
		});
		const request = await save.request(api, input, {headers: {'x-call': '1'}, totalTimeout: 1000});
		expect(served.requests).toEqual([]);
		await fetch(request);
		await save(api, input, {headers: {'x-call': '1'}});
		const [first, second] = served.requests;
		expect(first).toEqual(second);
		expect(first).toMatchObject({
			method: 'PUT',
			path: '/v1/accounts/a%2Fb?key=k&q=1',
			body: '{"a":1}',
			headers: {'x-instance': '1', 'x-hook': '1', 'x-call': '1', accept: 'application/json'},
		});
	});

	test('endpoint.request gives a stream that can be read', async () => {
		const upload = endpoint({method: 'post', path: 'a', body: v.instance(ReadableStream)});
		const request = await upload.request(ky.create({prefix: 'https://api.example.com'}), {
			body: new Blob(['text']).stream(),
		});
		expect(await request.text()).toBe('text');
	});

	test('endpoint.request refuses what a call would refuse', async ({canaries}) => {
		const api = ky.create({prefix: 'https://api.example.com'});
		const wrong = save.request(api, {...input, json: {a: 'b'} as never});
		expect(await canaries.rejection(wrong)).toBeInstanceOf(RequestValidationError);
	});

	test('endpoint.request makes no grant for an instance with a session, and holds no token', async ({
		server,
		watch,
	}) => {
		const auth = watch(
			createAuth({
				tokenEndpoint: server.tokenEndpoint,
				clientId: 'app',
				grant: {grant_type: 'client_credentials', scope: 'a'},
			}),
		);
		const api = ky.create({baseUrl: server.api, hooks: auth.hooks});
		const request = await endpoint({method: 'get', path: 'me', response: record}).request(api);
		expect(request.url).toBe(`${server.api}/me`);
		expect(request.headers.has('authorization')).toBe(false);
		expect([server.tokenRequests.length, server.calls.length]).toEqual([0, 0]);
	});

	test('endpoint.request runs no afterResponse or beforeError hook, and does not retry', async () => {
		const fail = (): never => {
			throw new Error('no hook of mine');
		};
		const api = ky.create({
			prefix: 'https://api.example.com',
			retry: {limit: 2, methods: ['put'], shouldRetry: fail},
			hooks: {afterResponse: [fail], beforeError: [fail], beforeRetry: [fail]},
			fetch: fail,
		});
		expect((await save.request(api, input)).method).toBe('PUT');
	});

	test('endpoint.request gives the request that a hook puts in place of the original', async () => {
		const other = new Request('https://other.example/');
		const api = ky.create({prefix: 'https://api.example.com', hooks: {beforeRequest: [() => other]}});
		expect((await save.request(api, input)).url).toBe(other.url);
	});

	test('endpoint.request rejects if a hook answers, and passes on what a hook throws', async ({canaries}) => {
		const mock = ky.create({
			prefix: 'https://api.example.com',
			hooks: {beforeRequest: [() => json({id: 'a', list: []})]},
		});
		const error = await canaries.rejection(save.request(mock, input));
		expect(error).toBeInstanceOf(ConfigError);
		expect((error as Error).message).toContain('beforeRequest');
		const failing = mock.extend({
			hooks: {
				init: [
					() => {
						throw new Error('not today');
					},
				],
			},
		});
		await expect(save.request(failing, input)).rejects.toThrow('not today');
	});
});
