import {inspect} from 'node:util';
import {type} from 'arktype';
import ky, {type KyInstance} from 'ky';
import * as v from 'valibot';
import {describe, expect} from 'vitest';
import {z} from 'zod';
import {endpoint, RequestValidationError, ResponseValidationError, type StandardSchema} from '../../src/index.ts';
import type {Served} from '../support/serve.ts';
import {test as base} from '../support/test.ts';

/** A server that responds with the body that it receives. */
const test = base
	.extend('served', ({serve}): Promise<Served> =>
		serve((_request, {body}) => ({headers: [['content-type', 'application/json']], body})),
	)
	.extend('api', ({served}): KyInstance => ky.create({baseUrl: served.origin, retry: 0}));

const secret = 'schema-canary-5Tq8';

describe('one definition in three libraries', () => {
	test('valibot', async ({api}) => {
		const save = endpoint({
			method: 'post',
			path: '{id}',
			params: v.object({id: v.string()}),
			searchParams: v.object({page: v.optional(v.number())}),
			json: v.object({at: v.pipe(v.date(), v.transform(String))}),
			response: v.object({at: v.pipe(v.string(), v.toDate())}),
			errors: {409: v.object({by: v.string()})},
		});
		const {at}: {at: Date} = await save(api, {params: {id: 'a'}, json: {at: new Date(0)}});
		expect(at).toEqual(new Date(0));
	});

	test('zod', async ({api}) => {
		const save = endpoint({
			method: 'post',
			path: '{id}',
			params: z.object({id: z.string()}),
			searchParams: z.object({page: z.number().optional()}),
			json: z.object({at: z.date().transform(String)}),
			response: z.object({at: z.coerce.date<string>()}),
			errors: {409: z.object({by: z.string()})},
		});
		const {at}: {at: Date} = await save(api, {params: {id: 'a'}, json: {at: new Date(0)}});
		expect(at).toEqual(new Date(0));
	});

	test('arktype', async ({api}) => {
		const save = endpoint({
			method: 'post',
			path: '{id}',
			params: type({id: 'string'}),
			searchParams: type({'page?': 'number'}),
			json: type({at: type('Date').pipe(date => date.toISOString())}),
			response: type({at: 'string.date.iso.parse'}),
			errors: {409: type({by: 'string'})},
		});
		const {at}: {at: Date} = await save(api, {params: {id: 'a'}, json: {at: new Date(0)}});
		expect(at).toEqual(new Date(0));
	});

	test('one definition works with a schema of your own', async ({api}) => {
		const upper: StandardSchema<string, string> = {
			'~standard': {version: 1, vendor: 'mine', validate: value => ({value: String(value).toUpperCase()})},
		};
		const save = endpoint({method: 'post', path: 'a', json: upper, response: upper});
		expect(await save(api, {json: 'a'})).toBe('A');
	});
});

/** A wrong value for each schema, with the paths of its issues. `shown` holds the paths in the message if they differ. */
const faults: ReadonlyArray<
	readonly [name: string, schema: StandardSchema, value: unknown, paths: string, shown?: string]
> = [
	['valibot: a type', v.object({name: v.number()}), {name: secret}, 'json.name'],
	['zod: a type', z.object({name: z.number()}), {name: secret}, 'json.name'],
	['arktype: a type', type({name: 'number'}), {name: secret}, 'json.name'],
	['valibot: a whole', v.number(), secret, 'json'],
	['zod: a whole', z.number(), secret, 'json'],
	['arktype: a whole', type('number'), secret, 'json'],
	['valibot: a pattern', v.pipe(v.string(), v.regex(/^a$/)), secret, 'json'],
	['zod: a format', z.email(), secret, 'json'],
	['arktype: a choice', type("'one' | 'other'"), secret, 'json'],
	['valibot: two of one value', v.pipe(v.string(), v.email(), v.maxLength(3)), secret, 'json, json'],
	['valibot: a key too much', v.strictObject({a: v.number()}), {a: 1, [secret]: 1}, `json.${secret}`, 'json.*'],
	['zod: a key too much', z.strictObject({a: z.number()}), {a: 1, [secret]: 1}, 'json'],
	['arktype: a key too much', type({'+': 'reject', a: 'number'}), {a: 1, [secret]: 1}, `json.${secret}`, 'json.*'],
	['valibot: a key that lacks', v.object({name: v.string()}), {}, 'json.name'],
	['zod: a key that lacks', z.object({name: z.string()}), {}, 'json.name'],
	['arktype: a key that lacks', type({name: 'string'}), {}, 'json.name'],
	['valibot: a record', v.record(v.string(), v.number()), {[secret]: secret}, `json.${secret}`, 'json.*'],
	['zod: a record', z.record(z.string(), z.number()), {[secret]: secret}, `json.${secret}`, 'json.*'],
	['arktype: a record', type({'[string]': 'number'}), {[secret]: secret}, `json.${secret}`, 'json.*'],
	[
		'valibot: a key of a record',
		v.record(v.pipe(v.string(), v.email()), v.any()),
		{[secret]: 1},
		`json.${secret}`,
		'json.*',
	],
	['zod: a key of a record', z.record(z.email(), z.any()), {[secret]: 1}, `json.${secret}`, 'json.*'],
	[
		'valibot: a record in a list',
		v.array(v.record(v.string(), v.number())),
		[{'a@b.example': ''}],
		'json.0.a@b.example',
		'json.0.*.example',
	],
	['valibot: a list', v.array(v.object({n: v.number()})), [{n: 1}, {n: secret}], 'json.1.n'],
	['zod: a list', z.array(z.object({n: z.number()})), [{n: 1}, {n: secret}], 'json.1.n'],
	['arktype: a list', type({n: 'number'}).array(), [{n: 1}, {n: secret}], 'json.1.n'],
	[
		'valibot: a place of a long list',
		v.array(v.number()),
		[...Array.from({length: 1000}, () => 0), secret],
		'json.1000',
		'json.*',
	],
	['valibot: a map', v.map(v.number(), v.number()), new Map([[40_412, secret]]), 'json.40412', 'json.*'],
	['zod: a map', z.map(z.number(), z.number()), new Map([[40_412, secret]]), 'json.40412', 'json.*'],
	[
		'valibot: a key that is an object',
		v.map(v.any(), v.number()),
		new Map([[{secret}, 'a']]),
		'json.[object Object]',
		'json.*',
	],
	['zod: a set', z.set(z.number()), new Set([secret]), 'json'],
	['zod: a union', z.union([z.number(), z.boolean()]), secret, 'json'],
	['valibot: a variant', v.variant('kind', [v.object({kind: v.literal('a')})]), {kind: secret}, 'json.kind'],
	[
		'valibot: a check with a message',
		v.pipe(
			v.string(),
			v.check(
				() => false,
				({input}) => input,
			),
		),
		secret,
		'json',
	],
	['zod: a check with a message', z.string().refine(() => false, {error: ({input}) => String(input)}), secret, 'json'],
	[
		'arktype: a check',
		type('string').narrow((value, context) => context.mustBe(`other than ${value}`)),
		secret,
		'json',
	],
	['valibot: a text that is parsed', v.pipe(v.string(), v.parseJson()), secret, 'json'],
	['valibot: what is lazy', v.object({node: v.lazy(() => v.object({n: v.string()}))}), {node: {n: 1}}, 'json.node.n'],
	['zod: what is lazy', z.object({node: z.lazy(() => z.object({n: z.string()}))}), {node: {n: 1}}, 'json.node.n'],
	['a schema of few words', own(() => ({issues: [{message: secret}]})), secret, 'json'],
	[
		'a schema with a path',
		own(() => ({issues: [{message: secret, path: ['a', {key: secret}, 0]}]})),
		{a: {}},
		`json.a.${secret}.0`,
		'json.a.*.0',
	],
	[
		'a schema with a symbol in a path',
		own(() => ({issues: [{message: secret, path: [Symbol(secret), {key: Symbol('a')}, 7]}]})),
		secret,
		`json.Symbol(${secret}).Symbol(a).7`,
		'json.*.*.7',
	],
];

/** Schemas that fail without saying what is wrong. */
const failures: ReadonlyArray<readonly [name: string, schema: StandardSchema]> = [
	[
		'valibot: a transform that throws',
		v.pipe(
			v.string(),
			v.transform(text => failWith(text)),
		),
	],
	['zod: a transform that throws', z.string().transform(text => failWith(text))],
	['arktype: a transform that throws', type('string').pipe(failWith)],
	['a schema that rejects', own(() => Promise.reject(new Error(secret)))],
	['a schema that throws no error', own(() => failWith(secret, secret))],
	['a schema without answer', own(() => undefined)],
	['a schema with an empty list of issues', own(() => ({issues: []}))],
	['a schema with a path that is no list', own(() => ({issues: [{message: secret, path: 7}]}))],
];

function own(validate: (value: unknown) => unknown): StandardSchema {
	return {'~standard': {version: 1, vendor: 'mine', validate: validate as () => {value: unknown}}};
}

function failWith(value: string, thrown: unknown = new Error(value)): never {
	throw thrown;
}

/** The messages of the schema itself. Tests compare them with ours, to see that none is lost or changed. */
async function messagesOf(schema: StandardSchema, value: unknown): Promise<readonly string[]> {
	const {issues = []} = await schema['~standard'].validate(value);
	return issues.map(({message}) => message);
}

describe('an error has the words of the schema in its issues, and no value in what is logged of it', () => {
	test.for(faults)('%s', async ([, schema, value, paths, shown = paths], {api, served, canaries}) => {
		canaries.plant(secret);
		const save = endpoint({method: 'post', path: 'a', json: schema});
		const error = (await canaries.rejection(save(api, {json: value}))) as RequestValidationError;
		expect(error).toBeInstanceOf(RequestValidationError);
		expect(error.issues.map(({path}) => path).join(', ')).toBe(paths);
		expect(error.issues.map(({message}) => message)).toEqual(await messagesOf(schema, value));
		expect(error.message).toBe(`The request is not valid: ${shown}`);
		expect(error.cause).toBeUndefined();
		expect(served.requests).toEqual([]);
	});

	test.for(faults.filter(([, , value]) => JSON.stringify(value).includes(secret)))(
		'an error of a response has the words of the schema in its issues, and logs no value: %s',
		async ([, schema, value], {api, canaries}) => {
			canaries.plant(secret);
			const echo = endpoint({method: 'post', path: 'a', json: v.unknown(), response: schema});
			const error = (await canaries.rejection(echo(api, {json: value}))) as ResponseValidationError;
			expect(error).toBeInstanceOf(ResponseValidationError);
			expect(error.issues.length).toBeGreaterThan(0);
		},
	);

	test.for(failures)(
		'an error shows nothing of what a schema throws: %s',
		async ([, schema], {api, served, canaries}) => {
			canaries.plant(secret);
			const save = endpoint({method: 'post', path: 'a', json: schema});
			const error = (await canaries.rejection(save(api, {json: secret}))) as RequestValidationError;
			expect(error).toBeInstanceOf(RequestValidationError);
			expect(error.issues).toEqual([{path: 'json', message: 'cannot be used'}]);
			expect(error.cause).toBeUndefined();
			expect(served.requests).toEqual([]);
			const echo = endpoint({method: 'post', path: 'a', json: v.unknown(), response: schema});
			expect(await canaries.rejection(echo(api, {json: secret}))).toMatchObject({
				name: 'ResponseValidationError',
				issues: [{path: '', message: 'cannot be used'}],
			});
		},
	);

	test('a part is refused if its schema gives an empty list of issues, whichever part it is', async ({
		api,
		served,
		canaries,
	}) => {
		const wordless = own(() => ({issues: []}));
		for (const part of ['params', 'searchParams', 'json', 'form', 'body', 'headers']) {
			const call = endpoint({method: 'post', path: 'a', [part]: wordless}) as (
				api: KyInstance,
				input: object,
			) => Promise<unknown>;
			expect(await canaries.rejection(call(api, {[part]: {a: 'b'}}))).toMatchObject({
				name: 'RequestValidationError',
				issues: [{path: part, message: 'cannot be used'}],
			});
		}
		expect(served.requests).toEqual([]);
	});

	test('an error logs no value, in whichever part it is', async ({api, canaries}) => {
		canaries.plant(secret);
		const part = v.strictObject({name: v.pipe(v.string(), v.email())});
		const call = endpoint({
			method: 'post',
			path: '{name}',
			params: part,
			searchParams: part,
			form: part,
			headers: part,
		});
		const wrong = {name: secret, [secret]: secret};
		const error = await canaries.rejection(
			call(api, {params: wrong, searchParams: wrong, form: wrong, headers: wrong, [secret]: secret} as never),
		);
		expect((error as RequestValidationError).issues.length).toBe(8);
		const loose = v.record(v.string(), v.any());
		const header = endpoint({method: 'post', path: 'a', searchParams: loose, headers: loose});
		for (const input of [
			{searchParams: {[secret]: new Date()}, headers: {}},
			{searchParams: {}, headers: {a: `${secret}\n${secret}`}},
			{searchParams: {}, headers: {[`${secret}\n`]: 'a'}},
		]) {
			expect(await canaries.rejection(header(api, input))).toBeInstanceOf(RequestValidationError);
		}
	});

	test('nothing copies or prints the issues of an error', async ({api, canaries}) => {
		const echo = endpoint({method: 'post', path: 'a', json: v.unknown(), response: v.number(), errors: {}});
		const save = endpoint({method: 'post', path: 'a', json: v.number()});
		const calls = [echo, save] as ReadonlyArray<(api: KyInstance, input: object) => Promise<unknown>>;
		for (const call of calls) {
			const error = (await canaries.rejection(call(api, {json: secret}))) as RequestValidationError;
			expect(error.issues[0]?.message).toContain(secret);
			expect(Object.getOwnPropertyNames(error)).not.toContain('issues');
			expect(Object.getOwnPropertyDescriptor(Object.getPrototypeOf(error), 'issues')?.enumerable).not.toBe(true);
			const printed = [
				String(error),
				error.stack,
				JSON.stringify(error),
				JSON.stringify(Object.assign({}, error)),
				inspect(error, {depth: Infinity, showHidden: true}),
				inspect(structuredClone(error), {depth: Infinity, showHidden: true}),
				Object.entries(error).join(),
			];
			expect(printed.join('\n')).not.toContain(secret);
		}
	});
});

describe('what others do to prototypes', () => {
	test('a polluted prototype adds nothing to a definition, an input or an error', async ({api, served, canaries}) => {
		const post = endpoint({method: 'post', path: 'a'});
		const get = endpoint({method: 'get', path: '{id}'});
		const failing = endpoint({method: 'get', path: 'a', errors: {400: v.any()}});
		// No option of ky is among these: ky itself would read what it inherits.
		const polluted = {
			id: 'polluted',
			params: v.never(),
			form: v.any(),
			response: v.never(),
			errors: {404: v.any()},
			404: v.any(),
			'~standard': 1,
		};
		const prototype = Object.prototype as Record<string, unknown>;
		Object.assign(prototype, polluted);
		try {
			await post(api);
			await endpoint({method: 'post', path: 'b'})(api, {});
			// The platform reads `value` from its own objects too, so the test removes it right after the call.
			prototype['value'] = 'polluted';
			await endpoint({method: 'post', path: 'c', json: own(() => ({}))})(api, {json: 'a'});
			delete prototype['value'];
			prototype['path'] = 'polluted';
			expect(() => endpoint({method: 'get'} as never)).toThrow('path is missing');
			delete prototype['path'];
			expect(await canaries.rejection(get(api, {} as never))).toBeInstanceOf(RequestValidationError);
			const missing = api.extend({fetch: async () => new Response(null, {status: 404})});
			const error = await canaries.rejection(failing(missing));
			expect(failing.isError(error, 404 as never)).toBe(false);
		} finally {
			for (const name of ['value', 'path', ...Object.keys(polluted)]) delete prototype[name];
		}
		expect(served.requests.map(({path, body}) => [path, body])).toEqual([
			['/a', ''],
			['/b', ''],
			['/c', ''],
		]);
	});
});
