import {ConfigError} from '../errors.ts';
import {ownProperties} from '../lib/own-properties.ts';
import {isString} from '../lib/read-options.ts';
import {withTimeout} from '../lib/with-timeout.ts';
import {checkClient, type Client, readParameters} from './client.ts';
import type {Exchange} from './error-response.ts';
import {exchange} from './exchange.ts';
import type {RevokeTokenRequest} from './revocation-request.ts';
import type {TokenRequest} from './token-request.ts';

/** The fields of a request. A list repeats its name for each item. */
export type RequestFields = Readonly<Record<string, string | readonly string[] | null | undefined>>;

/** The options that name an endpoint which takes the client's authentication. */
export type EndpointOption = 'tokenEndpoint' | 'revocationEndpoint' | 'deviceAuthorizationEndpoint';

/** A request to one of the server's endpoints, which can be sent once. */
export interface PreparedRequest {
	/** The parameters in its body. */
	readonly parameters: URLSearchParams;
	/**
	Sends it, and resends it once if the scheme asks for that. Then it is prepared again, because a server accepts a client's assertion only
	once.

	@throws {TokenNetworkError} if there is no response, or if the user's code takes longer than `timeout`.
	*/
	send(isResent?: boolean): Promise<Exchange>;
}

/**
Turns a checked token request into parameters and headers, with the client's further parameters and its authentication. This runs the user's
code, so it happens before any lock is taken.

@throws {ConfigError} if the authentication does not fit the request.
@throws {TokenNetworkError} if the user's code takes longer than `timeout`.
*/
export async function prepareTokenRequest(
	client: Client,
	request: TokenRequest | RequestFields | undefined,
): Promise<PreparedRequest> {
	const {parameters} = client;
	const further =
		typeof parameters === 'function' ? readParameters(await withTimeout(parameters, client.timeout)) : parameters;
	return prepare(client, 'tokenEndpoint', {...further, ...request});
}

/**
Does the same for any endpoint, without further parameters.

@throws {ConfigError} if the client has no such endpoint.
*/
export async function prepare(
	client: Client,
	option: EndpointOption,
	request: RevokeTokenRequest | RequestFields,
): Promise<PreparedRequest> {
	const {clientAuthentication, scheme, [option]: endpoint} = client;
	if (!endpoint) throw new ConfigError(`${option} is required`);
	// The client's id is for its authentication to add.
	const {client_id, ...fields} = ownProperties(request as RequestFields & {readonly client_id?: string});
	const parameters = new URLSearchParams();
	const headers = new Headers(client.headers);
	appendParameters(parameters, fields);
	const given = String(parameters);
	const {length} = [...parameters];
	await withTimeout(() => clientAuthentication({...client, parameters, headers}), client.timeout);
	const client_secret = parameters.get('client_secret');
	checkClient(client, {client_id, client_secret});
	// RFC 6749 §2.3
	const proofs = [headers.get('authorization'), client_secret, parameters.get('client_assertion')].filter(Boolean);
	const isRepeated = [...parameters.keys()].slice(length).some(name => parameters.getAll(name).length > 1);
	if (proofs.length > 1 || isRepeated || !`${parameters}&`.startsWith(given && `${given}&`)) {
		throw new ConfigError('clientAuthentication must add one proof and change no parameter');
	}

	const send: PreparedRequest['send'] = async isResent => {
		const url = String(endpoint);
		const sent = {url, method: 'POST', headers};
		await withTimeout(() => scheme?.apply(sent, undefined), client.timeout);
		const isJson = client.encoding === 'json';
		headers.set('content-type', isJson ? 'application/json' : 'application/x-www-form-urlencoded');
		const body = isJson ? toJson(parameters, fields) : String(parameters);
		const name = `POST ${new URL(url).origin}`;
		const answer = await exchange(client, url, {method: 'POST', headers, body}, name);
		const {error} = ownProperties(answer.record);
		const review = {...answer, error: isString(error) ? error : undefined};
		// If it fails, the answer still counts, because a new refresh token may be in it.
		const next = await withTimeout(() => scheme?.review?.(review, sent, undefined), client.timeout).catch(() => {});
		if (next === 'resend' && !isResent) return (await prepare(client, option, request)).send(true);
		return {...answer, request: name, option, parameters, proof: headers.get('authorization')};
	};
	return {parameters, send};
}

/** A list stays one, also if it has one item. Only a list repeats its name. */
function toJson(parameters: URLSearchParams, fields: RequestFields): string {
	const record = ownProperties<Record<string, unknown>>({});
	for (const [name, value] of parameters) record[name] = Array.isArray(fields[name]) ? parameters.getAll(name) : value;
	return JSON.stringify(record);
}

/** Appends fields to parameters. A field without a value counts as left out: RFC 6749 §3.2. */
export function appendParameters(parameters: URLSearchParams, fields: RequestFields): void {
	for (const [name, value] of Object.entries(fields)) {
		for (const item of [value ?? ''].flat()) if (item) parameters.append(name, item);
	}
}
