/**
Mutation tests. `npm run mutate` tests all of src, `npm run mutate -- --guards` only its guard clauses, and `npm run mutate -- redirect.ts`
single files. The result of each file is printed and stored in result.json. The run fails if a mutant of a guard clause survives.
*/
import {globSync, readFileSync, writeFileSync} from 'node:fs';
import {Stryker} from '@stryker-mutator/core';
import type {MutantResult} from '@stryker-mutator/api/core';
import strykerManifest from '@stryker-mutator/core/package.json' with {type: 'json'};
import vitestManifest from 'vitest/package.json' with {type: 'json'};
import {type GuardLine, locateGuards} from './guards.ts';
import {type FileResult, type MutationResult, scoreOf} from './result.ts';
import {leftOut, testsOf} from './tests.ts';

const place = new URL('result.json', import.meta.url);
const guardLines = locateGuards(file => readFileSync(`src/${file}`, 'utf8'));
const isForGuards = process.argv.includes('--guards');
const named = process.argv.slice(2).filter(argument => !argument.startsWith('--'));
const guarded = [...new Set(guardLines.map(({file}) => file))];
const files =
	named.length > 0 ? named : isForGuards ? guarded : globSync('**/*.ts', {cwd: 'src', exclude: [...leftOut]});

const isLiving = ({status}: MutantResult): boolean => status === 'Survived' || status === 'NoCoverage';
const isDead = ({status}: MutantResult): boolean => status === 'Killed' || status === 'Timeout';

/** Counts mutants. Those that do not compile or were left out do not count. */
function tally(mutants: readonly MutantResult[]): FileResult {
	const survived = mutants.filter(isLiving).length;
	return {mutants: survived + mutants.filter(isDead).length, survived};
}

const isOn = ({location}: MutantResult, {line}: GuardLine): boolean => location.start.line === line;

function keep(file: string, mutants: readonly MutantResult[]): MutationResult {
	const known = JSON.parse(readFileSync(place, 'utf8')) as MutationResult;
	const lines = guardLines.filter(guard => guard.file === file);
	const guards = {...known.guards};
	for (const [guard, its] of Map.groupBy(lines, ({guard}) => guard)) {
		const found = tally(mutants.filter(mutant => its.some(line => isOn(mutant, line))));
		guards[guard] = {...guards[guard], [file]: found};
	}
	const tried = isForGuards ? known.files : {...known.files, [file]: tally(mutants)};
	const next: MutationResult = {
		stryker: strykerManifest.version,
		vitest: vitestManifest.version,
		node: process.versions.node,
		date: new Date().toISOString().slice(0, 10),
		...scoreOf(Object.values(tried)),
		guards: sorted(guards),
		files: sorted(tried),
	};
	writeFileSync(place, `${JSON.stringify(next, undefined, '\t')}\n`);
	return next;
}

function sorted<T>(record: Readonly<Record<string, T>>): Record<string, T> {
	return Object.fromEntries(Object.entries(record).toSorted(([a], [b]) => (a < b ? -1 : 1)));
}

for (const file of files) {
	process.env['MUTATION_TESTS'] = testsOf(file).join(' ');
	const lines = guardLines.filter(guard => guard.file === file);
	const mutate = isForGuards ? lines.map(({line}) => `src/${file}:${line}-${line}`) : [`src/${file}`];
	const mutants = await new Stryker({configFile: 'test/mutation/stryker.json', mutate}).runMutationTest();
	const {score, mutants: count, survived} = keep(file, mutants);
	console.log(
		`${file}: ${JSON.stringify(tally(mutants))}. So far ${score} % of ${count} mutants are killed, ${survived} live.`,
	);
	for (const mutant of mutants.filter(isLiving)) {
		const isOnGuard = lines.some(line => isOn(mutant, line));
		if (isOnGuard) process.exitCode = 1;
		const {line, column} = mutant.location.start;
		console.log(`${isOnGuard ? 'OF A GUARD: ' : ''}${file}:${line}:${column} may become ${mutant.replacement}`);
	}
}
