import {isRegrantError, type RegrantError, SessionEndedError} from '../errors.ts';
import type {Awaitable} from '../lib/awaitable.ts';
import type {LockedCell} from '../stores/token-cell.ts';
import type {PreparedRenewal, RenewalOutcome, TokenSource} from '../token/renewer.ts';
import {isSameToken, type TokenSet, withoutRefreshToken} from '../token/token-set.ts';
import {dispatch, readToken, type Session, type SessionCore} from './core.ts';
import {planRenewal} from './plan.ts';

/**
Makes one step of a renewal, and then makes sure that the session is still the one that the renewal began with. No part of a renewal waits
for anything outside of a step.

@param onSignedOut Is called first if somebody has signed out meanwhile.
@throws {SessionEndedError} if it is another one.
*/
type Step = <T>(work: () => Awaitable<T>, onSignedOut?: (result: T) => void) => Promise<T>;

/** A request that is ready to be sent. */
interface Request {
	/** The token to renew. */
	readonly from: TokenSet | undefined;
	readonly cause: TokenSource['cause'];
	readonly prepared: PreparedRenewal;
}

/** What came of an exchange under the lock. */
type Exchange =
	| {readonly type: 'stored'; readonly token: TokenSet}
	/** The store holds another token: make another plan. */
	| {readonly type: 'conflict'}
	| {readonly type: 'failed'; readonly error: RegrantError}
	/** The server will never accept again what was sent. The session is over if there is nothing else to get a token with. */
	| {readonly type: 'rejected'; readonly error: RegrantError; readonly isOver: boolean};

/**
Whether there is anything to get a token with.

@param isAsked Whether the user asks for it. A session that has ended begins by itself only if the client has a grant of its own.
*/
export function canRenew({core, renewer}: Session, token: TokenSet | undefined, isAsked = false): boolean {
	const mayBegin = token || isAsked || renewer.canRestart || core.state.status !== 'ended';
	return !!mayBegin && renewer.sources(token).some(core.used.isUsable);
}

/** Gets a token in place of the stale one. It calls `progress` before each of its steps. */
export async function renew(session: Session, stale: TokenSet | undefined, progress: () => void): Promise<TokenSet> {
	const {core, now} = session;
	try {
		return await makeSteps(session, stale, createStep(core, progress));
	} catch (error) {
		// An error of the program is no failure of the renewal: nothing was sent.
		const isFailure = isRegrantError(error) && error.code !== 'session_ended' && error.code !== 'invalid_options';
		if (isFailure && core.backOff.begin(error, now())) core.events.emit({type: 'refresh-failed', error});
		throw error;
	}
}

function createStep(core: SessionCore, progress: () => void): Step {
	const begun = core.state;
	return async (work, onSignedOut) => {
		progress();
		const result = await work();
		const {login, signOuts} = core.state;
		if (login === begun.login) return result;
		// If somebody signed in, the late token may be of the same grant as theirs: it is not revoked.
		if (signOuts !== begun.signOuts) onSignedOut?.(result);
		throw new SessionEndedError('signed_out');
	};
}

async function makeSteps(session: Session, stale: TokenSet | undefined, step: Step): Promise<TokenSet> {
	const {core, renewer, now} = session;
	const {used, backOff} = core;
	/** A grant that was prepared for a plan that came to nothing. */
	let granted: PreparedRenewal | undefined;
	for (;;) {
		const from = await step(() => readToken(session));
		const sources = [...used.orphan(from), ...renewer.sources(from)];
		const plan = planRenewal(from, stale, sources, used.isUsable, now());
		if (plan.type === 'use') return plan.token;
		backOff.check(now());
		if (plan.type === 'stop') throw new SessionEndedError(from ? 'no_refresh_token' : 'no_session');
		const {source} = plan;
		const isGrant = source?.cause === 'grant';
		const prepared =
			(isGrant && granted) || (source && (await step(() => callOut(core, () => renewer.prepare(source, from)))));
		if (!prepared || !used.isUsable(prepared)) {
			if (await replace(session, step, from, undefined)) end(session, from);
			continue;
		}
		const result = await exchange(session, step, {from, cause: source.cause, prepared});
		if (result.type === 'stored') {
			backOff.reset();
			dispatch(core, {...result, cause: source.cause});
			return result.token;
		}
		if (result.type === 'failed') throw result.error;
		if (result.type === 'rejected' && result.isOver) end(session, from, {cause: result.error});
		granted = isGrant && result.type === 'conflict' ? prepared : undefined;
	}
}

/** Calls the user's code. What it asks of the session at once would wait for itself. */
function callOut<T>(core: SessionCore, call: () => T): T {
	core.isCallingOut = true;
	try {
		return call();
	} finally {
		core.isCallingOut = false;
	}
}

/** Sends the request under the lock, and stores what comes. */
async function exchange(session: Session, step: Step, request: Request): Promise<Exchange> {
	const {core, store, renewer, waitUntil} = session;
	const {events, used} = core;
	const {from, cause, prepared} = request;
	const usesRefreshToken = prepared.refreshToken !== undefined;
	const revoke = (outcome: RenewalOutcome): void => {
		const refresh_token = outcome.token?.refresh_token ?? (outcome.error && outcome.refreshToken);
		if (refresh_token) waitUntil(renewer.revoke({refresh_token}).catch(() => {}));
	};

	const underLock = async (cell: LockedCell): Promise<Exchange> => {
		if (store.watch) events.hold();
		if (!(await step(() => cell.claim(from, usesRefreshToken)))) return {type: 'conflict'};
		const outcome = await step(() => callOut(core, () => prepared.send()), revoke);
		const revokeOutcome = (): void => revoke(outcome);
		const current = await step(() => readToken(session), revokeOutcome);
		// If the record changed but still holds the refresh token that we used, it is ours to replace: the server has rotated that token.
		const isOurs = isSameToken(current, from) || (usesRefreshToken && current?.refresh_token === prepared.refreshToken);
		if (!isOurs) return {type: 'conflict'};
		if (outcome.error) {
			const {error, refreshToken: refresh_token} = outcome;
			if (refresh_token && current) await step(() => cell.commit(current, {...current, refresh_token}));
			else if (refresh_token) used.keepOrphan(prepared.refreshToken, refresh_token);
			if (!outcome.isRejected) return {type: 'failed', error};
			// Under the lock: the next holder must not send a rejected refresh token once more.
			return {type: 'rejected', error, isOver: await drop(session, step, request)};
		}
		const {token} = outcome;
		if (cause === 'grant') used.use(prepared.refreshToken, token.refresh_token);
		const isStored = await step(() => cell.commit(current, token), revokeOutcome);
		return isStored ? {type: 'stored', token} : {type: 'conflict'};
	};

	try {
		return await step(() => store.exclusive(session, underLock));
	} finally {
		events.release();
	}
}

/** Deletes a refresh token that the server has rejected. Says whether the session is over: there is nothing else to get a token with. */
async function drop(session: Session, step: Step, {from, prepared}: Request): Promise<boolean> {
	const {core, renewer} = session;
	core.used.reject(prepared.refreshToken);
	if (!prepared.refreshToken || !renewer.sources(undefined).some(core.used.isUsable)) {
		return replace(session, step, from, undefined);
	}
	if (from) await replace(session, step, from, withoutRefreshToken(from));
	return false;
}

/** Gives false if another holder has stored another token. */
async function replace(
	session: Session,
	step: Step,
	from: TokenSet | undefined,
	to: TokenSet | undefined,
): Promise<boolean> {
	return from ? step(() => session.store.swap(session, from, to)) : true;
}

/** Ends the session, whose token is removed already. */
function end({core, renewer}: Session, from: TokenSet | undefined, options?: ErrorOptions): never {
	const reason = from || renewer.canRestart ? 'invalid_grant' : 'no_session';
	if (from || !renewer.canRestart) dispatch(core, {type: 'ended', reason});
	throw new SessionEndedError(reason, options);
}
