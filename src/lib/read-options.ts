import {ConfigError} from '../errors.ts';
import {ownPropertiesWhere, ownProperty} from './own-properties.ts';
import {isBrowser} from './runtime.ts';

/** What values an option may have, given all options, and how a message says so. */
export type Rule = readonly [isRight: (value: unknown, options?: object) => unknown, expected: string];

/** The rules of options, by name. */
export type Rules = Readonly<Record<string, Rule>>;

/** Options that people try, and what they should use. */
const remedies: ReadonlyArray<readonly [option: RegExp, remedy: string]> = [
	[/secret/i, ': use clientAuthentication: clientSecretBasic(secret)'],
	[/^scopes?$/, ': put it into grant'],
	[/^(?:audience|resource)$/, ': use parameters'],
];

const remedyOf = (name: string): string => remedies.find(([option]) => option.test(name))?.[1] ?? '';

/**
Checks options against rules, and copies them. Undefined options are left out.

@param prefix What messages put before a name, such as `grant.`.
@param others The rule of options that have no rule of their own. Without it, they are refused.
@throws {ConfigError} if an option is missing, unknown or unusable. The message names it, and says what to do.
*/
export function readOptions<Options extends object>(
	options: Options | undefined,
	rules: Rules,
	required: readonly string[] = [],
	prefix = '',
	others?: Rule,
): Partial<Options> {
	const given = ownPropertiesWhere(options);
	for (const name of required) {
		if (!(name in given)) throw new ConfigError(`${prefix}${name} is required: ${rules[name]?.[1]}`);
	}
	for (const [name, value] of Object.entries(given)) {
		const [isRight, expected] = ownProperty(rules, name) ?? others ?? [];
		if (!isRight) throw new ConfigError(`${prefix}${name} is not an option${remedyOf(name)}`);
		if (!isRight(value, given)) throw new ConfigError(`${prefix}${name} must be ${expected}`);
	}
	return given;
}

/** Creates the check of a text. */
export const matches =
	(pattern: RegExp): ((value: unknown) => value is string) =>
	(value): value is string =>
		typeof value === 'string' && pattern.test(value);

/** Whether a value is a text of any kind. */
export const isString: (value: unknown) => value is string = matches(/^/);

/** Printable ASCII, not empty: the characters of credentials (RFC 6749 appendix A). */
export const isText: (value: unknown) => value is string = matches(/^[ -~]+$/);

/** The rule of such a text. */
export const aText: Rule = [isText, 'printable ASCII'];

/** The rule of such a text that may be left out. */
export const aTextOrNone: Rule = [value => matches(/^[ -~]*$/)(value ?? ''), 'printable ASCII'];

/** The rule of one or several texts that may be left out. */
export const texts: Rule = [value => [value ?? ''].flat().every(isString), 'a string or a list of strings'];

/** The rule of an option that is checked where it is used. */
export const isAnything: Rule = [() => true, ''];

/** The rule of a function. */
export const aFunction: Rule = [value => typeof value === 'function', 'a function'];

/** The rule of one of these values. */
export const oneOf = (...values: readonly unknown[]): Rule => [value => values.includes(value), values.join(' or ')];

/** The rule of a number of this unit. A timer takes no more than 2 ** 31 milliseconds. */
export const numberOf = (unit: string, least: number): Rule => [
	value => typeof value === 'number' && value >= least && value < 2 ** 30,
	unit,
];

/** The rule of a list. */
export const listOf = (isRight: (item: unknown) => unknown, expected: string): Rule => [
	value => Array.isArray(value) && value.every(item => isRight(item)),
	expected,
];

/**
Reads the origins for which plain http is accepted.

@throws {ConfigError} in a browser, and for anything but http origins.
*/
export function readInsecureOrigins(options: object | undefined): readonly string[] {
	const given = Object(options) as {readonly allowInsecureOrigins?: readonly (string | URL)[]};
	const origins = ownProperty(given, 'allowInsecureOrigins');
	if (origins === undefined) return [];
	if (isBrowser()) throw new ConfigError('allowInsecureOrigins is not for browsers');
	try {
		return origins.map(given => {
			const {origin, protocol} = new URL(given);
			if (protocol !== 'http:' || origin.includes('*')) throw undefined;
			return origin;
		});
	} catch {
		// The platform's own error would quote the text.
		throw new ConfigError('allowInsecureOrigins must be a list of http origins');
	}
}
