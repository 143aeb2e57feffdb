import type {AuthOptions} from 'regrant';
import {type Act, type Case, redirect, token, type Variants} from './case.ts';
import type {Room, Staged} from './room.ts';
import type {Seen} from './world.ts';

type Broken = (room: Room) => Partial<AuthOptions>;

// In these cases a renewal fails: first in a direct refresh, and then during a call whose token is still valid. After an hour, which is the
// longest back-off, the server works again, and a renewal must succeed.

const renew =
	(broken: Broken = () => ({})): Act =>
	async world => {
		const {room, advance, auth, signIn, get} = world;
		await signIn('due');
		const breaking = auth(broken(room));
		const failure = await get(breaking.refresh());
		const meanwhile = await get(breaking.fetch(`${room.api}me`));
		await room.mend();
		advance(3601);
		return [failure, meanwhile, await get(auth().fetch(`${room.api}me`))];
	};

/** Expected: the session goes on, calls use the valid token, and no token request is sent until the back-off ends. */
export const forNow = (error: string, delay?: number): Seen => ({
	gets: [`${error}, retryable${delay === undefined ? '' : `, after ${delay}`}`, 200, 200],
	grants: 2,
	calls: ['first 200', 'second 200'],
	foreign: [],
	session: 'second',
	events: [`refresh-failed ${codeOf(error)}`, 'token refresh'],
});

/** Expected: the same, but only the last request reaches the server. */
export const unreached = (error: string): Seen => ({...forNow(error), grants: 1});

/**
Expected: each call fails with this error, because only the programmer can fix it. The session goes on, and no token request is sent until
the back-off ends.
*/
export const refused = (error: string): Seen => ({
	gets: [error, error, 200],
	grants: 2,
	calls: ['second 200'],
	foreign: [],
	session: 'second',
	events: [`refresh-failed ${codeOf(error)}`, 'token refresh'],
});

/** Expected: the session has ended, and no further token request is sent. */
export const ended: Seen = {
	gets: ['SessionEndedError invalid_grant', 401, 401],
	grants: 1,
	calls: ['none 401 ×2'],
	foreign: [],
	session: 'none',
	events: ['session-ended invalid_grant'],
};

const codeOf = (error: string): string =>
	error.startsWith('OAuthError') ? 'oauth_error' : (error.split(' ')[1] ?? '');

/** Creates cases of a failing renewal, for each answer of the token endpoint. */
export function renewals(
	expected: Case['expected'],
	variants: Variants<Staged | ((now: number) => Staged)>,
	{broken, ...more}: Pick<Case, 'except'> & {readonly broken?: Broken} = {},
): Case[] {
	return Object.entries(variants).map(([title, staged]) => ({
		title,
		script: now => ({token: {untilMended: useless(typeof staged === 'function' ? staged(now) : staged)}}),
		act: renew(broken),
		expected,
		...more,
	}));
}

/** Replaces the new access token of a failing answer by one that nobody may use, so that tokens are still numbered correctly. */
const useless = (staged: Staged): Staged =>
	staged.body === undefined ? staged : {...staged, body: staged.body.replaceAll('<access>', '<useless>')};

/** Sends the token requests to another URL, whatever `tokenEndpoint` is. */
export const sentTo = (url: string): Partial<AuthOptions> => ({fetch: (_url, init) => fetch(url, init)});

/** Creates cases of a renewal whose options keep it from reaching the server. */
export function detours(expected: Seen, variants: Variants<Broken>, more: Pick<Case, 'except'> = {}): Case[] {
	return Object.entries(variants).map(([title, broken]) => ({title, act: renew(broken), expected, ...more}));
}

// In the following cases a renewal succeeds, and three calls follow.

/** Creates cases of a successful renewal: what its caller gets for each answer, and which refresh token remains. */
export function readings(
	lives: string,
	variants: Variants<Staged>,
	{
		options,
		expected,
		...more
	}: {readonly options?: Partial<AuthOptions>; readonly expected?: Partial<Seen>} & Pick<Case, 'except'> = {},
): Case[] {
	return Object.entries(variants).map(([title, staged]) => ({
		title,
		script: {token: [staged]},
		async act({room, auth, signIn, get}) {
			await signIn('due');
			const renewed = await get(auth(options).refresh());
			const reading = auth(options);
			const calls = [1, 2, 3].map(() => get(reading.fetch(`${room.api}me`)));
			return [renewed, ...(await Promise.all(calls))];
		},
		expected: {
			gets: [`the second token ${lives}`, 200, 200, 200],
			grants: 1,
			calls: ['second 200 ×3'],
			events: ['token refresh'],
			...expected,
		},
		...more,
	}));
}

/** Creates cases in which the old refresh token is kept and sent next. */
export function keepings(variants: Variants<Staged>): Case[] {
	return Object.entries(variants).map(([title, staged]) => ({
		title,
		script: {token: [staged]},
		async act({signIn, auth, get}) {
			await signIn();
			return [await get(auth().refresh()), await get(auth().refresh())];
		},
		expected: {
			gets: ['the second token for 600 s, scope a b', 'the third token for 600 s, scope a b'],
			grants: 2,
			session: 'second',
			events: ['token refresh ×2'],
		},
	}));
}

/** Creates cases of a token's lifetime, one for each value of `expires_in`. */
export function lives(expected: string, ...values: readonly unknown[]): Case[] {
	return readings(
		`${expected}, scope a b`,
		Object.fromEntries(values.map(expires_in => [JSON.stringify(expires_in), token({expires_in})])),
	);
}

/** Creates cases of whether `expires_in` is read as a timestamp or as seconds. An expired token is renewed at the next call. */
export function instants(
	expiresIn: 'auto' | 'seconds' | 'timestamp',
	expires_in: number | string,
	reading: 'an instant' | 'seconds',
): Case {
	return {
		title: `${JSON.stringify(expires_in)} is ${reading} where expiresIn is ${expiresIn}`,
		script: {token: [token({expires_in})]},
		async act({signIn, auth, get, now, room}) {
			await signIn('due');
			const renewing = auth({expiresIn});
			const {expires_at} = await renewing.refresh();
			const due = Number(expires_in) + (reading === 'seconds' ? now() / 1000 : 0);
			return [expires_at === due, await get(renewing.fetch(`${room.api}me`))];
		},
		expected: () => {
			const isOver = reading === 'an instant' && Number(expires_in) * 1000 < Date.now();
			return {
				gets: [true, 200],
				grants: isOver ? 2 : 1,
				calls: [isOver ? 'third 200' : 'second 200'],
				session: isOver ? 'second' : 'first',
				events: [isOver ? 'token refresh ×2' : 'token refresh'],
			};
		},
	};
}

/** Creates cases of a token endpoint that redirects. Browsers hide the status and the target. */
export function redirects(statuses: readonly number[], location: string): Case[] {
	const variants = Object.fromEntries(
		statuses.map(status => [`${status} to ${location || 'nowhere'}`, redirect(status, location)]),
	);
	return renewals(refused('TokenResponseError unexpected_redirect'), variants);
}
