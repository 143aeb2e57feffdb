import {setTimeout as sleep} from 'node:timers/promises';
import ky, {type KyInstance} from 'ky';
import {
	type Auth,
	createAuth,
	customStore,
	memoryStore,
	type StoreDriver,
	type TokenSet,
	type TokenStore,
} from '../../src/index.ts';
import {createSharedMemory} from '../support/shared-memory.ts';
import type {Random} from './random.ts';

/** A clock that a test can set. */
export interface Clock {
	readonly now: () => number;
	/** Moves the clock by this many milliseconds, forwards or backwards. */
	jump(milliseconds: number): void;
}

/** Simulates a tab or a process inside this process: it has its own `Auth` and its own clock. */
export interface Realm {
	readonly auth: Auth;
	/** A ky instance for the API, with the hooks of the `Auth`. */
	readonly ky: KyInstance;
	readonly clock: Clock;
	/** Closes the realm. It receives no more events. */
	close(): void;
}

/** What all realms of one session share. */
export interface Home {
	readonly name: string;
	readonly tokenEndpoint: string;
	readonly api: string;
	/** The deadline of a token request, in milliseconds. */
	readonly timeout: number;
	readonly random: Random;
	/** Called if a caller got a token before it was stored. */
	readonly onUnstored: () => void;
	readonly onEnded: () => void;
}

/** The place of one session, and the realms that share it. */
export interface Place {
	open(): Promise<Realm>;
	/** Complains if this token was never stored. */
	assertStored(accessToken: string): void;
}

/** How many of the latest tokens may still be in use. */
const memory = 300;

/** Realms that use one memory store. Only its single flight keeps their callers apart. */
export function createMemoryPlace(home: Home): Place {
	const watch = watchWrites(home);
	const inner = memoryStore();
	const keep = (token: TokenSet | undefined): void => {
		if (token) watch.keep(token.access_token);
	};
	const store: TokenStore = {
		...inner,
		overwrite: async (use, decide) =>
			inner.overwrite(use, previous => {
				const replacement = decide(previous);
				keep(replacement.token);
				return replacement;
			}),
		exclusive: async (use, task) =>
			inner.exclusive(use, cell =>
				task({
					...cell,
					commit: async (from, to) => {
						const isStored = await cell.commit(from, to);
						if (isStored) keep(to);
						return isStored;
					},
				}),
			),
	};
	return {...watch, open: async () => openRealm(home, watch, store, () => {})};
}

/** Realms that share a record. Only its lock keeps them apart, if it has one. Each operation takes time, as with a remote store. */
export function createSharedPlace(home: Home, isUnlocked: boolean): Place {
	const watch = watchWrites(home);
	const shared = createSharedMemory();
	const pause = async (): Promise<void> => {
		if (home.random() < 0.5) await sleep(home.random() * 4);
	};
	const open = async (): Promise<Realm> => {
		const inner = await shared.holder();
		const stops: Array<() => void> = [];
		const driver: StoreDriver = {
			...inner,
			get: async () => {
				await pause();
				return inner.get();
			},
			set: async token => {
				await pause();
				await inner.set(token);
				watch.keep(token.access_token);
			},
			replace: async (found, token) => {
				await pause();
				const isReplaced = (await inner.replace?.(found, token)) ?? false;
				if (isReplaced && token) watch.keep(token.access_token);
				return isReplaced;
			},
			subscribe: onChange => {
				const stop = inner.subscribe?.(onChange) ?? (() => {});
				stops.push(stop);
				return stop;
			},
		};
		const {lock: _, replace: __, ...unlocked} = driver;
		const store = customStore(isUnlocked ? unlocked : driver);
		return openRealm(home, watch, store, () => stops.forEach(stop => stop()));
	};
	return {...watch, open};
}

interface Watch extends Pick<Place, 'assertStored'> {
	keep(accessToken: string): void;
}

function watchWrites({onUnstored}: Home): Watch {
	const stored = new Set<string>();
	return {
		keep(accessToken) {
			stored.add(accessToken);
			const [oldest] = stored;
			if (stored.size > memory && oldest !== undefined) stored.delete(oldest);
		},
		assertStored(accessToken) {
			if (!stored.has(accessToken)) onUnstored();
		},
	};
}

let opened = 0;

function openRealm(home: Home, {assertStored}: Watch, store: TokenStore, close: () => void): Realm {
	const {tokenEndpoint, api, timeout, onEnded} = home;
	const name = `${home.name}, realm ${++opened}`;
	let offset = 0;
	const clock: Clock = {
		now: () => Date.now() + offset,
		jump: milliseconds => {
			offset += milliseconds;
		},
	};
	const auth = createAuth({
		tokenEndpoint,
		clientId: 'app',
		origins: [api],
		store,
		timeout,
		now: clock.now,
		// Tells the server since when the client has been waiting.
		fetch: async (input, init) => {
			const headers = new Headers(init?.headers);
			headers.set('x-holder', name);
			headers.set('x-sent', String(Date.now()));
			return fetch(input, {...init, headers});
		},
	});
	const stop = auth.subscribe(event => {
		if (event.type === 'session-ended') onEnded();
	});
	return {
		auth,
		clock,
		ky: ky.create({
			baseUrl: api,
			hooks: auth.hooks,
			retry: {limit: 1, delay: () => 5},
			fetch: async (input, init) => {
				const {headers} = input as Request; // regrant always passes a `Request`
				const authorization = headers.get('authorization');
				if (authorization !== null) assertStored(authorization.replace('Bearer ', ''));
				return fetch(input, init);
			},
		}),
		close() {
			stop();
			close();
		},
	};
}
