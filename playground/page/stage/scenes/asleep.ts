import {countAnswered, sumOutcomes} from '../../calls.ts';
import {grantsOf} from '../../recording.ts';
import {sleep} from '../../sleep.ts';
import type {Scene} from '../scene.ts';
import {callUntilOver} from './call-until-over.ts';
import {untilRefresh} from './until-refresh.ts';

/** The deadline of the refresh, in milliseconds. The answer arrives before it, and the laptop wakes up after it. */
const timeout = 2_800;
/** How long the request has time to leave, and how long the laptop sleeps after that, in milliseconds. */
const leave = 400;
const nap = 3_000;

/** The laptop falls asleep while a refresh is under way, and wakes up when its deadline is over. */
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

/** Stops everything in this page, as sleep does. Afterwards timers are late, and answers have waited in the browser. */
function standStill(milliseconds: number): void {
	const until = performance.now() + milliseconds;
	while (performance.now() < until);
}
