import type {Waiter} from '../lib/with-timeout.ts';
import {ConfigError, isRegrantError, SessionEndedError} from '../errors.ts';
import type {Settings} from '../oauth/options.ts';
import {createRenewal, secondsLeft} from './renewal.ts';
import {type AuthListener, createEvents} from './events.ts';
import {createRecord, type SessionState} from './session-record.ts';
import {locked} from '../stores/store-lock.ts';
import {readTokenSet, type TokenSet} from '../token/token-response.ts';
import {supports, type TokenStore} from '../stores/token-store.ts';

/** What a caller of `getToken` may ask for. */
export interface TokenOptions extends Waiter {
	/** Seconds for which the token must still be good. Default: 0. */
	readonly minimumLifetime?: number | undefined;
}

/** One session: its token, how it is renewed, and how it ends. All that use one store in a realm share it. */
export interface Session {
	/** As it is now. */
	readonly state: Readonly<SessionState>;
	/** The token to use now, where it is at hand. */
	peek(settings: Settings): TokenSet | undefined;
	/** The token to use now, renewed where need be. The present one, or none, where there is nothing to renew it with. */
	find(settings: Settings, waiter: Waiter, minimumLifetime?: number): Promise<TokenSet | undefined>;
	/** The same, but it throws where there is no valid token and nothing to get one with. */
	getToken(settings: Settings, options: TokenOptions): Promise<TokenSet>;
	/** A new token, whatever the age of the present one. */
	refresh(settings: Settings, options: TokenOptions): Promise<TokenSet>;
	/** The token to send in place of a refused one. Undefined where there is none. */
	replace(settings: Settings, refused: TokenSet, signOuts: number, waiter: Waiter): Promise<TokenSet | undefined>;
	/** Takes note of a resource server that refused a token though it was new, or accepted it. */
	judge(settings: Settings, token: TokenSet, isRefused: boolean): void;
	/** Begins a session. */
	setToken(settings: Settings, token: unknown): Promise<void>;
	/** Ends the session. */
	signOut(settings: Settings): Promise<void>;
	/** Hears of events, until the function that it returns is called. */
	subscribe(settings: Settings, listener: AuthListener): () => void;
}

/** For how long a token that was refused though it was new causes no further grant, in milliseconds. */
const refusalMemory = 60_000;

const sessions = new WeakMap<TokenStore, Session>();

/** The session of the store. */
export function sessionOf(store: TokenStore): Session {
	const session = sessions.get(store) ?? createSession(store);
	sessions.set(store, session);
	return session;
}

function createSession(store: TokenStore): Session {
	const events = createEvents();
	// What another holder does counts as if it had been done here.
	const record = createRecord(store, events.emit, isSignOut => renewal.supersede(isSignOut));
	const renewal = createRenewal(record, events);
	const {state, supersede} = record;
	/** The access token that was refused last though it was new, and when. */
	let refused: string | undefined;
	let refusedAt = 0;
	/** Counts sign-outs here. Those elsewhere, of which a sign-in may hear when it begins, were before it. */
	let signOutCalls = 0;

	const read = async (settings: Settings, waiter?: Waiter): Promise<TokenSet | undefined> => {
		if (state.isAsking) throw new ConfigError('grant must not use the session that it serves');
		waiter?.signal?.throwIfAborted();
		return record.read(settings, waiter);
	};

	const isGood = (token: TokenSet | undefined, {now}: Settings, seconds: number): token is TokenSet =>
		!!token && secondsLeft(token, now()) > seconds;

	const isFresh = (token: TokenSet | undefined, settings: Settings, minimumLifetime = 0): token is TokenSet => {
		const {expires_at = Infinity, issued_at = 0} = token ?? {};
		return isGood(token, settings, Math.max(Math.min(settings.leeway, (expires_at - issued_at) / 10), minimumLifetime));
	};

	const peek: Session['peek'] = settings => {
		const token = record.peek();
		return isFresh(token, settings) ? token : undefined;
	};

	const find: Session['find'] = async (settings, waiter, minimumLifetime = 0) => {
		const current = await read(settings, waiter);
		if (isFresh(current, settings, minimumLifetime) || !renewal.isPossible(settings, current)) return current;
		try {
			return await renewal.run(settings, current, waiter);
		} catch (error) {
			// While the token is good, a renewal that may work later is nobody's trouble.
			if (isRegrantError(error) && error.retryable && isGood(current, settings, minimumLifetime)) return current;
			throw error;
		}
	};

	/**
	A holder of the lock that was just writing when the session was signed out has written after all: what it wrote was issued
	before. Nobody waits for it, since the holder may be slow.
	*/
	const sweep = async (settings: Settings): Promise<void> => {
		if (!supports(store, 'lock')) return;
		const {epoch} = state;
		const now = settings.now();
		const task = async (): Promise<TokenSet | undefined> => {
			const late = await record.read(settings);
			if (!late || epoch !== state.epoch || late.issued_at * 1000 > now) return undefined;
			return (await record.replace(settings, late, undefined)) ? late : undefined;
		};
		const late = await locked(settings, task).catch(() => undefined);
		if (!late) return;
		events.emit({type: 'session-ended', reason: 'signed_out'});
		await renewal.revoke(settings, late).catch(() => {});
	};

	return {
		state,
		peek,
		find,
		getToken: async (settings, options) => {
			const {minimumLifetime = 0} = options;
			if (!Number.isFinite(minimumLifetime) || minimumLifetime < 0) {
				throw new ConfigError('minimumLifetime must be seconds');
			}
			const token = await find(settings, options, minimumLifetime);
			if (token && (renewal.isPossible(settings, token) || isGood(token, settings, minimumLifetime))) return token;
			throw new SessionEndedError('no_refresh_token');
		},
		refresh: async (settings, options) => {
			const current = await read(settings, options);
			if (!renewal.isPossible(settings, current)) throw new SessionEndedError('no_refresh_token');
			return renewal.run(settings, current, options);
		},
		replace: async (settings, carried, signOuts, waiter) => {
			const current = await read(settings, waiter);
			// What was sent before a sign-out is not sent again as whoever has signed in since.
			if (!current || signOuts !== state.signOuts) return undefined;
			if (current.access_token !== carried.access_token && isFresh(current, settings)) return current;
			const since = settings.now() - refusedAt;
			if (refused === current.access_token && since >= 0 && since < refusalMemory) return undefined;
			return renewal.isPossible(settings, current) ? renewal.run(settings, carried, waiter) : undefined;
		},
		judge: ({now}, {access_token}, isRefused) => {
			if (isRefused) {
				refused = access_token;
				refusedAt = now();
			} else if (refused === access_token) refused = undefined;
		},
		setToken: async (settings, value) => {
			const token = readTokenSet(value, {...settings, issued_at: Math.floor(settings.now() / 1000)});
			if ('problem' in token) throw new ConfigError(`Not a usable token: ${token.problem}`);
			const before = signOutCalls;
			const {error} = await record.write(settings, token, () => {
				if (before !== signOutCalls) throw new SessionEndedError('signed_out');
				supersede(false);
				refused = undefined;
			});
			events.emit({type: 'token', cause: 'set', expires_at: token.expires_at});
			if (error) throw error;
		},
		signOut: async settings => {
			signOutCalls++;
			supersede(true);
			// Should the holder of the lock never come back, as on Workers.
			events.release();
			const {previous, error} = await record.write(settings, undefined);
			if (previous) events.emit({type: 'session-ended', reason: 'signed_out'});
			settings.waitUntil(sweep(settings));
			await renewal.revoke(settings, previous);
			if (error) throw error;
		},
		subscribe: (settings, listener) => {
			const stop = events.subscribe(listener);
			// To notice a change, one must know what was.
			if (supports(store, 'subscribe')) void record.read(settings);
			return stop;
		},
	};
}
