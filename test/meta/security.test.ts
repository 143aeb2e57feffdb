import {existsSync, readFileSync} from 'node:fs';
import {describe, expect, test} from 'vitest';

const sectionOf = (file: string, title: string): string =>
	new RegExp(`^## ${title}\\n([^]*?)(?=^## )`, 'm').exec(readFileSync(file, 'utf8'))?.[1] ?? '';

const section = sectionOf('README.md', 'Security');
const promises = [...section.matchAll(/^\d+\. (.*)$/gm)].map(([, text = '']) => text);

/** The list for contributors. It names the tests of each promise, in the order of the README. */
const lists = [...sectionOf('test/README.md', 'Promises').matchAll(/^\d+\. (.*)$/gm)].map(([, text = '']) => text);

/** The tests that a line names: the id of each rule or fault, and the file whose test titles have this id. */
const testsOf = (line: string): Array<readonly [id: string, file: string]> =>
	[...line.matchAll(/\[([^\]]*)\]\(([^)]*)\)/g)].flatMap(([, ids = '', file = '']) =>
		ids.split(', ').map(id => [id, `test/${file}`] as const),
	);

/** Whether a quoted text of the file, such as a title, contains the id. */
const isNamed = (id: string, file: string): boolean =>
	existsSync(file) && new RegExp(`(['"\`])(?:(?!\\1)[^\\n])*\\b${id}\\b`).test(readFileSync(file, 'utf8'));

describe('the README’s section on security', () => {
	test('the README has eight promises, and test/README.md has a line for each', () => {
		expect([promises.length, lists.length]).toEqual([8, 8]);
	});

	test.for(lists.map((line, index) => [index + 1, line] as const))('promise %i has tests: %s', ([, line]) => {
		const named = testsOf(line);
		expect(named.length).toBeGreaterThan(0);
		expect(named.filter(([id, file]) => !/^[RF]-?\d+$/.test(id) || !isNamed(id, file))).toEqual([]);
	});

	test('the README says what is not promised, and how to report a vulnerability', () => {
		expect(section).toMatch(/^Not promised:$/m);
		expect(section).toContain('private advisory');
	});

	test('the README names no rule of the catalogue', () => {
		expect(readFileSync('README.md', 'utf8').match(/\b(?:R\d{1,3}|F-\d{2,3})\b/g)).toBeNull();
	});
});
