import {isSignedOut, SessionEndedError} from '../errors.ts';
import type {Awaitable} from '../lib/awaitable.ts';
import {assertNotCallingOut, type Session} from '../session/core.ts';
import {recordResponse} from '../session/rejection.ts';
import {findToken, peekToken, replaceToken} from '../session/session.ts';
import type {TokenScheme} from '../token/token-scheme.ts';
import type {TokenSet} from '../token/token-set.ts';
import type {BodySource} from './body.ts';
import type {CallCheck} from './origins.ts';
import {createSender, type Fetch, type Send, type SendingCall} from './sender.ts';
import {discard, isFrom} from './response.ts';
import {isUnauthorized} from './unauthorized.ts';

/** A session, and how calls are sent with its token. */
export interface FetchSession extends Session {
	readonly scheme: TokenScheme;
	/** Decides whether a response rejects the token. By default, that is a 401 unless a new token cannot help. */
	readonly isUnauthorized?: ((response: Response) => Awaitable<boolean>) | undefined;
	/** Whether a call must not be sent without a token. */
	readonly requireToken?: boolean | undefined;
}

/** One call, over all of its attempts, including ky's own retries. */
interface Call extends SendingCall {
	/** Whether it must not be sent without a token. */
	readonly isTokenRequired: boolean | undefined;
	/** The login that the call belongs to. Undefined until it has a token. */
	login: number | undefined;
	/** The number of logins here when the call began. Undefined once an attempt was sent: from then on it has one login. */
	logins: number | undefined;
	/** Whether the call has been resent after a renewal. That happens once for each call. */
	isRetried: boolean;
}

/**
Begins a call, and returns the `fetch` of its attempts.

@param source How the body can be resent.
@param isTokenRequired Whether the call must not be sent without a token.
@default isTokenRequired the option `requireToken`
*/
export type BeginCall = (
	fetch: Fetch,
	source: BodySource,
	isTokenRequired?: boolean,
	baseUrl?: string | URL,
	prefix?: string | URL,
) => Fetch;

/**
Creates the function that begins calls. Each attempt is sent with the token that is current at that moment. If a response rejects the token,
one attempt of the call is resent with a new one.

@param checkOf Returns the check of the targets of requests.
*/
export function createAuthorizer(session: FetchSession, checkOf: CallCheck): BeginCall {
	const {core, scheme, requireToken} = session;
	const send = createSender(scheme);
	return (fetch, source, isTokenRequired = requireToken, baseUrl, prefix) => {
		const check = checkOf(baseUrl, prefix);
		const {isCallingOut, logins, state} = core;
		const call: Call = {
			fetch,
			source,
			isTokenRequired,
			login: state.status === 'active' ? state.login : undefined,
			logins,
			isRetried: false,
		};
		return (request, extra) => {
			const url = request.headers.has(scheme.header) ? undefined : check(request.url);
			if (url === undefined) return fetch(request, extra);
			assertNotCallingOut(isCallingOut);
			return attempt(session, send, call, request, extra, url);
		};
	};
}

/** Sends one attempt of a call, and resends it if the response says that this can help. */
async function attempt(
	session: FetchSession,
	send: Send,
	call: Call,
	request: Request,
	extra: RequestInit | undefined,
	url: string,
): Promise<Response> {
	const {core, now} = session;
	assertLogin(call, session);
	let token: TokenSet;
	let login: number;
	do {
		({login} = core.state);
		const found = peekToken(session) ?? (await findToken(session, request).catch(withoutSession));
		if (isSignedOut(found)) {
			if (call.isTokenRequired) throw found;
			return call.fetch(request, extra);
		}
		token = found;
		// The token belongs to `login` only if nobody has signed in or out while it was looked for. Otherwise look again.
	} while (login !== core.state.login);
	// The call began under one login, and the token may belong to another. If the login changed because the store was read, the call may go
	// on: another tab had signed in before, and this realm has only just noticed. If somebody has signed in here since the call began, it
	// must not be sent as that user.
	if (call.logins !== core.logins) assertLogin(call, session);
	call.logins = undefined;
	call.login = login;

	for (let isResent = call.source === undefined; ;) {
		const response = await send(call, request, extra, url, token);
		try {
			// The answer is known at once, unless the user's function has to be asked.
			const verdict =
				session.isUnauthorized || session.scheme.review
					? isFrom(url, response) && (await askOthers(session, response, request, url, token))
					: isUnauthorized(response) && isFrom(url, response) && 'renew';
			if (verdict === 'resend' && !isResent) isResent = true;
			else {
				const isRejected = verdict === 'renew';
				// A new token that was rejected.
				if (isRejected ? call.isRetried : response.ok) recordResponse(core, token, isRejected, now);
				if (!isRejected || call.isRetried) return response;
				const renewed = await replaceToken(session, token, login, request);
				if (!renewed) return response;
				call.isRetried = true;
				// A stream can be read only once. The caller gets the 401, and the next call has the new token.
				if (call.source === undefined) return response;
				token = renewed;
				isResent = false;
			}
		} catch (error) {
			discard(response);
			throw error;
		}
		// Nobody reads it.
		discard(response);
	}
}

/** A call of nobody is sent without a token, also if the user's backend had to be asked first. */
function withoutSession(error: unknown): SessionEndedError {
	if (isSignedOut(error) && error.reason === 'no_session') return error;
	throw error;
}

/** Makes sure that a call is never sent under another login than the one it began with: neither by regrant, nor by ky's own retries. */
function assertLogin({login}: Call, {core}: Session): void {
	if (login !== undefined && login !== core.state.login) throw new SessionEndedError('signed_out');
}

/**
Asks the scheme, and then the user's function, whether a response needs a new token, or the same one in another way. The function may read
the body.
*/
async function askOthers(
	{scheme, isUnauthorized: isRefused}: FetchSession,
	response: Response,
	{method, headers}: Request,
	url: string,
	{access_token}: TokenSet,
): Promise<'renew' | 'resend' | undefined> {
	const verdict = await scheme.review?.(response, {url, method, headers}, access_token);
	if (verdict) return verdict;
	if (!isRefused) return isUnauthorized(response) ? 'renew' : undefined;
	const copy = response.clone();
	try {
		return (await isRefused(copy)) ? 'renew' : undefined;
	} finally {
		if (!copy.bodyUsed) discard(copy);
	}
}
