import {ConfigError} from '../errors.ts';
import {ownProperties} from '../lib/own-properties.ts';
import {isText} from '../lib/read-options.ts';
import {readToken} from '../token/token-response.ts';
import type {TokenSet} from '../token/token-set.ts';
import {type Client, readClient, type TokenClient} from './client.ts';
import type {EndpointResponse} from './endpoint-response.ts';
import {type ErrorResponse, type ReviewedResponse, reviewResponse} from './error-response.ts';
import {exchange} from './exchange.ts';
import {prepare, type PreparedRequest, prepareTokenRequest} from './prepared-request.ts';
import {type RevokeTokenRequest, revocationFields} from './revocation-request.ts';
import {readFields, readTokenRequest, type TokenRequest} from './token-request.ts';

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
	const {token, error} = await sendTokenRequest(checked, prepared);
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
	await sendRevocation(readClient(client), readFields(request, 'request', revocationFields, ['token']));
}

/** Revokes a token, with options and a request that are checked already. */
export async function sendRevocation(client: Client, request: RevokeTokenRequest): Promise<void> {
	const {revocationEndpoint} = client;
	if (!revocationEndpoint) throw new ConfigError('revocationEndpoint is required');
	const prepared = await prepare(client, request);
	const {ok, parseError, failure} = await post(client, revocationEndpoint, prepared, 'revocationEndpoint');
	// RFC 7009 §2.2: the status alone counts, and the body says nothing.
	if (failure && (parseError === 'unexpected_redirect' || !ok)) throw failure.error;
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
	const answer = await post(client, client.tokenEndpoint, prepared, 'tokenEndpoint', previous?.access_token);
	const {ok, record, unusable} = answer;
	let failure = answer.failure;
	if (!failure) {
		const {refresh_token, scope = ownProperties(previous).scope} = ownProperties(Object.fromEntries(parameters));
		const known = {...previous, refresh_token, scope} as TokenSet; // as far as anything is known
		const {token, code, problem} = readToken(record, {...client, issued_at, previous: known});
		if (token) return ownProperties({token});
		failure = unusable(code, problem);
	}
	const refresh_token = record?.['refresh_token'];
	return ownProperties({
		...failure,
		refreshToken: ok && isText(refresh_token) ? refresh_token : undefined,
	});
}

/** What is known when an answer has come. */
export interface Exchange extends EndpointResponse, ReviewedResponse {
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
	const {scheme, encoding} = client;
	const isJson = encoding === 'json';
	const request = `POST ${new URL(url).origin}`;
	let current = prepared;
	for (let isResent = false; ; isResent = true) {
		const {parameters, headers} = current;
		const sent = {url, method: 'POST', headers};
		await scheme?.apply(sent, undefined);
		headers.set('content-type', isJson ? 'application/json' : 'application/x-www-form-urlencoded');
		const body = isJson ? toJson(parameters) : String(parameters);
		const answer = await exchange(client, url, {method: 'POST', headers, body}, request);
		const review = {...answer, error: String(ownProperties(answer.record)['error'])};
		if ((await scheme?.review?.(review, sent, undefined)) === 'resend' && !isResent) {
			current = await current.again();
			continue;
		}
		const context = {request, option, parameters, headers, accessToken};
		return {...answer, ...reviewResponse(client, answer, context), request};
	}
}

/** A name that is repeated becomes a list. */
function toJson(parameters: URLSearchParams): string {
	const record = ownProperties<Record<string, unknown>>({});
	for (const [name, value] of parameters) record[name] = name in record ? [record[name], value].flat() : value;
	return JSON.stringify(record);
}
