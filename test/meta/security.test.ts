import {existsSync, readFileSync} from 'node:fs';
import {describe, expect, test} from 'vitest';

const section = /^## Security\n([^]*?)^## /m.exec(readFileSync('README.md', 'utf8'))?.[1] ?? '';
const promises = [...section.matchAll(/^\d+\. (.*)$/gm)].map(([, text = '']) => text);

/** The tests that a promise names: rules or faults, and the file with the tests that bear them. */
const testsOf = (promise: string): Array<readonly [id: string, file: string]> =>
	[...promise.matchAll(/\[([^\]]*)\]\((test\/[^)]*)\)/g)].flatMap(([, ids = '', file = '']) =>
		ids.split(', ').map(id => [id, file] as const),
	);

/** Whether a text in quotes, as a title is, has the id in it. */
const isNamed = (id: string, file: string): boolean =>
	existsSync(file) && new RegExp(`(['"\`])(?:(?!\\1)[^\\n])*\\b${id}\\b`).test(readFileSync(file, 'utf8'));

describe('the README’s section on security', () => {
	test('has eight promises', () => {
		expect(promises).toHaveLength(8);
	});

	test.for(promises)('names tests that exist: %s', promise => {
		const named = testsOf(promise);
		expect(named.length).toBeGreaterThan(0);
		expect(named.filter(([id, file]) => !/^[RF]-?\d+$/.test(id) || !isNamed(id, file))).toEqual([]);
	});

	test('says what is not promised, and how to report', () => {
		expect(section).toMatch(/^Not promised: /m);
		expect(section).toContain('private advisory');
	});
});
