import {isRegrantError, type RegrantError, SessionEndedError} from '../errors.ts';
import type {Awaitable} from '../lib/awaitable.ts';
import type {Waiter} from '../lib/with-timeout.ts';
import type {LockedCell} from '../stores/token-cell.ts';
import type {PreparedRenewal, RenewalOutcome, TokenSource} from '../token/renewer.ts';
import {isSameToken, type TokenSet} from '../token/token-set.ts';
import {type BackOff, createBackOff} from './back-off.ts';
import type {SessionCore} from './core.ts';
import {isAlive} from './expiry.ts';
import type {SessionSettings} from './settings.ts';
import {createSingleFlight} from './single-flight.ts';
import {createUsedTokens, type UsedTokens} from './used-tokens.ts';

/** How a session gets a new token. */
export interface Renewal {
	/**
	Whether there is anything to get a token with.

	@param isAsked Whether the user asks for it. A session that has ended begins by itself only if the client has a grant of its own.
	*/
	canRenew(settings: SessionSettings, token: TokenSet | undefined, isAsked?: boolean): boolean;
	/** Gets a token in place of the stale one: one for all who ask meanwhile. */
	run(settings: SessionSettings, stale: TokenSet | undefined, waiter: Waiter): Promise<TokenSet>;
	/** Forgets failures and rejected tokens: somebody signs in, and may bring them back. */
	reset(isLogin: boolean): void;
}

/** One renewal: what it needs to make its steps. */
interface Attempt {
	readonly core: SessionCore;
	readonly settings: SessionSettings;
	readonly used: UsedTokens;
	readonly backOff: BackOff;
	/**
	Makes one step, and then makes sure that the session is still the one that the renewal began with. No part of a renewal waits for
	anything outside of a step.

	@param onSignedOut Is called first if somebody has signed out meanwhile.
	@throws {SessionEndedError} if it is another one.
	*/
	readonly step: <T>(work: () => Awaitable<T>, onSignedOut?: (result: T) => void) => Promise<T>;
}

/** What to do: use a token that somebody else has renewed, or send a request. */
type Plan =
	| {readonly type: 'use'; readonly token: TokenSet}
	| {
			readonly type: 'send';
			/** The token to renew. */
			readonly from: TokenSet | undefined;
			readonly source: TokenSource;
			readonly prepared: PreparedRenewal;
	  };

/** What came of an exchange under the lock. */
type Exchange =
	| {readonly type: 'stored'; readonly token: TokenSet}
	/** The store holds another token: make another plan. */
	| {readonly type: 'conflict'}
	| {
			readonly type: 'failed';
			readonly error: RegrantError;
			readonly isRejected: boolean;
			/** Whether the session ends: what was sent is rejected, and there is nothing else to get a token with. */
			readonly isOver: boolean;
	  };

/** Creates the renewal of a session. */
export function createRenewal(core: SessionCore): Renewal {
	const used = createUsedTokens();
	const backOff = createBackOff();

	const attempt = async (
		settings: SessionSettings,
		stale: TokenSet | undefined,
		progress: () => void,
	): Promise<TokenSet> => {
		try {
			return await renew({core, settings, used, backOff, step: createStep(core, progress)}, stale);
		} catch (error) {
			// An error of the program is no failure of the renewal: nothing was sent.
			const isFailure = isRegrantError(error) && error.code !== 'session_ended' && error.code !== 'invalid_options';
			if (isFailure && backOff.begin(error, settings.now())) core.events.emit({type: 'refresh-failed', error});
			throw error;
		}
	};

	const flight = createSingleFlight(attempt);
	core.onInterrupt(flight.cancel);

	return {
		canRenew: ({renewer}, token, isAsked = false) => {
			const mayBegin = token || isAsked || renewer.canRestart || core.state().status !== 'ended';
			return !!mayBegin && renewer.sources(token).some(used.isUsable);
		},
		run: flight.run,
		reset: isLogin => {
			backOff.reset();
			if (isLogin) used.forgetRejected();
		},
	};
}

function createStep(core: SessionCore, progress: () => void): Attempt['step'] {
	const begun = core.state();
	return async (work, onSignedOut) => {
		progress();
		const result = await work();
		const {login, signOuts} = core.state();
		if (login === begun.login) return result;
		// If somebody signed in, the late token may be of the same grant as theirs: it is not revoked.
		if (signOuts !== begun.signOuts) onSignedOut?.(result);
		throw new SessionEndedError('signed_out');
	};
}

async function renew(attempt: Attempt, stale: TokenSet | undefined): Promise<TokenSet> {
	/** A grant that was prepared for a plan that came to nothing. */
	let granted: PreparedRenewal | undefined;
	for (;;) {
		const plan = await makePlan(attempt, stale, granted);
		if (plan?.type === 'use') return plan.token;
		if (!plan) continue;
		if (plan.source.cause === 'grant') granted = plan.prepared;
		const result = await exchange(attempt, plan);
		if (result.type === 'stored') {
			attempt.backOff.reset();
			attempt.core.dispatch({
				type: 'renewed',
				token: result.token,
				cause: plan.source.cause,
			});
			return result.token;
		}
		if (result.type === 'failed') {
			if (!result.isRejected) throw result.error;
			granted = undefined;
			if (result.isOver) end(attempt, plan.from, {cause: result.error});
		}
	}
}

/** Says what to do. Undefined says that the session has changed: make another plan. */
async function makePlan(
	attempt: Attempt,
	stale: TokenSet | undefined,
	granted: PreparedRenewal | undefined,
): Promise<Plan | undefined> {
	const {core, settings, used, backOff, step} = attempt;
	const {renewer} = settings;
	const from = await step(() => core.read(settings));
	const now = settings.now();
	if (from && from.access_token !== stale?.access_token && isAlive(from, now)) return {type: 'use', token: from};
	backOff.check(now);
	const sources: readonly TokenSource[] = [...used.orphan(from), ...renewer.sources(from)];
	const source = sources.find(used.isUsable);
	if (!source) {
		// A grant whose refresh token was rejected, or is used up.
		if (sources.length > 0 && (await replace(attempt, from, undefined))) end(attempt, from);
		throw new SessionEndedError(from ? 'no_refresh_token' : 'no_session');
	}
	const prepare = (): Promise<PreparedRenewal> => callOut(core, () => renewer.prepare(source, from));
	const prepared = source.cause === 'grant' && granted ? granted : await step(prepare);
	if (used.isUsable(prepared)) return {type: 'send', from, source, prepared};
	if (await replace(attempt, from, undefined)) end(attempt, from);
	return undefined;
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
async function exchange(attempt: Attempt, plan: Plan & {type: 'send'}): Promise<Exchange> {
	const {core, settings, used, step} = attempt;
	const {from, prepared, source} = plan;
	const usesRefreshToken = prepared.refreshToken !== undefined;
	const revoke = (outcome: RenewalOutcome): void => {
		const refresh_token = outcome.token?.refresh_token ?? (outcome.error && outcome.refreshToken);
		if (refresh_token) settings.waitUntil(settings.renewer.revoke({refresh_token}).catch(() => {}));
	};

	const underLock = async (cell: LockedCell): Promise<Exchange> => {
		if (core.store.watch) core.events.hold();
		if (!(await step(() => cell.claim(from, usesRefreshToken)))) return {type: 'conflict'};
		const outcome = await step(() => callOut(core, () => prepared.send()), revoke);
		const current = await step(
			() => core.read(settings),
			() => revoke(outcome),
		);
		// If the record changed but still holds the refresh token that we used, it is ours to replace: the server has rotated that token.
		const isOurs = isSameToken(current, from) || (usesRefreshToken && current?.refresh_token === prepared.refreshToken);
		if (!isOurs) return {type: 'conflict'};
		if (outcome.error) {
			const refresh_token = outcome.refreshToken;
			if (refresh_token && current) await step(() => cell.commit(current, {...current, refresh_token}));
			else if (refresh_token) used.keepOrphan(prepared.refreshToken, refresh_token);
			const {error, isRejected} = outcome;
			// Under the lock: the next holder must not send a rejected refresh token once more.
			return {type: 'failed', error, isRejected, isOver: isRejected && (await drop(attempt, plan))};
		}
		const {token} = outcome;
		if (source.cause === 'grant') used.use(prepared.refreshToken, token.refresh_token);
		const isStored = await step(
			() => cell.commit(current, token),
			() => revoke(outcome),
		);
		return isStored ? {type: 'stored', token} : {type: 'conflict'};
	};

	try {
		return await step(() => core.store.exclusive(settings, underLock));
	} finally {
		core.events.release();
	}
}

/** Deletes a refresh token that the server has rejected. Says whether there is nothing else to get a token with. */
async function drop(attempt: Attempt, {from, source, prepared}: Plan & {type: 'send'}): Promise<boolean> {
	const {settings, used} = attempt;
	used.reject(prepared.refreshToken);
	const others = prepared.refreshToken ? settings.renewer.sources(undefined).filter(used.isUsable) : [];
	if (others.length === 0) return replace(attempt, from, undefined);
	if (!from || source.cause === 'grant') return false;
	const {refresh_token: _, ...rest} = from;
	await replace(attempt, from, rest);
	return false;
}

/** Gives false if another holder has stored another token. */
async function replace(
	{core, settings, step}: Attempt,
	from: TokenSet | undefined,
	to: TokenSet | undefined,
): Promise<boolean> {
	return from ? step(() => core.store.swap(settings, from, to)) : true;
}

/** Ends the session, whose token is removed already. */
function end({core, settings}: Attempt, from: TokenSet | undefined, options?: ErrorOptions): never {
	const {canRestart} = settings.renewer;
	const reason = from || canRestart ? 'invalid_grant' : 'no_session';
	if (from || !canRestart) core.dispatch({type: 'ended', reason});
	throw new SessionEndedError(reason, options);
}
