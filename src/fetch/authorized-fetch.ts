import {SessionEndedError} from '../errors.ts';
import type {Awaitable} from '../lib/awaitable.ts';
import {assertNotCallingOut, type Session} from '../session/core.ts';
import {getUsableToken, peekToken, replaceToken} from '../session/session.ts';
import type {TokenScheme} from '../token/token-scheme.ts';
import type {TokenSet} from '../token/token-set.ts';
import type {OriginCheck} from './origins.ts';
import {createSender, type Fetch, type Send, type SendingCall} from './sender.ts';
import {discard, isFrom} from './response.ts';
import {isUnauthorized} from './unauthorized.ts';

/** A session, and how calls are sent with its token. */
export interface FetchSession extends Session {
	readonly scheme: TokenScheme;
	/** What counts as "this token is not accepted". The default asks for a 401 that a new token can help. */
	readonly isUnauthorized?: ((response: Response) => Awaitable<boolean>) | undefined;
}

/** One call, over all of its attempts: ky may send it again by itself. */
export interface Call extends SendingCall {
	/** Judges where a request goes. */
	readonly check: OriginCheck;
	/** Whether the call is not sent without a token. */
	readonly requiresToken: boolean;
}

/** Where a call stands. */
interface Progress {
	/** The login that it belongs to. Undefined until it has a token. */
	login: number | undefined;
	/** How many logins there had been here when it began. Undefined once an attempt was sent: from then on it has one login. */
	logins: number | undefined;
	/** Whether an attempt was sent again after a renewal: once for each call. */
	isRetried: boolean;
}

/**
Makes the `fetch` of one call. Each attempt goes out with the token of that moment. If a new token can help, one attempt of the call is sent
again with it.
*/
export function createAuthorizer(session: FetchSession): (call: Call) => Fetch {
	const send = createSender(session.scheme);
	const {core} = session;
	return call => {
		const {isCallingOut, logins} = core;
		const {status, login} = core.state;
		const progress: Progress = {
			login: status === 'active' ? login : undefined,
			logins,
			isRetried: false,
		};
		return (request, extra) => {
			if (request.headers.has(session.scheme.header)) return call.fetch(request, extra);
			const url = call.check(request.url);
			if (url === undefined) return call.fetch(request, extra);
			assertNotCallingOut(isCallingOut);
			return attempt(session, send, call, progress, request, extra, url);
		};
	};
}

/** Sends one attempt of a call, and sends it again if its answer says that this can help. */
async function attempt(
	session: FetchSession,
	send: Send,
	call: Call,
	progress: Progress,
	request: Request,
	extra: RequestInit | undefined,
	url: string,
): Promise<Response> {
	const {core, now} = session;
	assertLogin(progress, session);
	const found = peekToken(session) ?? (await getUsableToken(session, request));
	if (typeof found === 'string') {
		if (call.requiresToken) throw new SessionEndedError(found);
		return call.fetch(request, extra);
	}
	let token = found;
	// If another tab has signed in since the last look, the first attempt belongs to that login. One that came here meanwhile is not its own.
	if (progress.logins !== core.logins) assertLogin(progress, session);
	progress.logins = undefined;
	progress.login = core.state.login;

	for (let isResent = call.isStream; ;) {
		const response = await send(call, request, extra, url, token);
		const pending = review(session, response, request, url, token);
		const verdict = pending && (await pending);
		if (verdict === 'resend' && !isResent) {
			discard(response);
			isResent = true;
			continue;
		}
		const isRejected = verdict === 'renew';
		// A token that was refused though it was new.
		if (isRejected ? progress.isRetried : response.ok) core.rejections.record(token, isRejected, now);
		if (!isRejected || progress.isRetried) return response;
		let renewed: TokenSet | undefined;
		try {
			renewed = await replaceToken(session, token, progress.login, request);
		} catch (error) {
			discard(response);
			throw error;
		}
		if (!renewed) return response;
		progress.isRetried = true;
		// A stream can be read once. The caller gets the refusal, and the next call has the new token.
		if (call.isStream) return response;
		discard(response);
		token = renewed;
		isResent = false;
	}
}

/** A call is never sent under another login than the one that it began under: not by regrant, and not by ky's own retries. */
function assertLogin({login}: Progress, {core}: Session): void {
	if (login !== undefined && login !== core.state.login) throw new SessionEndedError('signed_out');
}

/** What an answer asks for: a new token, or the same one in another way. It is known at once unless somebody else has to be asked. */
function review(
	session: FetchSession,
	response: Response,
	request: Request,
	url: string,
	token: TokenSet,
): Awaitable<'renew' | 'resend' | undefined> {
	if (session.isUnauthorized || session.scheme.review) {
		return isFrom(url, response) ? askOthers(session, response, request, url, token) : undefined;
	}
	return isUnauthorized(response) && isFrom(url, response) ? 'renew' : undefined;
}

/** Asks the scheme, and then the user's function. That may read the body, which the caller reads too. */
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
