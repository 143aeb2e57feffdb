import type {StoreDriver, TokenSet} from 'regrant';
import type {Case, Variants} from './case.ts';
import {loginOf} from './world.ts';

/** Throws an error. */
export const refuse = (): never => {
	throw new DOMException('The operation is insecure.', 'SecurityError');
};

/** Rejects with that error. */
export const reject = async (): Promise<never> => refuse();

/** Never settles. */
export const hang = (): Promise<never> => new Promise(() => {});

/** Creates a store in memory that already contains this record. */
export function keeping(record?: unknown): StoreDriver {
	let held = record;
	return {
		get: () => held,
		set: token => void (held = token),
		delete: () => void (held = undefined),
	};
}

/** Creates a store whose second write is replaced. That is the write after a rotation. */
export function failingOnce(write: (token: TokenSet) => void | Promise<void>): StoreDriver {
	const driver = keeping();
	let writes = 0;
	return {...driver, set: token => (++writes === 2 ? write(token) : driver.set(token))};
}

interface Record {
	readonly access_token: string;
	readonly refresh_token: string;
}

/** Creates cases of a store that another program has written to. The record is not a token, so it counts as absent until a new login. */
export function records(events: readonly string[], variants: Variants<(record: Record) => unknown>): Case[] {
	return Object.entries(variants).map(([title, tamper]) => ({
		title: `${title}: it counts as none, and gives way to a login`,
		store: ({access_token, refresh_token}) => {
			const issued_at = Math.floor(Date.now() / 1000) - 60;
			const record = {access_token, refresh_token, token_type: 'Bearer', issued_at, expires_at: issued_at + 600};
			return keeping(tamper(record));
		},
		async act(world) {
			const {auth, room, get} = world;
			const calling = auth();
			const before = await get(calling.fetch(`${room.api}me`));
			await calling.setToken({...loginOf(world), expires_in: 600});
			return [before, await get(calling.fetch(`${room.api}me`))];
		},
		expected: {gets: [401, 200], calls: ['none 401', 'first 200'], events: [...events, 'token set']},
	}));
}

/** A store in which the writes of another holder become visible late. */
export interface LateStore extends StoreDriver {
	/** Sets a record that becomes visible only after two more reads. */
	showLater(record: unknown): void;
}

/** Creates a store that shows every write at once, except for `showLater`. */
export function createLateStore(): LateStore {
	let held: unknown;
	let later: unknown;
	let looks = Infinity;
	return {
		get() {
			if (looks-- <= 0) {
				held = later;
				looks = Infinity;
			}
			return held;
		},
		set: token => void (held = token),
		delete: () => void (held = undefined),
		showLater(record) {
			later = record;
			looks = 3;
		},
	};
}
