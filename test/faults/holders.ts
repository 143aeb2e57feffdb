// Faults of tabs, processes and isolates that share a session.
import {tally} from './call-cases.ts';
import {elsewhere, type Fault, fault} from './case.ts';
import {times, all} from './words.ts';

export const holderFaults: readonly Fault[] = [
	elsewhere(
		'F-96',
		'tabs refresh at once',
		'it takes several tabs',
		{
			file: 'test/support/tab-spec.ts',
			title: 'eight tabs with five callers each make one grant on one expired token [R71, F-96]',
		},
		{
			file: 'test/e2e/browser/frames.real.test.ts',
			title: 'a page and its frames make one grant on one expired token [R71, F-96]',
		},
	),
	elsewhere(
		'F-97',
		'a tab is closed while it holds the lock',
		'it takes several tabs',
		{file: 'test/support/tab-spec.ts', title: 'the lock of a tab that is closed goes to the next [F-97]'},
		{
			file: 'test/e2e/browser/frames.real.test.ts',
			title: 'the page gets the lock of a frame that is removed [F-97]',
		},
	),
	elsewhere('F-98', 'a tab is killed after the rotation, before the write', 'it takes several tabs', {
		file: 'test/stores/tabs.test.ts',
		title: 'a tab that is gone between the rotation and the write ends the session cleanly, and once [F-98]',
	}),
	elsewhere('F-99', 'a tab is frozen while it holds the lock', 'it takes several tabs', {
		file: 'test/stores/tabs.test.ts',
		title: 'that never frees the lock makes the refresh of the others fail in time [F-99]',
	}),
	elsewhere(
		'F-100',
		'a page comes back from the back/forward cache',
		'it takes a tab with a history',
		{
			file: 'test/stores/tabs.test.ts',
			title: 'reads the store again when it is told that it comes from the back/forward cache [F-100]',
		},
		{
			file: 'test/stores/tabs.test.ts',
			title: 'a tab that gets a %s for its locks lets its callers take turns [R75, F-100]',
		},
	),
	elsewhere(
		'F-101',
		'a sign-out in B during a refresh in A',
		'it takes several tabs, processes or isolates',
		{file: 'test/support/tab-spec.ts', title: 'a sign-out in one tab wins over a refresh in another [R76, F-101]'},
		{
			file: 'test/stores/redis-processes.test.ts',
			title: 'a sign-out in one process wins over a refresh in another, whose late token is revoked [R76, F-101]',
		},
		{
			file: 'test/e2e/workerd/isolates.test.ts',
			title: 'a sign-out in one isolate wins over a refresh in another [R76, F-101]',
		},
	),
	elsewhere(
		'F-102',
		'another user signs in in B while A waits for the lock',
		'it takes several tabs, processes or isolates',
		{
			file: 'test/support/tab-spec.ts',
			title: 'another login in one tab is neither used nor overwritten by those who wait in another [F-102]',
		},
		{
			file: 'test/e2e/workerd/isolates.test.ts',
			title: 'another login in one isolate is neither overwritten nor used by a refresh in another [F-102]',
		},
	),
	elsewhere(
		'F-103',
		'a synchronous throw inside a lock callback',
		'only a store can be made to, and the specification of all stores does it',
		{file: 'test/support/token-store-spec.ts', title: 'a task that throws at once frees the lock [F-103]'},
		{file: 'test/stores/shared/lease.test.ts', title: 'that fails, or throws at once, gives it back [F-103]'},
	),
	elsewhere(
		'F-104',
		'two processes',
		'it takes several processes',
		{file: 'test/stores/redis.test.ts', title: 'makes one grant for each token that expires [R71, F-104]'},
		{file: 'test/stores/deno-kv.test.ts', title: 'make one grant for each token that expires [R71, F-104]'},
	),
	elsewhere('F-105', '20 isolates, one refresh token', 'it takes several isolates', {
		file: 'test/e2e/workerd/isolates.test.ts',
		title: 'fifty callers in three isolates make one grant for each expiry [R81, F-105, F-109]',
	}),
	fault('F-106', 'a server that answers every refresh with 200', {
		title: 'one is sent, and one family is stored',
		script: {isLenient: true},
		async act(world) {
			const {signIn, auth, room} = world;
			await signIn('over');
			const [first, second] = [auth(), auth()];
			const outcomes = await all(
				world,
				times(20, () => [first.fetch(`${room.api}me`), second.fetch(`${room.api}me`)]).flat(),
			);
			return tally(outcomes);
		},
		expected: {gets: ['200 ×40'], grants: 1, calls: ['second 200 ×40'], session: 'second', events: ['token refresh']},
	}),
	elsewhere(
		'F-107',
		'Workers: the request that began a grant returns early',
		'it takes several requests of one isolate',
		{
			file: 'test/e2e/workerd/isolates.test.ts',
			title: 'with waitUntil, everybody gets the token of a renewal whose request is gone [R82, F-107, F-108]',
		},
		{
			file: 'test/e2e/workerd/isolates.test.ts',
			title:
				'without waitUntil, nobody waits forever for a renewal whose request is gone, and the session goes on [R82, F-107, F-108]',
		},
	),
	elsewhere(
		'F-108',
		'Workers: the client of the request that began a grant disconnects',
		'it takes several requests of one isolate',
		{
			file: 'test/e2e/workerd/isolates.test.ts',
			title:
				'without waitUntil, nobody waits forever for a renewal whose request is gone, and the session goes on [R82, F-107, F-108]',
		},
	),
	elsewhere(
		'F-109',
		'Durable Object, 50 callers',
		'it takes several isolates',
		{
			file: 'test/e2e/workerd/isolates.test.ts',
			title: 'fifty callers in three isolates make one grant for each expiry [R81, F-105, F-109]',
		},
		{file: 'test/e2e/workerd/isolates.test.ts', title: 'callers that leave do not affect the others [F-109]'},
	),
	elsewhere('F-110', 'a Durable Object is evicted in the middle of a grant', 'it takes an object that restarts', {
		file: 'test/e2e/workerd/isolates.test.ts',
		title: 'an object that restarts in the middle of a grant keeps its session, and there is one grant [F-110]',
	}),
];
