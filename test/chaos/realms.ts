import {setTimeout as sleep} from 'node:timers/promises';
import type {TokenResponse} from '../support/authorization-server.ts';
import {act, call, type Outcome, sort, wait} from './caller.ts';
import {count, total} from './counts.ts';
import {createRandom, type Random} from './random.ts';
import {createMemoryPlace, createSharedPlace, type Home, type Place, type Realm} from './realm.ts';
import {type ActOptions, type ActResult, sumUp} from './result.ts';
import {startServer, type ServerProcess} from './server-process.ts';
import {takeVitals, type Vitals} from './vitals.ts';

/** Many sessions at once in one process. */
export interface RealmsOptions extends Omit<ActOptions, 'isUnlocked'> {
	/** It ends when so many refresh tokens were exchanged, or at the end of its time. */
	readonly refreshes: number;
	readonly sessions?: number;
	/** How often it comes to rest: then every session must be in order. */
	readonly rests?: number;
	/** The deadline of a token request, in milliseconds: so long that a busy machine alone does not let it pass. */
	readonly timeout?: number;
}

const realmsOfSession = 3;
const callersOfSession = 4;
/** Of the clocks at rest: no cool-down and no lifetime is longer. */
const longTime = 2 * 3_600_000;

interface Session {
	readonly place: Place;
	readonly realms: [Realm, ...Realm[]];
	/** The token that its login began with. */
	login: TokenResponse;
	mending: Promise<void> | undefined;
}

/** What is counted in this process. */
interface Book {
	readonly outcomes: Record<string, number>;
	readonly complaints: Record<string, number>;
	readonly faults: Record<string, number>;
}

/** Logs in again, where the session of this login is over: if it is, and if that is nobody's fault. */
async function mend(
	session: Session,
	login: TokenResponse,
	realm: Realm,
	server: ServerProcess,
	book: Book,
): Promise<void> {
	if (session.login !== login) return;
	const heal = async (): Promise<void> => {
		const fate = await server.fateOf(login.refresh_token);
		if (fate === undefined) {
			// What was heard may have been of the login before.
			const isOver = await realm.auth.getToken().then(
				() => false,
				(error: unknown) => sort(error, undefined).isOver,
			);
			if (!isOver || (await server.fateOf(login.refresh_token)) !== undefined) return;
			count(book.complaints, 'a session was given up though the server would have gone on with it');
		}
		const next = await server.mint();
		await realm.auth.setToken(next);
		session.login = next;
	};
	session.mending ??= heal().finally(() => {
		session.mending = undefined;
	});
	await session.mending;
}

async function openSession(
	server: ServerProcess,
	book: Book,
	{random, timeout}: Pick<Home, 'random' | 'timeout'>,
	index: number,
): Promise<Session> {
	const login = await server.mint();
	const isShared = index % 2 === 1;
	const home: Home = {
		name: `${isShared ? 'shared' : 'memory'} ${index}`,
		...server,
		timeout,
		random,
		onUnstored: () => count(book.complaints, 'a token was given to a caller before it was stored'),
		onEnded: () => {
			const [realm] = session.realms;
			mend(session, session.login, realm, server, book).catch(error => count(book.complaints, String(error)));
		},
	};
	const place = isShared ? createSharedPlace(home) : createMemoryPlace(home);
	const realms: Session['realms'] = [await place.open()];
	const session: Session = {place, realms, login, mending: undefined};
	while (realms.length < realmsOfSession) realms.push(await place.open());
	await realms[0].auth.setToken(login);
	return session;
}

/** Somebody who uses a session until he is told to rest. */
async function live(
	session: Session,
	server: ServerProcess,
	book: Book,
	random: Random,
	isOver: () => boolean,
): Promise<void> {
	while (!isOver()) {
		const index = Math.floor(random() * session.realms.length);
		// A page is reloaded, a process is started anew: what was in its memory is gone.
		if (random() < 0.004) {
			session.realms[index]?.close();
			session.realms[index] = await session.place.open();
			count(book.faults, 'realm replaced');
		}
		const realm = session.realms[index] ?? session.realms[0];
		const {login} = session;
		for (const outcome of await act(realm, session.place, server.api, random)) {
			note(book, outcome);
			if (outcome.isOver) await mend(session, login, realm, server, book);
			else if (outcome.isTransient) await wait(realm, random);
		}
		await sleep(random() * 4);
	}
}

function note({outcomes, complaints}: Book, {name, isExpected}: Outcome): void {
	count(outcomes, name);
	if (!isExpected) count(complaints, `a call came to ${name}`);
}

/** In calm weather each session works in each of its realms, or was lost for a reason. */
async function inspect(session: Session, server: ServerProcess, book: Book): Promise<void> {
	await session.mending;
	for (const realm of session.realms) realm.clock.jump(longTime);
	for (const realm of session.realms) {
		let outcome = await call(realm, server.api);
		for (let tries = 0; outcome.name !== '200' && tries < 2; tries++) {
			await mend(session, session.login, realm, server, book);
			realm.clock.jump(longTime);
			outcome = await call(realm, server.api);
		}
		note(book, outcome);
		if (outcome.name !== '200') count(book.complaints, `a session does not work in calm weather: ${outcome.name}`);
	}
}

/** Lets callers loose on sessions in memory, behind bad weather, with clocks that jump. The server, elsewhere, is the referee. */
export async function runRealms(options: RealmsOptions): Promise<ActResult> {
	const {refreshes, seconds, seed, sessions: size = 100, rests = 10, timeout = 5_000, log = () => {}} = options;
	const random = createRandom(seed);
	const server = await startServer({seed, timeout, latency: 0});
	const book: Book = {outcomes: {}, complaints: {}, faults: {}};
	const vitals: Vitals[] = [];
	try {
		const sessions = await Promise.all(
			Array.from({length: size}, async (_, index) => {
				const own = createRandom(random() * 2 ** 32);
				return openSession(server, book, {random: own, timeout}, index);
			}),
		);
		const sources = sessions.flatMap(session =>
			Array.from({length: callersOfSession}, () => ({session, own: createRandom(random() * 2 ** 32)})),
		);
		const began = performance.now();
		const isLate = (): boolean => performance.now() - began > seconds * 1_000;
		for (let rest = 1; rest <= rests; rest++) {
			let isOver = false;
			await server.calm(false);
			const lives = sources.map(async ({session, own}) => live(session, server, book, own, () => isOver));
			const end = Promise.all(lives);
			while (!isOver) {
				await Promise.race([sleep(100), end]);
				const tally = await server.tally();
				isOver = tally.refreshes >= (refreshes * rest) / rests || isLate();
			}
			await end;
			await server.calm(true);
			await Promise.all(sessions.map(async session => inspect(session, server, book)));
			vitals.push(takeVitals());
			log(`${(await server.tally()).refreshes} refreshes, ${JSON.stringify(vitals.at(-1))}`);
		}
		const elapsed = (performance.now() - began) / 1_000;
		const tally = await server.tally();
		const lost = total(tally.why);
		if (tally.revocations !== lost)
			count(book.complaints, `the server has revoked ${tally.revocations} grants, and ${lost} are accounted for`);
		if (tally.failures > 0) count(book.complaints, 'the provider failed', tally.failures);
		tally.unexcused.forEach(log);
		const {faults, why, grants} = tally;
		return sumUp({
			name: 'realms in one process',
			holders: size * realmsOfSession,
			callers: callersOfSession / realmsOfSession,
			seed,
			seconds: elapsed,
			refreshes: tally.refreshes,
			grants,
			outcomes: book.outcomes,
			faults: {...faults, ...book.faults},
			why,
			sessionsLost: tally.unexcused.length,
			complaints: {...tally.complaints, ...book.complaints},
			vitals,
		});
	} finally {
		await server.close();
	}
}
