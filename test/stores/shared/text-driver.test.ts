import * as fc from 'fast-check';
import {describe, expect} from 'vitest';
import type {TokenSet} from '../../../src/index.ts';
import {textDriver} from '../../../src/stores/shared/text-driver.ts';
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
/** Texts that other programs could have left in a record. */
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
		'undefined',
		'[]',
		'{}',
		'"text"',
		'{"__proto__":{"polluted":1}}',
		'\u{feff}{}',
		'{"login":null}',
	),
);

/** Creates a place for one text, and its driver. */
function createPlace(text?: string | null) {
	const place = {text};
	const driver = textDriver({
		read: () => place.text,
		write: next => {
			place.text = next;
		},
		compareAndSet: (found, next) => {
			if (found !== (place.text ?? undefined)) return false;
			place.text = next;
			return true;
		},
	});
	return {place, driver};
}

describe('a record that is stored as text', () => {
	test('a record that is stored as text is JSON there', async () => {
		await fc.assert(
			fc.asyncProperty(tokens, async value => {
				const {place, driver} = createPlace();
				await driver.set(value);
				const plain: unknown = JSON.parse(JSON.stringify(value));
				expect(JSON.parse(place.text ?? '')).toEqual(plain);
				expect(await createPlace(place.text).driver.get()).toEqual(plain);
			}),
		);
	});

	test('a record that is stored as text is read without a failure, whatever it is, and known again to the letter', async () => {
		await fc.assert(
			fc.asyncProperty(texts, async text => {
				const {place, driver} = createPlace(text);
				const found = await driver.get();
				expect(({} as {polluted?: unknown}).polluted).toBe(undefined);
				place.text = `${text} `;
				expect(await driver.replace(found, token)).toBe(false);
				place.text = text;
				expect(await driver.replace(found, token)).toBe(true);
				expect(place.text).toBe(JSON.stringify(token));
			}),
		);
	});

	test.for([undefined, null])(
		'a record that is stored as text counts as absent where the place has %s, and is replaced there',
		async text => {
			const {place, driver} = createPlace(text);
			expect(await driver.get()).toBe(undefined);
			expect(await driver.replace(undefined, token)).toBe(true);
			expect(place.text).toBe(JSON.stringify(token));
		},
	);

	test('a record that is stored as text is not replaced by a holder that has neither read nor written it, even if it is equal', async () => {
		const {driver} = createPlace();
		await driver.set(token);
		const elsewhere = createPlace(JSON.stringify(token));
		for (const value of [{...token}, await elsewhere.driver.get(), null, 42, {}]) {
			expect(await driver.replace(value, undefined)).toBe(false);
		}
		expect(await driver.replace(token, undefined)).toBe(true);
	});

	test('a record is not changed, frozen or not', async () => {
		const {place, driver} = createPlace();
		const given = {...token};
		await driver.set(given);
		expect(given).toEqual(token);
		await driver.set(Object.freeze({...token}));
		expect(JSON.parse(place.text ?? '')).toEqual(token);
	});

	test('the driver of a record that is stored as text shows nothing of its token', async ({canaries}) => {
		canaries.plant('hunter2hunter2');
		const driver = canaries.see(createPlace().driver);
		await driver.set({...token, access_token: 'hunter2hunter2'});
		expect(JSON.stringify(driver)).toBe('{}');
	});
});
