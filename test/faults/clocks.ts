// Faults of clocks.
import {tally} from './call-cases.ts';
import {after, bearer, type Fault, fault} from './case.ts';
import {keeping} from './store-cases.ts';
import type {Settled} from './world.ts';
import {unexpected, times, all} from './words.ts';

export const clockFaults: readonly Fault[] = [
	fault('F-80', 'the clock goes ahead by an hour', {
		title: 'one early renewal, and not one a call',
		async act(world) {
			const {signIn, auth, room, advance} = world;
			await signIn();
			advance(3600);
			const calling = auth();
			const statuses: Settled[] = [];
			for (let count = 0; count < 5; count++) statuses.push(await world.get(calling.fetch(`${room.api}me`)));
			return tally(statuses);
		},
		expected: {gets: ['200 ×5'], grants: 1, calls: ['second 200 ×5'], session: 'second', events: ['token refresh']},
	}),
	fault('F-81', 'the clock goes back by an hour', {
		title: 'the expiry is not known: the token is used, and the 401 decides',
		async act({signIn, auth, room, advance, get}) {
			await signIn();
			advance(-3600);
			const calling = auth();
			const before = await get(calling.fetch(`${room.api}me`));
			await room.expire();
			return [before, await get(calling.fetch(`${room.api}me`)), await get(calling.fetch(`${room.api}me`))];
		},
		expected: {
			gets: [200, 200, 200],
			grants: 1,
			calls: ['first 200', 'first 401', 'second 200 ×2'],
			session: 'second',
			events: ['token refresh'],
		},
	}),
	fault(
		'F-82',
		'eight hours of sleep',
		{
			title: 'idle: one grant on waking, and no burst',
			async act(world) {
				const {signIn, auth, room, advance} = world;
				await signIn();
				advance(8 * 3600);
				const calling = auth();
				return tally(
					await all(
						world,
						times(30, () => calling.fetch(`${room.api}me`)),
					),
				);
			},
			expected: {gets: ['200 ×30'], grants: 1, calls: ['second 200 ×30'], session: 'second', events: ['token refresh']},
		},
		{
			title: 'in a grant: it serves those who waited, and all others are one grant more',
			script: {token: [{fault: 'held'}]},
			async act(world) {
				const {signIn, auth, room, advance} = world;
				await signIn('over');
				const calling = auth();
				const waiting = all(
					world,
					times(5, () => calling.fetch(`${room.api}me`)),
				);
				await room.arrivals('token', 1);
				advance(8 * 3600);
				await room.release();
				const waited = await waiting;
				return [
					...tally(waited),
					...tally(
						await all(
							world,
							times(5, () => calling.fetch(`${room.api}me`)),
						),
					),
				];
			},
			expected: {
				gets: ['200 ×5', '200 ×5'],
				grants: 2,
				calls: ['second 200 ×5', 'third 200 ×5'],
				session: 'third',
				events: ['token refresh ×2'],
			},
		},
	),
	fault('F-83', 'the clock of the server is ahead', {
		title: 'a fresh token is answered 401: one retry, then the 401, and no loop',
		script: {api: {untilMended: bearer()}},
		async act(world) {
			const {signIn, auth, room, get} = world;
			await signIn();
			const calling = auth();
			const statuses: Settled[] = [];
			for (let count = 0; count < 3; count++) statuses.push(await get(calling.fetch(`${room.api}me`)));
			await room.mend();
			return [...statuses, await get(calling.fetch(`${room.api}me`))];
		},
		expected: {
			gets: [401, 401, 401, 200],
			grants: 1,
			calls: ['first 401', 'second 401 ×3', 'second 200'],
			session: 'second',
			events: ['token refresh'],
		},
	}),
	fault('F-84', 'the clock stands still', {
		title: 'nobody waits for it',
		script: {isDead: true, token: [after(503)]},
		async act({signIn, auth, room, get}) {
			await signIn();
			const calling = auth();
			const during = [await get(calling.fetch(`${room.api}me`)), await get(calling.refresh())];
			await calling.setToken({
				access_token: room.access_token,
				refresh_token: room.refresh_token,
				token_type: 'Bearer',
			});
			return [...during, await get(calling.getToken())];
		},
		expected: {
			gets: [
				`${unexpected}, retryable`,
				`${unexpected}, retryable`,
				'the first token while it is accepted, scope unknown',
			],
			grants: 1,
			calls: ['first 401'],
			events: ['refresh-failed unexpected_status', 'token set'],
		},
	}),
	fault('F-85', 'a stored token older than its lifetime', {
		title: 'renewed first, and not sent for a sure 401',
		store: ({access_token, refresh_token}) => {
			const issued_at = Math.floor(Date.now() / 1000) - 700;
			return keeping({access_token, refresh_token, token_type: 'Bearer', issued_at, expires_at: issued_at + 600});
		},
		async act({auth, room, get}) {
			return [await get(auth().fetch(`${room.api}me`))];
		},
		expected: {gets: [200], grants: 1, calls: ['second 200'], session: 'second', events: ['token refresh']},
	}),
];
