import {TokenNetworkError} from '../errors.ts';
import {ownProperties} from '../lib/own-properties.ts';
import {matches} from '../lib/read-options.ts';
import {withTimeout} from '../lib/with-timeout.ts';
import {type EndpointResponse, readEndpointResponse} from './endpoint-response.ts';

/** How a request is sent. */
export interface ExchangeOptions {
	/** Sends it. Undefined stands for the global `fetch`, as it is now. */
	readonly fetch?: ((...request: Parameters<typeof fetch>) => Promise<Response>) | undefined;
	/** Milliseconds, for the headers and the body of the answer. */
	readonly timeout: number;
}

/**
Sends one request to an authorization server and reads its answer, with one deadline for both, up to the last byte.

@param request The method and the origin, for messages.
@throws {TokenNetworkError} if there is no answer.
*/
export async function exchange(
	{fetch = globalThis.fetch, timeout}: ExchangeOptions,
	url: string,
	init: RequestInit,
	request: string,
): Promise<EndpointResponse> {
	const controller = new AbortController();
	// Followed, a 307 would carry the credentials to wherever it points.
	const sent = ownProperties<RequestInit>({...init, redirect: 'manual', signal: controller.signal});
	try {
		return await withTimeout(async () => readEndpointResponse(await fetch(url, sent)), timeout);
	} catch (error) {
		// The platform's own error is not attached: it may hold the request, its body, or a part of the answer.
		const platformCode = platformCodeOf(error);
		const [code, problem = 'no connection'] =
			error instanceof TokenNetworkError
				? (['timeout', `no answer within ${timeout} ms`] as const)
				: (['network', platformCode] as const);
		const retryable = !isPermission(platformCode);
		throw new TokenNetworkError(code, `${request}: ${problem}`, {platformCode, retryable});
	} finally {
		// Whatever is still under way has no reader any more.
		controller.abort();
	}
}

/** Deno's names for a permission that was not given. */
const isPermission = matches(/^(?:NotCapable|PermissionDenied)$/);

/** The codes of Node, undici, OpenSSL and Bun, and nothing that looks like a token. */
const isCode = matches(/^(?:E[A-Z]{3,20}|[A-Z\d]+(?:_[A-Z\d]+)+|(?:[A-Z][a-z]+){2,5})$/);

/** Finds what a platform calls a failure: in its error, or in a cause of that. */
function platformCodeOf(error: unknown, depth = 5): string | undefined {
	try {
		const {name, code, cause} = error as Readonly<Record<'name' | 'code' | 'cause', unknown>>;
		if (isPermission(name)) return name;
		if (isCode(code)) return code;
		return depth > 0 ? platformCodeOf(cause, depth - 1) : undefined;
	} catch {
		// There is no cause, or what was thrown does not let itself be read.
		return undefined;
	}
}
