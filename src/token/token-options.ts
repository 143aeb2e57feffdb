import {aFunction, listOf, numberOf, type Rules} from '../lib/read-options.ts';

/** The rules of the options that a client and a session both have. */
export const tokenRules: Rules = {
	keep: listOf(name => typeof name === 'string', 'a list of names'),
	scheme: [
		scheme => typeof scheme === 'object' && typeof (scheme as {apply?: unknown} | null)?.apply === 'function',
		'a scheme, such as tokenHeader(name)',
	],
	timeout: numberOf('milliseconds', 1),
	now: aFunction,
};
