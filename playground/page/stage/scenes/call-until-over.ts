import {countAnswered, type Outcomes} from '../../calls.ts';
import {sleep} from '../../sleep.ts';
import type {Tab} from '../tab.ts';

/** How many times the app tries at most, and how many milliseconds it waits in between. */
const tries = 20;
const pause = 400;

/** Calls until a call is answered or Ann is signed out, as an app does after an error that can be retried. */
export async function callUntilOver(tab: Tab): Promise<Outcomes[]> {
	const outcomes: Outcomes[] = [];
	for (let count = 0; count < tries; count++) {
		const outcome = await tab.send(1);
		outcomes.push(outcome);
		if (countAnswered(outcome) > 0 || isEnd(outcome)) break;
		await sleep(pause);
	}
	return outcomes;
}

/** True if the calls say that Ann is signed out. */
const isEnd = (outcomes: Outcomes): boolean =>
	[...outcomes.keys()].some(outcome => outcome.startsWith('SessionEndedError') || outcome === 'answered 401');
