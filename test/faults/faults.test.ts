import {existsSync, readFileSync} from 'node:fs';
import {describe, expect, test} from 'vitest';
import {isDue} from './case.ts';
import {faults} from './faults.ts';
import {titledCases} from './faults.spec.ts';
import {runtimes} from '../support/runtimes.ts';

describe('the catalogue of faults', () => {
	test('the catalogue of faults has every fault, once and in order', () => {
		const ids = Array.from({length: 135}, (_, index) => `F-${String(index + 1).padStart(2, '0')}`);
		expect(faults.map(({id}) => id)).toEqual(ids);
	});

	test('the catalogue of faults has cases for each fault, or names the test that has it, and why', () => {
		const empty = faults.filter(fault => ('cases' in fault ? fault.cases : fault.heldBy).length === 0);
		expect(empty).toEqual([]);
		const reasons = faults.flatMap(fault => ('cases' in fault ? [] : [fault.because]));
		expect(reasons.filter(because => !/\w+ \w+ \w+/.test(because))).toEqual([]);
	});

	test.for(faults.flatMap(fault => ('cases' in fault ? [] : fault.heldBy.map(holder => [fault.id, holder] as const))))(
		'%s is held by a test that exists',
		([id, {file, title}]) => {
			expect(existsSync(file) && readFileSync(file, 'utf8')).toContain(title);
			expect(title).toContain(id);
		},
	);

	test('no two cases of the catalogue of faults have the same title', () => {
		const titles = titledCases.map(([title]) => title);
		expect(titles.filter((title, index) => titles.indexOf(title) !== index)).toEqual([]);
	});

	test('the catalogue of faults skips no case without a reason, and none on every runtime', () => {
		const names = Object.keys(runtimes);
		for (const [title, entry] of titledCases) {
			expect([title, names.some(name => isDue(entry, name))]).toEqual([title, true]);
			for (const [pattern, because] of entry.except ?? []) {
				expect([title, names.some(name => pattern.test(name)), /\w+ \w+ \w+/.test(because)]).toEqual([
					title,
					true,
					true,
				]);
			}
		}
	});
});
