import ky, {type KyInstance, type Options} from 'ky';
import {
	type Auth,
	type AuthEvent,
	type AuthToken,
	type AuthOptions,
	createAuth,
	customStore,
	isRegrantError,
	memoryStore,
	type StoreDriver,
	type TokenSet,
	type TokenStore,
} from 'regrant';
import {type Room, type RoomLog, type Script, openRoom} from './room.ts';
import {gist} from '../shared/outcome.ts';
import {textsOf} from '../shared/renderings.ts';
import type {Traits} from '../shared/run.ts';

/** The runtime that a case runs in, and its fault server. */
export interface Where {
	/** The name of the runtime, with its version. */
	readonly runtime: string;
	readonly traits: Traits;
	/** The URL at which the fault server opens rooms. */
	readonly door: string;
}

/** What was observed in a case, in words that can be compared. */
export interface Seen {
	/** What the callers got, in order. */
	readonly gets: readonly unknown[];
	/** How many token requests went out. */
	readonly grants: number;
	/** Each call of the API: which access token it carried, and the status of the answer. `first` is the token of the login. */
	readonly calls: readonly string[];
	/** Which token each request to the foreign origin carried. */
	readonly foreign: readonly string[];
	/** The refresh token in the store at the end of the case. `first` is that of the login. */
	readonly session: string;
	/** The events after the login. */
	readonly events: readonly string[];
}

/** The state of a login's access token: valid, valid but due for renewal, or expired. */
export type Age = 'fresh' | 'due' | 'over';

/** What one case works with. No other case shares it. */
export interface World {
	readonly where: Where;
	readonly room: Room;
	readonly store: TokenStore;
	/** Returns the driver of the store. Throws if the case uses one of regrant's own stores. */
	readonly driver: () => StoreDriver;
	/** Returns the record in the store. */
	readonly held: () => Promise<unknown>;
	/** The current time in milliseconds. It changes only when a case moves it. */
	readonly now: () => number;
	readonly advance: (seconds: number) => void;
	/** Returns options of an Auth on this session. */
	options(more?: Partial<AuthOptions>): AuthOptions;
	/** Creates an Auth on this session. */
	auth(more?: Partial<AuthOptions>): Auth;
	/** Creates a ky instance with the API as its base. It does not retry, and does not throw for any status. */
	ky(options?: Options, more?: Partial<AuthOptions>): KyInstance;
	/** Begins the session with a login. */
	signIn(age?: Age): Promise<void>;
	/** Waits for a promise, and records its outcome for the comparison and for the search for secrets. */
	get(promise: Promise<unknown>): Promise<Settled>;
	/** Adds a value to the search for secrets, and returns it. */
	see<T>(value: T): T;
	/** Adds a secret to search for, and returns it. */
	plant(secret: string): string;
}

/** The outcome of a promise. */
export type Settled = {readonly value: unknown} | {readonly error: unknown};

/** A world that can report what happened in it. */
export interface ObservedWorld extends World {
	/** Returns the result of the case. Throws if a secret shows. */
	observe(gets: readonly unknown[], isReuseDue: boolean): Promise<Seen>;
}

/** The lifetime of a token, in seconds. */
const lifetime = 600;
const lefts: Readonly<Record<Age, number>> = {fresh: lifetime, due: 10, over: -1};

/** Opens a room, and creates everything else that a case needs. */
export async function openWorld(
	where: Where,
	script: Script | ((now: number) => Script) = {},
	createStore: (room: Room) => TokenStore | StoreDriver = memoryStore,
): Promise<ObservedWorld> {
	let time = Math.floor(Date.now() / 1000) * 1000;
	const room = await openRoom(where.door, typeof script === 'function' ? script(time) : script);
	const made = createStore(room);
	const driver = 'get' in made ? made : undefined;
	const store = 'get' in made ? customStore(made) : made;
	const client = `app ${room.tokenEndpoint}`;
	const held = async (): Promise<unknown> =>
		driver ? driver.get() : store.read({timeout: 1000, client, parse: record => record as TokenSet});
	const shown: unknown[] = [];
	const planted: string[] = [];
	const events: AuthEvent[] = [];
	const see = <T>(value: T): T => {
		shown.push(value);
		return value;
	};
	const now = (): number => time;
	const options = (more: Partial<AuthOptions> = {}): AuthOptions => ({
		tokenEndpoint: room.tokenEndpoint,
		revocationEndpoint: room.revocationEndpoint,
		clientId: 'app',
		origins: [room.api],
		store,
		now,
		// The timeout is long, because a busy machine may be slow. A case that needs a late answer uses one that never comes.
		timeout: 60_000,
		...more,
	});
	const auth = (more?: Partial<AuthOptions>): Auth => see(createAuth(options(more)));
	const first = auth();
	first.subscribe(event => void events.push(see(event)));

	return {
		where,
		room,
		store,
		driver: () => {
			if (!driver) throw new Error('The store of this case is made of no driver');
			return driver;
		},
		held,
		now,
		advance(seconds) {
			time += seconds * 1000;
		},
		options,
		auth,
		ky: (options, more) =>
			ky.extend({
				baseUrl: room.api,
				hooks: auth(more).hooks,
				retry: 0,
				timeout: false,
				throwHttpErrors: false,
				...options,
			}),
		async signIn(age = 'fresh') {
			const {access_token, refresh_token} = room;
			const expires_at = time / 1000 + lefts[age];
			const issued_at = Math.min(expires_at - lifetime, time / 1000);
			await first.setToken({access_token, refresh_token, token_type: 'Bearer', scope: 'a b', expires_at, issued_at});
			events.length = 0;
		},
		async get(promise) {
			try {
				return {value: await promise};
			} catch (error) {
				return {error: see(error)};
			}
		},
		see,
		plant(secret) {
			planted.push(secret);
			return secret;
		},
		async observe(gets, isReuseDue) {
			const log = await room.log();
			if (log.isReused !== isReuseDue) throw new Error('A refresh token was sent again after it was spent');
			const texts = [...textsOf(shown), ...shown.map(value => where.traits.inspect?.(value) ?? '')];
			assertSecret(texts, log, planted);
			const told = runs(gist(events));
			return {
				gets: gets.map(outcome => wordsOf(outcome, log, time)),
				grants: log.token.length,
				calls: runs(log.api.map(({headers, status}) => `${carried(headers, log)} ${status}`)),
				foreign: runs(log.elsewhere.map(({headers}) => carried(headers, log))),
				session: await heldBy(held, log),
				events: told,
			};
		},
	};
}

/** The number of characters by which a secret is recognised. Nobody can guess a token from fewer. */
const telling = 10;

/** Throws if a secret, or its first characters, is in a place where it must not be. */
function assertSecret(texts: readonly string[], log: RoomLog, planted: readonly string[]): void {
	const notAccess = [...log.refreshTokens, ...planted];
	const all = [...log.accessTokens, ...log.uselessTokens, ...notAccess];
	const search = (place: string, text: string, secrets: readonly string[]): void => {
		const secret = secrets.find(secret => text.includes(secret.slice(0, telling)));
		const position = secret === undefined ? 0 : text.indexOf(secret.slice(0, telling));
		if (secret !== undefined)
			throw new Error(`A secret shows in ${place}: …${text.slice(Math.max(0, position - 80), position)}…`);
	};
	for (const text of texts) search('what was thrown, told or printed', text, all);
	for (const request of log.elsewhere) search('what the foreign origin got', JSON.stringify(request), all);
	for (const {path, body, headers} of log.api) {
		search('what the API got', path + body, all);
		search('the headers that the API got', JSON.stringify(headers), notAccess);
	}
	for (const {path} of [...log.token, ...log.revocation]) search('the URL of the token endpoint', path, all);
}

/** Returns which refresh token a store holds, as an ordinal. */
async function heldBy(read: () => Promise<unknown>, {refreshTokens}: RoomLog): Promise<string> {
	const late = new Promise<undefined>(resolve => setTimeout(resolve, 100));
	try {
		const record = await Promise.race([read(), late.then(() => Promise.reject(new Error('late')))]);
		return ordinal(refreshTokens.indexOf(Object(record).refresh_token));
	} catch {
		return 'out of reach';
	}
}

/** Returns the tokens of the login in the form of a token response. */
export function loginOf({room: {access_token, refresh_token}}: World): AuthToken & {readonly refresh_token: string} {
	return {access_token, refresh_token, token_type: 'Bearer'};
}

/** Renews the session as another holder of its refresh token does, in a store of its own. Returns the new token. */
export async function renewElsewhere(world: World): Promise<TokenSet> {
	const store = memoryStore();
	const other = createAuth(world.options({store}));
	await other.setToken({...loginOf(world), expires_in: 600});
	await other.refresh();
	return store.peek() as TokenSet; // the refresh has stored it
}

const ordinals = ['first', 'second', 'third', 'fourth', 'fifth', 'sixth'];
const ordinal = (index: number): string => (index < 0 ? 'none' : (ordinals[index] ?? `number ${index + 1}`));

/** Returns which access token a request carried, as an ordinal. */
function carried({authorization}: Readonly<Record<string, string>>, {accessTokens}: RoomLog): string {
	if (!authorization) return 'none';
	const index = accessTokens.findIndex(token => authorization === `Bearer ${token}`);
	return index < 0 ? 'own' : ordinal(index);
}

/** Merges equal entries that follow each other, and counts them. */
function runs(texts: readonly string[]): string[] {
	const counted: Array<{readonly text: string; count: number}> = [];
	for (const text of texts) {
		const last = counted.at(-1);
		if (last?.text === text) last.count++;
		else counted.push({text, count: 1});
	}
	return counted.map(({text, count}) => (count === 1 ? text : `${text} ×${count}`));
}

/** Describes the outcome of a promise in words. Returns anything else unchanged. */
function wordsOf(outcome: unknown, log: RoomLog, now: number): unknown {
	if (typeof outcome !== 'object' || outcome === null) return outcome;
	if ('error' in outcome) return wordsOfError(outcome.error);
	if (!('value' in outcome)) return outcome;
	const {value} = outcome;
	if (value instanceof Response) return value.status;
	if (typeof value !== 'object' || value === null || !('access_token' in value)) return value;
	const {access_token, expires_at, scope} = value as {access_token: string; expires_at?: number; scope?: string}; // only a token has `access_token`
	const lives = expires_at === undefined ? 'while it is accepted' : `for ${expires_at - now / 1000} s`;
	return `the ${ordinal(log.accessTokens.indexOf(access_token))} token ${lives}, scope ${scope ?? 'unknown'}`;
}

/** Returns the class name of an error. */
export const nameOfKind = (error: unknown): string => String(Object(error).name);

/** Describes an error: its class, its code, and what a program can do about it. */
function wordsOfError(error: unknown): string {
	const {
		name,
		code,
		reason,
		error: oauth,
		retryable,
		retryAfter,
		response,
	} = Object(error) as Partial<Record<'name' | 'code' | 'reason' | 'error', string>> & {
		readonly retryable?: boolean;
		readonly retryAfter?: number;
		readonly response?: unknown;
	};
	if (response instanceof Response) return `${name} ${response.status}`;
	if (!isRegrantError(error)) return String(name);
	const advice = [retryable ? ', retryable' : '', retryAfter === undefined ? '' : `, after ${retryAfter}`];
	return `${name} ${reason ?? oauth ?? code}${advice.join('')}`;
}
