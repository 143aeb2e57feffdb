import {TokenNetworkError} from '../errors.ts';
import {ownProperties, ownPropertiesWhere} from '../lib/own-properties.ts';
import {matches} from '../lib/read-options.ts';
import {withTimeout} from '../lib/with-timeout.ts';
import type {TokenClient} from './client.ts';
import {type EndpointResponse, readEndpointResponse} from './endpoint-response.ts';

/** How a request is sent. */
export interface ExchangeOptions {
	/** Sends it. Undefined stands for the global `fetch`, as it is now. */
	readonly fetch?: TokenClient['fetch'];
	/** The deadline for the headers and the body of the response, in milliseconds. */
	readonly timeout: number;
}

/**
Sends one request to an authorization server, and reads the response to its last byte, within one deadline.

@param request The method and the origin, for messages.
@throws {TokenNetworkError} if there is no response.
*/
export async function exchange(
	{fetch = globalThis.fetch, timeout}: ExchangeOptions,
	url: string,
	init: RequestInit,
	request: string,
): Promise<EndpointResponse> {
	const controller = new AbortController();
	// If redirects were followed, a 307 would send the credentials to wherever it points.
	const sent = ownProperties<RequestInit>({...init, redirect: 'manual', signal: controller.signal});
	try {
		return await withTimeout(async () => readEndpointResponse(await fetch(url, sent)), timeout);
	} catch (error) {
		// The platform's own error is not attached: it may hold the request, its body, or a part of the response.
		const platformCode = platformCodeOf(error);
		const isLate = error instanceof TokenNetworkError;
		const problem = isLate ? `no answer within ${timeout} ms` : (platformCode ?? 'no connection');
		const facts = ownPropertiesWhere({platformCode, retryable: !isPermission(platformCode)});
		throw new TokenNetworkError(isLate ? 'timeout' : 'network', `${request}: ${problem}`, facts);
	} finally {
		// Nobody reads what is still arriving.
		controller.abort();
	}
}

/** Deno's names for a missing permission. */
const isPermission = matches(/^(?:NotCapable|PermissionDenied)$/);

/** The codes of Node, undici, OpenSSL and Bun. A token does not look like one. */
const isCode = matches(/^(?:E[A-Z]{3,20}|[A-Z\d]+(?:_[A-Z\d]+)+|(?:[A-Z][a-z]+){2,5})$/);

/** Finds the platform's code of a failure, in its error or in a cause of that error. */
function platformCodeOf(error: unknown, depth = 5): string | undefined {
	try {
		const {name, code, cause} = error as Readonly<Record<'name' | 'code' | 'cause', unknown>>;
		if (isPermission(name)) return name;
		if (isCode(code)) return code;
		return depth > 0 ? platformCodeOf(cause, depth - 1) : undefined;
	} catch {
		// There is no cause, or reading the thrown value throws.
		return undefined;
	}
}
