import {startAuthorizationServer} from '../support/authorization-server.ts';
import {sendAbruptly} from '../support/abrupt-request.ts';
import {ask, startWorkers} from '../support/workers.ts';
import type {Soak} from './result.ts';

const isolates = 4;
const callers = 10;

/** Numbers from 0 to 1 that the seed decides: mulberry32. */
function createRandom(seed: number): () => number {
	let state = seed;
	return () => {
		state = (state + 0x6d2b79f5) | 0;
		let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
		mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
		return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
	};
}

/**
Isolates of one worker in a real workerd, on one object. The access token expires over and over. At random some callers lose their
connection, and the object is restarted.
*/
export const run: Soak = async ({seconds, seed, isUnlocked = false, log = () => {}}) => {
	const random = createRandom(seed);
	const server = await startAuthorizationServer({accessTokenSeconds: 3600});
	const {tokenEndpoint, revocationEndpoint, api} = server;
	const env = {SERVER: JSON.stringify({tokenEndpoint, revocationEndpoint, api})};
	const {origins, probe, stop} = await startWorkers({env, isolates});
	/** Of the login that is under way: each has an object of its own. */
	const name = (): string => `login-${sessionsLost}`;
	const url = (isolate: number, route: string): string => {
		const query = new URLSearchParams({session: name(), waitUntil: '', ...(isUnlocked && {unlocked: ''})});
		return `${origins[isolate % isolates]}/${route}?${query}`;
	};
	const why: Record<string, number> = {};
	let [expiries, grants, sessionsLost] = [0, 0, 0];

	const signIn = async (): Promise<void> => {
		const {error} = await ask(url(0, 'sign-in'), await server.mint());
		if (error !== undefined) throw new Error(`No session could be begun: ${error}`);
	};

	const round = async (): Promise<void> => {
		const {value} = await ask(url(0, 'token'));
		await server.expire(String(value));
		expiries++;
		const granting = new Promise<void>(resolve => {
			server.onToken(() => resolve());
		});
		const leavers = Array.from({length: Math.floor(random() * 4)}, (_, index) => sendAbruptly(url(index, 'call')));
		const calls = Array.from({length: isolates * callers}, async (_, index) => ask(url(index, 'call')));
		const isRestarted = !isUnlocked && random() < 0.2;
		await Promise.race([granting, Promise.all(calls)]);
		for (const leave of leavers) leave();
		if (isRestarted) await probe(name(), 'restart');
		const outcomes = await Promise.all(calls);
		grants += server.tokenRequests.length;
		const {value: status, error = `status ${String(status)}`} = await ask(url(1, 'call'));
		server.reset();
		for (const outcome of outcomes) {
			if (outcome.value !== 200) log(`a call: ${outcome.error ?? String(outcome.value)}`);
		}
		if (status === 200) return;
		sessionsLost++;
		why[error] = (why[error] ?? 0) + 1;
		await signIn();
	};

	try {
		await signIn();
		const begun = performance.now();
		while (performance.now() - begun < seconds * 1000) await round();
		const elapsed = (performance.now() - begun) / 1000;
		const waits = await Promise.all(origins.map(async (_, isolate) => (await ask(url(isolate, 'waits'))).value));
		const sorted = (waits.flat() as number[]).toSorted((one, other) => one - other);
		return {
			store: isUnlocked ? 'cloudflare, without lock' : 'cloudflare',
			holders: isolates,
			callers,
			expiries,
			grants,
			grantsPerExpiry: grants / expiries,
			refreshesPerSecond: grants / elapsed,
			waitInLock: {median: sorted[Math.floor(sorted.length / 2)] ?? 0, max: sorted.at(-1) ?? 0},
			sessionsLost,
			why,
			seed,
		};
	} finally {
		await stop();
		await server.close();
	}
};
