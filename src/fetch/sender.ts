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
) => Promise<Response>;

/** How redirects are kept from carrying the token to another origin: by the platform, by hand, or by not following them. */
type RedirectGuard = 'platform' | 'by-hand' | 'refuse';

function guardOf({header, isBoundToUrl}: TokenScheme): RedirectGuard {
	if (header === 'authorization' && !isBoundToUrl && dropsAuthorization()) return 'platform';
	return isBrowser() ? 'refuse' : 'by-hand';
}

/** Makes the sender of a scheme. */
export function createSender(scheme: TokenScheme): Send {
	const guard = guardOf(scheme);

	/** Adds the token to a request of our own, and sends it. */
	const sendOnce = (call: SendingCall, request: Request, options: RequestInit, token: string): Promise<Response> => {
		const pending = scheme.apply(request, token);
		return pending ? (async () => (await pending, call.fetch(request, options)))() : call.fetch(request, options);
	};

	return (call, request, extra, url, {access_token}) => {
		// What ky holds, and puts into its errors, never has the token.
		const copy = call.isStream ? new Request(request) : request.clone();
		const judged = url === request.url ? copy : new Request(url, copy);
		const own = guard === 'refuse' ? new Request(judged, refusalFor(judged, scheme)) : judged;
		const options = optionsFor(request, extra);
		if (guard !== 'by-hand') return sendOnce(call, own, options, access_token);
		const sendHop = async (hop: Request, isHome: boolean): Promise<Response> => {
			if (!isHome) return call.fetch(hop, options);
			const response = await sendOnce(call, hop, options, access_token);
			// The next hop needs what an answer on the way tells: a nonce may serve once.
			await scheme.review?.(response, hop, access_token);
			return response;
		};
		return followRedirects(sendHop, own, call.isStream, scheme.header);
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
