import * as fc from 'fast-check';
import * as copy from 'regrant';
import {scriptsOf, themes} from '../support/schedule-themes.ts';
import {play} from '../support/schedules.ts';

/** What came of the schedules of one theme. */
export interface ScheduleResult {
	readonly theme: string;
	/** How many were played. */
	readonly schedules: number;
	/** The smallest one that went wrong, and what went wrong in it. */
	readonly wrong?: string;
}

/** Plays schedules of each theme, in virtual time. The seed decides everything about them. */
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
