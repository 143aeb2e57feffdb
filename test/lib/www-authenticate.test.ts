import * as fc from 'fast-check';
import {describe, expect} from 'vitest';
import {parseChallenges} from '../../src/lib/www-authenticate.ts';
import {type PlainChallenge, readChallengesSlowly} from '../support/challenge-grammar.ts';
import {holds, hostileText} from '../support/property.ts';
import {test} from '../support/test.ts';

/** Parses a header. Its parameters become plain objects, so that `toEqual` can compare them. */
const parse = (header: string): PlainChallenge[] =>
	parseChallenges(header).map(({scheme, parameters}) => ({scheme, parameters: {...parameters}}));

const bearer = (parameters: Readonly<Record<string, string>> = {}): PlainChallenge => ({scheme: 'bearer', parameters});

describe('a WWW-Authenticate header is parsed [R55]', () => {
	test.for<readonly [what: string, header: string, challenges: readonly PlainChallenge[]]>([
		['no challenge', '', []],
		['a scheme alone', 'Bearer', [bearer()]],
		['a scheme with white space around it', ' \tBearer \t', [bearer()]],
		['a quoted parameter', 'Bearer realm="api"', [bearer({realm: 'api'})]],
		['a parameter that is a token', 'Bearer error=invalid_token', [bearer({error: 'invalid_token'})]],
		['an empty quoted string', 'Bearer realm=""', [bearer({realm: ''})]],
		[
			'several parameters',
			'Bearer realm="api", error="invalid_token", error_description="it is over"',
			[bearer({realm: 'api', error: 'invalid_token', error_description: 'it is over'})],
		],
		[
			'parameters without white space between',
			'Bearer realm="api",error="invalid_token"',
			[bearer({realm: 'api', error: 'invalid_token'})],
		],
		['white space around an equals sign', 'Bearer error \t=\t "invalid_token"', [bearer({error: 'invalid_token'})]],
		['several spaces after a scheme', 'Bearer   realm=api', [bearer({realm: 'api'})]],
		[
			'a comma, an equals sign and a scheme in a quoted string',
			'Bearer error_description="no, Basic realm=x", error="invalid_token"',
			[bearer({error_description: 'no, Basic realm=x', error: 'invalid_token'})],
		],
		['an escaped quote', String.raw`Bearer realm="a \"b\" c"`, [bearer({realm: 'a "b" c'})]],
		['an escaped backslash', String.raw`Bearer realm="a\\", error="b"`, [bearer({realm: 'a\\', error: 'b'})]],
		['an escaped ordinary character', String.raw`Bearer realm="\a\b"`, [bearer({realm: 'ab'})]],
		['characters of Latin-1 in a quoted string', 'Bearer realm="é"', [bearer({realm: 'é'})]],
		['a scheme in any case', 'BEARER realm=a', [bearer({realm: 'a'})]],
		['parameter names in any case', 'Bearer ERROR="invalid_token"', [bearer({error: 'invalid_token'})]],
		['a value as it is, also its case', 'Bearer error="Invalid_TOKEN"', [bearer({error: 'Invalid_TOKEN'})]],
		['the last of a repeated parameter', 'Bearer error="a", error="b"', [bearer({error: 'b'})]],
		['the last of one repeated in another case', 'Bearer error="a", ERROR=b', [bearer({error: 'b'})]],
		[
			'every character of a token',
			"Bearer a!#$%&'*+-.^_`|~9=!#$%&'*+-.^_`|~9",
			[bearer({"a!#$%&'*+-.^_`|~9": "!#$%&'*+-.^_`|~9"})],
		],
		[
			'several challenges, in one header or in several that were joined',
			'Basic realm="x", Bearer error="invalid_token"',
			[{scheme: 'basic', parameters: {realm: 'x'}}, bearer({error: 'invalid_token'})],
		],
		[
			'two challenges of one scheme',
			'Bearer realm="a", Bearer realm="b"',
			[bearer({realm: 'a'}), bearer({realm: 'b'})],
		],
		[
			'schemes alone, one after another',
			'Negotiate, NTLM, Bearer',
			[{scheme: 'negotiate', parameters: {}}, {scheme: 'ntlm', parameters: {}}, bearer()],
		],
		[
			'a token68',
			'Negotiate YWJj+/-._~==, Bearer error="invalid_token"',
			[{scheme: 'negotiate', parameters: {}}, bearer({error: 'invalid_token'})],
		],
		['a token68 at the end', 'Bearer, Negotiate abc=', [bearer(), {scheme: 'negotiate', parameters: {}}]],
		[
			'the example of RFC 9110',
			String.raw`Newauth realm="apps", type=1, title="Login to \"apps\"", Basic realm="simple"`,
			[
				{scheme: 'newauth', parameters: {realm: 'apps', type: '1', title: 'Login to "apps"'}},
				{scheme: 'basic', parameters: {realm: 'simple'}},
			],
		],
		[
			'empty elements of a list',
			', ,Bearer realm="a",, ,error="b" ,\t, Basic realm=c,',
			[bearer({realm: 'a', error: 'b'}), {scheme: 'basic', parameters: {realm: 'c'}}],
		],
		[
			'a step-up challenge of RFC 9470',
			'Bearer error="insufficient_user_authentication", acr_values="a b", max_age=5',
			[bearer({error: 'insufficient_user_authentication', acr_values: 'a b', max_age: '5'})],
		],
	])('%s', ([, header, challenges]) => {
		expect(parse(header)).toEqual(challenges);
	});
});

describe('what is not in the grammar ends the parsing, and what was complete before that counts [R55, F-53]', () => {
	test.for<readonly [what: string, header: string, challenges: readonly PlainChallenge[]]>([
		['an unterminated quote', 'Bearer realm="a", error="invalid_tok', [bearer({realm: 'a'})]],
		['a quote that ends in an escape', 'Bearer realm="a", error="b\\', [bearer({realm: 'a'})]],
		['a second challenge that is garbage', 'Bearer error="a", @', [bearer({error: 'a'})]],
		['a parameter without a value', 'Bearer realm="a", error=', [bearer({realm: 'a'})]],
		['text after a quoted string', 'Basic realm="a", Bearer realm="b"c', [{scheme: 'basic', parameters: {realm: 'a'}}]],
	])('%s', ([, header, challenges]) => {
		// The parser may keep or drop a scheme that has no complete parameter. If it keeps the scheme, that has no parameters.
		expect(parse(header).slice(0, challenges.length)).toEqual(challenges);
		expect(
			parse(header)
				.slice(challenges.length)
				.map(({parameters}) => parameters),
		).not.toContainEqual(expect.objectContaining({error: expect.anything()}));
	});

	test.for(['"', '""', '=', '"Bearer"', '@Bearer', '(Bearer)', '{"error":"invalid_token"}', '<html>', '\0', 'é'])(
		'%j is no challenge',
		header => {
			expect(parse(header)).toEqual([]);
		},
	);

	test.for([
		['a single quote for a double one', "Bearer error='invalid_token'"],
		['a colon for an equals sign', 'Bearer error: invalid_token'],
		['a semicolon for a comma', 'Basic realm="x"; Bearer error="invalid_token"'],
	])('%s gives nobody an error code of invalid_token', ([, header = '']) => {
		expect(parse(header)).not.toContainEqual(bearer({error: 'invalid_token'}));
	});
});

describe('parameters named like members of an object [R39, R55]', () => {
	test.for(['__proto__', 'constructor', 'toString', 'hasOwnProperty'])(
		'parameters named like members of an object pollute nothing when called %s',
		name => {
			const [challenge] = parseChallenges(`Bearer ${name}="x", error="invalid_token"`);
			expect(challenge?.parameters['error']).toBe('invalid_token');
			expect(({} as Record<string, unknown>)['x']).toBeUndefined();
			expect(Object.getPrototypeOf({})).toBe(Object.prototype);
		},
	);

	test.for(['error', 'constructor', 'toString', '__proto__'])(
		'parameters named like members of an object are absent unless they were sent: %s',
		name => {
			expect(parseChallenges('Bearer realm="x"')[0]?.parameters[name]).toBeUndefined();
		},
	);
});

const tokenCharacters = "!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ".split('');
const token = fc.string({unit: fc.constantFrom(...tokenCharacters), minLength: 1, maxLength: 12});
const quotable = fc.string({unit: fc.constantFrom(...' \t!"#,=\\()/:;<>@[]{}azAZ09é'.split('')), maxLength: 12});
const whiteSpace = fc.string({unit: fc.constantFrom(' ', '\t'), maxLength: 2});
const comma = fc.tuple(whiteSpace, fc.constantFrom(',', ',,', ', ,'), whiteSpace).map(parts => parts.join(''));

/** A piece of a header as text, and the meaning that it has. */
interface Rendered<Meaning> {
	readonly text: string;
	readonly meaning: Meaning;
}

const asToken = token.map(value => ({text: value, meaning: value}));
const asQuoted = quotable.chain(value =>
	fc.array(fc.boolean(), {minLength: value.length, maxLength: value.length}).map(escapes => ({
		text: `"${value
			.split('')
			.map((character, index) => (/["\\]/.test(character) || escapes[index] ? `\\${character}` : character))
			.join('')}"`,
		meaning: value,
	})),
);
const parameter: fc.Arbitrary<Rendered<readonly [name: string, value: string]>> = fc
	.tuple(token, whiteSpace, whiteSpace, fc.oneof(asToken, asQuoted))
	.map(([name, before, after, {text, meaning}]) => ({
		text: `${name}${before}=${after}${text}`,
		meaning: [name.toLowerCase(), meaning],
	}));

const alone = token.map(scheme => ({text: scheme, meaning: {scheme: scheme.toLowerCase(), parameters: {}}}));
const withToken68 = fc
	.tuple(token, fc.stringMatching(/^[A-Za-z0-9._~+/-]{1,12}={0,2}$/))
	.map(([scheme, text]) => ({text: `${scheme} ${text}`, meaning: {scheme: scheme.toLowerCase(), parameters: {}}}));
const withParameters = fc
	.tuple(token, fc.array(fc.tuple(comma, parameter), {minLength: 1, maxLength: 4}))
	.map(([scheme, parameters]) => ({
		text: `${scheme} ${parameters.map(([separator, {text}], index) => (index === 0 ? text : separator + text)).join('')}`,
		meaning: {
			scheme: scheme.toLowerCase(),
			parameters: Object.fromEntries(parameters.map(([, {meaning}]) => meaning)),
		},
	}));
const header: fc.Arbitrary<Rendered<readonly PlainChallenge[]>> = fc
	.array(fc.tuple(comma, fc.oneof(alone, withToken68, withParameters)), {maxLength: 4})
	.map(challenges => ({
		text: challenges.map(([separator, {text}], index) => (index === 0 ? text : separator + text)).join(''),
		meaning: challenges.map(([, {meaning}]) => meaning),
	}));

describe('the parser [R55]', () => {
	test('the parser reads everything that the grammar of RFC 9110 allows', () => {
		fc.assert(
			fc.property(header, ({text, meaning}) => {
				expect(parse(text)).toEqual(meaning);
			}),
			{numRuns: 200},
		);
	});

	test('the parser agrees with a slow reference parser on texts that are almost valid', async ({annotate}) => {
		const piece = fc.oneof(
			fc.constantFrom(' ', '\t', ',', ', ', '=', '==', '"', '\\', '\\"', 'a', 'Bearer ', 'error=', 'x="y"', '@', '\n'),
			hostileText,
		);
		/** A valid header into which random pieces are inserted. A piece may replace some of the text. */
		const damaged = fc
			.tuple(header, fc.array(fc.tuple(fc.nat(), fc.nat({max: 3}), piece), {maxLength: 3}))
			.map(([{text}, changes]) =>
				changes.reduce((changed, [at, length, part]) => {
					const index = at % (changed.length + 1);
					return changed.slice(0, index) + part + changed.slice(index + length);
				}, text),
			);
		const pieces = fc.array(piece, {maxLength: 12}).map(parts => parts.join(''));
		await holds(
			fc.property(fc.oneof(damaged, pieces), text => {
				expect(parse(text)).toEqual(readChallengesSlowly(text));
			}),
			{annotate},
		);
	});

	test('the parser never throws, and returns only strings', () => {
		const anything = fc.oneof(
			fc.string({unit: 'binary', maxLength: 80}),
			fc.string({unit: fc.constantFrom(' ', '\t', ',', '=', '"', '\\', 'a', 'B', 'Bearer ', 'error='), maxLength: 60}),
		);
		fc.assert(
			fc.property(anything, text => {
				const isWellFormed = parseChallenges(text).every(
					({scheme, parameters}) =>
						/^[!#$%&'*+.^`|~\w-]+$/.test(scheme) && Object.values(parameters).every(value => typeof value === 'string'),
				);
				expect(isWellFormed).toBe(true);
			}),
			{numRuns: 200},
		);
	});

	test.for<readonly [what: string, header: string]>([
		['quotes', '"'.repeat(100_000)],
		['spaces', ' '.repeat(100_000)],
		['a scheme, and spaces', `Bearer${' '.repeat(100_000)}`],
		['a scheme, spaces and garbage', `Bearer${' '.repeat(100_000)}@`],
		['tabs and commas', '\t,'.repeat(50_000)],
		['one token', 'a'.repeat(100_000)],
		['one token and garbage', `${'a'.repeat(100_000)}@`],
		['schemes alone', 'a,'.repeat(50_000)],
		['schemes without commas', 'a '.repeat(50_000)],
		['equals signs', `Bearer ${'='.repeat(100_000)}`],
		['a token68 and garbage', `Bearer ${'a'.repeat(50_000)}${'='.repeat(50_000)}@`],
		['parameters without values', 'a='.repeat(50_000)],
		['parameters', `Bearer ${'a=b,'.repeat(25_000)}`],
		['parameters with spaces', `Bearer ${'a = b , '.repeat(12_500)}`],
		['a name, spaces and garbage', `Bearer a=b, a${' '.repeat(100_000)}@`],
		['an equals sign, spaces and garbage', `Bearer a=${' '.repeat(100_000)}@`],
		['an unterminated quote', `Bearer realm="${'a'.repeat(100_000)}`],
		['an unterminated quote full of escapes', `Bearer realm="${'\\"'.repeat(50_000)}`],
		['an unterminated quote full of backslashes', `Bearer realm="${'\\'.repeat(100_000)}`],
		['unterminated quotes one after another', 'Bearer a="'.repeat(10_000)],
		['empty quoted strings', `Bearer ${'a="",'.repeat(20_000)}`],
		['line breaks', 'Bearer\r\n'.repeat(12_500)],
	])('the parser takes 100 kB of %s [F-53]', ([, header]) => {
		expect(Array.isArray(parseChallenges(header))).toBe(true);
	});
});
