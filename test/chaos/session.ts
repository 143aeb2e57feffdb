import type {TokenResponse} from '../support/authorization-server.ts';
import {call, type Outcome, sort} from './caller.ts';
import {count, type Counts} from './counts.ts';
import {createMemoryPlace, createSharedPlace, type Home, type Place, type Realm} from './realm.ts';
import type {ServerProcess} from './server-process.ts';

/** What is counted in the process of the callers. */
export interface Book {
	readonly outcomes: Counts;
	readonly faults: Counts;
	readonly complaints: Counts;
}

/** What a session is opened with. */
export interface SessionOptions extends Pick<Home, 'name' | 'timeout' | 'random'> {
	/** Whether its realms share a record, or one of them has it for itself and its callers. */
	readonly isShared: boolean;
	/** Whether nothing keeps them apart. */
	readonly isUnlocked: boolean;
}

/** A session in several realms, that is begun anew where it was lost. */
export interface Session {
	readonly place: Pick<Place, 'assertStored'>;
	/** The token that its login began with. */
	readonly login: () => TokenResponse;
	/** One of its realms, by a number from 0 to 1. */
	realm(which: number): Realm;
	/** As when a page is reloaded, or a process started anew: what was in its memory is gone. */
	replaceRealm(which: number): Promise<void>;
	/** Logs in again, where the session of this login is over: if it is. */
	mend(login: TokenResponse, realm: Realm): Promise<void>;
	/** In calm weather each of its realms works, or it was lost for a reason. */
	inspect(): Promise<void>;
}

export const realmsOfSession = 3;

/** Of the clocks at rest, in milliseconds: no cool-down and no lifetime is longer. */
const longTime = 2 * 3_600_000;

/** Notes what a call came to. */
export function note({outcomes, complaints}: Book, {name, isExpected}: Outcome): void {
	count(outcomes, name);
	if (!isExpected) count(complaints, `a call came to ${name}`);
}

/** Logs in, and opens the realms. */
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
			// What was heard may have been of the login before.
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
