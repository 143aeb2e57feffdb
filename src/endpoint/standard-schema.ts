import type {ValidationIssue} from '../errors.ts';
import {ownProperty} from '../lib/own-properties.ts';

/** A schema of any library that keeps to Standard Schema, version 1. See https://standardschema.dev */
export interface StandardSchema<Input = unknown, Output = Input> {
	/** Its only member that counts here. */
	readonly '~standard': {
		/** The version of the standard. */
		readonly version: 1;
		/** The library. */
		readonly vendor: string;
		/** Gives the value or what is wrong with it. */
		readonly validate: (value: unknown) => SchemaResult<Output> | Promise<SchemaResult<Output>>;
		/** For the compiler alone. */
		readonly types?:
			| {
					/** What may be given to it. */
					readonly input: Input;
					/** What it gives. */
					readonly output: Output;
			  }
			| undefined;
	};
}

/** What a schema makes of a value. Its issues hold values, in their messages too, so nothing of them goes out as it is. */
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

/** A value that passed, or what was wrong with it: paths and expectations, no values. */
export type Checked =
	| {readonly value: unknown; readonly issues?: undefined}
	| {readonly value?: undefined; readonly issues: readonly ValidationIssue[]};

/** How much of a schema is searched for its words, and how much of a value for its texts. */
const [schemaReach, valueReach] = [10_000, 100_000];
/** An answer that is wrong throughout must not fill a log. */
const mostIssues = 20;
/** Shorter texts turn up in expectations by chance. */
const tellingLength = 3;

/** Whether a value is a schema. Those of some libraries are functions. */
export function isSchema(value: unknown): value is StandardSchema {
	return typeof (Object(value) as Partial<StandardSchema>)['~standard']?.validate === 'function';
}

/**
Runs a schema and tells where the value failed, without telling the value.

@param at Where the value stands: the begin of each path.
*/
export async function check(schema: StandardSchema, given: unknown, at: string): Promise<Checked> {
	try {
		const result = await schema['~standard'].validate(given);
		if (!result.issues) return {value: ownProperty(result, 'value')};
		return {issues: describeIssues(schema, given, at, result.issues)};
	} catch {
		// What a schema throws may quote the value.
		return {issues: [{path: at, expected: 'a value on which its schema does not fail'}]};
	}
}

function describeIssues(
	schema: StandardSchema,
	given: unknown,
	at: string,
	issues: readonly SchemaIssue[],
): readonly ValidationIssue[] {
	const words = contentsOf(schema, schemaReach);
	const contents = contentsOf(given, valueReach);
	const secrets = [...contents].filter(
		text => isText(text) && String(text).length >= tellingLength && !words.has(text),
	);
	// Where the user's own check wrote the expectation, the value may be in it.
	const isTelling = (expected: string): boolean =>
		contents.size >= valueReach || secrets.some(secret => expected.includes(String(secret)));
	return issues.slice(0, mostIssues).map(issue => {
		const expectation = expectationOf(issue);
		const expected = isTelling(expectation) ? 'something else' : expectation.replaceAll(/\s+/g, ' ').trim();
		return {path: pathOf(issue, given, at, words), expected};
	});
}

/** Dotted. A key that is no word of the schema came with the value, and may be as secret: `*` stands for it. */
function pathOf({path = []}: SchemaIssue, given: unknown, at: string, words: ReadonlySet<unknown>): string {
	const labels = at === '' ? [] : [at];
	let here = given;
	for (const part of path) {
		const key = typeof part === 'object' ? part.key : part;
		labels.push(Array.isArray(here) || words.has(key) ? String(key) : '*');
		here = (Object(here) as Record<PropertyKey, unknown>)[key];
	}
	return labels.join('.');
}

/** What valibot and arktype call `expected` zod spells by the kind of issue. Messages are no help: they quote values. */
function expectationOf(issue: object): string {
	const {expected, values, minimum, maximum, inclusive, format, type, code} = issue as Record<string, unknown>;
	const orEqual = inclusive === false ? '' : '=';
	// That of arktype's unions is a whole message, with the value behind.
	if (typeof expected === 'string') return expected.replaceAll(/^must be | \(was [^]*$/g, '');
	if (Array.isArray(values)) return values.join(' or ');
	// Or a bigint, or a date.
	if (minimum !== undefined) return `>${orEqual}${minimum as number}`;
	if (maximum !== undefined) return `<${orEqual}${maximum as number}`;
	if (code === 'unrecognized_keys') return 'no other keys';
	return [format, type].find(name => typeof name === 'string') ?? 'something else';
}

/** All within reach of a value: keys, values, and what is in collections. */
function contentsOf(root: unknown, reach: number): ReadonlySet<unknown> {
	const found = new Set<unknown>([root]);
	// A set hands out also what is added meanwhile.
	for (const value of found) {
		if (found.size >= reach) break;
		if (Object(value) !== value || ArrayBuffer.isView(value)) continue;
		if (value instanceof Map || value instanceof Set) for (const item of value) found.add(item);
		// Getters are left alone: those of zod change what they are asked on.
		for (const [key, {value: item}] of Object.entries(Object.getOwnPropertyDescriptors(value))) {
			found.add(key).add(item);
		}
	}
	return found;
}

const isText = (value: unknown): boolean => typeof value === 'string' || typeof value === 'number';
