import {ownProperties} from '../lib/own-properties.ts';
import {dropsAuthorization, isBrowser} from '../lib/runtime.ts';
import type {TokenScheme} from '../token/token-scheme.ts';
import type {TokenSet} from '../token/token-set.ts';
import type {BodySource} from './body.ts';
import {followRedirects} from './redirect.ts';

/** A `fetch` that gets a `Request`, and options that the platform does not know, such as `cf` or `next`. */
export type Fetch = (request: Request, extra?: RequestInit) => Promise<Response>;

/** The part of a call that is needed to send it. */
export interface SendingCall {
	/** Sends the requests. */
	readonly fetch: Fetch;
	/** How the body can be resent. */
	readonly source: BodySource;
}

/**
Sends a request with a token.

@param url The checked URL, to which the request is sent.
*/
export type Send = (
	call: SendingCall,
	request: Request,
	extra: RequestInit | undefined,
	url: string,
	token: TokenSet,
) => Promise<Response>;

/** Whether the platform itself keeps the token from following a redirect to another origin. */
const isKeptByPlatform = ({header, isBoundToUrl}: TokenScheme): boolean =>
	header === 'authorization' && !isBoundToUrl && dropsAuthorization();

/** Creates the sender of a scheme. */
export function createSender(scheme: TokenScheme): Send {
	const isGuarded = !isKeptByPlatform(scheme);
	// Browsers do not let a script follow redirects by hand, so there they are not followed.
	const isPage = isBrowser();

	/** Adds the token to a copy of the request, and sends the copy. */
	const sendOnce = (call: SendingCall, request: Request, options: RequestInit, token: string): Promise<Response> => {
		const pending = scheme.apply(request, token);
		return pending ? (async () => (await pending, call.fetch(request, options)))() : call.fetch(request, options);
	};

	return (call, request, extra, url, {access_token}) => {
		const {source} = call;
		// The request that ky keeps, and puts into its errors, never has the token.
		const copy = source === null ? request.clone() : new Request(request, ownProperties({body: source} as RequestInit));
		const judged = url === request.url ? copy : new Request(url, copy);
		const own = isGuarded && isPage ? new Request(judged, refusalFor(judged, scheme)) : judged;
		const options = optionsFor(request, extra);
		if (!isGuarded || isPage) return sendOnce(call, own, options, access_token);
		const sendHop = async (hop: Request, isHome: boolean): Promise<Response> => {
			if (!isHome) return call.fetch(hop, options);
			const response = await sendOnce(call, hop, options, access_token);
			// The next hop may need the nonce of this response. The verdict is not used, because a redirect is followed anyway, and the scheme
			// is asked again about the last response.
			await scheme.review?.(response, hop, access_token);
			return response;
		};
		return followRedirects(sendHop, own, source);
	};
}

/**
The option that keeps a browser from following a redirect, because a browser does not tell where a redirect leads. Within the page's own
origin it may follow redirects that stay there, unless the token is bound to one URL. (happy-dom reads the option from the request.)
*/
function refusalFor({redirect, url}: Request, {isBoundToUrl}: TokenScheme): RequestInit {
	const isOfPage = !isBoundToUrl && url.startsWith(`${location.origin}/`);
	const refusal: RequestInit = isOfPage ? {mode: 'same-origin'} : {redirect: 'error'};
	return ownProperties(redirect === 'follow' ? refusal : {});
}

/**
Passing any options resets the referrer, so it is passed again. So is the signal: in Node, a copied request no longer hears of an abort once
it has been garbage-collected.
*/
function optionsFor({signal, referrer, referrerPolicy}: Request, extra: RequestInit | undefined): RequestInit {
	const options = ownProperties<RequestInit>({signal, ...extra});
	if (referrer !== 'about:client' && referrer !== undefined) options.referrer = referrer;
	if (referrerPolicy) options.referrerPolicy = referrerPolicy;
	return options;
}
