import {countAnswered, type Outcomes} from '../../calls.ts';
import {sleep} from '../../sleep.ts';
import type {Tab} from '../tab.ts';

/** How often an app tries again, and how long it waits before each try, in milliseconds. */
const tries = 20;
const pause = 400;

/** Calls again and again, as an app does after an error that says “try again”, until a call is answered or Ann is signed out. */
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

/** Whether a call came to what it comes to for somebody who is signed out. */
const isEnd = (outcomes: Outcomes): boolean =>
	[...outcomes.keys()].some(outcome => outcome.startsWith('SessionEndedError') || outcome === 'answered 401');
