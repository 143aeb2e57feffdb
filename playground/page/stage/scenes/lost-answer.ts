import {sumOutcomes} from '../../calls.ts';
import {grantsOf} from '../../recording.ts';
import type {Scene} from '../scene.ts';
import {callUntilOver} from './call-until-over.ts';

/** The server rotates the refresh token, and its answer is lost on the way. */
export const lostAnswer: Scene = async stage => {
	const tab = await stage.openTab();
	await stage.setMood('lossy');
	stage.note('answer lost');
	const first = await tab.send(20);
	await stage.setMood('normal');
	stage.note('back');
	return {
		tab,
		outcomes: sumOutcomes([first, ...(await callUntilOver(tab))]),
		check(isSignedIn) {
			const refreshes = grantsOf(stage.reports());
			return !isSignedIn && refreshes[0]?.status === 502 && refreshes.at(-1)?.status === 400 ? {} : undefined;
		},
	};
};
