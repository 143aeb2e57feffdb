import {ConfigError} from '../errors.ts';
import {withTimeout} from '../lib/with-timeout.ts';
import {checkClient, checkSecret, type Client, readParameters} from './client.ts';
import type {RevokeTokenRequest} from './revocation-request.ts';
import type {TokenRequest} from './token-request.ts';

/** The fields of a request. A list gives its name once for each item. */
export type RequestFields = Readonly<Record<string, string | readonly string[] | null | undefined>>;

/** A request to the token or the revocation endpoint, ready to be sent. */
export interface PreparedRequest {
	/** What its body says. */
	readonly parameters: URLSearchParams;
	/** All headers but the content type. */
	readonly headers: Headers;
	/** Prepares the same request once more: a server takes an assertion of the client once. */
	again(): Promise<PreparedRequest>;
}

/**
Turns a checked token request into parameters and headers, with the client's further parameters and its authentication. This runs the
user's own code, so it comes before any lock.

@throws {ConfigError} if the authentication does not fit the request.
@throws {TokenNetworkError} if the user's code takes longer than `timeout`.
*/
export async function prepareTokenRequest(
	client: Client,
	request: TokenRequest | RequestFields | undefined,
): Promise<PreparedRequest> {
	const {parameters, timeout} = client;
	const further =
		typeof parameters === 'function' ? readParameters(await withTimeout(parameters, timeout)) : parameters;
	return prepare(client, {...further, ...request});
}

/** Does the same for a revocation, which has no further parameters. */
export async function prepare(client: Client, request: RevokeTokenRequest | RequestFields): Promise<PreparedRequest> {
	const {clientAuthentication, timeout} = client;
	checkClient(client, request);
	const parameters = new URLSearchParams();
	const headers = new Headers(client.headers);
	// The client's id is for its authentication to add.
	appendParameters(parameters, {...request, client_id: undefined});
	const given = String(parameters);
	const repeats = countRepeats(parameters);
	await withTimeout(() => clientAuthentication({...client, parameters, headers}), timeout);
	const secret = parameters.get('client_secret');
	checkSecret(client, secret);
	// RFC 6749 §2.3
	const proofs = [headers.get('authorization'), secret, parameters.get('client_assertion')].filter(Boolean);
	if (proofs.length > 1 || countRepeats(parameters) > repeats || !`${parameters}&`.startsWith(given && `${given}&`)) {
		throw new ConfigError('clientAuthentication must add one proof and change no parameter');
	}
	return {parameters, headers, again: () => prepare(client, request)};
}

/** Appends fields to parameters. One without a value counts as left out: RFC 6749 §3.2. */
export function appendParameters(parameters: URLSearchParams, fields: RequestFields): void {
	for (const [name, value] of Object.entries(fields)) {
		for (const item of [value ?? ''].flat()) if (item) parameters.append(name, item);
	}
}

const countRepeats = (parameters: URLSearchParams): number => {
	const names = [...parameters.keys()];
	return names.length - new Set(names).size;
};
