import {countAnswered, sumOutcomes} from '../../calls.ts';
import {grantsOf} from '../../recording.ts';
import {sleep} from '../../sleep.ts';
import type {Scene} from '../scene.ts';

/** Milliseconds from the first calls to the later ones, which come during the refresh. */
const pause = 900;

/** The token endpoint takes two seconds, and calls go on coming meanwhile. */
export const slowEndpoint: Scene = async stage => {
	const tab = await stage.openTab();
	await stage.setMood('slow');
	stage.note('slow');
	const first = tab.send(20);
	await sleep(pause);
	stage.note('20 more calls');
	const [early, late] = await Promise.all([first, tab.send(20)]);
	return {
		tab,
		outcomes: sumOutcomes([early, late]),
		check(isSignedIn) {
			const [refresh, ...more] = grantsOf(stage.reports());
			if (!isSignedIn || !refresh?.end || more.length > 0) return undefined;
			const seconds = ((refresh.end - refresh.start) / 1000).toFixed(1);
			return {seconds, early: countAnswered(early), late: countAnswered(late)};
		},
	};
};
