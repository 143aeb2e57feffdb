import {ConfigError, SessionEndedError} from '../errors.ts';
import type {Waiter} from '../lib/with-timeout.ts';
import type {TokenStore} from '../stores/token-cell.ts';
import type {Renewer} from '../token/renewer.ts';
import type {TokenSet} from '../token/token-set.ts';
import type {BackOff} from './back-off.ts';
import {emit, release, type SessionEvents} from './events.ts';
import type {Rejection} from './rejection.ts';
import type {SessionSettings} from './settings.ts';
import {initialState, type SessionAction, type SessionState, transition} from './state.ts';
import type {UsedTokens} from './used-tokens.ts';

/** The running renewal of a session, which all waiting callers share. */
export interface Flight {
	/** The access token that is being renewed. */
	readonly stale: string | undefined;
	/** Fulfils whatever the renewal does. On Workers, it may hang or reject once the request that started it is gone. */
	readonly outcome: Promise<Outcome>;
	/** Ends the wait of all callers. The next caller starts another renewal. */
	readonly settle: (outcome: Outcome) => void;
	/** The state that it began with. */
	readonly begun: SessionState;
	/** A refresh token from the server that is not stored yet. */
	late: string | undefined;
	/** Counts the steps. A renewal without a step for a while has lost its owner. */
	steps: number;
}

/** Returns the token, or throws the error of the renewal. Nothing means that another renewal is needed. */
export type Outcome = () => TokenSet | undefined;

/** What everything that uses the same store in a realm shares. */
export interface SessionCore extends SessionEvents, UsedTokens {
	/** The name of the client that the store belongs to. */
	readonly client: string;
	/** The time in which no renewal is tried. Undefined if the last one did not fail. */
	backOff: BackOff | undefined;
	/** The last new token that an API rejected. Undefined once a token was accepted. */
	rejection: Rejection | undefined;
	/** The running renewal. */
	flight: Flight | undefined;
	/** The present state. Only `dispatch` changes it. */
	state: SessionState;
	/** Counts logins here. */
	logins: number;
	/** Counts sign-outs here. */
	signOuts: number;
	/** Whether the user's code is running. If it used the session now, it would wait for itself. */
	isCallingOut: boolean;
	/** Whether somebody has seen the status `unknown`, and has got no event since. */
	wasUnknownSeen: boolean;
	/** Stops listening to the store. */
	stopWatching: (() => void) | undefined;
	/** The session that revokes what the store gives back: the last one that has renewed a token or signed out. */
	revoker: Session | undefined;
}

/** A session as one `Auth` uses it, with settings of its own. */
export interface Session extends SessionSettings {
	readonly core: SessionCore;
}

const cores = new WeakMap<TokenStore, SessionCore>();

/** A registered symbol, so that another copy of the package finds it too. */
const inUse = Symbol.for('regrant store');

/**
Returns the core of a store's session.

@throws {ConfigError} if the store belongs to another client, or to another copy of the package.
*/
export function coreOf(store: TokenStore, client: string): SessionCore {
	const known = cores.get(store);
	if (known ? known.client !== client : Object.hasOwn(store, inUse)) {
		throw new ConfigError('store serves another clientId, tokenEndpoint or copy of regrant: give each its own');
	}
	if (known) return known;
	// A frozen store cannot be marked.
	Reflect.defineProperty(store, inUse, {__proto__: null, value: true} as PropertyDescriptor);
	const core: SessionCore = {
		client,
		listeners: new Map(),
		held: undefined,
		backOff: undefined,
		usedUp: new Set(),
		rejected: undefined,
		orphan: undefined,
		rejection: undefined,
		flight: undefined,
		state: initialState,
		logins: 0,
		signOuts: 0,
		isCallingOut: false,
		wasUnknownSeen: false,
		stopWatching: undefined,
		revoker: undefined,
	};
	store.onChange(change => {
		if (change.type === 'changed') dispatch(core, change);
		else if (change.type === 'failed') emit(core, {type: 'store-failed', error: change.error});
		// A token of a login that was signed out: a slow holder has written it since, or the store did not take it before.
		else if (core.revoker) revokeInBackground(core.revoker, change.token);
	});
	cores.set(store, core);
	return core;
}

/**
Applies an action: changes the state, interrupts work that no longer counts, and sends the event.

@param of The login that it belongs to. A login or a sign-out may overtake it after it was done and before it is told.
*/
export function dispatch(core: SessionCore, action: SessionAction, of: number = core.state.login): void {
	const {login, status: before} = core.state;
	if (of !== login) return;
	const {state, event} = transition(core.state, action);
	core.state = state;
	// The renewal that has ended the session says why to all waiting callers.
	if (state.login !== login && action.type !== 'ended') {
		// What is held back until a renewal ends would come too late: that renewal no longer counts, and may hang.
		release(core);
		// Who waits while nobody is signed in gets the token of whoever signs in.
		const isFirst = state.status === 'active' && /^(?:none|ended)$/.test(before);
		core.flight?.settle(() => {
			if (isFirst) return undefined;
			throw new SessionEndedError('signed_out');
		});
	}
	// A login is reported by the event of its token. A sign-out that has removed nothing has no event of its own.
	const isSettled = /^(?:read|removed|ended)$/.test(action.type);
	// After both it is known.
	const status = statusOf(core) as 'signed-in' | 'signed-out';
	const told = event ?? (isSettled && core.wasUnknownSeen && {type: 'status', status});
	if (!told) return;
	core.wasUnknownSeen = false;
	emit(core, told);
}

/** Returns the status for rendering. Callers that have seen `unknown` get an event when it is known. */
export function statusOf(core: SessionCore): 'unknown' | 'signed-in' | 'signed-out' {
	const {status} = core.state;
	core.wasUnknownSeen ||= status === 'unknown';
	if (status === 'unknown') return status;
	return status === 'active' ? 'signed-in' : 'signed-out';
}

/** Revokes a token. Nobody waits for that. */
export function revokeInBackground({waitUntil, renewer}: Session, token: Parameters<Renewer['revoke']>[0]): void {
	waitUntil(renewer.revoke(token));
}

/** Throws if the user's code uses the session while the session waits for that code. */
export function assertNotCallingOut(isCallingOut: boolean): void {
	if (isCallingOut) throw new ConfigError('A grant or renew function must not use its own session');
}

/** Reads the token. If a login or a sign-out happens meanwhile, the read starts again. */
export async function readToken(session: Session, waiter?: Waiter): Promise<TokenSet | undefined> {
	const {core, store} = session;
	assertNotCallingOut(core.isCallingOut);
	waiter?.signal?.throwIfAborted();
	for (;;) {
		const {login} = core.state;
		const token = await store.read(session, waiter);
		if (login !== core.state.login) continue;
		if (core.state.status === 'unknown' && !store.isUnread?.()) dispatch(core, {type: 'read', token});
		return token;
	}
}
