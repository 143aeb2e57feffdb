import {aFunction, isString, listOf, numberOf, type Rules} from '../lib/read-options.ts';

/** The rules of the options that both a client and a session have. */
export const tokenRules: Rules = {
	// A shared store marks its records with these two.
	keep: listOf(name => isString(name) && !/^(?:client|login)$/.test(name), 'a list of names, and not client or login'),
	scheme: [
		scheme => typeof Object(scheme).apply === 'function' && typeof scheme !== 'function',
		'a scheme, such as tokenHeader(name)',
	],
	timeout: numberOf('milliseconds', 1),
	now: aFunction,
};
