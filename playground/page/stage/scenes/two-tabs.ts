import {sumOutcomes} from '../../calls.ts';
import {grantsOf} from '../../recording.ts';
import type {Scene} from '../scene.ts';

/** Both tabs find the token expired at the same moment. */
export const twoTabs: Scene = async stage => {
	const here = await stage.openTab();
	const there = await stage.openOtherTab();
	stage.note('both tabs call');
	const outcomes = sumOutcomes(await Promise.all([here.send(20), there.send(20)]));
	return {
		tab: here,
		outcomes,
		check(isSignedIn) {
			const [refresh, ...more] = grantsOf(stage.reports());
			if (!isSignedIn || !refresh || more.length > 0) return undefined;
			const [first, second] = ['This tab', 'The other tab'];
			return refresh.lane === 'tab' ? {first, second} : {first: second, second: first};
		},
	};
};
