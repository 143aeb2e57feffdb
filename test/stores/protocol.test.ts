import * as fc from 'fast-check';
import {expect} from 'vitest';
import {type Auth, type AuthEvent, createAuth, isRegrantError, type TokenSet} from '../../src/index.ts';
import {sharedStore} from '../../src/stores/shared/shared-store.ts';
import type {StoreDriver} from '../../src/stores/shared/store-driver.ts';
import {textDriver} from '../../src/stores/shared/text-driver.ts';
import {createModelServer, type Family} from '../support/model-server.ts';
import {test} from '../support/test.ts';

/** One step of a plan. The scheduler chooses when it happens. */
interface Step {
	readonly act:
		| 'call'
		| 'getToken'
		| 'refresh'
		| 'expire'
		| 'wait'
		| 'setToken'
		| 'signOut'
		/** The holder crashes: from now on nothing that it does has an effect, and its lock is free. */
		| 'crash'
		/** The holder of the lock was stopped for so long that its lease ended. It goes on without knowing that. */
		| 'lapse'
		/** Every operation of the store fails until `mend`. */
		| 'break'
		| 'mend';
	readonly holder: number;
	/** Whether the caller aborts before the answer. */
	readonly leaves: boolean;
}

const holders = 3;
const left = new Error('left');
const dead = new Error('of a holder that is gone');
const forever = new Promise<never>(() => {});

/** Creates the model: three realms share the record of one session, and each has its own copy of regrant's state. */
function createModel(scheduler: fc.Scheduler) {
	const schedule = async (label: string): Promise<void> => scheduler.schedule(Promise.resolve(), label);
	const server = createModelServer(schedule, []);
	const faults: string[] = [];
	const crashes = Array.from({length: holders}, () => Promise.withResolvers<never>());
	for (const {promise} of crashes) promise.catch(() => {});
	const isGone = Array.from({length: holders}, () => false);
	const listeners = new Map<number, () => void>();
	let text: string | undefined;
	let isBroken = false;
	let time = 1_800_000_000_000;
	/** The holder of the lock, as far as the store knows. */
	let holding: {readonly holder: number} | undefined;
	const queue: Array<() => void> = [];
	/** The holders that have sent a refresh token and have not yet stored the response. */
	const underWay = new Map<number, Family>();
	/** True if a holder was stopped between the two. Only then may the session be lost. */
	let wasCut = false;
	const cut = (family: Family | undefined): void => {
		if (!family) return;
		family.isExcused = true;
		wasCut = true;
	};

	const familyOfText = (): Family | undefined =>
		text === undefined ? undefined : server.familyOf((JSON.parse(text) as TokenSet).refresh_token);

	const free = (holder?: object): void => {
		if (holder && holding !== holder) return;
		holding = undefined;
		for (const wake of queue.splice(0)) wake();
	};

	/** Runs one step of a holder when the scheduler decides. After a crash of the holder, it never runs. */
	const step = async <T>(holder: number, label: string, task: () => T): Promise<T> => {
		await schedule(`${holder} ${label}`);
		if (isGone[holder]) return forever;
		return task();
	};

	const createDriver = (holder: number): StoreDriver => {
		const operate = async <T>(label: string, task: () => T): Promise<T> => {
			const answer = await step(holder, label, () => {
				if (isBroken) throw new Error('broken');
				return task();
			});
			// The answer is delayed by the scheduler, too.
			return step(holder, `${label} done`, () => answer);
		};
		const put = (next: string | undefined): void => {
			text = next;
			for (const [other, listener] of listeners) if (other !== holder && !isGone[other]) listener();
		};
		return {
			...textDriver({
				read: () => operate('get', () => text),
				write: next => operate(next === undefined ? 'delete' : 'set', () => put(next)),
				compareAndSet: async (found, next) => {
					const family = underWay.get(holder);
					try {
						return await operate('replace', () => {
							if (found !== text) return false;
							const before = familyOfText();
							put(next);
							if (next !== undefined && before && familyOfText() !== before)
								faults.push('the record of another login was overwritten');
							return true;
						});
					} catch (error) {
						// If the store rejects the write, the others find the used refresh token.
						cut(family);
						throw error;
					} finally {
						if (!isGone[holder]) underWay.delete(holder);
					}
				},
			}),
			lock: async (task, signal) => {
				const me = {holder};
				while (holding) {
					await Promise.race([
						new Promise<void>(resolve => {
							queue.push(resolve);
							signal?.addEventListener('abort', () => resolve());
						}),
						crashes[holder]?.promise,
					]).catch(() => forever);
					if (signal?.aborted) throw new Error('aborted');
				}
				holding = me;
				try {
					return await step(holder, 'lock', () => task(() => holding === me));
				} finally {
					await step(holder, 'free', () => free(me));
				}
			},
			subscribe: onChange => {
				listeners.set(holder, onChange);
				return () => listeners.delete(holder);
			},
		};
	};

	const createHolder = (holder: number): Auth =>
		createAuth({
			tokenEndpoint: 'https://as.example/token',
			revocationEndpoint: 'https://as.example/revoke',
			clientId: 'app',
			origins: ['https://api.example'],
			store: sharedStore(createDriver(holder)),
			now: () => time,
			fetch: async (input, init) => {
				if (isGone[holder]) return forever;
				const {refresh_token} = Object.fromEntries(new URLSearchParams(init?.body as string));
				const family = server.familyOf(refresh_token);
				if (refresh_token && family) {
					const others = [...underWay].filter(([other, theirs]) => other !== holder && theirs === family);
					if (others.length > 0 && !family.isExcused) faults.push('two refreshes of one login were under way at once');
					underWay.set(holder, family);
				}
				const response = await server.tokenFetch(input, init);
				return isGone[holder] ? forever : response;
			},
		});

	return {
		server,
		faults,
		schedule,
		auths: Array.from({length: holders}, (_, holder) => createHolder(holder)),
		gone: crashes.map(({promise}) => promise),
		isGone: (holder: number) => isGone[holder] === true,
		text: () => text,
		wasCut: () => wasCut,
		crash(holder: number): void {
			if (isGone[holder]) return;
			isGone[holder] = true;
			cut(underWay.get(holder));
			underWay.delete(holder);
			crashes[holder]?.reject(dead);
			if (holding?.holder === holder) free();
		},
		lapse(): void {
			// The holder may have sent its refresh token, and the next holder of the lock would send it again.
			if (holding) cut(underWay.get(holding.holder));
			if (holding) free();
		},
		breaks(isIt: boolean): void {
			isBroken = isIt;
		},
		advance(milliseconds: number): void {
			time += milliseconds;
		},
	};
}

interface Outcome {
	readonly step: Step;
	readonly error: unknown;
}

/** Runs the plan in an order that the scheduler chooses. Resolves when the steps of all holders that did not crash are complete. */
async function play(scheduler: fc.Scheduler, plan: readonly Step[]) {
	const model = createModel(scheduler);
	const {server, auths, gone, schedule} = model;
	const events: AuthEvent[][] = auths.map(() => []);
	auths.forEach((auth, holder) => auth.subscribe(event => void events[holder]?.push(event)));
	const fetchApi = async (auth: Auth, signal?: AbortSignal): Promise<number> => {
		const {access_token} = await auth.getToken({signal});
		const request = new Request('https://api.example/', {headers: {authorization: `Bearer ${access_token}`}});
		return (await server.api(request)).status;
	};
	const perform = async ({act, holder, leaves}: Step): Promise<unknown> => {
		const auth = auths[holder] as Auth; // `holder` is a valid index
		await schedule(act);
		if (model.isGone(holder)) return undefined;
		const leaver = new AbortController();
		if (leaves) void schedule('leave').then(() => leaver.abort(left));
		const {signal} = leaver;
		switch (act) {
			case 'call':
				return fetchApi(auth, signal);
			case 'getToken':
				return auth.getToken({signal, minimumLifetime: 1_800});
			case 'refresh':
				return auth.refresh({signal});
			case 'expire':
				return server.expireAll();
			case 'wait':
				return model.advance(1_000_000);
			case 'setToken':
				return auth.setToken(server.mint());
			case 'signOut':
				return auth.signOut();
			case 'crash':
				return model.crash(holder);
			case 'lapse':
				return model.lapse();
			case 'break':
			case 'mend':
				return model.breaks(act === 'break');
			default:
				return act satisfies never;
		}
	};
	const finish = async <T>(promise: Promise<T>): Promise<T> => {
		const result = await scheduler.waitFor(promise);
		await scheduler.waitIdle();
		return result;
	};
	await finish((auths[0] as Auth).setToken(server.mint()));
	const outcomes: Outcome[] = [];
	const settled = plan.map(async step => {
		try {
			await Promise.race([perform(step), gone[step.holder]]);
			outcomes.push({step, error: undefined});
		} catch (error) {
			outcomes.push({step, error});
			if (error !== left && error !== dead && !isRegrantError(error)) throw error;
		}
	});
	await finish(Promise.all(settled));
	model.breaks(false);
	model.advance(60_000);
	const alive = auths.filter((_, holder) => !model.isGone(holder));
	const renewals = await finish(
		Promise.all(
			alive.map(async auth =>
				auth.refresh().then(
					() => 'renewed',
					(error: unknown) => (isRegrantError(error) ? error.code : String(error)),
				),
			),
		),
	);
	return {...model, outcomes, events, renewals};
}

const plans = (...acts: ReadonlyArray<Step['act']>): fc.Arbitrary<Step[]> =>
	fc.array(fc.record({act: fc.constantFrom(...acts), holder: fc.nat({max: holders - 1}), leaves: fc.boolean()}), {
		minLength: 2,
		maxLength: 14,
	});

const uses = ['getToken', 'getToken', 'refresh', 'refresh', 'call', 'expire', 'wait'] as const;

const numRuns = Number(process.env['PROTOCOL_RUNS'] ?? 150);
const seed = Number(process.env['PROTOCOL_SEED'] ?? Math.floor(Math.random() * 2 ** 31));
const bounds: fc.Parameters<unknown> = {numRuns, seed, endOnFailure: numRuns > 1_000};
const options = {timeout: 30_000 + numRuns * 100};

const ended = (events: readonly AuthEvent[][]): string[] =>
	events.flat().flatMap(event => (event.type === 'session-ended' ? [event.reason] : []));

test(
	`three holders in any order refresh one at a time, and send no refresh token twice (seed ${seed}) [R70, R71]`,
	options,
	async () => {
		await fc.assert(
			fc.asyncProperty(fc.scheduler(), plans(...uses), async (scheduler, plan) => {
				const {server, faults, events, outcomes, renewals} = await play(scheduler, plan);
				expect([...server.faults, ...faults]).toEqual([]);
				expect(outcomes.filter(({error}) => error !== undefined && error !== left)).toEqual([]);
				expect(ended(events)).toEqual([]);
				expect(renewals).toEqual(['renewed', 'renewed', 'renewed']);
			}),
			bounds,
		);
	},
);

test(
	`a holder that dies at any await loses the session only between the rotation and the write (seed ${seed}) [R70, F-98]`,
	options,
	async () => {
		await fc.assert(
			fc.asyncProperty(fc.scheduler(), plans(...uses, 'crash'), async (scheduler, plan) => {
				const {server, faults, events, renewals, text, wasCut} = await play(scheduler, plan);
				expect([...server.faults, ...faults]).toEqual([]);
				const isLost = text() === undefined;
				expect(isLost && !wasCut()).toBe(false);
				if (!isLost) expect(renewals.filter(outcome => outcome !== 'renewed')).toEqual([]);
				if (!isLost) expect(ended(events)).toEqual([]);
				// No holder gets the event twice.
				for (const heard of events) expect(ended([heard]).length).toBeLessThanOrEqual(1);
				expect(renewals.filter(outcome => outcome !== 'renewed' && outcome !== 'session_ended')).toEqual([]);
			}),
			bounds,
		);
	},
);

test(
	`a holder that is stopped for longer than its lock overwrites nothing, and sends nothing new (seed ${seed}) [F-135]`,
	options,
	async () => {
		await fc.assert(
			fc.asyncProperty(fc.scheduler(), plans(...uses, 'lapse', 'lapse'), async (scheduler, plan) => {
				const {server, faults, renewals} = await play(scheduler, plan);
				expect([...server.faults, ...faults]).toEqual([]);
				expect(renewals.filter(outcome => outcome !== 'renewed' && outcome !== 'session_ended')).toEqual([]);
			}),
			bounds,
		);
	},
);

test(
	`after a sign-out nothing brings the session back, whoever died or was stopped (seed ${seed}) [R76, F-101]`,
	options,
	async () => {
		await fc.assert(
			fc.asyncProperty(fc.scheduler(), plans(...uses, 'signOut', 'crash', 'lapse'), async (scheduler, plan) => {
				const {server, faults, outcomes, renewals, text} = await play(scheduler, plan);
				expect([...server.faults, ...faults]).toEqual([]);
				const isOver = outcomes.some(({step, error}) => step.act === 'signOut' && !error);
				if (!isOver) return;
				expect(text()).toBe(undefined);
				expect(renewals.filter(outcome => outcome !== 'session_ended')).toEqual([]);
			}),
			bounds,
		);
	},
);

test(
	`a login is neither overwritten nor lost by those who renew the one before (seed ${seed}) [F-102]`,
	options,
	async () => {
		await fc.assert(
			fc.asyncProperty(fc.scheduler(), plans(...uses, 'setToken', 'lapse'), async (scheduler, plan) => {
				const {server, faults, renewals, text, wasCut} = await play(scheduler, plan);
				expect([...server.faults, ...faults]).toEqual([]);
				const isLost = text() === undefined;
				expect(isLost && !wasCut()).toBe(false);
				if (!isLost) expect(renewals).toEqual(['renewed', 'renewed', 'renewed']);
			}),
			bounds,
		);
	},
);

test(
	`no call hangs and no rejected refresh token is sent again, whatever the store fails to do (seed ${seed}) [R78]`,
	options,
	async () => {
		await fc.assert(
			fc.asyncProperty(
				fc.scheduler(),
				plans(...uses, 'break', 'mend', 'signOut', 'setToken', 'crash'),
				async (scheduler, plan) => {
					const {server, faults} = await play(scheduler, plan);
					expect([...server.faults, ...faults]).toEqual([]);
				},
			),
			bounds,
		);
	},
);
