import {type Case, isDue, runCase} from './case.ts';
import type {Where} from './world.ts';
import {faults} from './faults.ts';

/** What each runtime must provide. */
export interface FaultRunner {
	/** Defines a test. One with `isAlone` must not run at the same time as another. */
	test(title: string, run: () => Promise<void>, isAlone: boolean): void;
	/** Compares two JSON values. */
	equal(actual: unknown, expected: unknown): void;
	readonly where: Where;
}

/** All cases of the catalogue, with their titles. */
export const titledCases: ReadonlyArray<readonly [title: string, entry: Case]> = faults.flatMap(fault =>
	'cases' in fault ? fault.cases.map(entry => [`${fault.what}: ${entry.title} [${fault.id}]`, entry] as const) : [],
);

/** Defines a test for each case of the catalogue that is possible in this runtime. */
export function faultsSpec({test, equal, where}: FaultRunner): void {
	for (const [title, entry] of titledCases) {
		if (!isDue(entry, where.runtime)) continue;
		test(title, async () => equal(...(await runCase(where, entry))), entry.isAlone ?? false);
	}
}
