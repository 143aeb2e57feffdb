import type {Scene} from '../scene.ts';
import type {TroubleName} from '../troubles.ts';
import {asleep} from './asleep.ts';
import {lostAnswer} from './lost-answer.ts';
import {offline} from './offline.ts';
import {signOut} from './sign-out.ts';
import {slowEndpoint} from './slow-endpoint.ts';
import {twoTabs} from './two-tabs.ts';
import {unavailable} from './unavailable.ts';

/** The scene of each trouble. */
export const scenes: Readonly<Record<TroubleName, Scene>> = {
	'two-tabs': twoTabs,
	'slow-endpoint': slowEndpoint,
	unavailable,
	'lost-answer': lostAnswer,
	offline,
	asleep,
	'sign-out': signOut,
};
