import type {StoreDriver, TokenSet} from 'regrant';
import type {Case, Variants} from './case.ts';
import {loginOf} from './world.ts';

/** Throws an error. */
export const refuse = (): never => {
	throw new DOMException('The operation is insecure.', 'SecurityError');
};

/** The same, later. */
export const reject = async (): Promise<never> => refuse();

/** Never settles. */
export const hang = (): Promise<never> => new Promise(() => {});

/** Creates a store in memory. */
export function keeping(record?: unknown): StoreDriver {
	let held = record;
	return {
		get: () => held,
		set: token => void (held = token),
		delete: () => void (held = undefined),
	};
}

/** A store that replaces its second write, which is the one after a rotation. */
export function failingOnce(write: (token: TokenSet) => void | Promise<void>): StoreDriver {
	const driver = keeping();
	let writes = 0;
	return {...driver, set: token => (++writes === 2 ? write(token) : driver.set(token))};
}

interface Record {
	readonly access_token: string;
	readonly refresh_token: string;
}

/** Cases of a store that somebody else has written to: the record is not a token, and counts as absent until a new login. */
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

/** A store that shows late what another holder has written. */
export interface LateStore extends StoreDriver {
	/** The next two looks find what was there before. */
	showLater(record: unknown): void;
}

/** A store that shows everything at once, until it is told otherwise. */
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
