import {countFailed, sumOutcomes} from '../../calls.ts';
import {grantsOf} from '../../recording.ts';
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
			const [failed, refresh, ...more] = grantsOf(stage.reports());
			if (!isSignedIn || failed?.status !== 503 || !refresh || more.length > 0) return undefined;
			return {failed: countFailed(during), seconds: ((refresh.start - failed.start) / 1000).toFixed(1)};
		},
	};
};
