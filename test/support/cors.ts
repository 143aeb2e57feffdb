import {type CapturedRequest, type Handler, type Reply, toReply} from './serve.ts';

const granted = [
	['access-control-allow-origin', '*'],
	['access-control-expose-headers', 'WWW-Authenticate, Retry-After, X-Retry-In, DPoP-Nonce'],
] as const;

/**
Lets every origin read an answer. Headers that the answer already has stay as they are, so that a test can hide `WWW-Authenticate` with an
empty `access-control-expose-headers`.
*/
export function withCors(reply: Reply): Reply {
	const headers = reply.headers ?? [];
	const names = new Set(headers.map(([name]) => name.toLowerCase()));
	return {...reply, headers: [...headers, ...granted.filter(([name]) => !names.has(name))]};
}

/** Wraps a handler so that pages of every origin may call it. Preflights are answered here, and never reach the handler. */
export function allowEveryOrigin(handler: Handler): Handler {
	return async (request, captured) => {
		if (isPreflight(captured)) return preflight(captured.headers);
		return withCors(toReply(await handler(request, captured)));
	};
}

/** An OPTIONS request without this header is an ordinary request. */
function isPreflight({method, headers}: CapturedRequest): boolean {
	return method === 'OPTIONS' && 'access-control-request-method' in headers;
}

function preflight(headers: Readonly<Record<string, string>>): Reply {
	return {
		status: 204,
		headers: [
			['access-control-allow-origin', '*'],
			['access-control-allow-methods', headers['access-control-request-method'] ?? '*'],
			['access-control-allow-headers', headers['access-control-request-headers'] ?? '*'],
			['access-control-max-age', '600'],
		],
	};
}
