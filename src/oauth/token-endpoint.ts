import {ownProperties} from '../lib/own-properties.ts';
import {isText} from '../lib/read-options.ts';
import {readToken} from '../token/token-response.ts';
import type {TokenSet} from '../token/token-set.ts';
import {type Client, readClient, type TokenClient} from './client.ts';
import {type ErrorResponse, errorResponse} from './error-response.ts';
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
	const prepared = await prepare(client, 'revocationEndpoint', request);
	const answer = await prepared.send();
	// RFC 7009 §2.2: the status alone counts, and the body says nothing.
	if (!answer.ok) throw errorResponse(client, answer)?.error;
}

/** Sends a token request. `previous` is the token that it renews. */
export async function sendTokenRequest(
	client: Client,
	prepared: PreparedRequest,
	previous?: TokenSet,
): Promise<TokenOutcome> {
	// Taken before sending, so a slow answer makes the token expire early, never late: RFC 6749 §5.1.
	const issued_at = Math.floor(client.now() / 1000);
	const answer = await prepared.send();
	const {record, parameters} = answer;
	// What the answer leaves out is as it was asked for.
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
