import {ConfigError} from '../errors.ts';
import {ownProperties, ownRecordProperties} from '../lib/own-properties.ts';
import {parsePath, type PathTemplate} from './path-template.ts';
import {isSchema, type StandardSchema} from './standard-schema.ts';

/** The methods that ky sends, and any other that a server knows, in its own case. */
export type EndpointMethod =
	'get' | 'post' | 'put' | 'patch' | 'delete' | 'head' | 'options' | 'query' | (string & Record<never, never>);

/** What else than JSON an answer can be. */
export type ResponseKind = 'text' | 'blob' | 'arrayBuffer' | 'stream' | 'void';

/** A value of a query or of a form. An array gives its name once for each item, what is undefined is left out. */
export type Field = FieldValue | readonly (FieldValue | undefined)[] | undefined;

type FieldValue = string | number | bigint | boolean;

/** The parts of an input, each with a schema of its own. */
export const endpointParts = ['params', 'searchParams', 'json', 'form', 'body', 'headers'] as const;

/** One of them. */
export type EndpointPart = (typeof endpointParts)[number];

/** A schema, or none. */
export type OptionalSchema<Output = unknown> = StandardSchema<unknown, Output> | undefined;

/** The schemas of error bodies, by status. */
export type ErrorSchemas = {readonly [status: number]: StandardSchema};

/** An endpoint as data. Every schema is a Standard Schema: of valibot, zod, arktype or your own. */
export interface EndpointDefinition<
	Path extends string = string,
	Params extends OptionalSchema = OptionalSchema,
	SearchParams extends OptionalSchema = OptionalSchema,
	Json extends OptionalSchema = OptionalSchema,
	Form extends OptionalSchema = OptionalSchema,
	Body extends OptionalSchema = OptionalSchema,
	Headers extends OptionalSchema = OptionalSchema,
	Response extends StandardSchema | ResponseKind = StandardSchema | ResponseKind,
	Errors extends ErrorSchemas = ErrorSchemas,
> {
	/** The HTTP method. */
	readonly method: EndpointMethod;
	/**
	The path below the `baseUrl` or `prefix` of the ky instance, percent-encoded, with `{name}` for each parameter. A leading slash
	means to `baseUrl` the root of the host, and nothing to `prefix`.

	@see https://www.rfc-editor.org/rfc/rfc3986#section-3.3
	*/
	readonly path: Path;
	/** Gives a text for each parameter of the path. Default: texts are taken as they are. */
	readonly params?: Params;
	/** Gives the query, which is added to that of the ky instance. Default: nothing is added. */
	readonly searchParams?: SearchParams;
	/** Gives the body, sent as JSON. Default: no body. */
	readonly json?: Json;
	/** Gives the body, sent as `application/x-www-form-urlencoded`. Default: no body. */
	readonly form?: Form;
	/** Gives the body: anything that `fetch` takes. Default: no body. */
	readonly body?: Body;
	/**
	Gives headers, which win over those of the ky instance and of the call. One that is undefined is left out. Default: nothing is
	added.
	*/
	readonly headers?: Headers;
	/**
	What an answer is: a schema for JSON, which is given undefined for an empty body, or one of the other kinds. Default: `void`,
	whatever comes is dropped, for nothing gets in unchecked.
	*/
	readonly response?: Response;
	/** The schemas of error bodies, by HTTP status: see `isError`. Default: none, and error bodies are left to ky. */
	readonly errors?: Errors;
}

/** A definition, whatever its types are. */
export type AnyDefinition = EndpointDefinition;

/** A definition that was checked and copied. */
export interface Plan {
	/** Frozen. */
	readonly definition: AnyDefinition;
	readonly path: PathTemplate;
}

const kinds: readonly unknown[] = ['text', 'blob', 'arrayBuffer', 'stream', 'void'] satisfies ResponseKind[];
const names: readonly string[] = ['method', 'path', ...endpointParts, 'response', 'errors'];

/**
Checks a definition and copies it.

@throws {ConfigError} which names the part that is missing, not known or not usable.
*/
export function readDefinition(definition: AnyDefinition): Plan {
	const present = Object.entries(Object(definition)).filter(([, value]) => value !== undefined);
	const given = ownProperties<Readonly<Record<string, unknown>>>(Object.fromEntries(present));
	const {method, response = 'void', errors = {}} = given;
	const unknown = Object.keys(given).find(name => !names.includes(name));
	if (unknown) throw new ConfigError(`${unknown} is no part of a definition`);
	if (!isMethod(method)) throw new ConfigError('method must be one that fetch sends');
	const path = parsePath(given['path']);
	const parts = endpointParts.filter(name => name in given);
	const misfit = parts.find(name => !isSchema(given[name]));
	if (misfit) throw new ConfigError(`${misfit} must be a Standard Schema`);
	if (!kinds.includes(response) && !isSchema(response)) {
		throw new ConfigError(`response must be a Standard Schema or one of ${kinds.join(', ')}`);
	}
	if (!hasErrorSchemas(errors)) throw new ConfigError('errors must be Standard Schemas by status, from 300 to 599');
	if (parts.includes('params') && path.names.length === 0) throw new ConfigError('params needs a path with {name}');
	const [body, other] = parts.filter(name => ['json', 'form', 'body'].includes(name));
	if (other) throw new ConfigError(`${body} and ${other} are two bodies: use one`);
	if (body && /^(?:get|head)$/i.test(method)) throw new ConfigError(`${body} needs another method`);
	// All of its parts have just been checked.
	const copy = {
		...given,
		...('errors' in given ? {errors: Object.freeze({...errors})} : {}),
	} as unknown as AnyDefinition;
	return {definition: Object.freeze(copy), path};
}

/** A token (RFC 9110 §5.6.2), less what `fetch` refuses. */
function isMethod(method: unknown): method is string {
	return typeof method === 'string' && /^(?!(?:connect|trace|track)$)[\w!#$%&'*+.^`|~-]+$/i.test(method);
}

function hasErrorSchemas(errors: unknown): errors is ErrorSchemas {
	const isRight = ([status, schema]: [string, unknown]): boolean => /^[345]\d\d$/.test(status) && isSchema(schema);
	return Object.entries(ownRecordProperties(errors) ?? {'': 0}).every(isRight);
}
