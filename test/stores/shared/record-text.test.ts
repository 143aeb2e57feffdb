import * as fc from 'fast-check';
import {describe, expect} from 'vitest';
import type {TokenSet} from '../../../src/index.ts';
import {createRecordText} from '../../../src/stores/shared/record-text.ts';
import {test} from '../../support/test.ts';

const token: TokenSet = {access_token: 'a', token_type: 'Bearer', refresh_token: 'r', issued_at: 1};

const tokens: fc.Arbitrary<TokenSet> = fc.record(
	{
		access_token: fc.string({unit: 'binary'}),
		token_type: fc.string(),
		refresh_token: fc.string({unit: 'binary'}),
		scope: fc.string({unit: 'grapheme'}),
		expires_at: fc.nat(),
		issued_at: fc.nat(),
	},
	{requiredKeys: ['access_token', 'token_type', 'issued_at'], noNullPrototype: false},
);
/** Anything that somebody may have left in a record. */
const texts = fc.oneof(
	fc.json(),
	fc.string(),
	fc.string({unit: 'binary'}),
	tokens.map(value => JSON.stringify(value)),
	fc.record({login: fc.jsonValue()}).map(value => JSON.stringify(value)),
	fc.constantFrom(
		'',
		'null',
		'true',
		'[]',
		'{}',
		'"text"',
		'{"__proto__":{"polluted":1}}',
		'\u{feff}{}',
		'{"login":null}',
	),
);

/** The same text as another holder has it. */
const elsewhere = (text: string) => {
	const record = createRecordText();
	return {record, value: record.parse(text)};
};

describe('the text of a record', () => {
	test('is the record in JSON', () => {
		fc.assert(
			fc.property(tokens, value => {
				const text = createRecordText().format(value);
				expect(JSON.parse(text)).toEqual(JSON.parse(JSON.stringify(value)));
				expect(elsewhere(text).value).toEqual(JSON.parse(JSON.stringify(value)));
			}),
		);
	});

	test('whatever it is, is read without a failure, and known again to the letter', () => {
		fc.assert(
			fc.property(texts, text => {
				const {record, value} = elsewhere(text);
				expect(record.textOf(value)).toBe(text);
				expect(({} as {polluted?: unknown}).polluted).toBe(undefined);
			}),
		);
	});

	test('is nothing where there is none', () => {
		const record = createRecordText();
		expect([record.parse(undefined), record.parse(null)]).toEqual([undefined, undefined]);
		expect(record.textOf(undefined)).toBe(undefined);
	});

	test('of a value that was never read or written is not known, equal or not, also where another holder knows it', () => {
		const record = createRecordText();
		const text = record.format(token);
		expect(record.textOf(token)).toBe(text);
		for (const value of [{...token}, elsewhere(text).value, null, 42, {}]) expect(record.textOf(value)).toBe(null);
	});
	test('leaves what it was given as it was, frozen or not', () => {
		const record = createRecordText();
		const given = {...token};
		record.format(given);
		expect(given).toEqual(token);
		expect(JSON.parse(record.format(Object.freeze({...token})))).toMatchObject(token);
	});

	test('shows nothing of what it knows', ({canaries}) => {
		canaries.plant('hunter2hunter2');
		const record = canaries.see(createRecordText());
		record.parse(record.format({...token, access_token: 'hunter2hunter2'}));
		expect(JSON.stringify(record)).toBe('{}');
	});
});
