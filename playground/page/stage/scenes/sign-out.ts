import {countFailed, sumOutcomes} from '../../calls.ts';
import {sleep} from '../../sleep.ts';
import type {Scene, Stage} from '../scene.ts';
import {untilRefresh} from './until-refresh.ts';

/** When Ann signs out, in milliseconds after the refresh began. The server has granted it by then, and has not answered yet. */
const pause = 700;

/** Ann signs out in another tab, while this one refreshes. */
export const signOut: Scene = async stage => {
	const here = await stage.openTab();
	const there = await stage.openOtherTab();
	await stage.setMood('late');
	const calls = here.send(20);
	await untilRefresh(stage);
	await sleep(pause);
	stage.note('Ann signs out');
	await there.signOut();
	const first = await calls;
	await untilRevoked(stage);
	const last = await here.send(1);
	return {
		tab: here,
		outcomes: sumOutcomes([first, last]),
		wantsSignOut: true,
		check(isSignedIn) {
			const revoked = countRevoked(stage);
			return !isSignedIn && revoked === both ? {failed: countFailed(first), revoked} : undefined;
		},
	};
};

/** The refresh token that Ann signs out with, and the one that arrives after that. */
const both = 2;

const countRevoked = (stage: Stage): number =>
	stage.reports().filter(({kind, status}) => kind === 'revocation' && status === 200).length;

/** How many milliseconds to wait between two checks, and the most checks. */
const wait = 50;
const tries = 100;

async function untilRevoked(stage: Stage): Promise<void> {
	for (let count = 0; count < tries && countRevoked(stage) < both; count++) await sleep(wait);
}
