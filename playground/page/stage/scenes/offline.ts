import {countFailed, sumOutcomes} from '../../calls.ts';
import {grantsOf} from '../../recording.ts';
import type {Scene} from '../scene.ts';
import {callUntilOver} from './call-until-over.ts';
import {untilRefresh} from './until-refresh.ts';

/** The network goes away just before the refresh leaves. */
export const offline: Scene = async stage => {
	const tab = await stage.openTab();
	const calls = tab.send(20);
	await untilRefresh(stage);
	tab.setOffline(true);
	stage.note('offline');
	const during = sumOutcomes([await calls, await tab.send(20)]);
	tab.setOffline(false);
	stage.note('online');
	return {
		tab,
		outcomes: sumOutcomes([during, ...(await callUntilOver(tab))]),
		check(isSignedIn) {
			const [failed, refresh, ...more] = grantsOf(stage.reports());
			if (!isSignedIn || failed?.status !== 0 || !refresh || more.length > 0) return undefined;
			return {failed: countFailed(during)};
		},
	};
};
