import {describe, expect} from 'vitest';
import {type AuthEvent, createSession} from '../../src/index.ts';
import {apiOrigin, createFakeApi} from '../support/fake-api.ts';
import {outcomeOf} from '../support/scenario.ts';
import {test} from '../support/test.ts';

/** Creates a source of random numbers below n. The same seed gives the same numbers. */
function createDice(seed: number): (n: number) => number {
	let state = seed;
	return n => {
		state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
		return Math.floor((state / 2 ** 32) * n);
	};
}

/** What the test checks after a run. */
interface Story {
	readonly auth: ReturnType<typeof createSession>;
	readonly events: readonly AuthEvent[];
	/** The users whose tokens each call was sent with. */
	readonly sentAs: ReadonlyMap<string, ReadonlySet<string>>;
	/** The highest number of renewals that ran at the same time. */
	readonly most: number;
}

/**
Lets users sign in and out while calls and renewals are running. Between two steps, a random number of microtasks or turns of the event loop
passes. Another step can then come between a decision and its event.
*/
async function play(seed: number): Promise<Story> {
	const dice = createDice(seed);
	const pass = async (): Promise<void> => {
		for (let turns = dice(12); turns > 0; turns--) await Promise.resolve();
		if (dice(4) === 0) await new Promise(resolve => setImmediate(resolve));
	};
	const [good, events, jobs] = [new Set<string>(), [] as AuthEvent[], [] as Array<Promise<unknown>>];
	let [user, issued, running, most, time] = [0, 0, 0, 0, 1e12];
	const issue = (owner: number): string => {
		const access_token = `user${owner}-${++issued}`;
		good.add(access_token);
		return access_token;
	};
	const renew = async (): Promise<{access_token: string} | null> => {
		const owner = user;
		most = Math.max(most, ++running);
		await pass();
		running--;
		const fate = dice(6);
		if (fate === 0) throw new Error('The backend is down');
		return fate === 1 ? null : {access_token: issue(owner)};
	};
	const auth = createSession({renew, origins: [apiOrigin], now: () => time});
	auth.subscribe(event => void events.push(event));
	const sentAs = new Map<string, Set<string>>();
	const client = createFakeApi(async ({url}, token = '') => {
		const users = sentAs.get(url) ?? new Set();
		sentAs.set(url, token ? users.add(token.split('-')[0] ?? '') : users);
		await pass();
		return new Response(null, {status: good.has(token) ? 200 : 401});
	}).client(auth);
	const steps: ReadonlyArray<() => unknown> = [
		() => jobs.push(outcomeOf(auth.setToken({access_token: issue(++user)}))),
		() => jobs.push(outcomeOf(auth.signOut())),
		() => jobs.push(outcomeOf(auth.refresh())),
		() => good.delete([...good].at(-1) ?? ''),
		() => (time += 31_000),
		() => jobs.push(outcomeOf(client.get(`first/${jobs.length}`))),
		() => jobs.push(outcomeOf(client.get(`second/${jobs.length}`))),
	];
	for (let step = 0; step < 14; step++) {
		steps[dice(steps.length)]?.();
		await pass();
	}
	await Promise.all(jobs);
	return {auth, events, sentAs, most};
}

describe('whatever users do in whatever order', () => {
	const first = Number(process.env['PROPERTY_SEED'] ?? Math.floor(Math.random() * 1e9));
	const runs = Number(process.env['PROPERTY_RUNS'] ?? 200);

	test('no call is sent as two of them, one renewal runs at a time, and the status is what the store has', async ({
		annotate,
	}) => {
		await annotate(`${runs} runs, seed ${first}`, 'seed');
		for (let seed = first; seed < first + runs; seed++) {
			const {auth, events, sentAs, most} = await play(seed);
			const where = `seed ${seed}`;
			expect(
				[...sentAs.values()].filter(({size}) => size > 1),
				where,
			).toEqual([]);
			expect(most, where).toBeLessThanOrEqual(1);
			const token = await auth.peek();
			expect(auth.status, where).toBe(token ? 'signed-in' : 'signed-out');
			// If there is a token, the last event must not be the end of a session.
			if (token)
				expect(events.findLast(({type}) => type === 'token' || type === 'session-ended')?.type, where).toBe('token');
		}
	});

	test('a sign-out that comes right after a sign-in ends it', async () => {
		const auth = createSession({renew: () => null});
		const events: string[] = [];
		auth.subscribe(({type}) => events.push(type));
		await Promise.allSettled([auth.setToken({access_token: 'a'}), auth.signOut()]);
		expect([auth.status, await auth.peek(), events.at(-1)]).toEqual(['signed-out', undefined, 'session-ended']);
	});
});
