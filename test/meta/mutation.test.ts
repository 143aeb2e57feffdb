import {globSync, readFileSync} from 'node:fs';
import {describe, expect, test} from 'vitest';
import {guards, locateGuards} from '../mutation/guards.ts';
import result from '../mutation/result.json' with {type: 'json'};
import {type MutationResult, scoreOf} from '../mutation/result.ts';
import {leftOut, testsOf} from '../mutation/tests.ts';

const kept: MutationResult = result;

describe('the mutation tests', () => {
	const files = globSync('**/*.ts', {cwd: 'src'}).map(file => file.replaceAll('\\', '/'));

	test('the mutation tests leave out no file that is gone', () => {
		expect(leftOut.filter(file => !files.includes(file))).toEqual([]);
	});

	test('the mutation tests run tests that are there for every other file of src', () => {
		const patterns = files.filter(file => !leftOut.includes(file)).flatMap(testsOf);
		const missing = [...new Set(patterns)].filter(pattern => globSync(pattern).length === 0);
		expect(missing).toEqual([]);
		expect(() => testsOf('other/file.ts')).toThrow('names no tests of other/file.ts');
	});

	test('the mutation tests know where each guard clause is', () => {
		const lines = locateGuards(file => readFileSync(`src/${file}`, 'utf8'));
		expect(new Set(lines.map(({guard}) => guard))).toEqual(new Set(Object.keys(guards)));
		expect(() => locateGuards(() => '')).toThrow('has no line of this kind any more');
	});

	test('the mutation tests left no mutant alive of the guard clauses that were tried', () => {
		const filesOf = (record: Readonly<Record<string, object>>): unknown =>
			Object.fromEntries(Object.entries(record).map(([guard, files]) => [guard, Object.keys(files).toSorted()]));
		expect(filesOf(guards)).toMatchObject(filesOf(kept.guards) as object);
		const living = Object.values(kept.guards)
			.flatMap(files => Object.entries(files))
			.filter(([, {mutants, survived}]) => mutants === 0 || survived > 0);
		expect(living).toEqual([]);
	});

	test('the mutation tests have a score that is the sum of what they found', () => {
		expect(kept).toMatchObject(scoreOf(Object.values(kept.files)));
	});
});
