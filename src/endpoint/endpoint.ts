import type {BeforeRequestHook, HTTPError, KyInstance, KyResponse} from 'ky';
import {
	type AnyDefinition,
	type EndpointDefinition,
	type ErrorSchemas,
	type OptionalSchema,
	readDefinition,
	type ResponseKind,
} from './definition.ts';
import type {Consistent, EndpointInput, EndpointOutput, ErrorOutputs} from './inference.ts';
import {draftOf, type EndpointOptions, readOptions} from './request.ts';
import {readBody, readErrorBody} from './response.ts';
import {ConfigError} from '../errors.ts';
import {ownProperties} from '../lib/own-properties.ts';
import type {StandardSchema} from './standard-schema.ts';

/** An `HTTPError` of ky whose body passed the schema that its status has. */
export interface EndpointError<Status extends number, Data> extends HTTPError<Data> {
	/** The body, as the schema gives it. */
	data: Data;
	/** The response, its body read. */
	response: KyResponse<Data> & {
		/** The HTTP status. */
		readonly status: Status;
	};
}

/** The arguments of a call. */
export type EndpointArguments<Input> = {} extends Input
	? [api: KyInstance, input?: Input, options?: EndpointOptions]
	: [api: KyInstance, input: Input, options?: EndpointOptions];

/**
Calls an endpoint through a ky instance. Nothing is sent unless all of the input passes.

Schemas that are asynchronous are awaited without a deadline; ky's `totalTimeout` covers that of the response.

@throws {RequestValidationError} before any I/O, where the input does not pass.
@throws {ResponseValidationError} where the answer does not pass, or is not JSON where it should be.
@throws {ConfigError} for an option that is the definition's to decide.
@throws {HTTPError} of ky for every status but 2xx, whatever the instance's `throwHttpErrors` says: an output is never an error's body.
*/
export interface Endpoint<Input, Output, Errors> {
	(...call: EndpointArguments<Input>): Promise<Output>;
	/** The definition, checked and frozen. */
	readonly definition: AnyDefinition;
	/**
	The `Request` that a call would send, all `init` and `beforeRequest` hooks run, and nothing sent: for signing, service workers
	and tests. There is no access token in it, since `auth.hooks` adds that to what is sent: `auth.fetch(request)` sends it with one.

	@throws {RequestValidationError} where the input does not pass.
	@throws {ConfigError} where a hook answers in the API's place, so that there is no request.
	*/
	request(...call: EndpointArguments<Input>): Promise<Request>;
	/**
	Whether a call of this endpoint failed with this status and a body that passed the schema that `errors` has for it. Where the
	body did not pass, this is false, and the error is left as ky made it.
	*/
	isError<Status extends keyof Errors & number>(
		error: unknown,
		status: Status,
	): error is EndpointError<Status, Errors[Status]>;
}

// The token and the revocation endpoint of this package are not definitions of this kind: their requests must not pass the hooks
// of the instance that waits for the token, are answered in forms too, follow no redirect, and keep answers out of their errors.
/**
Makes a function of the definition of an endpoint.

@throws {ConfigError} which names the part of the definition that cannot be used.
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
	Response extends StandardSchema | ResponseKind = 'void',
	Errors extends ErrorSchemas = {},
>(
	definition: EndpointDefinition<Path, Params, SearchParams, Json, Form, Body, Headers, Response, Errors> &
		Consistent<Path, Params, SearchParams, Json, Form, Body, Headers, Errors>,
): Endpoint<
	EndpointInput<Path, Params, SearchParams, Json, Form, Body, Headers>,
	EndpointOutput<Response>,
	ErrorOutputs<Errors>
> {
	const plan = readDefinition(definition);
	const {response = 'void', errors = {}} = ownProperties(plan.definition);
	const known = new WeakSet<object>();

	const send = async ([api, input, options]: Call, interceptor?: BeforeRequestHook): Promise<unknown> => {
		const given = readOptions(options);
		const draft = await draftOf(plan, input);
		// So it is ky that merges the options of the call, and what was checked comes last.
		const instance = given ? api.extend(given) : api;
		const hooks = interceptor ? {hooks: {beforeRequest: [interceptor]}} : {};
		try {
			return await readBody(instance(draft.path, {...draft.options, ...hooks}), response);
		} catch (error) {
			if (isHTTPError(error) && (await readErrorBody(error, errors))) known.add(error);
			throw error;
		}
	};

	const request = async (...call: Call): Promise<Request> => {
		let found: Request | undefined;
		// What is thrown and is no error passes through ky untouched: no retry, no `beforeError`. ky drops its request's body then.
		const interceptor: BeforeRequestHook = ({request}) => {
			found = new Request(request);
			throw found; // oxlint-disable-line no-throw-literal, typescript/only-throw-error
		};
		await send(call, interceptor).catch((thrown: unknown) => {
			if (thrown !== found) throw thrown;
		});
		if (!found) throw new ConfigError('There is no request: a beforeRequest hook has answered it');
		return found;
	};

	const isError = (error: unknown, status: number): boolean =>
		known.has(Object(error)) && (error as HTTPError).response.status === status;

	const members = {definition: plan.definition, request, isError};
	// The types of the arguments and of the output are those of the schemas, which have been or will be run.
	return Object.freeze(Object.assign((...call: Call) => send(call), members)) as never;
}

type Call = readonly [api: KyInstance, input?: unknown, options?: unknown];

/** By its name, as ky itself does: it may be of another copy of ky. */
function isHTTPError(error: unknown): error is HTTPError {
	return (error as Error | undefined)?.name === 'HTTPError';
}
