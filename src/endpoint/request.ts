import type {Options} from 'ky';
import {ConfigError, RequestValidationError, type ValidationIssue} from '../errors.ts';
import {ownProperties} from '../lib/own-properties.ts';
import type {AnyDefinition} from './definition.ts';
import {type Encoder, encoders, type EndpointPart} from './parts.ts';
import {check, unusable} from './standard-schema.ts';

/**
The options of ky that a call may have. The definition and the ky instance set the others. If a program without types passes them anyway,
the definition's method and body win.
*/
export type EndpointOptions = Omit<
	Options,
	'method' | 'json' | 'body' | 'searchParams' | 'baseUrl' | 'prefix' | 'throwHttpErrors'
>;

/**
Checks an input, and turns it into the arguments for ky.

@throws {RequestValidationError} with the issues of all parts.
*/
export async function buildRequest(
	definition: AnyDefinition,
	input: unknown,
): Promise<[path: string, options: Options]> {
	const {method, path} = definition;
	const given = ownProperties(input as Record<string, unknown> | undefined);
	const sent = ownProperties<Record<string, unknown>>({});
	const issues: ValidationIssue[] = [];
	for (const [part, encode] of Object.entries(encoders) as [EndpointPart, Encoder | undefined][]) {
		const schema = definition[part];
		// The parameters of a path need no schema. Other parts without one are not sent.
		if (!schema && part !== 'params') continue;
		// A record whose fields are all optional is itself optional.
		const {[part]: value = encode && {}} = given;
		try {
			const output = schema ? await check(schema, value, RequestValidationError, part) : value;
			sent[part] = encode?.(output, part, path) ?? output;
		} catch (error) {
			issues.push(...((error as Partial<RequestValidationError>).issues ?? unusable(part)));
		}
	}
	if (issues[0]) throw new RequestValidationError(issues);
	const {params, form, ...rest} = sent;
	// Each encoder returns the value of its option.
	return [
		params as string,
		{
			method,
			hooks: {init: [enforce]},
			json: undefined,
			body: form,
			...rest,
		} as Options,
	];
}

/** The last init hook, so that no hook of the instance can undo what it sets. */
function enforce(options: Options): void {
	// The body of an error is never the output.
	options.throwHttpErrors = true;
	// Without a base, a page would send the request to its own origin, and other platforms fail with an error that does not name ky.
	if (!options.baseUrl && !options.prefix) throw new ConfigError('The ky instance is missing a baseUrl or prefix');
}
