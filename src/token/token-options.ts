import {aFunction, isString, listOf, numberOf, type Rules} from '../lib/read-options.ts';

/** The rules of the options that both a client and a session have. */
export const tokenRules: Rules = {
	keep: listOf(isString, 'a list of names'),
	scheme: [
		scheme => typeof Object(scheme).apply === 'function' && typeof scheme !== 'function',
		'a scheme, such as tokenHeader(name)',
	],
	timeout: numberOf('milliseconds', 1),
	now: aFunction,
};
