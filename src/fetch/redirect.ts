import {ownProperties} from '../lib/own-properties.ts';

const credentials = /^(?:(?:proxy-)?authorization|cookie|dpop)$/;
const mostHops = 20;

/**
Follows redirects by hand, for platforms whose `fetch` would carry the token to wherever they lead. At the first hop to another
origin the credentials stay behind, and they do not come back.

@throws {TypeError} as `fetch` does, where it cannot follow.
@see https://fetch.spec.whatwg.org/#http-redirect-fetch
*/
export async function followRedirects(
	send: (request: Request) => Promise<Response>,
	request: Request,
	isStream: boolean,
): Promise<Response> {
	if (request.redirect !== 'follow') return send(request);
	let next = new Request(request, ownProperties<RequestInit>({redirect: 'manual'}));
	for (let hops = 0; ; hops++) {
		const spare = isStream ? undefined : next.clone();
		const response = await send(next);
		const location = response.headers.get('location');
		if (location === null || ![301, 302, 303, 307, 308].includes(response.status)) return response;
		response.body?.cancel().catch(() => {});
		try {
			if (hops === mostHops) throw undefined;
			next = redirectOf(next, spare, new URL(location, next.url), response.status);
		} catch {
			// The words of a platform, which ky knows. A platform's own error would quote the address.
			throw new TypeError('fetch failed');
		}
	}
}

/** The request of the next hop. Throws where there is none: for a body that is gone, or an address that `Request` refuses. */
function redirectOf(
	{url, method, headers, body, signal}: Request,
	spare: Request | undefined,
	target: URL,
	status: number,
): Request {
	const becomesGet = status === 303 ? !['GET', 'HEAD'].includes(method) : status < 303 && method === 'POST';
	if (!target.protocol.startsWith('http') || (body && !spare && !becomesGet)) throw undefined;
	const kept = new Headers(headers);
	const isElsewhere = target.origin !== new URL(url).origin;
	for (const name of headers.keys()) {
		if ((becomesGet && name.startsWith('content-')) || (isElsewhere && credentials.test(name))) kept.delete(name);
	}
	const sent = becomesGet ? {} : {method, body: spare?.body ?? null, duplex: 'half'};
	return new Request(target, ownProperties<RequestInit>({...sent, headers: kept, redirect: 'manual', signal}));
}
