import {ConfigError} from '../errors.ts';
import {ownProperties} from '../lib/own-properties.ts';
import {withTimeout} from '../lib/with-timeout.ts';
import {checkClient, type Client, readParameters} from './client.ts';
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
	// The client's id is for its authentication to add.
	const {client_id, ...fields} = ownProperties(request as RequestFields & {readonly client_id?: string});
	const parameters = new URLSearchParams();
	const headers = new Headers(client.headers);
	appendParameters(parameters, fields);
	const given = String(parameters);
	const {length} = [...parameters];
	await withTimeout(() => clientAuthentication({...client, parameters, headers}), timeout);
	const client_secret = parameters.get('client_secret');
	checkClient(client, {client_id, client_secret});
	// RFC 6749 §2.3
	const proofs = [headers.get('authorization'), client_secret, parameters.get('client_assertion')].filter(Boolean);
	const isRepeated = [...parameters.keys()].slice(length).some(name => parameters.getAll(name).length > 1);
	if (proofs.length > 1 || isRepeated || !`${parameters}&`.startsWith(given && `${given}&`)) {
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
