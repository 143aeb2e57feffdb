import type {ValidationIssue} from '../errors.ts';
import {ownProperties} from '../lib/own-properties.ts';

/** A schema of any library that follows Standard Schema, version 1. See https://standardschema.dev */
export interface StandardSchema<Input = unknown, Output = Input> {
	/** The only member that regrant reads. */
	readonly '~standard': {
		/** The version of the standard. */
		readonly version: 1;
		/** The library. */
		readonly vendor: string;
		/** Returns the output, or the issues. */
		readonly validate: (value: unknown) => SchemaResult<Output> | Promise<SchemaResult<Output>>;
		/** Only for the compiler. */
		readonly types?:
			| {
					/** The input of the schema. */
					readonly input: Input;
					/** The output of the schema. */
					readonly output: Output;
			  }
			| undefined;
	};
}

/** The result of a schema. */
export type SchemaResult<Output> =
	{readonly value: Output; readonly issues?: undefined} | {readonly issues: readonly SchemaIssue[]};

interface SchemaIssue {
	readonly message: string;
	readonly path?: readonly (PropertyKey | {readonly key: PropertyKey})[] | undefined;
}

/** The input of a schema. */
export type InputOf<Schema extends StandardSchema> = NonNullable<Schema['~standard']['types']>['input'];

/** The output of a schema. */
export type OutputOf<Schema extends StandardSchema> = NonNullable<Schema['~standard']['types']>['output'];

/** The issue of a value that is refused, although no schema says why. */
export const unusable = (path: string): readonly ValidationIssue[] => [{path, message: 'cannot be used'}];

/** Whether a value is a schema. */
export const isSchema = (value: unknown): value is StandardSchema =>
	Boolean((value as Partial<StandardSchema> | null | undefined)?.['~standard']);

/**
Runs a schema, and returns its output.

@param Failure The class of the error to throw if the value does not match.
@param at Where the value is in the input. Nothing for a whole response.
*/
export async function check(
	schema: StandardSchema | undefined,
	value: unknown,
	Failure: new (issues: readonly ValidationIssue[]) => Error,
	...at: readonly string[]
): Promise<unknown> {
	let issues = unusable(at.join('.'));
	try {
		const result = await (schema as StandardSchema)['~standard'].validate(value);
		if (!result.issues) return ownProperties(result).value;
		const found = result.issues.map(({path = [], message}) => {
			// `join` alone would throw for a symbol.
			const keys = [...at, ...path].map(part =>
				String((part as {readonly key?: PropertyKey}).key ?? (part as PropertyKey)),
			);
			return {path: keys.join('.'), message};
		});
		// An empty list refuses the value too: only a result without a list is valid.
		if (found[0]) issues = found;
	} catch {
		// A schema's own exception may quote the value, and is not meant for users.
	}
	throw new Failure(issues);
}
