import {ownProperties} from '../lib/own-properties.ts';
import {isText} from '../lib/read-options.ts';
import {readToken} from '../token/token-response.ts';
import type {TokenSet} from '../token/token-set.ts';
import {type Client, readClient, type TokenClient} from './client.ts';
import {type ErrorResponse, errorResponse} from './error-response.ts';
import {prepare, type PreparedRequest, prepareTokenRequest} from './prepared-request.ts';
import {type RevokeTokenRequest, revocationFields} from './revocation-request.ts';
import {readFields, readTokenRequest, type TokenRequest} from './token-request.ts';

/** The outcome of a token request. */
export type TokenOutcome =
	| {readonly token: TokenSet; readonly error?: undefined}
	| (ErrorResponse & {
			readonly token?: undefined;
			/** A new refresh token in an otherwise unusable response: the server has rotated the old one. */
			readonly refreshToken?: string | undefined;
	  });

/**
Makes one token request, without a session.

@returns The token. If the response has no refresh token, it keeps the one that was sent.
@throws {ConfigError} if an option or a field cannot be used. Nothing was sent. Correct what the message names.
@throws {OAuthError} if the server rejects the request.
@throws {TokenResponseError} if the response cannot be used.
@throws {TokenNetworkError} if the server does not answer within `timeout`. Try again later.
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
Revokes a token. An unknown token counts as revoked.

@throws {ConfigError} if an option or a field cannot be used, or if there is no `revocationEndpoint`. Nothing was sent.
@throws {OAuthError} if the server rejects the request.
@throws {TokenResponseError} if the response cannot be used.
@throws {TokenNetworkError} if the server does not answer within `timeout`. Try again later.
@example
```ts
import {requestToken, revokeToken} from 'regrant';

const {access_token} = await requestToken(client, grant);
await revokeToken(client, {token: access_token, token_type_hint: 'access_token'});
```
@see https://www.rfc-editor.org/rfc/rfc7009#section-2
*/
export async function revokeToken(client: TokenClient, request: RevokeTokenRequest): Promise<void> {
	await sendRevocation(readClient(client), readFields(request, 'request', revocationFields, ['token']));
}

/** Revokes a token, with checked options and a checked request. */
export async function sendRevocation(client: Client, request: RevokeTokenRequest): Promise<void> {
	const prepared = await prepare(client, 'revocationEndpoint', request);
	const answer = await prepared.send();
	// RFC 7009 §2.2: only the status counts, and the body means nothing.
	if (!answer.ok) throw errorResponse(client, answer)?.error;
}

/** Sends a token request. `previous` is the token that is renewed. */
export async function sendTokenRequest(
	client: Client,
	prepared: PreparedRequest,
	previous?: TokenSet,
): Promise<TokenOutcome> {
	// Taken before sending, so that a slow response makes the token expire early, and never late: RFC 6749 §5.1.
	const issued_at = Math.floor(client.now() / 1000);
	const answer = await prepared.send();
	const {record, parameters} = answer;
	// What the response leaves out is as it was requested.
	const refresh_token = parameters.get('refresh_token');
	const scope = parameters.get('scope') ?? ownProperties(previous).scope;
	const known = {...previous, refresh_token, scope} as TokenSet; // as far as it is known
	const read = readToken(record, {...client, issued_at, previous: known});
	const failure = errorResponse(client, answer, read, previous?.access_token);
	if (read.token && !failure) return read;
	const rotated = record?.['refresh_token'];
	return {
		...(failure as ErrorResponse), // there is one, since there is no token
		token: undefined,
		refreshToken: answer.ok && isText(rotated) ? rotated : undefined,
	};
}
