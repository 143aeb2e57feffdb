import {ConfigError, SessionEndedError} from '../errors.ts';
import type {Waiter} from '../lib/with-timeout.ts';
import type {TokenStore} from '../stores/token-cell.ts';
import type {TokenSet} from '../token/token-set.ts';
import {type BackOff, createBackOff} from './back-off.ts';
import {createEvents, type SessionEvents} from './events.ts';
import {createRejections, type Rejections} from './rejections.ts';
import type {SessionSettings} from './settings.ts';
import {createSingleFlight, type Renew, type SingleFlight} from './single-flight.ts';
import {initialState, type SessionAction, type SessionState, transition} from './state.ts';
import {createUsedTokens, type UsedTokens} from './used-tokens.ts';

/** What everything that uses the same store in a realm shares. */
export interface SessionCore {
	/** The name of the client that the store belongs to. */
	readonly client: string;
	readonly events: SessionEvents;
	readonly backOff: BackOff;
	readonly used: UsedTokens;
	readonly rejections: Rejections;
	/** The running renewal. */
	readonly flight: SingleFlight<Session>;
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
	/** The listeners for whom the session listens to the store, each with its `Auth`. */
	readonly watchers: Map<object, Session>;
	/** Stops listening to the store. */
	stopWatching: (() => void) | undefined;
	/** Takes a token of a login that was signed out: a slow holder has written it since, or the store did not take it before. */
	revokeLate: (token: TokenSet) => void;
}

/** A session as one `Auth` uses it, with settings of its own. */
export interface Session extends SessionSettings {
	readonly core: SessionCore;
}

/** Creates the core of a store's session. */
export function createCore(store: TokenStore, client: string, renew: Renew<Session>): SessionCore {
	const core: SessionCore = {
		client,
		events: createEvents(),
		backOff: createBackOff(),
		used: createUsedTokens(),
		rejections: createRejections(),
		flight: createSingleFlight(renew),
		state: initialState,
		logins: 0,
		signOuts: 0,
		isCallingOut: false,
		wasUnknownSeen: false,
		watchers: new Map(),
		stopWatching: undefined,
		revokeLate: () => {},
	};
	store.onChange(change => {
		if (change.type === 'changed') dispatch(core, change);
		else if (change.type === 'failed') core.events.emit({type: 'store-failed', error: change.error});
		else core.revokeLate(change.token);
	});
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
		core.events.release();
		// Who waits while nobody is signed in gets the token of whoever signs in.
		const isFirst = state.status === 'active' && /^(?:none|ended)$/.test(before);
		core.flight.cancel(isFirst ? undefined : new SessionEndedError('signed_out'));
	}
	// A login is reported by the event of its token. A sign-out that has removed nothing has no event of its own.
	const isSettled = /^(?:read|removed|ended)$/.test(action.type);
	// After both it is known.
	const status = statusOf(core) as 'signed-in' | 'signed-out';
	const told = event ?? (isSettled && core.wasUnknownSeen && {type: 'status', status});
	if (!told) return;
	core.wasUnknownSeen = false;
	core.events.emit(told);
}

/** Returns the status for rendering. Callers that have seen `unknown` get an event when it is known. */
export function statusOf(core: SessionCore): 'unknown' | 'signed-in' | 'signed-out' {
	const {status} = core.state;
	core.wasUnknownSeen ||= status === 'unknown';
	if (status === 'unknown') return status;
	return status === 'active' ? 'signed-in' : 'signed-out';
}

/** Keeps a promise alive that nobody waits for. */
export function runInBackground({waitUntil}: SessionSettings, promise: Promise<void>): void {
	waitUntil(promise.catch(() => {}));
}

/** Lets this session revoke tokens that the store gives back. */
export function revokesLate(session: Session): void {
	session.core.revokeLate = token => runInBackground(session, session.renewer.revoke(token));
}

/** Throws if the user's code uses the session while the session waits for that code. */
export function assertNotCallingOut(isCallingOut: boolean): void {
	if (isCallingOut) throw new ConfigError('grant and renew must not use the session that they serve');
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
