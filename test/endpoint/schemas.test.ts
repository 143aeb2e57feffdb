import {type} from 'arktype';
import ky, {type KyInstance} from 'ky';
import * as v from 'valibot';
import {describe, expect} from 'vitest';
import {z} from 'zod';
import {endpoint, RequestValidationError, ResponseValidationError, type StandardSchema} from '../../src/index.ts';
import type {Served} from '../support/serve.ts';
import {test as base} from '../support/test.ts';

/** A server that answers with what it is sent. */
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

	test('and in a schema of one’s own', async ({api}) => {
		const upper: StandardSchema<string, string> = {
			'~standard': {version: 1, vendor: 'mine', validate: value => ({value: String(value).toUpperCase()})},
		};
		const save = endpoint({method: 'post', path: 'a', json: upper, response: upper});
		expect(await save(api, {json: 'a'})).toBe('A');
	});
});

/** What a library makes of the same fault: the issues that a user sees. */
const faults: ReadonlyArray<
	readonly [name: string, schema: StandardSchema, value: unknown, issues: ReadonlyArray<readonly [string, string]>]
> = [
	['valibot: a type', v.object({name: v.number()}), {name: secret}, [['json.name', 'number']]],
	['zod: a type', z.object({name: z.number()}), {name: secret}, [['json.name', 'number']]],
	['arktype: a type', type({name: 'number'}), {name: secret}, [['json.name', 'a number']]],
	['valibot: a whole', v.number(), secret, [['json', 'number']]],
	['zod: a whole', z.number(), secret, [['json', 'number']]],
	['arktype: a whole', type('number'), secret, [['json', 'a number']]],
	['valibot: a pattern', v.pipe(v.string(), v.regex(/^a$/)), secret, [['json', '/^a$/']]],
	['zod: a pattern', z.string().regex(/^a$/), secret, [['json', 'regex']]],
	['arktype: a pattern', type(/^a$/), secret, [['json', 'matched by ^a$']]],
	['valibot: a format', v.pipe(v.string(), v.email()), secret, [['json', 'email']]],
	['zod: a format', z.email(), secret, [['json', 'email']]],
	['arktype: a format', type('string.email'), secret, [['json', 'an email address']]],
	['valibot: a choice', v.picklist(['one', 'other']), secret, [['json', '("one" | "other")']]],
	['zod: a choice', z.enum(['one', 'other']), secret, [['json', 'one or other']]],
	['arktype: a choice', type("'one' | 'other'"), secret, [['json', '"one" or "other"']]],
	['zod: a literal that JSON cannot hold', z.literal(1n), secret, [['json', '1']]],
	['valibot: a bound', v.pipe(v.number(), v.maxValue(3)), 4, [['json', '<=3']]],
	['zod: a bound', z.number().max(3), 4, [['json', '<=3']]],
	['zod: an open bound', z.number().gt(3), 3, [['json', '>3']]],
	['arktype: a bound', type('number <= 3'), 4, [['json', 'at most 3']]],
	['arktype: a choice, of a short value', type("'one' | 'other'"), '41', [['json', '"one" or "other"']]],
	['arktype: several', type('number.integer >= 1'), 0.5, [['json', '◦ an integer ◦ at least 1']]],
	['valibot: a key too much', v.strictObject({a: v.number()}), {a: 1, [secret]: 1}, [['json.*', 'never']]],
	['zod: a key too much', z.strictObject({a: z.number()}), {a: 1, [secret]: 1}, [['json', 'no other keys']]],
	['arktype: a key too much', type({'+': 'reject', a: 'number'}), {a: 1, [secret]: 1}, [['json.*', 'removed']]],
	['valibot: a key that lacks', v.object({name: v.string()}), {}, [['json.name', '"name"']]],
	['zod: a key that lacks', z.object({name: z.string()}), {}, [['json.name', 'string']]],
	['arktype: a key that lacks', type({name: 'string'}), {}, [['json.name', 'a string']]],
	['valibot: a record', v.record(v.string(), v.number()), {[secret]: secret}, [['json.*', 'number']]],
	['zod: a record', z.record(z.string(), z.number()), {[secret]: secret}, [['json.*', 'number']]],
	['arktype: a record', type({'[string]': 'number'}), {[secret]: secret}, [['json.*', 'a number']]],
	[
		'valibot: a key of a record',
		v.record(v.pipe(v.string(), v.email()), v.any()),
		{[secret]: 1},
		[['json.*', 'email']],
	],
	['zod: a key of a record', z.record(z.email(), z.any()), {[secret]: 1}, [['json.*', 'something else']]],
	['valibot: a list', v.array(v.object({n: v.number()})), [{n: 1}, {n: secret}], [['json.1.n', 'number']]],
	['zod: a list', z.array(z.object({n: z.number()})), [{n: 1}, {n: secret}], [['json.1.n', 'number']]],
	['arktype: a list', type({n: 'number'}).array(), [{n: 1}, {n: secret}], [['json.1.n', 'a number']]],
	['valibot: a map', v.map(v.number(), v.number()), new Map([[40_412, secret]]), [['json.*', 'number']]],
	['zod: a map', z.map(z.number(), z.number()), new Map([[40_412, secret]]), [['json.*', 'number']]],
	['valibot: a key that is an object', v.map(v.any(), v.number()), new Map([[{secret}, 'a']]), [['json.*', 'number']]],
	['zod: a set', z.set(z.number()), new Set([secret]), [['json', 'number']]],
	[
		'valibot: a place of a long list',
		v.array(v.number()),
		[...Array.from({length: 77}, () => 0), secret],
		[['json.77', 'number']],
	],
	[
		'valibot: a choice that another field makes too',
		v.object({a: v.picklist(['one', 'other']), b: v.string()}),
		{a: secret, b: 'other'},
		[['json.a', '("one" | "other")']],
	],
	['valibot: bytes', v.instance(Blob), new Uint8Array(200_000), [['json', 'Blob']]],
	[
		'valibot: a check that tells of a map',
		v.pipe(
			v.map(v.string(), v.string()),
			v.rawCheck(({addIssue}) => addIssue({expected: `other than ${secret}`, message: ''})),
		),
		new Map([['a', secret]]),
		[['json', 'something else']],
	],
	[
		'valibot: a check that tells of a text in lines',
		v.pipe(
			v.string(),
			v.rawCheck(({addIssue}) => addIssue({expected: `other than a\n\n${secret}`, message: ''})),
		),
		`a\n\n${secret}`,
		[['json', 'something else']],
	],
	[
		'valibot: a check that tells of a set',
		v.pipe(
			v.set(v.string()),
			v.rawCheck(({addIssue}) => addIssue({expected: `other than ${secret}`, message: ''})),
		),
		new Set([secret]),
		[['json', 'something else']],
	],
	['valibot: a union', v.union([v.number(), v.boolean()]), secret, [['json', '(number | boolean)']]],
	['zod: a union', z.union([z.number(), z.boolean()]), secret, [['json', 'something else']]],
	['arktype: a union', type('number | boolean'), secret, [['json', 'a number or boolean']]],
	['valibot: a variant', v.variant('kind', [v.object({kind: v.literal('a')})]), {kind: secret}, [['json.kind', '"a"']]],
	[
		'zod: a variant',
		z.discriminatedUnion('kind', [z.object({kind: z.literal('a')})]),
		{kind: secret},
		[['json.kind', 'something else']],
	],
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
		[['json', 'check']],
	],
	[
		'zod: a check with a message',
		z.string().refine(() => false, {error: ({input}) => String(input)}),
		secret,
		[['json', 'something else']],
	],
	[
		'arktype: a check',
		type('string').narrow(() => false),
		secret,
		[['json', 'valid according to an anonymous predicate']],
	],
	[
		'valibot: a check that tells',
		v.pipe(
			v.string(),
			v.rawCheck(({dataset, addIssue}) => addIssue({expected: String(dataset.value), message: ''})),
		),
		secret,
		[['json', 'something else']],
	],
	[
		'zod: a check that tells',
		z
			.string()
			.superRefine(
				(value, {issues}) => void issues.push({code: 'invalid_type', expected: value as 'string', input: value}),
			),
		secret,
		[['json', 'something else']],
	],
	[
		'arktype: a check that tells',
		type('string').narrow((value, context) => context.mustBe(`other than ${value}`)),
		secret,
		[['json', 'something else']],
	],
	[
		'arktype: a check that tells of another part',
		type({pin: 'number', a: type('string').narrow((_, context) => context.mustBe('other than 40412'))}),
		{pin: 40_412, a: 'a'},
		[['json.a', 'something else']],
	],
	[
		'valibot: a transform that throws',
		v.pipe(
			v.string(),
			v.transform(text => failWith(text)),
		),
		secret,
		[['json', 'a value on which its schema does not fail']],
	],
	[
		'zod: a transform that throws',
		z.string().transform(text => failWith(text)),
		secret,
		[['json', 'a value on which its schema does not fail']],
	],
	[
		'arktype: a transform that throws',
		type('string').pipe(failWith),
		secret,
		[['json', 'a value on which its schema does not fail']],
	],
	[
		'arktype: a transform that may throw',
		type('string').pipe.try(failWith),
		secret,
		[['json', 'valid according to failWith']],
	],
	['valibot: a text that is parsed', v.pipe(v.string(), v.parseJson()), secret, [['json', 'parse_json']]],
	['arktype: a text that is parsed', type('string.json.parse'), secret, [['json', 'a JSON string']]],
	[
		'valibot: what is lazy',
		v.object({node: v.lazy(() => v.object({n: v.string()}))}),
		{node: {n: 1}},
		[['json.node.*', 'string']],
	],
	[
		'zod: what is lazy',
		z.object({node: z.lazy(() => z.object({n: z.string()}))}),
		{node: {n: 1}},
		[['json.node.n', 'string']],
	],
	[
		'a schema that rejects',
		own(() => Promise.reject(new Error(secret))),
		secret,
		[['json', 'a value on which its schema does not fail']],
	],
	[
		'a schema that throws no error',
		own(() => failWith(secret, secret)),
		secret,
		[['json', 'a value on which its schema does not fail']],
	],
	['a schema without answer', own(() => undefined), secret, [['json', 'a value on which its schema does not fail']]],
	['a schema of few words', own(() => ({issues: [{message: secret}]})), secret, [['json', 'something else']]],
	[
		'a schema with a path',
		own(() => ({issues: [{message: secret, path: ['a', {key: secret}]}]})),
		{a: {}},
		[['json.*.*', 'something else']],
	],
	[
		'a schema with odd keys',
		own(() => ({issues: [{message: secret, path: [Symbol(secret), 7]}]})),
		{},
		[['json.*.*', 'something else']],
	],
];

function own(validate: (value: unknown) => unknown): StandardSchema {
	return {'~standard': {version: 1, vendor: 'mine', validate: validate as () => {value: unknown}}};
}

function failWith(value: string, thrown: unknown = new Error(value)): never {
	throw thrown;
}

describe('no value shows in an error', () => {
	test.for(faults)('%s', async ([, schema, value, issues], {api, served, canaries}) => {
		canaries.plant(secret);
		const save = endpoint({method: 'post', path: 'a', json: schema});
		const error = await canaries.rejection(save(api, {json: value}));
		expect(error).toBeInstanceOf(RequestValidationError);
		expect((error as RequestValidationError).issues).toEqual(issues.map(([path, expected]) => ({path, expected})));
		expect((error as Error).cause).toBeUndefined();
		expect(served.requests).toEqual([]);
	});

	test.for(faults.filter(([, , value]) => JSON.stringify(value).includes(secret)))(
		'nor in that of an answer: %s',
		async ([, schema, value], {api, canaries}) => {
			canaries.plant(secret);
			const echo = endpoint({method: 'post', path: 'a', json: v.unknown(), response: schema});
			expect(await canaries.rejection(echo(api, {json: value}))).toBeInstanceOf(ResponseValidationError);
		},
	);

	test('nor in that of any other part', async ({api, canaries}) => {
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
		expect((error as RequestValidationError).issues.length).toBe(9);
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

	test('nor where a value is too large to be searched', async ({api, canaries}) => {
		canaries.plant(secret);
		const telling = v.pipe(
			v.array(v.any()),
			v.rawCheck(({dataset, addIssue}) => addIssue({expected: secret.slice(0, 12), message: String(dataset.typed)})),
		);
		const save = endpoint({method: 'post', path: 'a', json: telling});
		const error = await canaries.rejection(save(api, {json: [...Array(100_001).keys()]}));
		expect(error).toMatchObject({issues: [{path: 'json', expected: 'something else'}]});
	});

	test('and a schema is not changed by having been searched', async ({api, canaries}) => {
		const schema = z.object({name: z.string()});
		await canaries.rejection(endpoint({method: 'post', path: 'a', json: schema})(api, {json: {} as never}));
		expect(
			z
				.string()
				.superRefine(() => {})
				.safeParse('a').success,
		).toBe(true);
		expect(schema.extend({more: z.string()}).safeParse({name: 'a', more: 'b'}).success).toBe(true);
	});
});

describe('what others do to prototypes', () => {
	test('adds no part to a definition, an input or an error', async ({api, served, canaries}) => {
		const post = endpoint({method: 'post', path: 'a'});
		// Not what ky itself would take for an option.
		const get = endpoint({method: 'get', path: '{id}'});
		const failing = endpoint({method: 'get', path: 'a', errors: {400: v.any()}});
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
			// What the platform reads of objects of its own, and so cannot stay for long.
			prototype['value'] = 'polluted';
			await endpoint({method: 'post', path: 'c', json: own(() => ({}))})(api, {json: 'a'});
			delete prototype['value'];
			prototype['path'] = 'polluted';
			expect(() => endpoint({method: 'get'} as never)).toThrow('path must be');
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
