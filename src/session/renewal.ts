import {isRegrantError, type RegrantError, SessionEndedError} from '../errors.ts';
import type {Awaitable} from '../lib/awaitable.ts';
import type {LockedCell} from '../stores/token-cell.ts';
import type {PreparedRenewal, SuccessfulRenewal, TokenSource} from '../token/renewer.ts';
import {isSameToken, type TokenSet, withoutRefreshToken} from '../token/token-set.ts';
import {assertNotBackingOff, nextBackOff} from './back-off.ts';
import {dispatch, type Flight, readToken, revokeInBackground, type Session, type SessionCore} from './core.ts';
import {emit, release} from './events.ts';
import {planRenewal} from './plan.ts';
import {isUsable, sourcesOf, useUp} from './used-tokens.ts';

/** The outcome of an exchange under the lock: a token that is stored, or an error, which may say that the session is over. */
type Exchange = SuccessfulRenewal | {readonly error: RegrantError; readonly isOver: boolean};

/** Whether there is a way to get a token. A session that has ended starts by itself only if the client has a grant of its own. */
export function canRenew({core, renewer}: Session, token: TokenSet | undefined): boolean {
	const mayBegin = token || renewer.canRestart || core.state.status !== 'ended';
	return !!mayBegin && sourcesOf(core, renewer.sources(token), token).some(isUsable(core));
}

/** Gets a token in place of the stale one. */
export async function renew(session: Session, stale: TokenSet | undefined, flight: Flight): Promise<TokenSet> {
	const {core, now} = session;
	core.revoker = session;
	try {
		return await makeSteps(session, flight, stale);
	} catch (error) {
		// A mistake in the program is not a failed renewal, because nothing was sent. Nor is an error that the back-off repeats.
		const isFailure = isRegrantError(error) && !/^(?:session_ended|invalid_options)$/.test(error.code);
		if (isFailure && error !== core.backOff?.cause) {
			// If another holder of the store was the reason, or the store itself, the server has not been asked.
			if (!/^(?:lock|store)_/.test(error.code)) core.backOff = nextBackOff(core.backOff, error, now());
			emit(core, {type: 'refresh-failed', error});
		}
		throw error;
	}
}

/**
Makes one step of a renewal, and makes sure before and after it that the session is still the one that the renewal began with. No part of a
renewal waits for anything outside of a step.

@throws {SessionEndedError} if it is another session.
*/
async function step<T>(session: Session, flight: Flight, work: () => Awaitable<T>): Promise<T> {
	flight.steps++;
	// What came between two steps would find a store without a token, and fill it again.
	assertCurrent(session, flight);
	const result = await work();
	assertCurrent(session, flight);
	return result;
}

function assertCurrent(session: Session, {begun, late}: Flight): void {
	const {login, signOuts} = session.core.state;
	if (login === begun.login) return;
	// If somebody has signed in, the late token is not revoked, because it may belong to the same grant as theirs.
	if (late && signOuts !== begun.signOuts) revokeInBackground(session, {refresh_token: late});
	throw new SessionEndedError('signed_out');
}

async function makeSteps(session: Session, flight: Flight, stale: TokenSet | undefined): Promise<TokenSet> {
	const {core, renewer, now} = session;
	for (;;) {
		const from = await step(session, flight, () => readToken(session));
		const plan = planRenewal(from, stale, sourcesOf(core, renewer.sources(from), from), isUsable(core), now());
		if (plan.type === 'use') return plan.token;
		if (plan.type === 'stop') throw new SessionEndedError(from ? 'no_refresh_token' : 'no_session');
		assertNotBackingOff(core.backOff, now());
		const {source} = plan;
		const prepared = source && (await step(session, flight, () => callOut(core, () => renewer.prepare(source, from))));
		if (!prepared || !isUsable(core)(prepared)) {
			if (await replace(session, flight, from, undefined)) end(session, flight, from);
			continue;
		}
		const {cause} = source;
		const result = await exchange(session, flight, from, cause, prepared);
		if (!result) continue;
		if (result.error) {
			if (result.isOver) end(session, flight, from, {cause: result.error});
			throw result.error;
		}
		assertCurrent(session, flight);
		core.backOff = undefined;
		dispatch(core, {type: 'stored', token: result.token, cause});
		return result.token;
	}
}

/** Calls the user's code. If that used the session now, it would wait for itself. */
function callOut<T>(core: SessionCore, call: () => T): T {
	core.isCallingOut = true;
	try {
		return call();
	} finally {
		core.isCallingOut = false;
	}
}

/**
Sends the request under the lock, and stores the new token. Returns nothing if the renewal needs a new plan: the store holds another token,
or none that can be sent.
*/
async function exchange(
	session: Session,
	flight: Flight,
	from: TokenSet | undefined,
	cause: TokenSource['cause'],
	{refreshToken, send}: PreparedRenewal,
): Promise<Exchange | undefined> {
	const {store, core} = session;
	/** The refresh token that will be used. A function of the user may use the one of the present token. */
	const spent = refreshToken ?? (cause === 'refresh' ? from?.refresh_token : undefined);

	const underLock = async (cell: LockedCell): Promise<Exchange | undefined> => {
		if (store.watch) core.held ??= [];
		if (!(await step(session, flight, () => cell.claim(from, spent !== undefined)))) return undefined;
		const outcome = await step(session, flight, async () => {
			const answer = await callOut(core, send);
			flight.late = answer.token?.refresh_token ?? answer.refreshToken;
			return answer;
		});
		const current = await step(session, flight, () => readToken(session));
		// If the record changed but still holds the refresh token that we used, overwrite it: the server has rotated that token.
		const isOurs = isSameToken(current, from) || (spent !== undefined && current?.refresh_token === spent);
		if (!isOurs) return undefined;
		if (outcome.token) {
			const {token} = outcome;
			if (cause === 'grant' || !from) {
				useUp(core, refreshToken, token.refresh_token);
				core.orphan = undefined;
			}
			const isStored = await step(session, flight, () => cell.commit(current, token));
			// From now on a sign-out finds it in the store.
			flight.late = undefined;
			if (!isStored) return undefined;
			return outcome;
		}
		const {error, isRejected, refreshToken: refresh_token} = outcome;
		if (refresh_token && current) await step(session, flight, () => cell.commit(current, {...current, refresh_token}));
		else if (refresh_token && useUp(core, refreshToken, refresh_token)) core.orphan = refresh_token;
		// Done under the lock, so that the next holder does not send the rejected refresh token again.
		const isOver = isRejected && (await drop(session, flight, from, refreshToken));
		return isRejected && !isOver ? undefined : {error, isOver};
	};

	try {
		return await step(session, flight, () => store.exclusive(session, underLock));
	} finally {
		release(core);
	}
}

/**
Deletes a refresh token that the server has rejected. Returns whether the session is over, because there is no other way to get a token.
*/
async function drop(
	session: Session,
	flight: Flight,
	from: TokenSet | undefined,
	refreshToken: string | undefined,
): Promise<boolean> {
	const {core, renewer} = session;
	core.rejected = refreshToken;
	const isOver = !refreshToken || !renewer.sources(undefined).some(isUsable(core));
	const isReplaced = await replace(session, flight, from, isOver ? undefined : from && withoutRefreshToken(from));
	return isOver && isReplaced;
}

/** Returns false if another holder has stored another token. */
async function replace(
	session: Session,
	flight: Flight,
	from: TokenSet | undefined,
	to: TokenSet | undefined,
): Promise<boolean> {
	return from ? step(session, flight, () => session.store.swap(session, from, to)) : true;
}

/** Ends the session. Its token has already been removed. */
function end(session: Session, flight: Flight, from: TokenSet | undefined, options?: ErrorOptions): never {
	const {core, renewer} = session;
	assertCurrent(session, flight);
	const reason = from || renewer.canRestart ? 'invalid_grant' : 'no_session';
	if (from || !renewer.canRestart) dispatch(core, {type: 'ended', reason});
	throw new SessionEndedError(reason, options);
}
