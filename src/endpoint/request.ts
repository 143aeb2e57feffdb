import type {Options} from 'ky';
import {type EndpointPart, endpointParts, type Plan} from './definition.ts';
import {ConfigError, RequestValidationError, type ValidationIssue} from '../errors.ts';
import {ownProperties, ownRecordProperties, ownProperty} from '../lib/own-properties.ts';
import {isWellFormed} from './path-template.ts';
import {check} from './standard-schema.ts';

const fixedOptions = ['method', 'json', 'body', 'searchParams', 'baseUrl', 'prefix', 'throwHttpErrors'] as const;

/** The options of ky that a call may have: all but those which the definition or the ky instance decides. */
export type EndpointOptions = Omit<Options, (typeof fixedOptions)[number]>;

/** A request in ky's words. */
export interface Draft {
	/** Where to, below what the instance knows. */
	readonly path: string;
	/** All else. */
	readonly options: Options;
}

/** What a part of an input adds to a request, or what is wrong with it. */
interface Addition {
	readonly path?: string | undefined;
	readonly options?: Options;
	readonly issues?: readonly ValidationIssue[] | undefined;
}

/**
Copies the options of one call.

@throws {ConfigError} for one with which another request would go out than the definition says.
*/
export function readOptions(options: unknown): EndpointOptions | undefined {
	const given = ownRecordProperties(options);
	const fixed = given && fixedOptions.find(name => name in given);
	if (fixed) throw new ConfigError(`${fixed} is no option of a call: it is for the definition or the ky instance`);
	return given; // the rest is ky's to check
}

/**
Checks all parts of an input, and makes of them what ky needs.

@throws {RequestValidationError} with what is wrong in any of them.
*/
export async function draftOf(plan: Plan, input: unknown): Promise<Draft> {
	const given = input === undefined ? ownProperties<Record<string, unknown>>({}) : ownRecordProperties(input);
	if (!given) throw new RequestValidationError([{path: '', expected: 'an object'}]);
	const issues: ValidationIssue[] = unknownParts(plan, given);
	let path = '';
	const options: Options = {method: plan.definition.method, throwHttpErrors: true};
	for (const name of endpointParts) {
		const addition = ownProperties(await readPart(plan, name, given[name]));
		issues.push(...(addition.issues ?? []));
		path = addition.path ?? path;
		Object.assign(options, addition.options);
	}
	if (issues.length > 0) throw new RequestValidationError(issues);
	return {path, options};
}

function unknownParts({definition, path}: Plan, given: Readonly<Record<string, unknown>>): ValidationIssue[] {
	const known: string[] = endpointParts.filter(name => Object.hasOwn(definition, name));
	if (path.names.length > 0) known.push('params');
	return (
		Object.keys(given)
			.filter(name => given[name] !== undefined && !known.includes(name))
			// What is not the name of any part may be anything, also a secret.
			.map(name => ({path: endpointParts.some(part => part === name) ? name : '*', expected: 'nothing'}))
	);
}

async function readPart({definition, path}: Plan, name: EndpointPart, given: unknown): Promise<Addition> {
	const schema = ownProperty(definition, name);
	if (!schema) return name === 'params' ? path.fill(ownRecordProperties(given)) : {};
	const isBody = name === 'json' || name === 'body';
	// A record all of whose fields are optional is itself optional.
	const {value, issues} = await check(schema, given === undefined && !isBody ? {} : given, name);
	if (issues) return {issues};
	switch (name) {
		case 'params':
			return path.fill(ownRecordProperties(value));
		case 'searchParams':
			return encodeFields(value, name, searchParams => ({searchParams}));
		case 'json':
			return {options: {json: value}};
		case 'form':
			return encodeFields(value, name, body => ({body}));
		case 'body':
			return {options: {body: value as BodyInit}}; // the definition's type says so, and fetch makes text of the rest
		case 'headers':
			return encodeHeaders(value);
		default:
			return name satisfies never;
	}
}

/** URL-encodes a record: an array gives its name once for each item, and what is undefined is left out. */
function encodeFields(record: unknown, at: string, use: (fields: URLSearchParams) => Options): Addition {
	const pairs = pairsOf(record)
		?.flatMap(([name, value]) => [value].flat().map(item => [name, item] as const))
		.filter(([, item]) => item !== undefined);
	if (!pairs?.every(pair => pair.every(isFieldValue))) {
		return {issues: [{path: at, expected: 'well-formed text, numbers, booleans or lists of them'}]};
	}
	return {options: use(new URLSearchParams(pairs.map(([name, item]) => [name, String(item)])))};
}

function isFieldValue(value: unknown): boolean {
	return typeof value === 'string' ? isWellFormed(value) : ['number', 'bigint', 'boolean'].includes(typeof value);
}

function encodeHeaders(record: unknown): Addition {
	const pairs = pairsOf(record)?.filter(([, value]) => value !== undefined);
	return pairs?.every(isHeader)
		? {options: {headers: Object.fromEntries(pairs) as Record<string, string>}} // as `isHeader` found
		: {issues: [{path: 'headers', expected: 'names and values of headers'}]};
}

/** Whether the platform takes it (RFC 9110 §5). What it says otherwise quotes the value. */
function isHeader([name, value]: readonly [string, unknown]): boolean {
	try {
		return typeof value === 'string' && new Headers([[name, value]]).has(name);
	} catch {
		return false;
	}
}

/** The fields of a record, none of undefined. What has entries of another kind, such as a `Map`, is no record. */
function pairsOf(value: unknown): [name: string, value: unknown][] | undefined {
	const record = value === undefined ? {} : ownRecordProperties(value);
	return record && !(Symbol.iterator in Object(value)) ? Object.entries(record) : undefined;
}
