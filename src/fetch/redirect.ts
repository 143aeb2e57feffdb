import {ownProperties} from '../lib/own-properties.ts';
import type {BodySource} from './body.ts';
import {discard, foreign} from './response.ts';

/** The caller's own headers that must not reach another origin, like the token. */
const credentials = /^(?:(?:proxy-)?authorization|cookie|dpop)$/;
const mostHops = 20;

/**
Follows redirects by hand, for platforms whose `fetch` would send the token to wherever they lead. The first hop to another origin drops the
credentials, and later hops do not restore them.

@param send Sends one hop. It may add the token if every hop so far was to the origin of the first one. No later hop gets what it adds to the
headers.
@param request The request without the token.
@param source How the body can be sent again.
@throws {TypeError} as `fetch` does if it cannot follow.
@see https://fetch.spec.whatwg.org/#http-redirect-fetch
*/
export async function followRedirects(
	send: (request: Request, isHome: boolean) => Promise<Response>,
	request: Request,
	source: BodySource,
): Promise<Response> {
	if (request.redirect !== 'follow') return send(request, true);
	let isHome = true;
	let next = new Request(request, ownProperties<RequestInit>({redirect: 'manual'}));
	for (let hops = 0; ; hops++) {
		const headers = [...next.headers];
		const spare = source === null ? next.clone() : undefined;
		let following: Request | undefined;
		try {
			const response = await send(next, isHome);
			if (!isHome) foreign.add(response);
			const location = response.headers.get('location');
			if (location === null || ![301, 302, 303, 307, 308].includes(response.status)) return response;
			discard(response);
			try {
				const target = new URL(location, next.url);
				isHome &&= target.origin === new URL(request.url).origin;
				if (hops < mostHops)
					following = redirectOf(next, headers, spare?.body ?? source, target, isHome, response.status);
			} catch {}
			// ky recognises this message of a platform. The platform's own error would quote the address.
			if (!following) throw new TypeError('fetch failed');
			next = following;
		} finally {
			// It would keep in memory what has been sent.
			if (spare && !following?.body) discard(spare);
		}
	}
}

/** Creates the request of the next hop, unless its body has been used. Throws for an address that `Request` refuses. */
function redirectOf(
	{method, body, signal}: Request,
	headers: Array<[name: string, value: string]>,
	spare: BodyInit | null | undefined,
	target: URL,
	isHome: boolean,
	status: number,
): Request | undefined {
	const becomesGet = status === 303 ? !['GET', 'HEAD'].includes(method) : status < 303 && method === 'POST';
	if (!target.protocol.startsWith('http') || (body && !spare && !becomesGet)) return undefined;
	const isDropped = (name: string): boolean =>
		(becomesGet && name.startsWith('content-')) || (!isHome && credentials.test(name));
	const sent = becomesGet ? {} : {method, body: body && (spare as BodyInit), duplex: 'half'};
	return new Request(
		target,
		ownProperties<RequestInit>({
			...sent,
			headers: headers.filter(([name]) => !isDropped(name)),
			redirect: 'manual',
			signal,
		}),
	);
}
