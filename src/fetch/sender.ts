import {ownProperties} from '../lib/own-properties.ts';
import {dropsAuthorization, isBrowser} from '../lib/runtime.ts';
import type {TokenScheme} from '../token/token-scheme.ts';
import type {TokenSet} from '../token/token-set.ts';
import {followRedirects} from './redirect.ts';

/** A `fetch` that is given a `Request`, and the options that are not the platform's, such as `cf` or `next`. */
export type Fetch = (request: Request, extra?: RequestInit) => Promise<Response>;

/** One call, as much as sending it needs. */
export interface SendingCall {
	/** Sends the requests. */
	readonly fetch: Fetch;
	/** Whether the body can be read once, and so cannot be sent again. */
	readonly isStream: boolean;
}

/** An answer to a request with a token. */
export interface Sent {
	readonly response: Response;
	/** What the scheme says of it: that the token was refused, or that it should be sent again in another way. */
	readonly review: 'renew' | 'resend' | undefined;
}

/**
Sends a request with a token.

@param url The URL that was judged. The request goes there.
*/
export type Send = (
	call: SendingCall,
	request: Request,
	extra: RequestInit | undefined,
	url: string,
	token: TokenSet,
) => Promise<Sent>;

/** How redirects are kept from carrying the token to another origin: by the platform, by hand, or by not following them. */
type RedirectGuard = 'platform' | 'by-hand' | 'refuse';

function guardOf({header, isBoundToUrl}: TokenScheme): RedirectGuard {
	if (header === 'authorization' && !isBoundToUrl && dropsAuthorization()) return 'platform';
	return isBrowser() ? 'refuse' : 'by-hand';
}

/** Whether an answer came from the origin that was asked. A `fetch` of the user's own may give an answer without a URL. */
export function isFrom(url: string, {url: answered}: Response): boolean {
	return !answered || new URL(answered).origin === new URL(url).origin;
}

/** Makes the `Send` of a scheme. */
export function createSend(scheme: TokenScheme): Send {
	const guard = guardOf(scheme);

	/** Adds the token to a request of our own, and sends it. */
	const sendOnce = async (
		{fetch}: SendingCall,
		request: Request,
		options: RequestInit,
		token: string | undefined,
	): Promise<Sent> => {
		const {url, method, headers} = request;
		const pending = token && scheme.apply({url, method, headers}, token);
		if (pending) await pending;
		const response = await fetch(request, options);
		const isReviewed = token && isFrom(url, response);
		return {response, review: isReviewed ? await scheme.review?.(response, {url, method, headers}, token) : undefined};
	};

	const send: Send = async (call, request, extra, url, {access_token}) => {
		// What ky holds, and puts into its errors, never has the token.
		const copy = call.isStream ? new Request(request) : request.clone();
		const judged = url === request.url ? copy : new Request(url, copy);
		const own = guard === 'refuse' ? new Request(judged, refusalFor(judged, scheme)) : judged;
		const options = optionsFor(request, extra);
		if (guard !== 'by-hand') return sendOnce(call, own, options, access_token);
		let review: Sent['review'];
		const response = await followRedirects(
			async (hop, isHome) => {
				const sent = await sendOnce(call, hop, options, isHome ? access_token : undefined);
				({review} = sent);
				return sent.response;
			},
			own,
			call.isStream,
			scheme.header,
		);
		return {response, review};
	};
	if (!scheme.review) return send;

	return async (call, ...rest) => {
		const sent = await send(call, ...rest);
		if (sent.review !== 'resend' || call.isStream) return sent;
		sent.response.body?.cancel().catch(() => {});
		return send(call, ...rest);
	};
}

/**
What keeps a browser from following a redirect of a request. It tells nobody where one leads. Within the origin of the page it can be told to
stay there; but what is bound to one URL is of no use at another. (happy-dom looks for it in the request, and not in the options.)
*/
function refusalFor({redirect, url}: Request, {isBoundToUrl}: TokenScheme): RequestInit {
	const isOfPage = !isBoundToUrl && url.startsWith(`${location.origin}/`);
	const refusal: RequestInit = isOfPage ? {mode: 'same-origin'} : {redirect: 'error'};
	return ownProperties(redirect === 'follow' ? refusal : {});
}

/** Options at all reset the referrer. In Node a copy of a request hears of an abort no more once it was collected. */
function optionsFor({signal, referrer, referrerPolicy}: Request, extra: RequestInit | undefined): RequestInit {
	const options = ownProperties<RequestInit>({signal, ...extra});
	if (referrer !== 'about:client' && referrer !== undefined) options.referrer = referrer;
	if (referrerPolicy) options.referrerPolicy = referrerPolicy;
	return options;
}
