import {ConfigError, isRegrantError, SessionEndedError, type SessionEndedReason} from '../errors.ts';
import type {Waiter} from '../lib/with-timeout.ts';
import type {TokenStore} from '../stores/token-cell.ts';
import type {TokenSet} from '../token/token-set.ts';
import {createCore, type SessionCore} from './core.ts';
import type {AuthListener} from './events.ts';
import {isAlive, isFresh} from './expiry.ts';
import {createRejections, type Rejections} from './rejections.ts';
import {createRenewal, type Renewal} from './renewal.ts';
import type {SessionSettings} from './settings.ts';

/** What a caller of `getToken` may ask for. */
export interface TokenOptions extends Waiter {
	/** Seconds for which the token must still be good. @default 0 */
	readonly minimumLifetime?: number | undefined;
}

/** What a caller of `refresh` may ask for. */
export interface RefreshOptions extends Waiter {
	/** An access token: it is renewed only if it is still the current one. @default the current one */
	readonly instead?: string | undefined;
}

/** One session: its token, how it is renewed, and how it ends. All that use one store in a realm share it. */
export interface Session {
	readonly core: SessionCore;
	readonly renewal: Renewal;
	readonly rejections: Rejections;
	/** Names the client that the store serves. */
	readonly client: string;
	/** Counts sign-outs here. */
	signOuts: number;
	/** Counts logins here. */
	logins: number;
}

/** A token to use, or why there is none. */
export type UsableToken =
	| {readonly token: TokenSet; readonly reason?: undefined}
	| {readonly token?: undefined; readonly reason: SessionEndedReason};

const sessions = new WeakMap<TokenStore, Session>();

/** Another copy of the package knows it too. */
const inUse = Symbol.for('regrant store');

/**
Gives the session of a store.

@throws {ConfigError} if the store serves another client, or another copy of the package.
*/
export function sessionOf(store: TokenStore, client: string): Session {
	const known = sessions.get(store);
	if (known && known.client !== client) {
		throw new ConfigError('store serves another clientId or tokenEndpoint: give each client a store of its own');
	}
	if (known) return known;
	if (Object.hasOwn(store, inUse)) throw new ConfigError('store is used by another copy of regrant: install one copy');
	// A frozen one cannot be marked.
	Reflect.defineProperty(store, inUse, {
		__proto__: null,
		value: true,
	} as PropertyDescriptor);
	const core = createCore(store);
	const session: Session = {
		core,
		renewal: createRenewal(core),
		rejections: createRejections(),
		client,
		signOuts: 0,
		logins: 0,
	};
	sessions.set(store, session);
	return session;
}

/** Gives the token at once, if it is in memory and can be sent as it is. */
export function peekToken({core}: Session, {now, leeway}: SessionSettings): TokenSet | undefined {
	const token = core.isCallingOut ? undefined : core.store.peek();
	return isFresh(token, now(), leeway) ? token : undefined;
}

/** Gives the token to use now, renewed if need be. The session ends if the token has expired and nothing can renew it. */
export async function getUsableToken(
	session: Session,
	settings: SessionSettings,
	waiter: Waiter,
	minimumLifetime = 0,
): Promise<UsableToken> {
	const {core, renewal} = session;
	const {now, leeway} = settings;
	const current = await core.read(settings, waiter);
	if (isFresh(current, now(), leeway, minimumLifetime)) return {token: current};
	if (!renewal.canRenew(settings, current)) {
		if (!current) return {reason: 'no_session'};
		if (isAlive(current, now(), minimumLifetime)) return {token: current};
		if (!isAlive(current, now())) await endWithoutSource(session, settings, current);
		return {reason: 'no_refresh_token'};
	}
	try {
		return {token: await renewal.run(settings, current, waiter)};
	} catch (error) {
		// While the token is good, a renewal that may work later is nobody's trouble.
		const isTransient = isRegrantError(error) && error.retryable;
		if (isTransient && isAlive(current, now(), minimumLifetime)) return {token: current};
		throw error;
	}
}

async function endWithoutSource({core}: Session, settings: SessionSettings, token: TokenSet): Promise<void> {
	const isEnded = await core.store.swap(settings, token, undefined);
	if (isEnded) core.dispatch({type: 'ended', reason: 'no_refresh_token'});
}

/**
Gives a valid token.

@throws {SessionEndedError} if there is none, and nothing to get one with.
*/
export async function getToken(session: Session, settings: SessionSettings, options: TokenOptions): Promise<TokenSet> {
	const {minimumLifetime = 0} = options;
	if (!Number.isFinite(minimumLifetime) || minimumLifetime < 0)
		throw new ConfigError('minimumLifetime must be seconds');
	const {token, reason} = await getUsableToken(session, settings, options, minimumLifetime);
	if (!token) throw new SessionEndedError(reason);
	return token;
}

/**
Gives a new token, whatever the age of the present one.

@throws {SessionEndedError} if there is nothing to get one with.
*/
export async function refresh(session: Session, settings: SessionSettings, options: RefreshOptions): Promise<TokenSet> {
	const {instead} = options;
	const current = await session.core.read(settings, options);
	if (instead !== undefined && current?.access_token !== instead && isAlive(current, settings.now())) return current;
	if (!session.renewal.canRenew(settings, current, instead === undefined)) {
		throw new SessionEndedError(current ? 'no_refresh_token' : 'no_session');
	}
	return session.renewal.run(settings, current, options);
}

/**
Gives the token to send in place of one that a server has refused. Undefined if there is none: the caller gets the refusal.

@param login The login that the call began under. A call is never sent again under another one.
*/
export async function replaceToken(
	session: Session,
	settings: SessionSettings,
	carried: TokenSet,
	login: number,
	waiter: Waiter,
): Promise<TokenSet | undefined> {
	const {core, renewal, rejections} = session;
	const {now, leeway} = settings;
	const current = await core.read(settings, waiter);
	if (!current || login !== core.state().login) return undefined;
	const isReplaced = current.access_token !== carried.access_token;
	if (isReplaced && isFresh(current, now(), leeway)) return current;
	if (!renewal.canRenew(settings, current)) {
		if (!isReplaced) await endWithoutSource(session, settings, current);
		return undefined;
	}
	return rejections.isRecent(current, now()) ? undefined : renewal.run(settings, carried, waiter);
}

/**
Begins a session with a token, or goes on with it.

@param renews Whether the token belongs to the present login.
@throws {ConfigError} if the token is not usable.
@throws {StoreError} if it could not be stored. It is kept in memory all the same.
@throws {SessionEndedError} if somebody signed out meanwhile.
*/
export async function setToken(
	session: Session,
	settings: SessionSettings,
	value: unknown,
	renews: boolean,
): Promise<void> {
	const {core, renewal, rejections} = session;
	const {token, problem} = settings.renewer.read(value, Math.floor(settings.now() / 1000));
	if (!token) {
		const isRecord = typeof value === 'object' && value !== null;
		const expected = isRecord ? problem : 'an object with access_token';
		throw new ConfigError(`setToken takes the answer of a token endpoint: ${expected}`);
	}
	const {signOuts} = session;
	const {error} = await core.store.overwrite(settings, previous => {
		if (signOuts !== session.signOuts) throw new SessionEndedError('signed_out');
		// A login with the refresh token that is there is no other login: what is under way would use that token up.
		const isSame = !!previous?.refresh_token && previous.refresh_token === token.refresh_token;
		const isSameLogin = isSame || (renews && !!previous);
		if (!isSameLogin) {
			session.logins++;
			core.dispatch({type: 'login'});
		}
		renewal.reset(!isSameLogin);
		rejections.reset();
		const kept = isSameLogin && previous?.refresh_token ? {refresh_token: previous.refresh_token} : {};
		return {token: {...kept, ...token}, isSameLogin};
	});
	core.dispatch({type: 'token-set', token});
	if (error) throw error;
}

/**
Ends the session: forgets it first and always, then revokes its refresh token.

@throws {RegrantError} if the revocation failed.
@throws {StoreError} if the store did not forget the token.
*/
export async function signOut(session: Session, settings: SessionSettings): Promise<void> {
	const {core, renewal} = session;
	const {renewer, store, waitUntil} = settings;
	session.signOuts++;
	core.dispatch({type: 'signed-out'});
	core.onLateToken(token => waitUntil(renewer.revoke(token).catch(() => {})));
	renewal.reset(false);
	// Whoever holds the lock may never come back, as on Workers.
	core.events.release();
	const {previous, error} = await store.overwrite(settings, () => ({
		token: undefined,
	}));
	core.dispatch({type: 'removed', token: previous});
	try {
		// Nobody waits for it, since the holder of the lock may be slow.
		if (store.deleteLateWrite) waitUntil(store.deleteLateWrite(settings).catch(() => {}));
	} finally {
		if (previous) await renewer.revoke(previous);
	}
	if (error) throw error;
}

/** Hears of events, until the function that it returns is called, and of what other holders of the store do. */
export function subscribe({core}: Session, settings: SessionSettings, listener: AuthListener): () => void {
	const stop = core.events.subscribe(listener);
	// To notice a change, one must know what was.
	void core.read(settings).catch(() => {});
	return stop;
}
