import {setTimeout as sleep} from 'node:timers/promises';
import {act, wait} from './caller.ts';
import {count, total} from './counts.ts';
import {createRandom, type Random} from './random.ts';
import {type ActOptions, type ActResult, sumUp} from './result.ts';
import {startServer, type ServerProcess, type Tally} from './server-process.ts';
import {type Book, note, openSession, realmsOfSession, type Session} from './session.ts';
import {takeVitals, type Vitals} from './vitals.ts';

/** Options for many sessions in one process. */
export interface RealmsOptions extends ActOptions {
	/** The run ends after this many refreshes, or when its time is over. */
	readonly refreshes: number;
	readonly sessions?: number;
	/** How often the faults pause. Every session must work during a pause. */
	readonly rests?: number;
	/** The timeout of a token request, in milliseconds. Choose it so long that a busy machine alone does not exceed it. */
	readonly timeout?: number;
}

const callersOfSession = 4;

/** A caller that uses a session until it is told to rest. */
async function live(session: Session, api: string, book: Book, random: Random, isOver: () => boolean): Promise<void> {
	while (!isOver()) {
		const which = random();
		if (random() < 0.004) await session.replaceRealm(which);
		const realm = session.realm(which);
		const login = session.login();
		for (const outcome of await act(realm, session.place, api, random)) {
			note(book, outcome);
			if (outcome.isOver) await session.mend(login, realm);
			else if (outcome.isTransient) await wait(realm, random);
		}
		await sleep(random() * 4);
	}
}

/** Gets the server's counts, and adds its complaints to the book. */
async function takeTally(server: ServerProcess, {complaints}: Book): Promise<Tally> {
	const tally = await server.tally();
	const {revocations, failures, why} = tally;
	const lost = total(why);
	if (revocations !== lost)
		count(complaints, `the server has revoked ${revocations} grants, and ${lost} are accounted for`);
	if (failures > 0) count(complaints, 'the provider failed', failures);
	return tally;
}

/**
Runs callers on sessions in memory, with injected faults and clocks that jump. The server runs in another process, and decides whether a
session was lost without an excuse.
*/
export async function runRealms(options: RealmsOptions): Promise<ActResult> {
	const {refreshes, seconds, seed, sessions: size = 100, rests = 10, timeout = 5_000} = options;
	const {isUnlocked = false, log = () => {}} = options;
	const random = createRandom(seed);
	const server = await startServer({seed, timeout});
	const book: Book = {outcomes: {}, faults: {}, complaints: {}};
	const vitals: Vitals[] = [];
	const open = async (index: number): Promise<Session> => {
		const isShared = index % 2 === 1;
		const name = `${isShared ? 'shared' : 'memory'} ${index}`;
		return openSession(server, book, {name, timeout, isShared, isUnlocked, random: createRandom(random() * 2 ** 32)});
	};
	try {
		const sessions = await Promise.all(Array.from({length: size}, async (_, index) => open(index)));
		const callers = sessions.flatMap(session =>
			Array.from({length: callersOfSession}, () => ({session, own: createRandom(random() * 2 ** 32)})),
		);
		const began = performance.now();
		const isLate = (): boolean => performance.now() - began > seconds * 1_000;
		for (let rest = 1; rest <= rests; rest++) {
			let isOver = false;
			await server.calm(false);
			const lives = Promise.all(
				callers.map(async ({session, own}) => live(session, server.api, book, own, () => isOver)),
			);
			while (!isOver) {
				// If a caller fails, the whole run fails.
				await Promise.race([sleep(100), lives]);
				isOver = (await server.tally()).refreshes >= (refreshes * rest) / rests || isLate();
			}
			await lives;
			await server.calm(true);
			await Promise.all(sessions.map(async session => session.inspect()));
			vitals.push(takeVitals());
			log(`${(await server.tally()).refreshes} refreshes`);
		}
		const elapsed = (performance.now() - began) / 1_000;
		const tally = await takeTally(server, book);
		tally.unexcused.forEach(log);
		return sumUp({
			name: `realms in one process, in bad weather${isUnlocked ? ', no lock' : ''}`,
			holders: size * realmsOfSession,
			callers: callersOfSession / realmsOfSession,
			seed,
			seconds: elapsed,
			refreshes: tally.refreshes,
			grants: tally.grants,
			outcomes: book.outcomes,
			faults: {...tally.faults, ...book.faults},
			why: tally.why,
			sessionsLost: tally.sessionsLost,
			complaints: {...tally.complaints, ...book.complaints},
			vitals,
		});
	} finally {
		await server.close();
	}
}
