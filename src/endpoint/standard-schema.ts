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
		/** Gives the value, or what is wrong with it. */
		readonly validate: (value: unknown) => SchemaResult<Output> | Promise<SchemaResult<Output>>;
		/** For the compiler alone. */
		readonly types?:
			| {
					/** What may be given to the schema. */
					readonly input: Input;
					/** What the schema gives. */
					readonly output: Output;
			  }
			| undefined;
	};
}

/** What a schema makes of a value. */
export type SchemaResult<Output> =
	{readonly value: Output; readonly issues?: undefined} | {readonly issues: readonly SchemaIssue[]};

interface SchemaIssue {
	readonly message: string;
	readonly path?: readonly (PropertyKey | {readonly key: PropertyKey})[] | undefined;
}

/** What may be given to a schema. */
export type InputOf<Schema extends StandardSchema> = NonNullable<Schema['~standard']['types']>['input'];

/** What a schema gives. */
export type OutputOf<Schema extends StandardSchema> = NonNullable<Schema['~standard']['types']>['output'];

/**
Runs a schema, and gives its output.

@param Failure The error to throw if the value does not pass.
@param at Where the value is in the input. Nothing for a whole response.
*/
export async function check(
	schema: StandardSchema | undefined,
	value: unknown,
	Failure: new (issues: readonly ValidationIssue[]) => Error,
	...at: readonly string[]
): Promise<unknown> {
	let issues: readonly ValidationIssue[] = [{path: at.join('.'), message: 'cannot be used'}];
	try {
		const result = await (schema as StandardSchema)['~standard'].validate(value);
		if (!result.issues) return ownProperties(result).value;
		issues = result.issues.map(({path = [], message}) => {
			const keys = [...at, ...path].map(part => (part as {readonly key?: PropertyKey}).key ?? (part as PropertyKey));
			return {path: keys.join('.'), message};
		});
	} catch {
		// What a schema throws may quote the value, and was not written for users.
	}
	throw new Failure(issues);
}
