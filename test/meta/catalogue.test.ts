import {globSync, readFileSync} from 'node:fs';
import {describe, expect, test} from 'vitest';

/** A row of the catalogue: a rule or a fault. */
interface Row {
	readonly id: string;
	readonly text: string;
}

const catalogue = readFileSync('test/RULES.md', 'utf8');

const rows: Row[] = [...catalogue.matchAll(/^\| (R\d+|F-\d+) \| (.*) \|$/gm)].map(([, id = '', text = '']) => ({
	id,
	text,
}));

const ids = new Set(rows.map(({id}) => id));

const sources = [...globSync('{src,test}/**/*.ts'), 'README.md']
	.filter(file => file !== 'test/meta/catalogue.test.ts')
	.toSorted()
	.map(file => ({file, text: readFileSync(file, 'utf8')}));

/** All quoted text of the tests: their titles, and the tables of their cases. */
const quoted = sources
	.filter(({file}) => file.startsWith('test/'))
	.flatMap(({text}) => [...text.matchAll(/(['"`])(?:(?!\1)[^\n])*/g)].map(([literal]) => literal))
	.join('\n');

const tested = new Set(quoted.match(/\bR\d{1,3}\b|\bF-\d{2,3}\b/g));

describe('the catalogue of rules and faults', () => {
	test('the catalogue of rules and faults has each id once, and those of a kind in order', () => {
		const numbers = (kind: string): number[] =>
			rows.filter(({id}) => id.startsWith(kind)).map(({id}) => Number(id.replace(/\D+/, '')));
		for (const kind of ['R', 'F']) {
			const inOrder = [...new Set(numbers(kind))].toSorted((a, b) => a - b);
			expect(numbers(kind)).toEqual(inOrder);
		}
		expect(rows.length).toBeGreaterThan(270);
	});

	test('the catalogue of rules and faults has a level for each rule', () => {
		const rules = rows.filter(({id}) => id.startsWith('R'));
		expect(rules.filter(({text}) => !/^(?:MUST|SHOULD)(?: NOT)? \| /.test(text))).toEqual([]);
	});

	test('the catalogue of rules and faults has every id that a test, a comment or the README names', () => {
		const unknown = sources.flatMap(({file, text}) =>
			[...text.matchAll(/\b(?:R\d{1,3}|F-\d{2,3})\b/g)]
				.filter(([id]) => !ids.has(id))
				.map(([id]) => `${file} names ${id}`),
		);
		expect(unknown).toEqual([]);
	});

	test('the catalogue of rules and faults has a test for each row, or says why not', () => {
		const untested = rows.filter(({id, text}) => !tested.has(id) && !text.includes('no test: '));
		expect(untested.map(({id}) => id)).toEqual([]);
	});

	test('the catalogue of rules and faults says of no row that it has no test where there is one', () => {
		const denied = rows.filter(({id, text}) => tested.has(id) && text.includes('no test: '));
		expect(denied.map(({id}) => id)).toEqual([]);
	});
});
