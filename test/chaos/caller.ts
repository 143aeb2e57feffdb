import {setTimeout as sleep} from 'node:timers/promises';
import {isHTTPError, isNetworkError, isTimeoutError} from 'ky';
import {isRegrantError} from '../../src/index.ts';
import {draw, pick, type Random} from './random.ts';
import type {Place, Realm} from './realm.ts';

/** What a caller does, in shares of a thousand. In all other cases it calls the API. */
const deeds = {
	'with ky': 120,
	'get a token': 200,
	refresh: 200,
	'many at once': 25,
	'jump of the clock': 150,
} as const;

/** The outcome of a call, as far as the caller needs it to continue. */
export interface Outcome {
	/** A status, the code of an error, or another short name. */
	readonly name: string;
	/** False if neither a working API nor the injected faults can cause this outcome. */
	readonly isExpected: boolean;
	/** True if the session was reported as ended. */
	readonly isOver: boolean;
	/** True if the call may succeed later. */
	readonly isTransient: boolean;
}

const expected = (name: string): Outcome => ({name, isExpected: true, isOver: false, isTransient: false});

/** The statuses that a working API or an injected fault can answer with. */
const statuses = new Set([200, 401, 429, 503]);

/** Classifies an error that a call has thrown. */
export function sort(error: unknown, signal: AbortSignal | undefined): Outcome {
	if (signal?.aborted && error === signal.reason) return expected('aborted by the caller');
	if (isRegrantError(error)) {
		const {code, retryable} = error;
		const {status} = error as {readonly status?: number}; // only errors of a response have a status
		const isOver = code === 'session_ended';
		const name = status === undefined ? code : `${code} ${status}`;
		return {name, isExpected: isOver || retryable, isOver, isTransient: retryable};
	}
	if (isTimeoutError(error)) return expected('timeout of ky');
	if (isHTTPError(error)) return ofStatus(error.response.status);
	if (isNetworkError(error) || isUnanswered(error)) return expected('no answer of the API');
	return {...expected(String(error)), isExpected: false};
}

/** True for the errors of Node's `fetch` when the connection closes before the response is complete. */
const isUnanswered = (error: unknown): boolean =>
	error instanceof TypeError && ['fetch failed', 'terminated'].includes(error.message);

const ofStatus = (status: number): Outcome => ({
	...expected(String(status)),
	isExpected: statuses.has(status),
	// A 401 here means that the server has also ended the token of the refresh. No other token is available for a while.
	isTransient: status === 401,
});

/** Calls the API and reads the response to its end. */
export async function call({auth}: Realm, api: string, signal?: AbortSignal): Promise<Outcome> {
	try {
		const response = await auth.fetch(`${api}/me`, signal ? {signal} : {});
		await response.text();
		return ofStatus(response.status);
	} catch (error) {
		return sort(error, signal);
	}
}

async function callWithKy({ky}: Realm, random: Random): Promise<Outcome> {
	try {
		await ky.get('me', {timeout: random() < 0.5 ? 1 + random() * 100 : 10_000}).text();
		return expected('200');
	} catch (error) {
		return sort(error, undefined);
	}
}

async function askForToken(
	realm: Realm,
	{assertStored}: Pick<Place, 'assertStored'>,
	deed: 'get a token' | 'refresh',
	signal: AbortSignal | undefined,
): Promise<Outcome> {
	const {auth} = realm;
	try {
		const {access_token} = deed === 'refresh' ? await auth.refresh({signal}) : await auth.getToken({signal});
		assertStored(access_token);
		return expected('token');
	} catch (error) {
		return sort(error, signal);
	}
}

/** Does something at random, and aborts it at random. Returns the outcomes of its calls. */
export async function act(
	realm: Realm,
	place: Pick<Place, 'assertStored'>,
	api: string,
	random: Random,
): Promise<Outcome[]> {
	const signal = random() < 0.3 ? AbortSignal.timeout(Math.floor(random() * 80)) : undefined;
	const deed = draw(random, deeds);
	switch (deed) {
		case 'with ky':
			return [await callWithKy(realm, random)];
		case 'get a token':
		case 'refresh':
			return [await askForToken(realm, place, deed, signal)];
		case 'many at once':
			return Promise.all(Array.from({length: 8}, async () => call(realm, api, signal)));
		case 'jump of the clock':
			// Jumps by up to ten minutes, mostly forwards. Many of the jumps are longer than the lifetime of a token.
			realm.clock.jump(pick(random, [-1, 1, 1, 1]) * random() * 10 * 60_000);
			return [];
		case undefined:
			return [await call(realm, api, signal)];
		default:
			return deed satisfies never;
	}
}

/** Waits for a moment before a retry. In most cases the clock of the realm also jumps, so that a back-off may be over. */
export async function wait({clock}: Realm, random: Random): Promise<void> {
	if (random() < 0.7) clock.jump(random() * 3 * 60_000);
	await sleep(random() * 20);
}
