import {countAnswered, sumOutcomes} from '../../calls.ts';
import {grantsOf} from '../../recording.ts';
import {sleep} from '../../sleep.ts';
import type {Scene} from '../scene.ts';
import {callUntilOver} from './call-until-over.ts';
import {untilRefresh} from './until-refresh.ts';

/** The deadline of the refresh, in milliseconds. The answer arrives before it, and the laptop wakes up after it. */
const timeout = 2_800;
/** Milliseconds that the request gets to leave, and milliseconds that the laptop sleeps after that. */
const leave = 400;
const nap = 3_000;

/** The laptop falls asleep during a refresh, and wakes up after the deadline of the refresh. */
export const asleep: Scene = async stage => {
	const tab = await stage.openTab({timeout});
	await stage.setMood('slow');
	const calls = tab.send(20);
	await untilRefresh(stage);
	stage.note('asleep');
	await sleep(leave);
	standStill(nap);
	stage.note('awake');
	const first = await calls;
	await stage.setMood('normal');
	const outcomes = sumOutcomes([first, ...(await callUntilOver(tab))]);
	return {
		tab,
		outcomes,
		check(isSignedIn) {
			const [refresh, ...more] = grantsOf(stage.reports());
			return isSignedIn && refresh && more.length === 0 ? {answered: countAnswered(outcomes)} : undefined;
		},
	};
};

/** Blocks the page, as sleep does: afterwards its timers are late, and answers have been waiting in the browser. */
function standStill(milliseconds: number): void {
	const until = performance.now() + milliseconds;
	while (performance.now() < until);
}
