import {startAuthorizationServer} from '../support/authorization-server.ts';
import {sendAbruptly} from '../support/abrupt-request.ts';
import {ask, startWorkers} from '../support/workers.ts';
import {count, type Counts} from './counts.ts';
import {createRandom} from './random.ts';
import {type Act, sumUp} from './result.ts';

const isolates = 4;
const callers = 10;
/** The fewest rounds of a run, however slow the machine is. */
const leastRounds = 3;

/**
Runs several isolates of one worker in a real workerd, with one Durable Object. The access token expires again and again. At random, clients
drop their connections and the object restarts.
*/
export const run: Act = async ({seconds, seed, isUnlocked = false, log = () => {}}) => {
	const random = createRandom(seed);
	const server = await startAuthorizationServer({accessTokenSeconds: 3600});
	const {tokenEndpoint, revocationEndpoint, api} = server;
	const env = {SERVER: JSON.stringify({tokenEndpoint, revocationEndpoint, api})};
	const {origins, probe, stop} = await startWorkers({env, isolates});
	/** The name of the object. Each login has its own. */
	const name = (): string => `login-${sessionsLost}`;
	const url = (isolate: number, route: string): string => {
		const query = new URLSearchParams({session: name(), waitUntil: '', ...(isUnlocked && {unlocked: ''})});
		return `${origins[isolate % isolates]}/${route}?${query}`;
	};
	const why: Counts = {};
	const outcomes: Counts = {};
	const faults: Counts = {};
	let [refreshes, grants, sessionsLost] = [0, 0, 0];

	const signIn = async (): Promise<void> => {
		const {error} = await ask(url(0, 'sign-in'), await server.mint());
		if (error !== undefined) throw new Error(`No session could be begun: ${error}`);
	};

	const round = async (): Promise<void> => {
		const {value} = await ask(url(0, 'token'));
		await server.expire(String(value));
		const granting = new Promise<void>(resolve => {
			server.onToken(() => resolve());
		});
		const leavers = Array.from({length: Math.floor(random() * 4)}, (_, index) => sendAbruptly(url(index, 'call')));
		const calls = Array.from({length: isolates * callers}, async (_, index) => ask(url(index, 'call')));
		const isRestarted = !isUnlocked && random() < 0.2;
		await Promise.race([granting, Promise.all(calls)]);
		for (const leave of leavers) leave();
		if (leavers.length > 0) count(faults, 'caller disconnected', leavers.length);
		if (isRestarted) {
			count(faults, 'object restarted');
			await probe(name(), 'restart');
		}
		const answers = await Promise.all(calls);
		grants += server.tokenRequests.length;
		refreshes += server.tokenRequests.filter(({status}) => status === 200).length;
		const {value: status, error = `status ${String(status)}`} = await ask(url(1, 'call'));
		server.reset();
		for (const outcome of answers) {
			count(outcomes, outcome.error ?? String(outcome.value));
			if (outcome.value !== 200) log(`a call: ${outcome.error ?? String(outcome.value)}`);
		}
		if (status === 200) return;
		sessionsLost++;
		count(why, error);
		await signIn();
	};

	try {
		await signIn();
		const begun = performance.now();
		for (let rounds = 0; rounds < leastRounds || performance.now() - begun < seconds * 1000; rounds++) await round();
		const elapsed = (performance.now() - begun) / 1000;
		const waits = await Promise.all(origins.map(async (_, isolate) => (await ask(url(isolate, 'waits'))).value));
		return sumUp({
			name: isUnlocked ? 'cloudflare, no lock' : 'cloudflare, objects restarted',
			holders: isolates,
			callers,
			seed,
			seconds: elapsed,
			refreshes,
			grants,
			waits: waits.flat() as number[], // the worker answers with numbers
			outcomes,
			faults,
			why,
			sessionsLost,
			complaints: {},
		});
	} finally {
		await stop();
		await server.close();
	}
};
