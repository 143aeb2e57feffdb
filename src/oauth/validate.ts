import {ownProperties, ownRecordProperties} from '../lib/own-properties.ts';

/** As much of a Standard Schema as is used here. See https://standardschema.dev */
export interface Schema<Output> {
	/** Its only member. */
	readonly '~standard': {
		/** Gives the value or what is wrong with it. */
		validate(value: unknown): Outcome<Output> | Promise<Outcome<Output>>;
	};
}

interface Outcome<Output> {
	readonly value?: Output;
	readonly issues?: readonly {readonly message: string}[] | undefined;
}

/**
Runs a schema of our own over the own properties of a record. Such a schema is synchronous, and has a message of its own
for everything that can fail in it: the ones that valibot would make quote the value.
*/
export function validate<Output extends object>(
	schema: Schema<Output>,
	record: unknown,
): {readonly value: Output; readonly problem?: undefined} | {readonly value?: undefined; readonly problem: string} {
	const {value, issues} = ownProperties(schema['~standard'].validate(ownRecordProperties(record)) as Outcome<Output>);
	// The copy again: what a schema makes has a prototype.
	if (value && !issues) return {value: ownProperties(value)};
	return {problem: issues?.map(({message}) => message).join(', ') ?? ''};
}
