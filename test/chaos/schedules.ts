import * as fc from 'fast-check';
import * as copy from 'regrant';
import {scriptsOf, themes} from '../support/schedule-themes.ts';
import {play} from '../support/schedules.ts';

/** The result of the schedules of one theme. */
export interface ScheduleResult {
	readonly theme: string;
	/** How many schedules were run. */
	readonly schedules: number;
	/** The smallest schedule that failed, and how it failed. */
	readonly wrong?: string;
}

/** Runs schedules of each theme in virtual time. They depend on nothing but the seed. */
export async function runSchedules(
	count: number,
	seed: number,
	log: (result: ScheduleResult) => void,
): Promise<ScheduleResult[]> {
	const results: ScheduleResult[] = [];
	for (const theme of themes) {
		const isRight = fc.asyncProperty(scriptsOf(theme), async script => {
			const faults = await play(script, theme.isOfCopies ? copy : undefined);
			if (faults.length > 0) throw new Error(faults.join('; '));
		});
		const {failed, numRuns, counterexample, errorInstance} = await fc.check(isRight, {numRuns: count, seed});
		const wrong = failed ? {wrong: `${JSON.stringify(counterexample?.[0])}: ${String(errorInstance)}`} : {};
		const result = {theme: theme.title, schedules: numRuns, ...wrong};
		log(result);
		results.push(result);
	}
	return results;
}
