import {type Case, isDue, runCase} from './case.ts';
import type {Where} from './world.ts';
import {faults} from './faults.ts';

/** What a runtime brings. */
export interface FaultRunner {
	/** What is alone must not run beside another. */
	test(title: string, run: () => Promise<void>, isAlone: boolean): void;
	/** Compares what JSON can say. */
	equal(actual: unknown, expected: unknown): void;
	readonly where: Where;
}

/** All cases of the catalogue, by the titles under which they are told. */
export const titledCases: ReadonlyArray<readonly [title: string, entry: Case]> = faults.flatMap(fault =>
	'cases' in fault ? fault.cases.map(entry => [`${fault.id}, ${fault.what}: ${entry.title}`, entry] as const) : [],
);

/** The catalogue of faults, as far as it can be in this runtime. */
export function faultsSpec({test, equal, where}: FaultRunner): void {
	for (const [title, entry] of titledCases) {
		if (!isDue(entry, where.runtime)) continue;
		test(title, async () => equal(...(await runCase(where, entry))), entry.isAlone ?? false);
	}
}
