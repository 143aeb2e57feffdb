import {ConfigError, SessionEndedError} from '../errors.ts';
import type {Awaitable} from '../lib/awaitable.ts';
import type {Session} from '../session/session.ts';
import {getUsableToken, peekToken, replaceToken} from '../session/session.ts';
import type {SessionSettings} from '../session/settings.ts';
import type {TokenScheme} from '../token/token-scheme.ts';
import type {TokenSet} from '../token/token-set.ts';
import type {OriginCheck} from './origins.ts';
import {createSender, type Fetch, isFrom, type Sender, type SendingCall} from './sender.ts';
import {isUnauthorized} from './unauthorized.ts';

/** What calls are sent with. */
export interface FetchSettings extends SessionSettings {
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
	/** How many logins there had been here when it began. */
	readonly logins: number;
	/** Whether an attempt was sent already. */
	wasSent: boolean;
	/** Whether an attempt was sent again after a renewal: once for each call. */
	isRetried: boolean;
}

/** What all calls of an `Auth` share. */
interface Context {
	readonly session: Session;
	readonly settings: FetchSettings;
	readonly sender: Sender;
}

/**
Makes the `fetch` of one call. Each attempt goes out with the token of that moment. If a new token can help, one attempt of the call is sent
again with it.
*/
export function createAuthorizer(session: Session, settings: FetchSettings): (call: Call) => Fetch {
	const context: Context = {
		session,
		settings,
		sender: createSender(settings.scheme),
	};
	const {core} = session;
	return call => {
		const {isCallingOut} = core;
		const {status, login} = core.state();
		const begun = status === 'active' ? login : undefined;
		const progress: Progress = {login: begun, logins: session.logins, wasSent: false, isRetried: false};
		return (request, extra) => {
			if (request.headers.has(settings.scheme.header)) return call.fetch(request, extra);
			const url = call.check(request.url);
			if (url === undefined) return call.fetch(request, extra);
			if (isCallingOut) throw new ConfigError('grant and renew must not use the session that they serve');
			return attempt(context, call, progress, request, extra, url);
		};
	};
}

/** Sends one attempt of a call, and sends it again with another token if its answer says that this can help. */
async function attempt(
	context: Context,
	call: Call,
	progress: Progress,
	request: Request,
	extra: RequestInit | undefined,
	url: string,
): Promise<Response> {
	const {session, settings, sender} = context;
	assertLogin(progress, session);
	const token = peekToken(session, settings) ?? (await findToken(session, settings, request, call));
	if (!token) return call.fetch(request, extra);
	// If another tab has signed in since the last look, the first attempt belongs to that login. One that came here meanwhile is not its own.
	if (progress.wasSent || progress.logins !== session.logins) assertLogin(progress, session);
	progress.wasSent = true;
	progress.login = session.core.state().login;

	const response = await sender.send(call, request, extra, url, token);
	const refused = isRefused(context, response, url, token, progress.isRetried);
	if (!refused || !(await refused) || progress.isRetried) return response;
	let renewed: TokenSet | undefined;
	try {
		renewed = await replaceToken(session, settings, token, progress.login, request);
	} catch (error) {
		discard(response);
		throw error;
	}
	if (!renewed) return response;
	progress.isRetried = true;
	// A stream can be read once. The caller gets the refusal, and the next call has the new token.
	if (call.isStream) return response;
	discard(response);
	const last = await sender.send(call, request, extra, url, renewed);
	await isRefused(context, last, url, renewed, true);
	return last;
}

/** A call is never sent under another login than the one that it began under: not by regrant, and not by ky's own retries. */
function assertLogin({login}: Progress, {core}: Session): void {
	if (login !== undefined && login !== core.state().login) throw new SessionEndedError('signed_out');
}

async function findToken(
	session: Session,
	settings: FetchSettings,
	request: Request,
	{requiresToken}: Call,
): Promise<TokenSet | undefined> {
	const {token, reason} = await getUsableToken(session, settings, request);
	if (!token && requiresToken) throw new SessionEndedError(reason);
	return token;
}

/**
Whether an answer refuses the token. Takes note of a token that was accepted, and of one that was refused though it was new.

@param isNew Whether the token came from a renewal for this call.
*/
function isRefused(
	{session, settings, sender}: Context,
	response: Response,
	url: string,
	token: TokenSet,
	isNew: boolean,
): boolean | Promise<boolean> {
	const note = (isRejected: boolean): boolean => {
		if (isRejected ? isNew : response.ok) session.rejections.record(token, isRejected, settings.now);
		return isRejected;
	};
	if (sender.isRefused(response)) return note(true);
	if (settings.isUnauthorized) return isFrom(url, response) && askUser(settings.isUnauthorized, response).then(note);
	return note(response.status === 401 && isFrom(url, response) && isUnauthorized(response));
}

/** The user's function may read the body, which the caller reads too. */
async function askUser(
	isUnauthorized: (response: Response) => Awaitable<boolean>,
	response: Response,
): Promise<boolean> {
	const copy = response.clone();
	try {
		return await isUnauthorized(copy);
	} finally {
		if (!copy.bodyUsed) discard(copy);
	}
}

/** An unread body keeps its connection. */
function discard({body}: Response): void {
	body?.cancel().catch(() => {});
}
