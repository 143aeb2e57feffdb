import {ConfigError} from '../errors.ts';
import {ownProperties, ownPropertiesWhere} from '../lib/own-properties.ts';
import {encoders, type EndpointPart} from './parts.ts';
import {foreign, parameter} from './path.ts';
import {type ErrorSchemas, readers, type ResponseKind} from './response.ts';
import {isSchema, type StandardSchema} from './standard-schema.ts';

/** The methods that ky has shortcuts for, or any other method, in the case that the server expects. */
export type EndpointMethod =
	'get' | 'post' | 'put' | 'patch' | 'delete' | 'head' | 'options' | 'query' | (string & Record<never, never>);

/** A schema, or none. */
export type OptionalSchema<Output = unknown> = StandardSchema<unknown, Output> | undefined;

/** What a definition says about a response. */
export type OptionalResponse = StandardSchema | ResponseKind | undefined;

/** An endpoint as data. Each schema is a Standard Schema: of valibot, zod, arktype, or your own. */
export interface EndpointDefinition<
	Path extends string = string,
	Params extends OptionalSchema = OptionalSchema,
	SearchParams extends OptionalSchema = OptionalSchema,
	Json extends OptionalSchema = OptionalSchema,
	Form extends OptionalSchema = OptionalSchema,
	Body extends OptionalSchema = OptionalSchema,
	Headers extends OptionalSchema = OptionalSchema,
	Response extends OptionalResponse = OptionalResponse,
	Errors extends ErrorSchemas | undefined = ErrorSchemas | undefined,
	Method extends EndpointMethod = EndpointMethod,
> {
	/** The HTTP method. */
	readonly method: Method;
	/**
	The path below the `baseUrl` or `prefix` of the ky instance, percent-encoded, with `{name}` for each parameter. A leading slash
	starts at the root of the host if the instance has a `baseUrl`, and means nothing if it has a `prefix`.

	@see https://www.rfc-editor.org/rfc/rfc3986#section-3.3
	*/
	readonly path: Path;
	/** Gives a string, a number or a bigint for each parameter of the path. Default: parameters are sent as they are. */
	readonly params?: Params;
	/** Gives the query. It is added to the query of the ky instance. Default: nothing is added. */
	readonly searchParams?: SearchParams;
	/** Gives the body, sent as JSON. Default: no body. */
	readonly json?: Json;
	/** Gives the body, sent as `application/x-www-form-urlencoded`. Default: no body. */
	readonly form?: Form;
	/** Gives the body: anything that `fetch` takes. Default: no body. */
	readonly body?: Body;
	/** Gives headers. They replace those of the ky instance and of the call. Undefined ones are left out. Default: none. */
	readonly headers?: Headers;
	/**
	What the response is: a schema for JSON, or one of the other kinds. A schema gets undefined for an empty body. Default: `void`, which
	drops the body, so that nothing unchecked gets in.
	*/
	readonly response?: Response;
	/** The schemas of error bodies, by HTTP status: see `isError`. Default: none, so that error bodies stay as ky made them. */
	readonly errors?: Errors;
}

/** The definition of an endpoint: each schema keeps its own type, and missing members are undefined. */
export interface CheckedDefinition<
	Path extends string,
	Params extends OptionalSchema,
	SearchParams extends OptionalSchema,
	Json extends OptionalSchema,
	Form extends OptionalSchema,
	Body extends OptionalSchema,
	Headers extends OptionalSchema,
	Response extends OptionalResponse,
	Errors extends ErrorSchemas | undefined,
	Method extends EndpointMethod,
> extends EndpointDefinition<Path, Params, SearchParams, Json, Form, Body, Headers, Response, Errors, Method> {
	readonly params: Params;
	readonly searchParams: SearchParams;
	readonly json: Json;
	readonly form: Form;
	readonly body: Body;
	readonly headers: Headers;
	readonly response: Response;
	readonly errors: Errors;
}

/** A definition, whatever its types are. */
export type AnyDefinition = EndpointDefinition;

/**
Checks a definition, and returns a frozen copy of its own properties. The compiler checks more than this does.

@throws {ConfigError} if a member is missing, unknown or unusable. The message names it.
*/
export function readDefinition(definition: AnyDefinition): AnyDefinition {
	const given = ownPropertiesWhere(definition);
	const {method, path, response = 'void', errors, ...schemas} = given;
	const wrong =
		(typeof method !== 'string' && 'method') ||
		((typeof path !== 'string' || foreign.test(path.replaceAll(parameter, '0'))) && 'path') ||
		(!(isSchema(response) || Object.keys(readers).includes(response)) && 'response') ||
		(!Object.values(ownProperties(errors)).every(isSchema) && 'errors') ||
		Object.keys(schemas).find(
			name => !(Object.keys(encoders).includes(name) && isSchema(schemas[name as EndpointPart])),
		);
	if (wrong) throw new ConfigError(`${wrong} is missing or cannot be used`);
	// As just checked.
	return Object.freeze(given) as AnyDefinition;
}
