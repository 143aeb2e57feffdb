import * as fc from 'fast-check';
import type {TestContext} from 'vitest';

/** The number of runs of each property, and the seed: `PROPERTY_RUNS=10000 PROPERTY_SEED=42 npx vitest run …` */
const numRuns = Number(process.env['PROPERTY_RUNS'] ?? 200);
const seed = Number(process.env['PROPERTY_SEED'] ?? Math.floor(Math.random() * 2 ** 31));

/** Tests a property with random values. A failure prints the seed and the smallest counterexample. */
export async function holds<Values>(
	property: fc.IRawProperty<Values>,
	{annotate}: Pick<TestContext, 'annotate'>,
): Promise<void> {
	await annotate(`${numRuns} runs, seed ${seed}`, 'seed');
	await fc.assert(property, {numRuns, seed});
}

const pieces = [
	...String.raw`" ' \ % %0d%0a %2e + & = ; , # ? @ : / // .. { } < > a 0 é € __proto__ constructor undefined null`.split(
		' ',
	),
	'[object Object]',
	' ',
	'\t',
	'\n',
	'\r\n',
	'\0',
	'\x7F',
	// Lone surrogates, a surrogate pair, invisible characters and line breaks.
	'\uD800',
	'\uDC00',
	'\u{1F600}',
	'\u202E',
	'\uFEFF',
	'\u2028',
];

/** Text of an attacker that some parser might interpret. */
export const hostileText: fc.Arbitrary<string> = fc
	.array(
		fc.oneof(
			{weight: 4, arbitrary: fc.constantFrom(...pieces)},
			{weight: 1, arbitrary: fc.string({unit: 'binary', maxLength: 6})},
			{weight: 1, arbitrary: fc.string({unit: 'grapheme-ascii', maxLength: 6})},
		),
		{maxLength: 8},
	)
	.map(parts => parts.join(''));

/** Inserts hostile text into a valid text. */
export function spoiled(right: fc.Arbitrary<string>): fc.Arbitrary<string> {
	return fc
		.tuple(right, fc.constantFrom(...pieces), fc.nat())
		.map(([text, piece, at]) => text.slice(0, at % (text.length + 1)) + piece + text.slice(at % (text.length + 1)));
}

/** A text that is valid, nearly valid, or invalid. */
export function mostly(right: fc.Arbitrary<string>): fc.Arbitrary<string> {
	return fc.oneof(
		{weight: 4, arbitrary: right},
		{weight: 1, arbitrary: spoiled(right)},
		{weight: 1, arbitrary: hostileText},
	);
}
