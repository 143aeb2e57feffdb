import {readFileSync} from 'node:fs';
import {join} from 'node:path';
import {pathToFileURL} from 'node:url';
import {describe, expect, test} from 'vitest';
import {isDue} from '../../faults/case.ts';
import {titledCases} from '../../faults/faults.spec.ts';
import type {Report} from '../../shared/run.ts';
import {createPackedProject} from '../../support/packed-project.ts';
import {runOn, runtimes} from '../../support/runtimes.ts';

const names = process.env['RUNTIMES']?.split(',') ?? Object.keys(runtimes);
const project = await createPackedProject();
const reports = new Map<string, Report | Error>(names.map(name => [name, new Error('It was not run')]));
const waiting = [...names];

async function report(name: string): Promise<Report | Error> {
	try {
		const {report, lab} = await runOn(name, project);
		lab.verdict();
		return report;
	} catch (error) {
		return error instanceof Error ? error : new Error(String(error));
	}
}

async function workOff(): Promise<void> {
	for (let name = waiting.shift(); name !== undefined; name = waiting.shift()) reports.set(name, await report(name));
}

try {
	// Three at once, because the runtimes mostly wait for answers that are slow on purpose.
	await Promise.all([workOff(), workOff(), workOff()]);
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

test('what ran is the package as it was packed', () => {
	const foreign = [...project.bundled].filter(
		file => !/^(?:node_modules\/(?:regrant\/dist|ky|valibot)|e2e\/runtimes|faults|shared)\//.test(file),
	);
	expect(foreign).toEqual([]);
	const resolved = [...reports.values()].flatMap(report => ('resolved' in report ? [report.resolved] : []));
	expect(new Set(resolved)).toEqual(
		new Set([pathToFileURL(join(project.root, 'node_modules/regrant/dist/index.js')).href]),
	);
});

// No run can skip a runtime unnoticed. With RUNTIMES=Deno, which runs only Deno, this test fails.
test('all runtimes of the README have run, and no other', () => {
	const row = /^\| servers .*\n\|[ -|]*\n\| (.*) \|$/m.exec(readFileSync('README.md', 'utf8'))?.[1] ?? '';
	const named = row.split(/ *[|,] */).map(name => name.trim());
	expect([...reports.keys()].toSorted()).toEqual(named.toSorted());
	for (const [name, report] of reports) {
		// The report names the runtime that produced it.
		expect('runtime' in report && report.runtime).toMatch(new RegExp(`^${name}(?:[ .]|$)`));
	}
});

/** Tests that only some runtimes have. */
const particular: ReadonlyArray<readonly [titles: RegExp, names: RegExp]> = [
	[/^redisStore: /, /^(?:Node|Deno|Bun)/],
	[/^denoKvStore: /, /^Deno/],
	[/^durableObjectStore: /, /^workerd/],
	[/^fileStore: /, /^(?:Node|Deno|Bun)/],
	[/^indexedDbStore: /, /^(?:Chromium|Firefox|WebKit)/],
	[/^webStorage: /, /^(?:Chromium|Firefox|WebKit|happy-dom)/],
	[/^a stream /, /^(?:Node|Deno|Bun|workerd)/],
];

test('each runtime has run the whole specification', () => {
	const catalogue = new Set(titledCases.map(([title]) => title));
	const titlesOf = (report: Report | Error): string[] =>
		'outcomes' in report ? report.outcomes.flatMap(({title}) => (catalogue.has(title) ? [] : [title])) : [];
	const all = [...new Set([...reports.values()].flatMap(titlesOf))];
	expect(all.length).toBeGreaterThan(80);
	for (const [titles] of particular) expect(all).toContainEqual(expect.stringMatching(titles));
	for (const [name, report] of reports) {
		const isDue = (title: string): boolean =>
			particular.every(([titles, names]) => names.test(name) || !titles.test(title));
		expect([name, ...titlesOf(report).toSorted()]).toEqual([name, ...all.filter(isDue).toSorted()]);
	}
});

test('each runtime has run every case of the catalogue of faults that is possible there', () => {
	for (const [name, report] of reports) {
		const outcomes = 'outcomes' in report ? report.outcomes : [];
		const due = titledCases.filter(([, entry]) => isDue(entry, name)).map(([title]) => title);
		const known = new Set(due);
		const run = outcomes.map(({title}) => title).filter(title => known.has(title));
		expect([name, ...run.toSorted()]).toEqual([name, ...due.toSorted()]);
	}
});
