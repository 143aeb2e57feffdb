import {ConfigError, isRegrantError, isSignedOut, SessionEndedError} from '../errors.ts';
import type {Waiter} from '../lib/with-timeout.ts';
import type {TokenSet} from '../token/token-set.ts';
import {dispatch, readToken, type Session} from './core.ts';
import {isAlive, isFresh} from './expiry.ts';
import {isRejectedLately} from './rejection.ts';
import {canRenew} from './renewal.ts';
import {renewTogether} from './single-flight.ts';

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

/** Returns the token without waiting, if it is in memory and can be sent as it is. */
export function peekToken({store, now, leeway}: Session): TokenSet | undefined {
	const token = store.peek();
	return isFresh(token, now(), leeway) ? token : undefined;
}

/**
Returns the token to use now, renewed first if necessary, or the error that says why there is none. The session ends if the token has expired
and nothing can renew it.
*/
export async function findToken(
	session: Session,
	waiter: Waiter,
	minimumLifetime = 0,
): Promise<TokenSet | SessionEndedError> {
	const {now, leeway} = session;
	const current = await readToken(session, waiter);
	if (isFresh(current, now(), leeway, minimumLifetime)) return current;
	if (!canRenew(session, current)) {
		if (isAlive(current, now(), minimumLifetime)) return current;
		return endWithoutSource(session, current, !isAlive(current, now()));
	}
	try {
		return await renewTogether(session, current, waiter);
	} catch (error) {
		// While the token is valid, nobody has to hear of a renewal that can be tried again later.
		// What the user's own functions throw says nothing about the token.
		const isTransient = isRegrantError(error) ? error.retryable : !waiter.signal?.aborted;
		if (isTransient && isAlive(current, now(), minimumLifetime)) return current;
		throw error;
	}
}

/**
Returns a valid token.

@throws {SessionEndedError} if there is none, and no way to get one.
*/
export async function getToken(session: Session, options: TokenOptions): Promise<TokenSet> {
	const {minimumLifetime = 0} = options;
	if (!Number.isFinite(minimumLifetime) || minimumLifetime < 0)
		throw new ConfigError('minimumLifetime must be seconds');
	const found = await findToken(session, options, minimumLifetime);
	if (isSignedOut(found)) throw found;
	return found;
}

/**
Ends the session of a token that nothing can renew.

@param isUseless Whether the token cannot be used any more. Otherwise the session goes on.
@returns The error to throw.
*/
async function endWithoutSource(
	session: Session,
	token: TokenSet | undefined,
	isUseless: boolean,
): Promise<SessionEndedError> {
	const reason = token ? 'no_refresh_token' : 'no_session';
	const {login} = session.core.state;
	if (token && isUseless && (await session.store.swap(session, token, undefined)))
		dispatch(session.core, {type: 'ended', reason}, login);
	return new SessionEndedError(reason);
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
		throw await endWithoutSource(session, current, isRejected || !isUsable);
	}
	return renewTogether(session, current, options);
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
		if (isRejectedLately(core.rejection, current, now())) return undefined;
		const renewed = await renewTogether(session, carried, waiter);
		// If somebody has signed in meanwhile, it is theirs.
		return login === core.state.login ? renewed : undefined;
	}
	await endWithoutSource(session, current, !isReplaced);
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
			// A login may bring a token again that was rejected.
			core.rejected = undefined;
			core.orphan = undefined;
		}
		login = core.state.login;
		core.backOff = undefined;
		core.rejection = undefined;
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
	const {core, renewer, store, waitUntil} = session;
	core.signOuts++;
	dispatch(core, {type: 'signed-out'});
	core.revoker = session;
	core.backOff = undefined;
	const refresh_token = core.orphan;
	core.orphan = undefined;
	const {previous, error} = await store.overwrite(session, () => {
		// If another holder has just changed the token, the session looked as if it went on.
		dispatch(core, {type: 'signed-out'});
		return {token: undefined};
	});
	dispatch(core, {type: 'removed', token: previous});
	try {
		// Nobody waits for this, because the holder of the lock may be slow.
		if (store.deleteLateWrite) waitUntil(store.deleteLateWrite(session));
	} finally {
		await renewer.revoke(previous ?? {refresh_token});
	}
	if (error) throw error;
}
