import type {Options} from 'ky';
import {type Case, type Exception, redirect, uncounted, type Variants} from './case.ts';
import type {Script, Staged} from './room.ts';
import {nameOfKind, type Seen, type Settled, type World} from './world.ts';

/** The token is renewed once, and the call is sent again. */
export const renewed: Partial<Seen> = {
	gets: [200],
	grants: 1,
	calls: ['first 401', 'second 200'],
	session: 'second',
	events: ['token refresh'],
};

/** The caller gets the answer of the API as it is, and nothing else happens. */
export const untouched = (status: number): Partial<Seen> => ({gets: [status], calls: [`first ${status}`]});

/** Creates cases of one call, through ky and through `auth.fetch`, for each first answer of the API. */
export function calls(
	expected: Case['expected'],
	variants: Variants<Staged | readonly Staged[]>,
	{options = {}, except = []}: {readonly options?: Options; readonly except?: readonly Exception[]} = {},
): Case[] {
	return Object.entries(variants).flatMap(([title, staged]) => {
		const script: Script = {api: [staged].flat()};
		const make = (way: string, call: (world: World) => Promise<Response>): Case => ({
			title: `${title}, by ${way}`,
			script,
			async act(world) {
				await world.signIn();
				return [await world.get(call(world))];
			},
			expected,
			except,
		});
		return [
			make('ky', ({ky}) => ky(options)('me')),
			make('auth.fetch', ({auth, room}) => auth().fetch(`${room.api}me`)),
		];
	});
}

/** Nothing is renewed, and the caller can read the challenge. */
export function challenges(status: number, challenge: string): Case {
	return {
		title: `${status}, ${challenge}: no grant, and all of it can be read`,
		script: {api: [{status, headers: [['www-authenticate', challenge]]}]},
		async act({signIn, auth, room}) {
			await signIn();
			const response = await auth().fetch(`${room.api}me`);
			return [response.status, response.headers.get('www-authenticate')];
		},
		expected: {gets: [status, challenge], calls: [`first ${status}`]},
	};
}

/** Creates a case of one call through ky, which retries twice itself. */
export function retries(
	api: readonly Staged[],
	calls: readonly string[],
	status = 200,
	title = calls.join(', then '),
): Case {
	return {
		title,
		script: {api},
		async act({signIn, ky, get}) {
			await signIn();
			const retry = {limit: 2, delay: () => 1};
			return [await get(ky({retry, throwHttpErrors: true}).get('me'))];
		},
		expected: {...renewed, gets: [status === 200 ? 200 : `HTTPError ${status}`], calls},
	};
}

/** Creates a case of one call whose redirects lead through both servers. */
export function hops(
	title: string,
	api: readonly Staged[],
	elsewhere: readonly Staged[],
	expected: Partial<Seen>,
	except: readonly Exception[] = [],
): Case {
	return {
		title,
		script: {api, elsewhere},
		async act({signIn, auth, get, room}) {
			await signIn();
			return [await get(auth().fetch(`${room.api}me`))];
		},
		expected,
		except,
	};
}

/** Creates a case in which regrant changes nothing: a call has the same outcome as without regrant. */
export function asBare(title: string, staged: Staged): Case {
	return {
		title: `${title}: as without regrant, and no grant`,
		script: {api: {untilMended: staged}},
		async act({signIn, auth, get, room}) {
			const url = `${room.api}me`;
			const bare = kindOf(await get(fetch(url)));
			await signIn();
			const ours = kindOf(await get(auth().fetch(url)));
			return [bare === ours ? 'the same' : `${ours}, and not ${bare}`];
		},
		expected: {gets: ['the same'], calls: uncounted},
	};
}

/** Creates a case of a redirect to an address without a server. It must be a network error, or what the platform makes of it. */
export function unfollowed(location: string): Case {
	return {
		title: `to ${JSON.stringify(location)}: a network error, or as without regrant`,
		script: {api: {untilMended: redirect(302, location)}},
		async act({signIn, auth, get, room}) {
			const url = `${room.api}me`;
			const bare = kindOf(await get(fetch(url)));
			await signIn();
			const ours = kindOf(await get(auth().fetch(url)));
			return [ours === 'TypeError' || ours === bare ? 'right' : `${ours}, and not ${bare}`];
		},
		expected: {gets: ['right'], calls: uncounted},
	};
}

/** Returns the class of an error, or the status of an answer. */
export const kindOf = (outcome: Settled): string =>
	'error' in outcome ? nameOfKind(outcome.error) : String((outcome.value as Response).status);

/** Creates a case of a POST that is redirected. Some statuses change the method to GET. */
export function posts(status: number): Case {
	const isKept = status >= 307;
	return {
		title: `${status} on a POST: ${isKept ? 'POST with its body' : 'GET without a body'}`,
		script: {api: [redirect(status, '<api>a')]},
		async act({signIn, auth, get, room}) {
			await signIn();
			const outcome = await get(auth().fetch(`${room.api}me`, {method: 'POST', body: 'posted'}));
			const last = (await room.log()).api.at(-1);
			return [outcome, `${last?.method} ${last?.body}`];
		},
		expected: {gets: [200, isKept ? 'POST posted' : 'GET '], calls: [`first ${status}`, 'first 200']},
	};
}

/** Creates a case in which ky's timeout is shorter than the refresh. The refresh goes on. */
export function impatience(options: Options): Case {
	return {
		title: 'TimeoutError, and the grant goes on',
		script: {token: [{fault: 'held'}]},
		async act({signIn, ky, auth, get, room}) {
			await signIn('over');
			const left = await get(ky(options).get('me'));
			await room.arrivals('token', 1);
			await room.release();
			return [left, await get(auth().fetch(`${room.api}me`))];
		},
		expected: {
			gets: ['TimeoutError', 200],
			grants: 1,
			calls: ['second 200'],
			session: 'second',
			events: ['token refresh'],
		},
	};
}

/** All methods that wait for a token, each called with a signal. */
export const ways = (
	{ky, auth, room}: World,
	signal: AbortSignal,
): Readonly<Record<'ky' | 'auth.fetch' | 'getToken' | 'refresh', () => Promise<unknown>>> => ({
	ky: async () => ky().get('me', {signal}),
	'auth.fetch': () => auth().fetch(`${room.api}me`, {signal}),
	getToken: () => auth().getToken({signal}),
	refresh: () => auth().refresh({signal}),
});

/** A `fetch` option that stands for an API which rejects one token. */
export const fakeApi =
	(dead: string, challenge = 'Bearer error="invalid_token"'): typeof fetch =>
	async input => {
		const {headers} = input as Request; // regrant passes a Request
		const isDead = headers.get('authorization') === `Bearer ${dead}`;
		return isDead ? new Response('no', {status: 401, headers: {'www-authenticate': challenge}}) : new Response('ok');
	};

/** Counts equal outcomes. */
export const tally = (outcomes: readonly Settled[]): string[] => {
	const counts = new Map<string, number>();
	for (const outcome of outcomes) {
		const word = 'error' in outcome ? String(Object(outcome.error).code) : String((outcome.value as Response).status);
		counts.set(word, (counts.get(word) ?? 0) + 1);
	}
	return [...counts].map(([word, count]) => `${word} ×${count}`);
};
