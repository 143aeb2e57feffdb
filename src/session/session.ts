import {ConfigError, isRegrantError, SessionEndedError, type SessionEndedReason} from '../errors.ts';
import type {Waiter} from '../lib/with-timeout.ts';
import type {TokenStore} from '../stores/token-cell.ts';
import type {TokenSet} from '../token/token-set.ts';
import {createCore, dispatch, readToken, revokesLate, runInBackground, type Session, type SessionCore} from './core.ts';
import {isAlive, isFresh} from './expiry.ts';
import {canRenew, renew} from './renewal.ts';

/** Options of `getToken`. */
export interface TokenOptions extends Waiter {
	/** How many seconds the token must still be valid. @default 0 */
	readonly minimumLifetime?: number | undefined;
}

/** Options of `refresh`. */
export interface RefreshOptions extends Waiter {
	/** An access token that is renewed only if it is still the current one. @default the current one */
	readonly instead?: string | undefined;
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
	const core = createCore(store, client, renew);
	cores.set(store, core);
	return core;
}

/** Returns the token without waiting, if it is in memory and can be sent as it is. */
export function peekToken({store, now, leeway}: Session): TokenSet | undefined {
	const token = store.peek();
	return isFresh(token, now(), leeway) ? token : undefined;
}

/**
Returns the token to use now, renewed first if necessary, or the reason why there is none. The session ends if the token has expired and
nothing can renew it.
*/
export async function getUsableToken(
	session: Session,
	waiter: Waiter,
	minimumLifetime = 0,
): Promise<TokenSet | SessionEndedReason> {
	const {core, now, leeway} = session;
	const current = await readToken(session, waiter);
	if (isFresh(current, now(), leeway, minimumLifetime)) return current;
	if (!canRenew(session, current)) {
		if (!current) return 'no_session';
		if (isAlive(current, now(), minimumLifetime)) return current;
		if (!isAlive(current, now())) await endWithoutSource(session, current);
		return 'no_refresh_token';
	}
	try {
		return await core.flight.run(session, current, waiter);
	} catch (error) {
		// While the token is valid, nobody has to hear of a renewal that can be tried again later.
		// What the user's own functions throw says nothing about the token.
		const isTransient = isRegrantError(error) ? error.retryable : !waiter.signal?.aborted;
		if (isTransient && isAlive(current, now(), minimumLifetime)) return current;
		throw error;
	}
}

async function endWithoutSource(session: Session, token: TokenSet): Promise<void> {
	const {login} = session.core.state;
	const isEnded = await session.store.swap(session, token, undefined);
	if (isEnded) dispatch(session.core, {type: 'ended', reason: 'no_refresh_token'}, login);
}

/**
Returns a valid token.

@throws {SessionEndedError} if there is none, and no way to get one.
*/
export async function getToken(session: Session, options: TokenOptions): Promise<TokenSet> {
	const {minimumLifetime = 0} = options;
	if (!Number.isFinite(minimumLifetime) || minimumLifetime < 0)
		throw new ConfigError('minimumLifetime must be seconds');
	const found = await getUsableToken(session, options, minimumLifetime);
	if (typeof found === 'string') throw new SessionEndedError(found);
	return found;
}

/**
Returns a new token, whatever the age of the present one.

@throws {SessionEndedError} if there is no way to get one.
*/
export async function refresh(session: Session, options: RefreshOptions): Promise<TokenSet> {
	const {instead} = options;
	const current = await readToken(session, options);
	const isUsable = isAlive(current, session.now());
	const isRejected = instead !== undefined;
	if (isRejected && isUsable && current.access_token !== instead) return current;
	// An ended session starts again if the user asks for it, but not for a WebSocket that reconnects.
	if ((current || isRejected) && !canRenew(session, current)) {
		if (current && (isRejected || !isUsable)) await endWithoutSource(session, current);
		throw new SessionEndedError(current ? 'no_refresh_token' : 'no_session');
	}
	return session.core.flight.run(session, current, options);
}

/**
Returns the token to send in place of one that a server has rejected. Undefined if there is none: then the caller gets the 401.

@param login The login that the call began with. A call is never resent under another one.
*/
export async function replaceToken(
	session: Session,
	carried: TokenSet,
	login: number,
	waiter: Waiter,
): Promise<TokenSet | undefined> {
	const {core, now} = session;
	const current = await readToken(session, waiter);
	if (!current || login !== core.state.login) return undefined;
	const isReplaced = current.access_token !== carried.access_token;
	if (isReplaced && isAlive(current, now())) return current;
	if (canRenew(session, current)) {
		if (core.rejections.isRecent(current, now())) return undefined;
		const renewed = await core.flight.run(session, carried, waiter);
		// If somebody has signed in meanwhile, it is theirs.
		return login === core.state.login ? renewed : undefined;
	}
	if (!isReplaced) await endWithoutSource(session, current);
	return undefined;
}

/**
Starts a session with a token, or continues the present one with it.

@param renews Whether the token belongs to the present login.
@throws {ConfigError} if the token cannot be used.
@throws {StoreError} if it could not be stored. The session still goes on in memory.
@throws {SessionEndedError} if somebody signed out meanwhile.
*/
export async function setToken(session: Session, value: unknown, renews: boolean): Promise<void> {
	const {core, store, renewer, now} = session;
	const issued_at = Math.floor(now() / 1000);
	const {token, problem} = renewer.read(value, issued_at);
	if (!token) {
		throw new ConfigError(`setToken takes the answer of a token endpoint, an object with access_token: ${problem}`);
	}
	const {signOuts} = core;
	let login: number | undefined;
	let isSame = false;
	const {error} = await store.overwrite(session, previous => {
		if (signOuts !== core.signOuts) throw new SessionEndedError('signed_out');
		// The token was stored a moment ago, and another holder has renewed it since: keep the renewed one.
		if (isSame && previous) return {token: previous, isSameLogin: true};
		// A login with the same refresh token is not another login: the running renewal is about to use that token.
		isSame = !!token.refresh_token && token.refresh_token === previous?.refresh_token;
		const isSameLogin = isSame || (renews && !!previous);
		if (!isSameLogin) {
			core.logins++;
			dispatch(core, {type: 'login'});
			core.used.forgetRejected();
		}
		login = core.state.login;
		core.backOff.reset();
		core.rejections.reset();
		return {token: (renews && renewer.read(value, issued_at, previous).token) || token, isSameLogin};
	});
	dispatch(core, {type: 'stored', cause: 'set', token}, login);
	if (error) throw error;
}

/**
Ends the session: deletes the token first, whatever happens, and then revokes its refresh token.

@throws {RegrantError} if the revocation failed.
@throws {StoreError} if the store did not delete the token.
*/
export async function signOut(session: Session): Promise<void> {
	const {core, renewer, store} = session;
	core.signOuts++;
	dispatch(core, {type: 'signed-out'});
	revokesLate(session);
	core.backOff.reset();
	const refresh_token = core.used.takeOrphan();
	const {previous, error} = await store.overwrite(session, () => {
		// If another holder has just changed the token, the session looked as if it went on.
		dispatch(core, {type: 'signed-out'});
		return {token: undefined};
	});
	dispatch(core, {type: 'removed', token: previous});
	try {
		// Nobody waits for this, because the holder of the lock may be slow.
		if (store.deleteLateWrite) runInBackground(session, store.deleteLateWrite(session));
	} finally {
		const last = previous ?? (refresh_token ? {refresh_token} : undefined);
		if (last) await renewer.revoke(last);
	}
	if (error) throw error;
}
