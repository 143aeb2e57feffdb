import type {BeforeRequestHook, HTTPError, KyInstance, KyResponse} from 'ky';
import {ConfigError, ResponseValidationError} from '../errors.ts';
import {ownProperties} from '../lib/own-properties.ts';
import {
	type AnyDefinition,
	type CheckedDefinition,
	type EndpointDefinition,
	type EndpointMethod,
	type OptionalResponse,
	type OptionalSchema,
	readDefinition,
} from './definition.ts';
import type {Consistent, EndpointInput, EndpointOutput, ErrorOutputs} from './inference.ts';
import {buildRequest, type EndpointOptions} from './request.ts';
import {type ErrorSchemas, readBody} from './response.ts';
import {check} from './standard-schema.ts';

/** An `HTTPError` of ky whose body matches the schema of its status. */
export interface EndpointError<Status extends number, Data> extends HTTPError<Data> {
	/** The body: the output of the schema. */
	data: Data;
	/** The response. Its body has been read. */
	response: KyResponse<Data> & {
		/** The HTTP status. */
		readonly status: Status;
	};
}

/** The arguments of a call. */
export type EndpointArguments<Input> = {} extends Input
	? [api: KyInstance, input?: Input, options?: EndpointOptions]
	: [api: KyInstance, input: Input, options?: EndpointOptions];

/** What `withResponse` gives. */
export interface EndpointResult<Output> {
	/** The result of `withResponse`. */
	readonly data: Output;
	/** The response. Its body has been read, unless `data` is its stream. */
	readonly response: KyResponse;
}

/**
Calls an endpoint with a ky instance. Nothing is sent unless the whole input matches its schemas.

An asynchronous schema of the input has no deadline. ky's `totalTimeout` covers the schema of the response.

@throws {RequestValidationError} if the input does not match. Nothing was sent.
@throws {ResponseValidationError} if the response does not match, or is not JSON although it should be.
@throws {ConfigError} if the ky instance has neither a `baseUrl` nor a `prefix`. Nothing was sent.
@throws {HTTPError} of ky for every status but 2xx, even with `throwHttpErrors: false`: the body of an error is never the output.
*/
export interface Endpoint<Input, Output, Errors, Definition = AnyDefinition> {
	(...call: EndpointArguments<Input>): Promise<Output>;
	/** The definition, frozen. `definition.json` is the schema of the JSON body, for a form or a test. */
	readonly definition: Definition;
	/**
	Makes the same call, and also returns the response. Use it to read headers, such as `link`, `etag` or `x-total-count`.

	@throws {RequestValidationError} as a call does.
	@throws {ResponseValidationError} as a call does.
	@throws {ConfigError} as a call does.
	@throws {HTTPError} as a call does.
	@example
	```ts
	const {data, response} = await listAccounts.withResponse(api, {searchParams: {count: 20}});
	const total = Number(response.headers.get('x-total-count'));
	```
	*/
	withResponse(...call: EndpointArguments<Input>): Promise<EndpointResult<Output>>;
	/**
	Returns the `Request` that a call would send, and sends nothing: for signing, service workers and tests. All `init` and `beforeRequest`
	hooks run. The request has no access token, because `auth.hooks` adds the token only when a request is sent. To send it with a token,
	call `auth.fetch(request)`.

	@throws {RequestValidationError} if the input does not match.
	@throws {ConfigError} if a hook answers in place of the API: then there is no request.
	*/
	request(...call: EndpointArguments<Input>): Promise<Request>;
	/**
	Whether a call of this endpoint failed with this status, and with a body that matches its schema in `errors`. If the body does not
	match, this is false, and ky's error stays as it is.
	*/
	isError<Status extends keyof Errors & number>(
		error: unknown,
		status: Status,
	): error is EndpointError<Status, Errors[Status]>;
}

// The token and revocation endpoints of this package do not use this. Their requests must not run the hooks of the instance that waits for
// the token, they accept forms as answers, they follow no redirect, and their errors hold nothing of the answer.
/**
Turns the definition of an endpoint into a function.

@throws {ConfigError} if a member of the definition cannot be used. The message names it.
@example
```ts
const createTransfer = endpoint({
	method: 'post',
	path: 'accounts/{accountID}/transfers',
	json: v.object({amount: v.pipe(v.number(), v.integer(), v.minValue(1))}),
	response: v.object({transferID: v.string()}),
});
const {transferID} = await createTransfer(api, {params: {accountID}, json: {amount: 1204}});
```
*/
export function endpoint<
	const Path extends string,
	Params extends OptionalSchema = undefined,
	SearchParams extends OptionalSchema = undefined,
	Json extends OptionalSchema = undefined,
	Form extends OptionalSchema = undefined,
	Body extends OptionalSchema = undefined,
	Headers extends OptionalSchema = undefined,
	Response extends OptionalResponse = undefined,
	Errors extends ErrorSchemas | undefined = undefined,
	const Method extends EndpointMethod = EndpointMethod,
>(
	definition: EndpointDefinition<Path, Params, SearchParams, Json, Form, Body, Headers, Response, Errors, Method> &
		Consistent<Path, Params, SearchParams, Json, Form, Body, Headers, Errors, Method>,
): Endpoint<
	EndpointInput<Path, Params, SearchParams, Json, Form, Body, Headers>,
	EndpointOutput<Response>,
	ErrorOutputs<Errors>,
	CheckedDefinition<Path, Params, SearchParams, Json, Form, Body, Headers, Response, Errors, Method>
> {
	const checked = readDefinition(definition);
	/** The errors for which `isError` is true. */
	const known = new WeakSet<object>();

	const withResponse = async (
		api: KyInstance,
		input?: unknown,
		options?: EndpointOptions,
	): Promise<EndpointResult<unknown>> => {
		// ky merges the options of the call with those of the instance. The checked ones come last, so that they win.
		const instance = options ? api.extend({...options}) : api;
		const request = await buildRequest(checked, input);
		const pending = instance(...request);
		try {
			return {
				data: await readBody(pending, checked.response),
				response: await pending,
			};
		} catch (error) {
			const name = (error as Error | undefined)?.name;
			if (name === 'SyntaxError') {
				// If no response has arrived, the error comes from a hook or a grant, and this line throws it again.
				await pending;
				// The parser quotes the body.
				throw new ResponseValidationError([{path: '', message: 'is not JSON'}]);
			}
			// Compared by name, as ky does: the error may come from another copy of ky.
			if (name === 'HTTPError') {
				const failure = error as HTTPError;
				try {
					const schema = ownProperties(checked.errors)[failure.response.status];
					failure.data = await check(schema, failure.data, ResponseValidationError);
					known.add(failure);
				} catch {
					// There is no schema, or the body does not match: the error stays as ky made it.
				}
			}
			throw error;
		}
	};

	const request = async (api: KyInstance, input?: unknown, options?: EndpointOptions): Promise<Request> => {
		const capture: BeforeRequestHook = ({request}) => {
			// ky passes on a thrown value that is not an error: without a retry, and without `beforeError`.
			throw new Request(request); // oxlint-disable-line no-throw-literal, typescript/only-throw-error
		};
		try {
			// The last hook, so that it sees the request after all other hooks.
			await withResponse(api.extend({...options}).extend({hooks: {beforeRequest: [capture]}}), input);
		} catch (error) {
			if (error instanceof Request) return error;
			throw error;
		}
		throw new ConfigError('A beforeRequest hook has answered');
	};

	const isError = (error: unknown, status: number): boolean =>
		known.has(error as object) && (error as HTTPError).response.status === status;

	const call = async (...given: Parameters<typeof withResponse>): Promise<unknown> =>
		(await withResponse(...given)).data;
	// The schemas have the same types as the arguments and the output, and they check both at run time.
	return Object.freeze(
		Object.assign(call, {
			definition: checked,
			withResponse,
			request,
			isError,
		}),
	) as never;
}
