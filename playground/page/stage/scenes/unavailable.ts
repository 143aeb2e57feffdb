import {countFailed, sumOutcomes} from '../../calls.ts';
import {grantsOf} from '../../recording.ts';
import {countOf} from '../../verdict.ts';
import type {Scene} from '../scene.ts';
import {callUntilOver} from './call-until-over.ts';

/** The token endpoint answers 503 for a while. */
export const unavailable: Scene = async stage => {
	const tab = await stage.openTab();
	await stage.setMood('unavailable');
	stage.note('503');
	const during = sumOutcomes([await tab.send(20), await tab.send(20)]);
	await stage.setMood('normal');
	stage.note('well again');
	return {
		tab,
		outcomes: sumOutcomes([during, ...(await callUntilOver(tab))]),
		check(isSignedIn) {
			const refreshes = grantsOf(stage.reports());
			const [failed, last] = [refreshes.slice(0, -1), refreshes.at(-1)];
			const before = failed.at(-1);
			if (!isSignedIn || !before || !last || failed.some(({status}) => status !== 503)) return undefined;
			return {
				failed: countFailed(during),
				refreshes: countOf(failed.length, 'refresh', 'refreshes'),
				seconds: ((last.start - before.start) / 1000).toFixed(1),
			};
		},
	};
};
