import {grantsOf} from '../../recording.ts';
import {sleep} from '../../sleep.ts';
import type {Stage} from '../scene.ts';

/** How many milliseconds to wait between two checks, and the most checks. */
const pause = 10;
const tries = 1_000;

/** Waits until a refresh is under way. */
export async function untilRefresh(stage: Stage): Promise<void> {
	for (let count = 0; count < tries && grantsOf(stage.reports()).length === 0; count++) await sleep(pause);
}
