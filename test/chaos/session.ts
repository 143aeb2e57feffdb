import type {TokenResponse} from '../support/authorization-server.ts';
import {call, type Outcome, sort} from './caller.ts';
import {count, type Counts} from './counts.ts';
import {createMemoryPlace, createSharedPlace, type Home, type Place, type Realm} from './realm.ts';
import type {ServerProcess} from './server-process.ts';

/** The counts of the callers' process. */
export interface Book {
	readonly outcomes: Counts;
	readonly faults: Counts;
	readonly complaints: Counts;
}

/** Options of `openSession`. */
export interface SessionOptions extends Pick<Home, 'name' | 'timeout' | 'random'> {
	/** True if each realm has its own store on a shared record. False if all realms use one memory store. */
	readonly isShared: boolean;
	/** Disables the lock and compare-and-set. */
	readonly isUnlocked: boolean;
}

/** One session in several realms. After a loss, it begins again with a new login. */
export interface Session {
	readonly place: Pick<Place, 'assertStored'>;
	/** The token response of its current login. */
	readonly login: () => TokenResponse;
	/** Returns one of its realms, chosen by a number from 0 to 1. */
	realm(which: number): Realm;
	/** Replaces a realm, as a reload or a restart does: what was in its memory is lost. */
	replaceRealm(which: number): Promise<void>;
	/** Logs in again if the session of this login is over. */
	mend(login: TokenResponse, realm: Realm): Promise<void>;
	/** Checks, while no faults are injected, that every realm works, or that the session was lost for a known reason. */
	inspect(): Promise<void>;
}

export const realmsOfSession = 3;

/** How far the clocks jump during a pause of the faults, in milliseconds. Every back-off and every lifetime is shorter. */
const longTime = 2 * 3_600_000;

/** Counts the outcome of a call. */
export function note({outcomes, complaints}: Book, {name, isExpected}: Outcome): void {
	count(outcomes, name);
	if (!isExpected) count(complaints, `a call came to ${name}`);
}

/** Logs in and opens the realms. */
export async function openSession(server: ServerProcess, book: Book, options: SessionOptions): Promise<Session> {
	const {isShared, isUnlocked, ...named} = options;
	const home: Home = {
		...server,
		...named,
		onUnstored: () => count(book.complaints, 'a token was given to a caller before it was stored'),
		onEnded: () => {
			mend(login, realmAt(0)).catch(error => count(book.complaints, String(error)));
		},
	};
	const place = isShared ? createSharedPlace(home, isUnlocked) : createMemoryPlace(home);
	const first = await place.open();
	const realms = [first];
	while (realms.length < realmsOfSession) realms.push(await place.open());
	let login = await server.mint();
	let mending: Promise<void> | undefined;

	const indexOf = (which: number): number => Math.floor(which * realmsOfSession);
	const realmAt = (which: number): Realm => realms[indexOf(which)] ?? first;

	const heal = async ({auth}: Realm): Promise<void> => {
		const fate = (): Promise<string | undefined> => server.fateOf(login.refresh_token);
		if ((await fate()) === undefined) {
			// The caller's outcome may concern the previous login, so ask again.
			const isOver = await auth.getToken().then(
				() => false,
				(error: unknown) => sort(error, undefined).isOver,
			);
			if (!isOver || (await fate()) !== undefined) return;
			count(book.complaints, 'a session was given up though the server would have gone on with it');
		}
		const next = await server.mint();
		await auth.setToken(next);
		login = next;
	};
	const mend: Session['mend'] = async (lost, realm) => {
		if (lost !== login) return;
		mending ??= heal(realm).finally(() => {
			mending = undefined;
		});
		await mending;
	};

	const inspectRealm = async (realm: Realm): Promise<void> => {
		let outcome = await call(realm, server.api);
		for (let tries = 0; outcome.name !== '200' && tries < 2; tries++) {
			await mend(login, realm);
			realm.clock.jump(longTime);
			outcome = await call(realm, server.api);
		}
		note(book, outcome);
		if (outcome.name !== '200') count(book.complaints, `a session does not work in calm weather: ${outcome.name}`);
	};

	await first.auth.setToken(login);
	return {
		place,
		login: () => login,
		realm: realmAt,
		mend,
		async replaceRealm(which) {
			realmAt(which).close();
			realms[indexOf(which)] = await place.open();
			count(book.faults, 'realm replaced');
		},
		async inspect() {
			await mending;
			for (const {clock} of realms) clock.jump(longTime);
			for (const realm of realms) await inspectRealm(realm);
		},
	};
}
