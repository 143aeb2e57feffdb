import {readFileSync} from 'node:fs';
import {describe, expect, test} from 'vitest';
import type {Report} from '../shared/run.ts';
import {createPackedProject} from '../support/packed-project.ts';
import {runOn, runtimes} from '../support/runtimes.ts';

const only = process.env['RUNTIMES']?.split(',');
const project = await createPackedProject();
const reports = new Map<string, Report | Error>();
try {
	for (const name of only ?? Object.keys(runtimes)) {
		try {
			const {report, lab} = await runOn(name, project);
			lab.verdict();
			reports.set(name, report);
		} catch (error) {
			reports.set(name, error instanceof Error ? error : new Error(String(error)));
		}
	}
} finally {
	project.remove();
}

describe.for([...reports])('on %s', ([, report]) => {
	const outcomes =
		report instanceof Error ? [{title: 'the specification runs', error: report.message}] : report.outcomes;
	test.for(outcomes.map(({title, error}) => [title, error] as const))('%s', ([, error]) => {
		expect(error).toBe(undefined);
	});
});

// By hand, one of them alone: RUNTIMES=Deno
test.skipIf(only !== undefined)(
	'all runtimes of the README have run, and no other, with the whole specification',
	() => {
		const row = /^\| servers .*\n\|[ -|]*\n\| (.*) \|$/m.exec(readFileSync('README.md', 'utf8'))?.[1] ?? '';
		const named = row.split(/ *[|,] */).map(name => name.trim());
		expect([...reports.keys()].toSorted()).toEqual(named.toSorted());
		const ran = [...reports].map(([name, report]) => [
			name,
			report instanceof Error ? '' : report.runtime,
			report instanceof Error ? 0 : report.outcomes.length,
		]);
		for (const [name, runtime, count] of ran) {
			// It is what it is called, by its own word.
			expect(runtime).toMatch(new RegExp(`^${name}(?:[ .]|$)`));
			// All but the streams, which pages cannot send, and the stores that exist elsewhere.
			expect(count).toBeGreaterThanOrEqual(Math.max(...ran.map(([, , most]) => Number(most))) - 2);
		}
	},
);
