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
			const refreshes = grantsOf(stage.reports());
			const failed = refreshes.slice(0, -1);
			const isAsItShould = isSignedIn && failed.length > 0 && failed.every(({status}) => status === 0);
			return isAsItShould ? {failed: countFailed(during)} : undefined;
		},
	};
};
