import type {OptionalResponse} from './definition.ts';
import type {Field} from './parts.ts';
import type {ParameterNames} from './path.ts';
import type {ErrorSchemas} from './response.ts';
import type {InputOf, OutputOf, StandardSchema} from './standard-schema.ts';

/** What the compiler refuses in a definition of the right shape. The last line of its complaint says why. */
export type Consistent<
	Path extends string,
	Params,
	SearchParams,
	Json,
	Form,
	Body,
	Headers,
	Errors,
	Method extends string,
> = PathFits<Path> &
	ParamsFit<Path, Params> &
	RecordFits<'searchParams', SearchParams, Field, 'must give texts, numbers, booleans or lists of them'> &
	RecordFits<'form', Form, Field, 'must give texts, numbers, booleans or lists of them'> &
	RecordFits<'headers', Headers, string | undefined, 'must give texts'> &
	BodyFits<Body> &
	([Exclude<keyof Errors, number>] extends [never] ? unknown : Refused<'errors', 'a status is a number'>) &
	(Lowercase<Method> extends 'get' | 'head'
		? Refused<'json' | 'form' | 'body', 'GET and HEAD have no body'>
		: unknown) &
	(Json extends StandardSchema ? Refused<'form' | 'body', 'json is the body already'> : unknown) &
	(Form extends StandardSchema ? Refused<'body', 'form is the body already'> : unknown);

type Refused<Name extends string, Reason> = {readonly [Key in Name]?: Reason};

/** Each brace must belong to a parameter: `{name}`. */
type PathFits<Path extends string> = Path extends `${infer Before}{${infer Name}}${infer Rest}`
	? [Before, Name] extends [`${string}}${string}`, string] | [string, '' | `${string}{${string}`]
		? StrayBrace
		: PathFits<Rest>
	: Path extends `${string}${'{' | '}'}${string}`
		? StrayBrace
		: unknown;

// An object, because two different texts in one property would make the whole definition `never`.
type StrayBrace = Refused<'path', {readonly reason: 'has a brace that belongs to no parameter'}>;

/** The schema's input must have the parameters of the path as its keys, and its output must fit into a path. */
type ParamsFit<Path extends string, Params> = Params extends StandardSchema
	? string extends Path
		? unknown
		: KeysFit<ParameterNames<Path>, keyof InputOf<Params> & string, OutputOf<Params>>
	: unknown;

type KeysFit<Name extends string, Key extends string, Output> = [Exclude<Key, Name>] extends [never]
	? [Exclude<Name, Key>] extends [never]
		? Output extends {readonly [Each in Name]: string | number | bigint}
			? unknown
			: Refused<'params', 'must give texts, numbers or bigints'>
		: Refused<'params', `lacks the parameter ${Exclude<Name, Key>}`>
	: Refused<'params', `the path has no parameter ${Exclude<Key, Name>}`>;

type RecordFits<Name extends string, Schema, Value, Reason> = Schema extends StandardSchema
	? HasOnly<Given<OutputOf<Schema>>, Value> extends true
		? unknown
		: Refused<Name, Reason>
	: unknown;

/** Whether a type, or each member of a union, is an object whose properties are all such values. `any` counts as one. */
type HasOnly<Type, Value> = 0 extends 1 & Type
	? true
	: Type extends object
		? [Type[keyof Type]] extends [Value]
			? true
			: false
		: false;

type BodyFits<Body> = Body extends StandardSchema
	? OutputOf<Body> extends RequestInit['body'] | undefined
		? unknown
		: Refused<'body', 'must give what fetch takes as a body'>
	: unknown;

type Given<Value> = Exclude<Value, undefined>;

type RecordPart<Name extends string, Schema> = Schema extends StandardSchema
	? RecordArgument<Name, Given<InputOf<Schema>>>
	: unknown;

type RecordArgument<Name extends string, Input> = {} extends Input
	? {readonly [Key in Name]?: Input}
	: {readonly [Key in Name]: Input};

type BodyPart<Name extends string, Schema> = Schema extends StandardSchema
	? undefined extends InputOf<Schema>
		? {readonly [Key in Name]?: InputOf<Schema>}
		: {readonly [Key in Name]: InputOf<Schema>}
	: unknown;

// Without an alias: the declarations that users emit could not name it.
type ParamsPart<Path extends string, Params> = Params extends StandardSchema
	? RecordPart<'params', Params>
	: [ParameterNames<Path>] extends [never]
		? unknown
		: RecordArgument<'params', {readonly [Name in ParameterNames<Path>]: string | number | bigint}>;

/** The same type, written out, so that editors and declarations show one object. */
type Plain<Type> = keyof Type extends never ? Readonly<Record<string, never>> : {[Key in keyof Type]: Type[Key]};

/** The input of an endpoint. */
export type EndpointInput<Path extends string, Params, SearchParams, Json, Form, Body, Headers> = Plain<
	ParamsPart<Path, Params> &
		RecordPart<'searchParams', SearchParams> &
		BodyPart<'json', Json> &
		RecordPart<'form', Form> &
		BodyPart<'body', Body> &
		RecordPart<'headers', Headers>
>;

/** The output of an endpoint. */
export type EndpointOutput<Response extends OptionalResponse> = Response extends StandardSchema
	? OutputOf<Response>
	: Response extends 'text'
		? string
		: Response extends 'blob'
			? Blob
			: Response extends 'arrayBuffer'
				? ArrayBuffer
				: Response extends 'stream'
					? ReadableStream<Uint8Array>
					: void;

// A conditional type, as `Plain` is: a plain alias would appear by its name in the declarations that users emit.
/** The bodies of errors, by status. */
export type ErrorOutputs<Errors extends ErrorSchemas | undefined> = keyof Errors extends never
	? {}
	: {
			readonly [Status in keyof Errors]: Errors[Status] extends StandardSchema ? OutputOf<Errors[Status]> : never;
		};
