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

/** Gives the store of a driver: one store for one driver, however often it is asked. */
export function storeOf(store: TokenStore | StoreDriver): TokenStore {
	if (!('get' in store)) return store;
	const made = stores.get(store) ?? customStore(store);
	stores.set(store, made);
	return made;
}

/** Options with a store in place of a driver. */
export function withStore<Options extends Partial<ScenarioOptions>>(
	options: Options,
): Omit<Options, 'store'> & {readonly store?: TokenStore} {
	const {store, ...others} = options;
	return {...others, ...(store && {store: storeOf(store)})};
}

/** A driver that keeps its token in memory, and answers at once. */
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

/** The public client whose refresh tokens the server mints. */
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

/** The service, which is granted its own tokens and has no refresh token. */
export function serviceOptions(server: Server, more: Partial<ScenarioOptions> = {}): AuthOptions {
	return appOptions(server, {clientId: service.clientId, grant: serviceGrant, ...more});
}

/** Begins a session as a login would. */
export async function signIn(
	server: AuthorizationServer,
	auth: Pick<Auth, 'setToken'>,
	more: Partial<TokenSet> = {},
): Promise<TokenResponse> {
	const minted = await server.mint();
	await auth.setToken({...minted, ...more});
	return minted;
}

/** For `signIn`: the token is to be renewed before it is sent. */
export const expired = {expires_at: 1, issued_at: 0};

/** The events that a listener got, in order. */
export function record(auth: Pick<Auth, 'subscribe'>): AuthEvent[] {
	const events: AuthEvent[] = [];
	auth.subscribe(event => void events.push(event));
	return events;
}

/** The gist of events. */
export function gist(events: readonly AuthEvent[]): string[] {
	return events.map(event => {
		if (event.type === 'token') return `token ${event.cause}`;
		if (event.type === 'status') return `status ${event.status}`;
		return `${event.type} ${event.type === 'session-ended' ? event.reason : event.error.code}`;
	});
}

/** A gate that the test opens. */
export interface Gate {
	/** Waits for the gate, and says that somebody does. */
	readonly pass: () => Promise<void>;
	/** Resolves once somebody waits. */
	readonly reached: Promise<void>;
	readonly open: () => void;
	readonly isOpen: () => boolean;
}

/** A gate that is shut. */
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

/** A clock that stands still until it is set. */
export interface Clock {
	readonly now: () => number;
	/** Adds seconds, or takes them away. */
	readonly advance: (seconds: number) => void;
	/** Unix seconds. */
	readonly seconds: () => number;
}

/** A clock of whole seconds: it begins at the present one. */
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

/** Waits for everything that only needs the event loop. */
export async function settle(): Promise<void> {
	for (let turn = 0; turn < 5; turn++) await new Promise(resolve => setImmediate(resolve));
}

/** The outcome of a promise, in a word. */
export async function outcomeOf(promise: PromiseLike<unknown>): Promise<string> {
	try {
		await promise;
		return 'fulfilled';
	} catch (error) {
		const {name, reason} = error as {readonly name?: string; readonly reason?: unknown};
		return typeof reason === 'string' ? `${name} ${reason}` : String(name);
	}
}

/** A record that several holders share, as the tabs of an origin do. */
export interface SharedRecord {
	/** What is stored. */
	value: unknown;
	/** What was done with it, in order. */
	readonly log: string[];
	/** A store as one more realm has it: an object of its own, with the same record and the same lock. */
	realm(name?: string): StoreDriver;
	/** Whether somebody holds the lock. */
	isLocked(): boolean;
	/** Writes as another holder would, and notifies the others. */
	write(value: unknown): void;
}

/** A record in JSON, with a lock, and with word of changes by others. */
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

/** A store whose lock is free when the gate opens. */
export function lockedBehind(gate: Gate, store: StoreDriver): StoreDriver {
	return {
		...store,
		async lock(task) {
			await gate.pass();
			return task();
		},
	};
}
