// Checks what the types of the request builder promise to users. test/meta/types.test.ts compiles this file as a user would.
// Below each comment that expects an error is a mistake that must not compile. After its colon is a part of the compiler's message.
import ky, {type HTTPError, type KyResponse} from 'ky';
import {
	type CheckedDefinition,
	type Endpoint,
	endpoint,
	type EndpointArguments,
	type EndpointDefinition,
	type EndpointError,
	type EndpointMethod,
	type EndpointOptions,
	RequestValidationError,
	type ResponseKind,
	RevokeTokenRequest,
	type StandardSchema,
} from 'regrant';
import * as v from 'valibot';

// oxlint-disable-next-line typescript/no-unnecessary-type-parameters -- it is how two types are compared
type Equal<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;
type IsAny<T> = 0 extends 1 & T ? true : false;
type AnyMember<T> = {[Key in keyof T]-?: IsAny<T[Key]> extends true ? Key : never}[keyof T];

// oxlint-disable-next-line typescript/no-unnecessary-type-parameters -- the parameter is all there is to check
declare function holds<Fact extends true>(): Fact;

const createTransfer = endpoint({
	method: 'post',
	path: 'accounts/{accountID}/transfers',
	params: v.object({accountID: v.string()}),
	searchParams: v.object({dryRun: v.optional(v.boolean())}),
	headers: v.object({'x-key': v.string()}),
	json: v.object({
		amount: v.number(),
		at: v.pipe(
			v.date(),
			v.transform(date => date.toISOString()),
		),
	}),
	response: v.object({transferID: v.string(), at: v.pipe(v.string(), v.toDate())}),
	errors: {404: v.object({message: v.string()}), 422: v.array(v.string())},
});

interface TransferInput {
	params: {accountID: string};
	searchParams?: {dryRun?: boolean | undefined};
	headers: {'x-key': string};
	json: {amount: number; at: Date};
}

const ping = endpoint({method: 'get', path: 'ping'});
const getAccount = endpoint({method: 'get', path: 'accounts/{id}', response: v.object({id: v.string()})});
const api = ky.create({});
const input: TransferInput = {
	params: {accountID: 'a'},
	headers: {'x-key': 'k'},
	json: {amount: 1, at: new Date()},
};

export function notAny(): void {
	holds<Equal<AnyMember<typeof createTransfer>, never>>();
	holds<Equal<AnyMember<EndpointDefinition>, never>>();
	holds<Equal<AnyMember<EndpointOptions>, never>>();
	holds<Equal<IsAny<Awaited<ReturnType<typeof createTransfer>>>, false>>();
	holds<Equal<IsAny<Parameters<typeof createTransfer>[1]>, false>>();
	holds<Equal<AnyMember<Parameters<typeof createTransfer>[1]>, never>>();
	holds<Equal<IsAny<EndpointError<404, string>['data']>, false>>();
	holds<Equal<IsAny<EndpointMethod | ResponseKind>, false>>();
}

export async function inputsAndOutputs(): Promise<void> {
	const made = await createTransfer(api, input);
	holds<Equal<typeof made, {transferID: string; at: Date}>>();
	await createTransfer(api, {...input, searchParams: {dryRun: true}}, {timeout: 1000, retry: 0, headers: {a: 'b'}});
	const request = await createTransfer.request(api, input);
	holds<Equal<typeof request, Request>>();

	// @ts-expect-error: Expected 2-3 arguments
	await createTransfer(api);
	// @ts-expect-error: Property 'json' is missing
	await createTransfer(api, {params: {accountID: 'a'}, headers: {'x-key': 'k'}});
	// @ts-expect-error: Property 'at' is missing
	await createTransfer(api, {...input, json: {amount: 1}});
	// @ts-expect-error: Type 'string' is not assignable to type 'Date'
	await createTransfer(api, {...input, json: {amount: 1, at: '2026-01-01'}});
	// @ts-expect-error: 'amuont' does not exist
	await createTransfer(api, {...input, json: {amount: 1, at: new Date(), amuont: 1}});
	// @ts-expect-error: 'query' does not exist
	await createTransfer(api, {...input, query: {}});
	// @ts-expect-error: 'form' does not exist
	await createTransfer.request(api, {...input, form: {}});
	// @ts-expect-error: Type 'string' is not assignable to type 'boolean | undefined'
	await createTransfer(api, {...input, searchParams: {dryRun: 'yes'}});
	// @ts-expect-error: Property 'nothing' does not exist
	void made.nothing;
	// @ts-expect-error: is missing the following properties from type 'KyInstance'
	await createTransfer(fetch, input);
}

export async function withResponse(): Promise<void> {
	const {data, response} = await createTransfer.withResponse(api, input, {timeout: 1000});
	holds<Equal<typeof data, {transferID: string; at: Date}>>();
	holds<Equal<typeof response, KyResponse>>();
	const link: string | null = response.headers.get('link');
	void link;
	const dropped = await ping.withResponse(api);
	holds<Equal<typeof dropped.data, void>>();

	// @ts-expect-error: Expected 2-3 arguments
	await createTransfer.withResponse(api);
	// @ts-expect-error: 'query' does not exist
	await createTransfer.withResponse(api, {...input, query: {}});
	// @ts-expect-error: 'method' does not exist
	await createTransfer.withResponse(api, input, {method: 'put'});
}

export function definitionsKeepTheirTypes(): void {
	const {definition} = createTransfer;
	const {amount}: {amount: number} = v.parse(definition.json, {});
	holds<Equal<v.InferInput<typeof definition.json>, {amount: number; at: Date}>>();
	holds<Equal<v.InferOutput<typeof definition.response>['transferID'], string>>();
	holds<Equal<v.InferOutput<(typeof definition.errors)[422]>, string[]>>();
	holds<Equal<typeof definition.method, 'post'>>();
	holds<Equal<typeof definition.path, 'accounts/{accountID}/transfers'>>();
	holds<Equal<[typeof definition.form, typeof ping.definition.response], [undefined, undefined]>>();
	holds<Equal<AnyMember<typeof definition>, never>>();
	holds<Equal<AnyMember<typeof ping.definition>, never>>();
	const any: EndpointDefinition = definition;
	const some: Pick<
		CheckedDefinition<
			'ping',
			undefined,
			undefined,
			undefined,
			undefined,
			undefined,
			undefined,
			undefined,
			undefined,
			'get'
		>,
		'method'
	> = ping.definition;
	void [amount, any, some];

	// @ts-expect-error: is not assignable
	v.parse(definition.form, {});
	// @ts-expect-error: Cannot assign to 'json' because it is a read-only property
	definition.json = createTransfer.definition.json;
}

export function issues(error: unknown): void {
	if (!(error instanceof RequestValidationError)) return;
	for (const {path, message} of error.issues) {
		const words: [string, string] = [path, message];
		void words;
	}

	// @ts-expect-error: Cannot assign to 'issues' because it is a read-only property
	error.issues = [];
}

export async function pathParameters(): Promise<void> {
	await getAccount(api, {params: {id: 'a'}});
	await getAccount(api, {params: {id: 1}});
	await getAccount(api, {params: {id: 1n}});
	const nested = endpoint({method: 'get', path: '/a/{one}/{two}.{three}'});
	holds<
		Equal<
			Parameters<typeof nested>[1]['params'],
			{
				readonly one: string | number | bigint;
				readonly two: string | number | bigint;
				readonly three: string | number | bigint;
			}
		>
	>();
	const path: string = 'a/{b}';
	await endpoint({method: 'get', path})(api, {params: {b: 'c'}});
	endpoint({method: 'get', path, params: v.object({b: v.string()})});
	endpoint({method: 'get', path: '{n}', params: v.object({n: v.pipe(v.number(), v.transform(String))})});
	endpoint({method: 'get', path: '{n}/{m}', params: v.object({n: v.number(), m: v.bigint()})});
	endpoint({method: 'get', path: '{n}', params: v.object({n: v.union([v.string(), v.number()])})});
	const pick = endpoint({method: 'get', path: '{n}', params: v.object({n: v.picklist(['a', 'b'])})});
	holds<Equal<Parameters<typeof pick>[1], {readonly params: {n: 'a' | 'b'}}>>();

	// @ts-expect-error: Property 'id' is missing
	await getAccount(api, {params: {}});
	// @ts-expect-error: 'ID' does not exist
	await getAccount(api, {params: {ID: 'a'}});
	// @ts-expect-error: 'more' does not exist
	await getAccount(api, {params: {id: 'a', more: 'b'}});
	// @ts-expect-error: Type 'boolean' is not assignable to type 'string | number | bigint'
	await getAccount(api, {params: {id: true}});
	// @ts-expect-error: Type 'Date' is not assignable to type 'string | number | bigint'
	await getAccount(api, {params: {id: new Date()}});
	// @ts-expect-error: Property 'params' is missing
	await getAccount(api, {});
	// @ts-expect-error: Expected 2-3 arguments
	await getAccount(api);
	// @ts-expect-error: "lacks the parameter b"
	endpoint({method: 'get', path: '{a}/{b}', params: v.object({a: v.string()})});
	// @ts-expect-error: "the path has no parameter b"
	endpoint({method: 'get', path: '{a}', params: v.object({a: v.string(), b: v.string()})});
	// @ts-expect-error: "the path has no parameter accountId"
	endpoint({method: 'get', path: '{accountID}', params: v.object({accountId: v.string()})});
	// @ts-expect-error: "the path has no parameter a"
	endpoint({method: 'get', path: 'a', params: v.object({a: v.string()})});
	// @ts-expect-error: "must give texts, numbers or bigints"
	endpoint({method: 'get', path: '{a}', params: v.object({a: v.date()})});
	// @ts-expect-error: "must give texts, numbers or bigints"
	endpoint({method: 'get', path: '{a}', params: v.object({a: v.boolean()})});
	// @ts-expect-error: "must give texts, numbers or bigints"
	endpoint({method: 'get', path: '{a}', params: v.object({a: v.optional(v.string())})});
	// @ts-expect-error: "has a brace that belongs to no parameter"
	endpoint({method: 'get', path: 'accounts/{id'});
	// @ts-expect-error: "has a brace that belongs to no parameter"
	endpoint({method: 'get', path: 'a/{id}/{'});
	// @ts-expect-error: "has a brace that belongs to no parameter"
	endpoint({method: 'get', path: 'a/{}'});
	// @ts-expect-error: "has a brace that belongs to no parameter"
	endpoint({method: 'get', path: 'a/}b'});
	// @ts-expect-error: "has a brace that belongs to no parameter"
	endpoint({method: 'get', path: 'a/}{id}'});
	// @ts-expect-error: "has a brace that belongs to no parameter"
	endpoint({method: 'get', path: 'a/{{id}}'});
	// @ts-expect-error: 'a' does not exist
	await pick(api, {params: {n: 'a', a: 'b'}});
	// @ts-expect-error: Type '"c"' is not assignable to type '"a" | "b"'
	await pick(api, {params: {n: 'c'}});
}

export async function optionalParts(): Promise<void> {
	holds<Equal<Awaited<ReturnType<typeof ping>>, void>>();
	await ping(api);
	await ping(api, {});
	await ping(api, undefined, {signal: AbortSignal.timeout(1)});
	const list = endpoint({method: 'get', path: 'a', searchParams: v.object({q: v.optional(v.string())})});
	await list(api);
	await list(api, {searchParams: {}});
	const save = endpoint({method: 'post', path: 'a', json: v.optional(v.object({b: v.string()}))});
	await save(api);
	await save(api, {json: {b: 'c'}});
	const all = endpoint({method: 'post', path: 'a', json: v.object({b: v.optional(v.string())})});
	await all(api, {json: {}});

	// @ts-expect-error: Type 'number' is not assignable to type 'never'
	await ping(api, {json: 1});
	// @ts-expect-error: 'search' does not exist
	await list(api, {search: {}});
	// @ts-expect-error: 'Q' does not exist
	await list(api, {searchParams: {Q: 'a'}});
	// @ts-expect-error: Property 'json' is missing
	await all(api, {});
}

export async function responses(): Promise<void> {
	const as = <const Kind extends ResponseKind>(response: Kind) => endpoint({method: 'get', path: 'a', response})(api);
	const [text, blob, bytes] = [await as('text'), await as('blob'), await as('arrayBuffer')];
	const [stream, nothing] = [await as('stream'), await as('void')];
	holds<Equal<[typeof text, typeof blob, typeof bytes], [string, Blob, ArrayBuffer]>>();
	holds<Equal<[typeof stream, typeof nothing], [ReadableStream<Uint8Array>, void]>>();
	const some = await endpoint({method: 'get', path: 'a', response: v.optional(v.number())})(api);
	holds<Equal<typeof some, number | undefined>>();

	// @ts-expect-error: Type '"json"' is not assignable
	endpoint({method: 'get', path: 'a', response: 'json'});
	// @ts-expect-error: Property 'id' does not exist on type 'void'
	void (await ping(api)).id;
}

export function errors(error: unknown): void {
	if (createTransfer.isError(error, 404)) {
		holds<Equal<typeof error, EndpointError<404, {message: string}>>>();
		holds<Equal<typeof error.data, {message: string}>>();
		holds<Equal<typeof error.response.status, 404>>();
		const plain: HTTPError = error;
		void plain;
	}
	if (createTransfer.isError(error, 422)) holds<Equal<typeof error.data, string[]>>();

	// @ts-expect-error: Argument of type '400' is not assignable to parameter of type '404 | 422'
	createTransfer.isError(error, 400);
	// @ts-expect-error: is not assignable to parameter of type 'never'
	ping.isError(error, 404);
	// @ts-expect-error: 'error' is of type 'unknown'
	void error.data;
}

export async function options(): Promise<void> {
	await ping(api, {}, {hooks: {beforeRequest: []}, context: {a: 1}, fetch, credentials: 'include'});

	// @ts-expect-error: 'method' does not exist
	await ping(api, {}, {method: 'put'});
	// @ts-expect-error: 'json' does not exist
	await ping(api, {}, {json: {}});
	// @ts-expect-error: 'body' does not exist
	await ping(api, {}, {body: ''});
	// @ts-expect-error: 'searchParams' does not exist
	await ping(api, {}, {searchParams: {}});
	// @ts-expect-error: 'baseUrl' does not exist
	await ping(api, {}, {baseUrl: 'https://other.example'});
	// @ts-expect-error: 'prefix' does not exist
	await ping(api, {}, {prefix: 'https://other.example'});
	// @ts-expect-error: 'throwHttpErrors' does not exist
	await ping(api, {}, {throwHttpErrors: false});
}

export function definitions(): void {
	endpoint({method: 'delete', path: 'a', json: v.string(), searchParams: v.any(), headers: v.any()});
	const method: string = 'get';
	endpoint({method, path: 'a', json: v.string()});
	endpoint({method: 'purge', path: 'a', form: v.record(v.string(), v.array(v.string()))});
	endpoint({method: 'post', path: 'a', form: RevokeTokenRequest});
	endpoint({method: 'post', path: 'a', body: v.union([v.instance(FormData), v.string()])});
	endpoint({method: 'post', path: 'a', body: v.custom<ReadableStream<Uint8Array>>(() => true)});
	endpoint({method: 'post', path: 'a', headers: v.object({a: v.optional(v.string())}), json: v.unknown()});

	// @ts-expect-error: Property 'method' is missing
	endpoint({path: 'a'});
	// @ts-expect-error: Property 'path' is missing
	endpoint({method: 'get'});
	// @ts-expect-error: 'jsno' does not exist
	endpoint({method: 'post', path: 'a', jsno: v.string()});
	// @ts-expect-error: "json is the body already"
	endpoint({method: 'post', path: 'a', json: v.string(), form: v.object({})});
	// @ts-expect-error: "json is the body already"
	endpoint({method: 'post', path: 'a', json: v.string(), body: v.string()});
	// @ts-expect-error: "form is the body already"
	endpoint({method: 'post', path: 'a', form: v.object({}), body: v.string()});
	// @ts-expect-error: "GET and HEAD have no body"
	endpoint({method: 'get', path: 'a', json: v.string()});
	// @ts-expect-error: "GET and HEAD have no body"
	endpoint({method: 'GET', path: 'a', form: v.object({a: v.string()})});
	// @ts-expect-error: "GET and HEAD have no body"
	endpoint({method: 'head', path: 'a', body: v.string()});
	// @ts-expect-error: "GET and HEAD have no body"
	endpoint({method: 'HEAD', path: 'a/{b}', json: v.object({})});
	// @ts-expect-error: "must give texts, numbers, booleans or lists of them"
	endpoint({method: 'get', path: 'a', searchParams: v.object({at: v.date()})});
	// @ts-expect-error: "must give texts, numbers, booleans or lists of them"
	endpoint({method: 'get', path: 'a', searchParams: v.union([v.object({a: v.string()}), v.object({b: v.date()})])});
	// @ts-expect-error: "must give texts, numbers, booleans or lists of them"
	endpoint({method: 'get', path: 'a', searchParams: v.array(v.string())});
	// @ts-expect-error: "must give texts, numbers, booleans or lists of them"
	endpoint({method: 'get', path: 'a', searchParams: v.instance(URLSearchParams)});
	// @ts-expect-error: "must give texts, numbers, booleans or lists of them"
	endpoint({method: 'get', path: 'a', searchParams: v.unknown()});
	// @ts-expect-error: "must give texts, numbers, booleans or lists of them"
	endpoint({method: 'post', path: 'a', form: v.object({a: v.nullable(v.string())})});
	// @ts-expect-error: "must give texts, numbers, booleans or lists of them"
	endpoint({method: 'post', path: 'a', form: v.string()});
	// @ts-expect-error: "must give texts"
	endpoint({method: 'get', path: 'a', headers: v.object({a: v.number()})});
	// @ts-expect-error: "must give what fetch takes as a body"
	endpoint({method: 'post', path: 'a', body: v.object({a: v.number()})});
	// @ts-expect-error: 'a' does not exist in type 'StandardSchema<unknown, unknown>'
	endpoint({method: 'post', path: 'a', json: {a: 'string'}});
	// @ts-expect-error: "a status is a number"
	endpoint({method: 'get', path: 'a', errors: {notFound: v.string()}});
}

export function plainTypes(): void {
	holds<Equal<EndpointArguments<{}>[2], EndpointOptions | undefined>>();
	const get: Endpoint<{readonly params: {readonly id: string}}, {id: string}, {}> = getAccount;
	void get;
	const schema: StandardSchema<string, number> = v.pipe(v.string(), v.transform(Number));
	const own = endpoint({method: 'post', path: 'a', json: schema, response: schema});
	holds<Equal<Parameters<typeof own>[1], {readonly json: string}>>();
	holds<Equal<Awaited<ReturnType<typeof own>>, number>>();
}
