import {type EndpointResponse, readEndpointResponse} from './endpoint-response.ts';
import {formEncode} from './client-authentication.ts';
import {withTimeout} from '../lib/with-timeout.ts';
import {ConfigError, isRegrantError, type RegrantError, TokenNetworkError, TokenResponseError} from '../errors.ts';
import {vschars} from './pattern-schema.ts';
import {resolveOptions, type Settings, type TokenClient} from './options.ts';
import {ownProperties} from '../lib/own-properties.ts';
import {prepare, type PreparedRequest} from './prepared-request.ts';
import {type ResponseMetadata, responseMetadata, errorResponse} from './error-response.ts';
import {RevokeTokenRequest} from './revocation-request.ts';
import {AuthTokenRequest, readRequest} from './token-request.ts';
import {readToken, type TokenSet} from '../token/token-response.ts';

/**
What came of a token request: a token, or an error. With that a new refresh token may come all the same, which is then all
that the token has.
*/
export type TokenOutcome =
	| {readonly token: TokenSet; readonly error: undefined}
	| {readonly token: Pick<TokenSet, 'refresh_token'> | undefined; readonly error: RegrantError};

/**
Makes one token request and keeps no session.

@throws {ConfigError} before any I/O.
@throws {OAuthError} where the server refuses.
@throws {TokenResponseError} where its answer is not usable.
@throws {TokenNetworkError} where it does not answer within `timeout`.
@see https://www.rfc-editor.org/rfc/rfc6749#section-3.2
*/
export async function requestToken(client: TokenClient, request: AuthTokenRequest): Promise<TokenSet> {
	const settings = resolveOptions(client);
	const checked = readRequest(AuthTokenRequest, request, 'request');
	const {token, error} = await askForToken(settings, await prepare(settings, checked));
	if (error) throw error;
	return {...token};
}

/**
Revokes a token. Where the server does not know it, there is nothing left to revoke, and all is well.

@throws {ConfigError} before any I/O, also without a `revocationEndpoint`.
@throws {OAuthError} where the server refuses.
@throws {TokenResponseError} where its answer is not usable.
@throws {TokenNetworkError} where it does not answer within `timeout`.
@see https://www.rfc-editor.org/rfc/rfc7009#section-2
*/
export async function revokeToken(client: TokenClient, request: RevokeTokenRequest): Promise<void> {
	await revoke(resolveOptions(client), readRequest(RevokeTokenRequest, request, 'request'));
}

/** Revokes a token with options and a request that are checked already. */
export async function revoke(settings: Settings, request: RevokeTokenRequest): Promise<void> {
	const {revocationEndpoint} = settings;
	if (!revocationEndpoint) throw new ConfigError('revocationEndpoint is required');
	const {status, parseError, refusal} = await post(settings, revocationEndpoint, await prepare(settings, request));
	// RFC 7009 §2.2: 200, with a body that tells nothing. The seed's API answers 204.
	if (parseError === 'unexpected_redirect' || (status !== 200 && status !== 204)) throw refusal;
}

/** Sends a token request. `previous` is the token that it renews. */
export async function askForToken(
	settings: Settings,
	prepared: PreparedRequest,
	previous?: TokenSet,
): Promise<TokenOutcome> {
	const {parameters} = prepared;
	// Of before the request, so that a slow answer makes the token older and not younger: RFC 6749 §5.1.
	const issued_at = Math.floor(settings.now() / 1000);
	const {record, refusal, facts} = await post(settings, settings.tokenEndpoint, prepared, previous?.access_token);
	if (refusal) return {token: undefined, error: refusal};
	const token = readToken(record, {
		...settings,
		issued_at,
		refresh_token: parameters.get('refresh_token'),
		scope: parameters.get('scope') ?? previous?.scope,
	});
	if (!('problem' in token)) return {token, error: undefined};
	const refresh_token = record?.['refresh_token'];
	return {
		token: typeof refresh_token === 'string' && vschars.test(refresh_token) ? {refresh_token} : undefined,
		error: new TokenResponseError(token.code, facts, token.problem),
	};
}

/** What is known when an answer has come. */
interface Exchange extends EndpointResponse {
	readonly facts: ResponseMetadata;
	readonly refusal: RegrantError | undefined;
}

/** One POST and its answer, with one deadline for both, up to the last byte. */
async function post(
	settings: Settings,
	url: string,
	{parameters, headers}: PreparedRequest,
	accessToken?: string,
): Promise<Exchange> {
	const {fetch = globalThis.fetch, encoding, timeout} = settings;
	const isJson = encoding === 'json';
	headers.set('content-type', isJson ? 'application/json' : 'application/x-www-form-urlencoded');
	const controller = new AbortController();
	const init = ownProperties<RequestInit>({
		method: 'POST',
		headers,
		body: isJson ? JSON.stringify(ownProperties(Object.fromEntries(parameters))) : parameters.toString(),
		// Followed, a 307 would carry the credentials to wherever it points.
		redirect: 'manual',
		signal: controller.signal,
	});
	try {
		const answer = await withTimeout(async () => readEndpointResponse(await fetch(url, init)), timeout);
		const {access_token, refresh_token} = ownProperties(answer.record);
		const secrets = spellings([accessToken, access_token, refresh_token, ...secretsOf(settings, parameters, headers)]);
		const facts = responseMetadata(answer, secrets, settings.now());
		return {...answer, facts, refusal: errorResponse(answer, facts, parameters, secrets)};
	} catch (error) {
		if (isRegrantError(error)) throw error;
		// The error of a `fetch` that is not the platform's may hold the request; the platform's may quote the URL's query.
		const isSafe = error instanceof TypeError && !settings.fetch && !url.includes('?');
		throw new TokenNetworkError('network', isSafe ? {cause: error} : undefined);
	} finally {
		// Whatever is still under way has no reader any more.
		controller.abort();
	}
}

/** What the server was told that must not show. */
function secretsOf({clientAuthentication}: Settings, parameters: URLSearchParams, headers: Headers): unknown[] {
	const secrets: unknown[] = [headers.get('authorization')?.split(' ').pop()];
	for (const [name, value] of parameters) if (/(?:token|secret|assertion)$/.test(name)) secrets.push(value);
	ownProperties(clientAuthentication).checkSecret?.(secret => secrets.push(secret));
	return secrets;
}

/** How secrets begin where a server repeats them: as they are, and in the ways that bodies and URLs spell them. */
function spellings(secrets: readonly unknown[]): string[] {
	return secrets.flatMap(secret => {
		if (typeof secret !== 'string' || !secret) return [];
		const start = secret.slice(0, 16);
		// The last one fails for half a character.
		const inUrl = vschars.test(start) ? encodeURIComponent(start) : start;
		return [start, JSON.stringify(start).slice(1, -1), formEncode(start), inUrl];
	});
}
