import {custom, type GenericSchema} from 'valibot';

/** The characters of credentials and refresh tokens, `VSCHAR`: RFC 6749 appendix A.1, A.2 and A.17. */
export const vschars: RegExp = /^[\x20-\x7E]+$/;

/** The same, for fields that may be empty and are then left out. */
export const vscharsOrNone: RegExp = /^[\x20-\x7E]*$/;

/** Makes the schema of a string that matches. Its message names the field and, unlike valibot's own, does not quote the value. */
export function patternSchema<Value extends string | null = string>(
	name: string,
	pattern: RegExp,
	expected: string,
	isNullable = false,
): GenericSchema<NoInfer<Value>> {
	return custom<Value>(
		value => (typeof value === 'string' ? pattern.test(value) : isNullable && value === null),
		`${name} must be ${expected}`,
	);
}

/** The message for a record that lacks a field, or has one that is not known. */
export function keyMessage({
	expected,
	path,
}: {
	readonly expected: string | null;
	readonly path?: readonly {readonly key: unknown}[] | undefined;
}): string {
	// The keys of records are strings.
	const key = (path?.[0]?.key ?? 'it') as string;
	if (expected === 'never') return `${key} is not a field: use parameters`;
	return `${key} is required${key === 'scope' ? ': null, if the server has no scopes' : ''}`;
}
