import {isRegrantError, type RegrantError, SessionEndedError} from '../errors.ts';
import type {Awaitable} from '../lib/awaitable.ts';
import type {LockedCell} from '../stores/token-cell.ts';
import type {PreparedRenewal, Renewer, TokenSource} from '../token/renewer.ts';
import {isSameToken, type TokenSet, withoutRefreshToken} from '../token/token-set.ts';
import {dispatch, readToken, revokesLate, runInBackground, type Session, type SessionCore} from './core.ts';
import {planRenewal} from './plan.ts';
import type {SessionState} from './state.ts';

/** One renewal: what its steps share. */
interface Attempt {
	readonly session: Session;
	/** The state that it began with. */
	readonly begun: SessionState;
	/** Is called before each step. */
	readonly progress: () => void;
	/** A refresh token from the server that is not stored yet. */
	late?: string | undefined;
}

/** A request that is ready to be sent. */
interface Request {
	/** The token to renew. */
	readonly from: TokenSet | undefined;
	readonly cause: TokenSource['cause'];
	readonly prepared: PreparedRenewal;
}

/** The outcome of an exchange under the lock. */
type Exchange =
	| {readonly type: 'stored'; readonly token: TokenSet}
	/** The store holds another token, or none that can be sent, so the renewal needs a new plan. */
	| {readonly type: 'again'}
	/** There is no token. The session is over if there is no other way to get one. */
	| {readonly type: 'failed'; readonly error: RegrantError; readonly isOver: boolean};

/** Whether there is a way to get a token. A session that has ended starts by itself only if the client has a grant of its own. */
export function canRenew({core, renewer}: Session, token: TokenSet | undefined): boolean {
	const mayBegin = token || renewer.canRestart || core.state.status !== 'ended';
	return !!mayBegin && sourcesOf(core, renewer, token).some(core.used.isUsable);
}

const sourcesOf = ({used}: SessionCore, renewer: Renewer, token: TokenSet | undefined): TokenSource[] => [
	...used.orphan(token),
	...renewer.sources(token),
];

/** Gets a token in place of the stale one, and calls `progress` before each step. */
export async function renew(session: Session, stale: TokenSet | undefined, progress: () => void): Promise<TokenSet> {
	const {core, now} = session;
	revokesLate(session);
	try {
		return await makeSteps({session, begun: core.state, progress}, stale);
	} catch (error) {
		// A mistake in the program is not a failed renewal, because nothing was sent.
		const isFailure = isRegrantError(error) && error.code !== 'session_ended' && error.code !== 'invalid_options';
		if (isFailure && core.backOff.begin(error, now())) core.events.emit({type: 'refresh-failed', error});
		throw error;
	}
}

/**
Makes one step of a renewal, and makes sure before and after it that the session is still the one that the renewal began with. No part of a
renewal waits for anything outside of a step.

@throws {SessionEndedError} if it is another session.
*/
async function step<T>(attempt: Attempt, work: () => Awaitable<T>): Promise<T> {
	attempt.progress();
	// What came between two steps would find a store without a token, and fill it again.
	assertCurrent(attempt);
	const result = await work();
	assertCurrent(attempt);
	return result;
}

function assertCurrent({session, begun, late}: Attempt): void {
	const {login, signOuts} = session.core.state;
	if (login === begun.login) return;
	// If somebody has signed in, the late token is not revoked, because it may belong to the same grant as theirs.
	if (late && signOuts !== begun.signOuts) runInBackground(session, session.renewer.revoke({refresh_token: late}));
	throw new SessionEndedError('signed_out');
}

async function makeSteps(attempt: Attempt, stale: TokenSet | undefined): Promise<TokenSet> {
	const {session} = attempt;
	const {core, renewer, now} = session;
	const {used, backOff} = core;
	for (;;) {
		const from = await step(attempt, () => readToken(session));
		const plan = planRenewal(from, stale, sourcesOf(core, renewer, from), used.isUsable, now());
		if (plan.type === 'use') return plan.token;
		if (plan.type === 'stop') throw new SessionEndedError(from ? 'no_refresh_token' : 'no_session');
		backOff.check(now());
		const {source} = plan;
		const prepared = source && (await step(attempt, () => callOut(core, () => renewer.prepare(source, from))));
		if (!prepared || !used.isUsable(prepared)) {
			if (await replace(attempt, from, undefined)) end(attempt, from);
			continue;
		}
		const {cause} = source;
		const result = await exchange(attempt, {from, cause, prepared});
		if (result.type === 'again') continue;
		if (result.type === 'failed') {
			if (result.isOver) end(attempt, from, {cause: result.error});
			throw result.error;
		}
		assertCurrent(attempt);
		backOff.reset();
		dispatch(core, {...result, cause});
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

/** Sends the request under the lock, and stores the new token. */
async function exchange(attempt: Attempt, request: Request): Promise<Exchange> {
	const {session} = attempt;
	const {store, core} = session;
	const {events, used} = core;
	const {from, cause, prepared} = request;
	const {refreshToken} = prepared;
	/** The refresh token that will be used. A function of the user may use the one of the present token. */
	const spent = refreshToken ?? (cause === 'refresh' ? from?.refresh_token : undefined);

	const underLock = async (cell: LockedCell): Promise<Exchange> => {
		if (store.watch) events.hold();
		if (!(await step(attempt, () => cell.claim(from, spent !== undefined)))) return {type: 'again'};
		const outcome = await step(attempt, async () => {
			const answer = await callOut(core, () => prepared.send());
			attempt.late = answer.token?.refresh_token ?? (answer.error && answer.refreshToken);
			return answer;
		});
		const current = await step(attempt, () => readToken(session));
		// If the record changed but still holds the refresh token that we used, overwrite it: the server has rotated that token.
		const isOurs = isSameToken(current, from) || (spent !== undefined && current?.refresh_token === spent);
		if (!isOurs) return {type: 'again'};
		const {token} = outcome;
		if (token) {
			if (cause === 'grant' || !from) used.use(refreshToken, token.refresh_token);
			const isStored = await step(attempt, () => cell.commit(current, token));
			// From now on a sign-out finds it in the store.
			attempt.late = undefined;
			return isStored ? {type: 'stored', token} : {type: 'again'};
		}
		const {error, isRejected, refreshToken: refresh_token} = outcome;
		if (refresh_token && current) await step(attempt, () => cell.commit(current, {...current, refresh_token}));
		else if (refresh_token) used.keepOrphan(refreshToken, refresh_token);
		if (!isRejected) return {type: 'failed', error, isOver: false};
		// Done under the lock, so that the next holder does not send the rejected refresh token again.
		return (await drop(attempt, request)) ? {type: 'failed', error, isOver: true} : {type: 'again'};
	};

	try {
		return await step(attempt, () => store.exclusive(session, underLock));
	} finally {
		events.release();
	}
}

/**
Deletes a refresh token that the server has rejected. Returns whether the session is over, because there is no other way to get a token.
*/
async function drop(attempt: Attempt, {from, prepared: {refreshToken}}: Request): Promise<boolean> {
	const {core, renewer} = attempt.session;
	core.used.reject(refreshToken);
	const isOver = !refreshToken || !renewer.sources(undefined).some(core.used.isUsable);
	const isReplaced = await replace(attempt, from, isOver ? undefined : from && withoutRefreshToken(from));
	return isOver && isReplaced;
}

/** Returns false if another holder has stored another token. */
async function replace(attempt: Attempt, from: TokenSet | undefined, to: TokenSet | undefined): Promise<boolean> {
	const {session} = attempt;
	return from ? step(attempt, () => session.store.swap(session, from, to)) : true;
}

/** Ends the session. Its token has already been removed. */
function end(attempt: Attempt, from: TokenSet | undefined, options?: ErrorOptions): never {
	const {core, renewer} = attempt.session;
	assertCurrent(attempt);
	const reason = from || renewer.canRestart ? 'invalid_grant' : 'no_session';
	if (from || !renewer.canRestart) dispatch(core, {type: 'ended', reason});
	throw new SessionEndedError(reason, options);
}
