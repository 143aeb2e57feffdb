import {ConfigError, type ValidationIssue} from '../errors.ts';
import {ownProperty} from '../lib/own-properties.ts';

/** The names of a path's parameters: `'id'` for `accounts/{id}`. */
export type ParameterNames<Path extends string> = string extends Path
	? string
	: Path extends `${string}{${infer Name}}${infer Rest}`
		? Name | ParameterNames<Rest>
		: never;

/** A path whose parameters all have values, or what was wrong with these. */
export type FilledPath =
	| {readonly path: string; readonly issues?: undefined}
	| {readonly path?: undefined; readonly issues: readonly ValidationIssue[]};

/** A path with `{name}` in the places of its parameters. */
export interface PathTemplate {
	/** The names of the parameters. */
	readonly names: readonly string[];
	/** The path with each value percent-encoded as data of its segment, of which it can never become more. */
	fill(values: Readonly<Record<string, unknown>> | undefined): FilledPath;
}

const parameter = /\{([\w.-]+)\}/g;

/** What RFC 3986 §3.3 allows in a path, and parameters. */
const template = /^(?:[\w.~!$&'()*+,;=:@/-]|%[\dA-F]{2}|\{[\w.-]+\})*$/i;

/** Begins of what is no path: another host, or a scheme (RFC 3986 §4.2). */
const foreign = /^(?:\/\/|[^/]*:)/;

/**
Reads a path.

@throws {ConfigError} for all that is not the path of a resource below a `baseUrl` or `prefix`.
@see https://www.rfc-editor.org/rfc/rfc3986#section-3.3
*/
export function parsePath(path: unknown): PathTemplate {
	const isPath = typeof path === 'string' && template.test(path) && !foreign.test(path);
	const segments = isPath ? path.split('/') : ['..'];
	if (segments.some(isDots)) {
		throw new ConfigError(
			'path must be one of RFC 3986, with {name} for parameters and without origin, query or dot segments',
		);
	}
	return {
		names: segments.flatMap(namesIn),
		fill(values = {}) {
			const filled = segments.map(segment => fillSegment(segment, values));
			const issues = filled.flatMap(segment => segment.issues ?? []);
			return issues.length > 0 ? {issues} : {path: filled.map(({path}) => path).join('/')};
		},
	};
}

function fillSegment(segment: string, values: Readonly<Record<string, unknown>>): FilledPath {
	const names = namesIn(segment);
	const misfits = names.filter(name => !isData(ownProperty(values, name)));
	if (misfits.length > 0) return {issues: issuesAt(misfits, 'well-formed text that is not empty')};
	const path = segment.replaceAll(parameter, (_, name: string) => encode(String(values[name])));
	return isDots(path) ? {issues: issuesAt(names, 'text that makes no . or .. of its segment')} : {path};
}

function issuesAt(names: readonly string[], expected: string): readonly ValidationIssue[] {
	return names.map(name => ({path: `params.${name}`, expected}));
}

function namesIn(segment: string): readonly string[] {
	return [...segment.matchAll(parameter)].map(([, name = '']) => name);
}

const isData = (value: unknown): boolean => typeof value === 'string' && value !== '' && isWellFormed(value);

/** What the URL parser takes for `.` or `..`. */
const isDots = (segment: string): boolean => /^(?:\.|%2e){1,2}$/i.test(segment);

/** Whether a text is without halves of characters, which no URL can hold. */
export const isWellFormed = (text: string): boolean => !/\p{Surrogate}/u.test(text);

/** RFC 3986 §2.3 leaves fewer characters as they are than `encodeURIComponent`. */
function encode(value: string): string {
	const spell = (character: string): string => `%${character.charCodeAt(0).toString(16).toUpperCase()}`;
	return encodeURIComponent(value).replaceAll(/[!'()*]/g, spell);
}
