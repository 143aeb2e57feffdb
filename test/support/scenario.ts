import {
	type Auth,
	type AuthEvent,
	type AuthOptions,
	customStore,
	type StoreDriver,
	type TokenSet,
	type TokenStore,
} from '../../src/index.ts';
import {app, type AuthorizationServer, service, type TokenResponse} from './authorization-server.ts';

type Server = Pick<AuthorizationServer, 'tokenEndpoint' | 'revocationEndpoint' | 'api'>;

/** Options whose store may be a driver. */
export type ScenarioOptions = Omit<AuthOptions, 'store'> & {readonly store?: TokenStore | StoreDriver | undefined};

const stores = new WeakMap<StoreDriver, TokenStore>();

/** Returns the store of a driver. The same driver always gets the same store. */
export function storeOf(store: TokenStore | StoreDriver): TokenStore {
	if (!('get' in store)) return store;
	const made = stores.get(store) ?? customStore(store);
	stores.set(store, made);
	return made;
}

/** Replaces a driver in the options by its store. */
export function withStore<Options extends Partial<ScenarioOptions>>(
	options: Options,
): Omit<Options, 'store'> & {readonly store?: TokenStore} {
	const {store, ...others} = options;
	return {...others, ...(store && {store: storeOf(store)})};
}

/** A driver that keeps its token in memory and answers synchronously. */
export function memoryDriver(): StoreDriver {
	let held: TokenSet | undefined;
	return {
		get: () => held,
		set: token => {
			held = token;
		},
		delete: () => {
			held = undefined;
		},
	};
}

/** Returns the options of the public client, for which the server mints refresh tokens. */
export function appOptions(server: Server, more: Partial<ScenarioOptions> = {}): AuthOptions {
	const {tokenEndpoint, revocationEndpoint, api} = server;
	return {tokenEndpoint, revocationEndpoint, clientId: app.clientId, origins: [api], ...withStore(more)};
}

/** The credentials of the service, in the form of a `grant`. */
export const serviceGrant = {
	grant_type: 'client_credentials',
	client_secret: service.secret,
	scope: '/accounts.read /accounts.write',
} as const;

/** Returns the options of the service, which gets tokens for itself and has no refresh token. */
export function serviceOptions(server: Server, more: Partial<ScenarioOptions> = {}): AuthOptions {
	return appOptions(server, {clientId: service.clientId, grant: serviceGrant, ...more});
}

/** Begins a session with a login. */
export async function signIn(
	server: AuthorizationServer,
	auth: Pick<Auth, 'setToken'>,
	more: Partial<TokenSet> = {},
): Promise<TokenResponse> {
	const minted = await server.mint();
	await auth.setToken({...minted, ...more});
	return minted;
}

/** For `signIn`: makes a token that must be renewed before it is sent. */
export const expired = {expires_at: 1, issued_at: 0};

/** Returns a list that collects the events of an `Auth`. */
export function record(auth: Pick<Auth, 'subscribe'>): AuthEvent[] {
	const events: AuthEvent[] = [];
	auth.subscribe(event => void events.push(event));
	return events;
}

/** Describes each event in one or two words. */
export function gist(events: readonly AuthEvent[]): string[] {
	return events.map(event => {
		if (event.type === 'token') return `token ${event.cause}`;
		if (event.type === 'status') return `status ${event.status}`;
		return `${event.type} ${event.type === 'session-ended' ? event.reason : event.error.code}`;
	});
}

/** A gate at which tasks wait until the test opens it. */
export interface Gate {
	/** Waits until the gate is open, and resolves `reached`. */
	readonly pass: () => Promise<void>;
	/** Resolves when the first task waits at the gate. */
	readonly reached: Promise<void>;
	readonly open: () => void;
	readonly isOpen: () => boolean;
}

/** Creates a closed gate. */
export function createGate(): Gate {
	const arrival = Promise.withResolvers<void>();
	const opening = Promise.withResolvers<void>();
	let isOpen = false;
	return {
		async pass() {
			arrival.resolve();
			await opening.promise;
		},
		reached: arrival.promise,
		open() {
			isOpen = true;
			opening.resolve();
		},
		isOpen: () => isOpen,
	};
}

/** A clock that only a test can move. */
export interface Clock {
	readonly now: () => number;
	/** Moves the clock by this many seconds, forwards or backwards. */
	readonly advance: (seconds: number) => void;
	/** The time in Unix seconds. */
	readonly seconds: () => number;
}

/** Creates a clock that starts at the present whole second. */
export function createClock(): Clock {
	let time = Math.floor(Date.now() / 1000) * 1000;
	return {
		now: () => time,
		advance(seconds) {
			time += seconds * 1000;
		},
		seconds: () => time / 1000,
	};
}

/** Waits until all promises have settled that need only the event loop. */
export async function settle(): Promise<void> {
	for (let turn = 0; turn < 5; turn++) await new Promise(resolve => setImmediate(resolve));
}

/** Describes the outcome of a promise in a word. */
export async function outcomeOf(promise: PromiseLike<unknown>): Promise<string> {
	try {
		await promise;
		return 'fulfilled';
	} catch (error) {
		const {name, reason} = error as {readonly name?: string; readonly reason?: unknown};
		return typeof reason === 'string' ? `${name} ${reason}` : String(name);
	}
}

/** A record that several holders share, like tabs of one origin. */
export interface SharedRecord {
	/** What is stored. */
	value: unknown;
	/** The operations on the record, in order. */
	readonly log: string[];
	/** Creates the store of one more realm: another object with the same record and the same lock. */
	realm(name?: string): StoreDriver;
	/** Whether somebody holds the lock. */
	isLocked(): boolean;
	/** Writes as another holder would, and notifies the others. */
	write(value: unknown): void;
}

/** Creates a record in JSON, with a lock and with notifications of changes. */
export function createSharedRecord(): SharedRecord {
	let text: string | undefined;
	let isLocked = false;
	let tail: Promise<unknown> = Promise.resolve();
	const log: string[] = [];
	const listeners = new Map<object, () => void>();
	const put = (value: unknown, by?: object): void => {
		text = value === undefined ? undefined : JSON.stringify(value);
		for (const [holder, listener] of listeners) if (holder !== by) listener();
	};
	const read = (): unknown => (text === undefined ? undefined : JSON.parse(text));
	return {
		log,
		get value() {
			return read();
		},
		set value(value) {
			text = value === undefined ? undefined : JSON.stringify(value);
		},
		isLocked: () => isLocked,
		write: value => put(value),
		realm(name = '') {
			const note = (step: string): void => void log.push(`${name} ${step}`.trim());
			const store: StoreDriver = {
				get: async () => {
					note('get');
					return read();
				},
				set: async token => {
					note('set');
					put(token, store);
				},
				delete: async () => {
					note('delete');
					put(undefined, store);
				},
				async lock(task) {
					const before = tail;
					const done = Promise.withResolvers<void>();
					tail = done.promise;
					await before;
					isLocked = true;
					note('lock');
					try {
						return await task();
					} finally {
						note('release');
						isLocked = false;
						done.resolve();
					}
				},
				subscribe(onChange) {
					listeners.set(store, onChange);
					return () => listeners.delete(store);
				},
			};
			return store;
		},
	};
}

/** Wraps a store whose lock is held by another holder until the gate opens. */
export function lockedBehind(gate: Gate, store: StoreDriver): StoreDriver {
	return {
		...store,
		async lock(task) {
			await gate.pass();
			return task();
		},
	};
}
