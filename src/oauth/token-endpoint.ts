import {ConfigError, TokenResponseError} from '../errors.ts';
import {ownProperties} from '../lib/own-properties.ts';
import {readToken} from '../token/token-response.ts';
import type {TokenSet} from '../token/token-set.ts';
import {type Client, readClient, type TokenClient} from './client.ts';
import type {EndpointResponse} from './endpoint-response.ts';
import {type ErrorResponse, errorResponse, type ResponseMetadata, responseMetadata} from './error-response.ts';
import {exchange} from './exchange.ts';
import {vschars} from './pattern-schema.ts';
import {prepare, type PreparedRequest, prepareTokenRequest} from './prepared-request.ts';
import {RevokeTokenRequest} from './revocation-request.ts';
import {readRequest, readTokenRequest, type TokenRequest} from './token-request.ts';

/** What came of a token request. */
export type TokenOutcome =
	| {readonly token: TokenSet; readonly error?: undefined}
	| (ErrorResponse & {
			readonly token?: undefined;
			/** A new refresh token that came all the same: the server has rotated the old one. */
			readonly refreshToken?: string | undefined;
	  });

/**
Makes one token request and keeps no session.

@returns The token. Its refresh token is the one that was sent, if the answer has none.
@throws {ConfigError} before anything is sent. Correct the option or the field that the message names.
@throws {OAuthError} if the server refuses.
@throws {TokenResponseError} if its answer is not usable.
@throws {TokenNetworkError} if it does not answer within `timeout`. Try again later.
@example
```ts
const token = await requestToken(client, {grant_type: 'authorization_code', code, redirect_uri, code_verifier});
await auth.setToken(token);
```
@see https://www.rfc-editor.org/rfc/rfc6749#section-3.2
*/
export async function requestToken(client: TokenClient, request: TokenRequest): Promise<TokenSet> {
	const checked = readClient(client);
	const prepared = await prepareTokenRequest(checked, readTokenRequest(request, 'request'));
	const {token, error} = ownProperties(await sendTokenRequest(checked, prepared));
	if (error) throw error;
	return {...token};
}

/**
Revokes a token. A token that the server does not know counts as revoked.

@throws {ConfigError} before anything is sent, also without a `revocationEndpoint`.
@throws {OAuthError} if the server refuses.
@throws {TokenResponseError} if its answer is not usable.
@throws {TokenNetworkError} if it does not answer within `timeout`. Try again later.
@see https://www.rfc-editor.org/rfc/rfc7009#section-2
*/
export async function revokeToken(client: TokenClient, request: RevokeTokenRequest): Promise<void> {
	await sendRevocation(readClient(client), readRequest(RevokeTokenRequest, request, 'request'));
}

/** Revokes a token, with options and a request that are checked already. */
export async function sendRevocation(client: Client, request: RevokeTokenRequest): Promise<void> {
	const {revocationEndpoint} = client;
	if (!revocationEndpoint) throw new ConfigError('revocationEndpoint is required');
	const prepared = await prepare(client, request);
	const {status, parseError, failure} = await post(client, revocationEndpoint, prepared, 'revocationEndpoint');
	// RFC 7009 §2.2: the status alone counts, and the body says nothing.
	if (failure && (parseError === 'unexpected_redirect' || status < 200 || status >= 300)) throw failure.error;
}

/** Sends a token request. `previous` is the token that it renews. */
export async function sendTokenRequest(
	client: Client,
	prepared: PreparedRequest,
	previous?: TokenSet,
): Promise<TokenOutcome> {
	const {parameters} = prepared;
	// Taken before sending, so a slow answer makes the token expire early, never late: RFC 6749 §5.1.
	const issued_at = Math.floor(client.now() / 1000);
	const {record, failure, metadata, request} = await post(
		client,
		client.tokenEndpoint,
		prepared,
		'tokenEndpoint',
		previous?.access_token,
	);
	const known = {
		...previous,
		refresh_token: parameters.get('refresh_token') ?? undefined,
		scope: parameters.get('scope') ?? previous?.scope,
	};
	const read = failure
		? undefined
		: readToken(record, {...client, issued_at, previous: ownProperties(known as TokenSet)});
	if (read?.token) return {token: read.token};
	const refresh_token = record?.['refresh_token'];
	const isRotated = metadata.status < 300 && typeof refresh_token === 'string' && vschars.test(refresh_token);
	const refreshToken = isRotated ? refresh_token : undefined;
	if (!read) return {...(failure as ErrorResponse), refreshToken}; // as there is nothing to read after a failure
	const message = `${request} answered ${metadata.status}: ${read.problem}`;
	return {error: new TokenResponseError(read.code, metadata, message), refreshToken};
}

/** What is known when an answer has come. */
export interface Exchange extends EndpointResponse {
	readonly metadata: ResponseMetadata;
	readonly failure: ErrorResponse | undefined;
	/** The method and the origin, for messages. */
	readonly request: string;
}

/**
Sends a prepared request to one of the server's endpoints, and sends it once more if the scheme asks for that.

@param option The option that has the endpoint, for messages.
*/
export async function post(
	client: Client,
	url: string,
	prepared: PreparedRequest,
	option: string,
	accessToken?: string,
): Promise<Exchange> {
	const {scheme, clientAuthentication, encoding, now} = client;
	const isJson = encoding === 'json';
	const request = `POST ${new URL(url).origin}`;
	let isResent = false;
	let current = prepared;
	for (;;) {
		const {parameters, headers} = current;
		headers.set('content-type', isJson ? 'application/json' : 'application/x-www-form-urlencoded');
		const sent = {url, method: 'POST', headers};
		await scheme?.apply(sent, undefined);
		const body = isJson ? toJson(parameters) : parameters.toString();
		const answer = await exchange(client, url, {method: 'POST', headers, body}, request);
		const {access_token, refresh_token, error} = ownProperties(answer.record);
		const review = {status: answer.status, headers: answer.headers, error: String(error)};
		if ((await scheme?.review?.(review, sent, undefined)) === 'resend' && !isResent) {
			isResent = true;
			current = await prepared.again();
			continue;
		}
		const secrets: unknown[] = [
			accessToken,
			access_token,
			refresh_token,
			headers.get('authorization')?.split(' ').pop(),
		];
		for (const [name, value] of parameters)
			if (/(?:token|secret|assertion|code|verifier)$/.test(name)) secrets.push(value);
		ownProperties(clientAuthentication).checkSecret?.(secret => secrets.push(secret));
		const metadata = responseMetadata(answer, secrets, now());
		return {
			...answer,
			metadata,
			request,
			failure: errorResponse(client, answer, metadata, {request, option, parameters, secrets}),
		};
	}
}

/** A name that is repeated becomes a list. */
function toJson(parameters: URLSearchParams): string {
	const names = [...new Set(parameters.keys())];
	const valueOf = (name: string): string | string[] => {
		const values = parameters.getAll(name);
		return values.length > 1 ? values : (values[0] ?? '');
	};
	return JSON.stringify(ownProperties(Object.fromEntries(names.map(name => [name, valueOf(name)]))));
}
