import {isRegrantError, type RegrantError, TokenNetworkError} from '../errors.ts';
import {ownProperties} from '../lib/own-properties.ts';
import {withTimeout} from '../lib/with-timeout.ts';
import {type EndpointResponse, readEndpointResponse} from './endpoint-response.ts';

/** How a request is sent. */
export interface ExchangeOptions {
	/** Sends it. Undefined stands for the global `fetch`, as it is now. */
	readonly fetch?: typeof fetch | undefined;
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
	const sent = ownProperties<RequestInit>({
		...init,
		// Followed, a 307 would carry the credentials to wherever it points.
		redirect: 'manual',
		signal: controller.signal,
	});
	try {
		return await withTimeout(async () => readEndpointResponse(await fetch(url, sent)), timeout);
	} catch (error) {
		if (isRegrantError(error)) throw new TokenNetworkError('timeout', `${request}: no answer within ${timeout} ms`);
		throw networkError(error, request);
	} finally {
		// Whatever is still under way has no reader any more.
		controller.abort();
	}
}

/** The platform's own error is not attached: it may hold the request, its body, or a part of the answer. */
function networkError(error: unknown, request: string): RegrantError {
	let platformCode: string | undefined;
	let isPermitted = true;
	for (let cause = error, depth = 0; cause && depth < 5; cause = (Object(cause) as Error).cause, depth++) {
		const {code, name} = Object(cause) as {readonly code?: unknown; readonly name?: unknown};
		// Deno's own, for a permission that was not given.
		if (name === 'NotCapable' || name === 'PermissionDenied') [isPermitted, platformCode] = [false, name];
		else if (typeof code === 'string' && /^(?:E[A-Z]{3,20}|[A-Z\d]+(?:_[A-Z\d]+)+|(?:[A-Z][a-z]+){2,5})$/.test(code))
			platformCode ??= code;
	}
	return new TokenNetworkError('network', `${request}: ${platformCode ?? 'no connection'}`, {
		platformCode,
		retryable: isPermitted,
	});
}
