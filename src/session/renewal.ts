import type {Awaitable} from '../oauth/client-authentication.ts';
import {createBackOff} from './back-off.ts';
import {type Waiter, withTimeout} from '../lib/with-timeout.ts';
import {isRegrantError, LockError, OAuthError, type RegrantError, SessionEndedError} from '../errors.ts';
import {createSingleFlight} from './single-flight.ts';
import type {Settings} from '../oauth/options.ts';
import {ownProperties} from '../lib/own-properties.ts';
import {prepare, type PreparedRequest} from '../oauth/prepared-request.ts';
import type {SessionEvents} from './events.ts';
import type {SessionRecord} from './session-record.ts';
import {locked} from '../stores/store-lock.ts';
import {askForToken, revoke} from '../oauth/token-endpoint.ts';
import {AuthTokenRequest, readRequest, type RefreshTokenRequest} from '../oauth/token-request.ts';
import {isSameToken, type TokenSet} from '../token/token-response.ts';
import {supports} from '../stores/token-store.ts';

/** How a session gets a new token. */
export interface Renewal {
	/** Whether there is anything to get a token with. */
	isPossible(settings: Settings, token: TokenSet | undefined): boolean;
	/** Gets a token in place of the stale one, by the refresh token or by `grant`: one for all who ask meanwhile. */
	run(settings: Settings, stale: TokenSet | undefined, waiter: Waiter): Promise<TokenSet>;
	/** Revokes a refresh token, where there is one and an endpoint for it. */
	revoke(settings: Settings, token: Partial<TokenSet> | undefined): Promise<void>;
	/** Lets all who wait fail: the session is another one now, or signed out. */
	supersede(isSignOut: boolean): void;
}

/** Seconds until the token expires; Infinity where that is not known. */
export function secondsLeft({expires_at, issued_at}: TokenSet, now: number): number {
	// Issued in the future: a clock was set, and the expiry is worth nothing.
	return expires_at === undefined || now < issued_at * 1000 ? Infinity : expires_at - now / 1000;
}

// A checked request has the fields of its grant type and nothing else, not even what objects inherit.
const refreshTokenOf = (request: AuthTokenRequest): string | undefined =>
	(request as Partial<RefreshTokenRequest>).refresh_token;

/** The renewal of the session with this record. */
export function createRenewal(record: SessionRecord, {emit, hold, release}: SessionEvents): Renewal {
	/** Refresh tokens that would end the whole grant if they were sent: the last one refused, and the last one of a `grant`. */
	let dead: string | undefined;
	let spent: string | undefined;
	/** The client secret that `grant` has in its body. */
	let client_secret: string | undefined;
	const coolDown = createBackOff();
	const {state} = record;

	const isAlive = (refresh_token: string | undefined): refresh_token is string =>
		!!refresh_token && refresh_token !== dead && refresh_token !== spent;

	const isUsable = (request: AuthTokenRequest): boolean => {
		const sent = refreshTokenOf(request);
		return !sent || isAlive(sent);
	};

	const isPossible = ({grant}: Settings, token: TokenSet | undefined): boolean =>
		isAlive(token?.refresh_token) || (!!grant && (typeof grant === 'function' || isUsable(grant)));

	/** What `grant` asks for. A function is the caller's own code: it has a deadline, and is called without a lock. */
	const ask = async ({grant, timeout}: Settings): Promise<AuthTokenRequest | undefined> => {
		if (typeof grant !== 'function') return grant;
		const call = (): Awaitable<AuthTokenRequest> => {
			state.isAsking = true;
			try {
				return grant();
			} finally {
				state.isAsking = false;
			}
		};
		return readRequest(AuthTokenRequest, await withTimeout(call, timeout), 'grant');
	};

	const revokeRefreshToken: Renewal['revoke'] = async (settings, token) => {
		const {refresh_token} = ownProperties(token);
		if (!refresh_token || !settings.revocationEndpoint) return;
		await revoke(settings, {token: refresh_token, token_type_hint: 'refresh_token', client_secret});
	};

	/** Ends the session, save where another holder has another token by now. */
	const end = async (settings: Settings, token: TokenSet | undefined, options?: ErrorOptions): Promise<void> => {
		if (token) {
			if (!(await record.replace(settings, token, undefined))) return;
			emit({type: 'session-ended', reason: 'invalid_grant'});
		}
		throw new SessionEndedError('invalid_grant', options);
	};

	/** Gives up a refresh token that was refused for good, and only then. Throws where there is nothing else to get a token with. */
	const bury = async (
		settings: Settings,
		from: TokenSet | undefined,
		refused: string | undefined,
		error: RegrantError,
	): Promise<undefined> => {
		if (!refused || !(error instanceof OAuthError) || error.error !== 'invalid_grant' || error.retryable) throw error;
		dead = refused;
		if (!isPossible(settings, undefined)) await end(settings, from, {cause: error});
		else if (from) {
			const {refresh_token: _, ...rest} = from;
			await record.replace(settings, from, ownProperties(rest));
		}
	};

	const renew = async (settings: Settings, stale: TokenSet | undefined, step: () => void): Promise<TokenSet> => {
		const begun = {...state};
		const assertStanding = (late?: Partial<TokenSet>): void => {
			if (begun.epoch === state.epoch) return;
			// Signed out, here or elsewhere. Not so where somebody signed in: the token may be of the same grant.
			if (begun.signOuts !== state.signOuts) settings.waitUntil(revokeRefreshToken(settings, late).catch(() => {}));
			throw new SessionEndedError('signed_out');
		};

		/** Under the lock: look again, send, look again, write. Undefined where the record is another one than was looked at before. */
		const spend = async (
			from: TokenSet | undefined,
			request: AuthTokenRequest,
			prepared: PreparedRequest,
			isHeld?: () => boolean,
		): Promise<TokenSet | undefined> => {
			step();
			if (!isSameToken(await record.read(settings, undefined, true), from)) return undefined;
			assertStanding();
			step();
			const sent = refreshTokenOf(request);
			const isRefresh = !!sent && sent === from?.refresh_token;
			// Stopped for so long that another holder may be at it.
			if (isHeld?.() === false) throw new LockError();
			const {token, error} = await askForToken(settings, prepared, isRefresh ? from : undefined);
			step();
			assertStanding(token);
			const current = await record.read(settings);
			assertStanding(token);
			if (!isSameToken(current, from)) return undefined;
			step();
			if (error) {
				// The old refresh token is spent, however useless the rest of the answer is.
				if (from && token) await record.replace(settings, from, ownProperties({...from, ...token}));
				return bury(settings, from, sent, error);
			}
			if (!isRefresh && sent && sent !== token.refresh_token) spent = sent;
			coolDown.reset();
			const isKept = await record.replace(settings, from, token);
			assertStanding(token);
			if (!isKept) return undefined;
			emit({type: 'token', cause: isRefresh ? 'refresh' : 'grant', expires_at: token.expires_at});
			return token;
		};

		let asked: AuthTokenRequest | undefined;
		for (;;) {
			step();
			const from = await record.read(settings);
			assertStanding();
			const now = settings.now();
			if (from && from.access_token !== stale?.access_token && secondsLeft(from, now) > 0) return from;
			coolDown.check(now);
			step();
			const refresh_token = from?.refresh_token;
			let request = asked;
			if (isAlive(refresh_token)) request = {grant_type: 'refresh_token', refresh_token, client_secret};
			else if (!asked && settings.grant) {
				asked = await ask(settings);
				client_secret = asked?.client_secret;
				// That took its time: look again.
				continue;
			}
			if (!request) throw new SessionEndedError('no_refresh_token');
			if (!isUsable(request)) {
				await end(settings, from);
				continue;
			}
			const prepared = await prepare(settings, request);
			step();
			const task = async (isHeld?: () => boolean): Promise<TokenSet | undefined> => {
				if (supports(settings.store, 'lock')) hold();
				return spend(from, request, prepared, isHeld);
			};
			const token = await locked(settings, task).finally(release);
			if (token) return token;
		}
	};

	const attempt = async (settings: Settings, stale: TokenSet | undefined, step: () => void): Promise<TokenSet> => {
		try {
			return await renew(settings, stale, step);
		} catch (error) {
			if (isRegrantError(error) && error.retryable && coolDown.begin(error, settings.now()))
				emit({type: 'refresh-failed', error});
			throw error;
		}
	};

	const flight = createSingleFlight(attempt);

	return {
		isPossible,
		run: flight.join,
		revoke: revokeRefreshToken,
		supersede: isSignOut => {
			// A login may bring back a refresh token that was refused.
			if (!isSignOut) dead = undefined;
			flight.abort(new SessionEndedError('signed_out'));
		},
	};
}
