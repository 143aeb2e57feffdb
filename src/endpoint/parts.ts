import {RequestValidationError} from '../errors.ts';
import {parameter} from './path.ts';
import {unusable} from './standard-schema.ts';

/** A part of an input. Each part has a schema of its own. */
export type EndpointPart = 'params' | 'searchParams' | 'json' | 'form' | 'body' | 'headers';

/** A value of a query or of a form. A list repeats the name for each item. Undefined is left out. */
export type Field = FieldValue | readonly (FieldValue | undefined)[] | undefined;

type FieldValue = string | number | bigint | boolean;

/**
Turns the output of a part's schema into an option of ky. It also gets the part and the path of the definition.

@throws for an output that a request cannot hold. The error may quote the output.
*/
export type Encoder = (output: unknown, part: EndpointPart, path: string) => unknown;

/** All parts, in the order in which they are checked. Records have an encoder, and the others are sent as they are. */
export const encoders: Readonly<Record<EndpointPart, Encoder | undefined>> = {
	params: fillPath,
	searchParams: toFields,
	json: undefined,
	form: toFields,
	body: undefined,
	headers: (output, part) => new Headers([...toFields(output, part)]),
};

/**
Puts the parameters into a path. No parameter changes which segments the path has: a percent-encoded value cannot end its segment, and
`.`, `..` and the empty string, which could make a segment disappear, are refused.

@throws {RequestValidationError} for the first parameter that is missing or refused.
*/
function fillPath(params: unknown, part: EndpointPart, path: string): string {
	const given = toFields(params, part);
	return path.replaceAll(parameter, (_, name: string) => {
		const value = given.get(name) ?? '';
		// Fields may be lists and booleans too, but parameters may not.
		if (/^\.{0,2}$/.test(value) || /object|boolean/.test(typeof (params as Readonly<Record<string, unknown>>)[name]))
			throw new RequestValidationError(unusable(`${part}.${name}`));
		return encodeURIComponent(value);
	});
}

/** The fields of a record. A list repeats its name for each item. Undefined is left out. */
function toFields(record: unknown = {}, part: EndpointPart): URLSearchParams {
	// The entries of a list or a Map would be lost, and a function has none. `in` itself throws for anything that is not an object.
	if (typeof record === 'function' || Symbol.iterator in (record as object))
		throw new RequestValidationError(unusable(part));
	const fields = new URLSearchParams();
	for (const [name, value] of Object.entries(record as Readonly<Record<string, Field>>)) {
		for (const item of [value].flat()) {
			if (item === undefined) continue;
			const isField = Number.isFinite(item) || /string|bigint|boolean/.test(typeof item);
			// The platform would replace half a surrogate pair by another character.
			if (!isField || /\p{Cs}/u.test(`${name} ${item}`)) throw new RequestValidationError(unusable(`${part}.${name}`));
			fields.append(name, String(item));
		}
	}
	return fields;
}
