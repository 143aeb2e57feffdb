import {type Answer, readAnswer} from './answer.ts';
import {formEncode} from './client-authentication.ts';
import {within} from './deadline.ts';
import {ConfigError, isRegrantError, type RegrantError, TokenNetworkError, TokenResponseError} from './errors.ts';
import {vschars} from './field.ts';
import {resolveOptions, type Settings, type TokenClient} from './options.ts';
import {own} from './own.ts';
import {prepare, type PreparedRequest} from './prepared-request.ts';
import {factsOf, type RefusalContext, refusalOf} from './refusal.ts';
import {RevokeTokenRequest} from './revocation-request.ts';
import {AuthTokenRequest, readRequest} from './token-request.ts';
import {readToken, type TokenSet} from './token-response.ts';

/** What came of a token request: a token, or an error, with which a new refresh token may come all the same. */
export type TokenOutcome =
	| {readonly token: TokenSet; readonly error: undefined; readonly rotated: undefined}
	| {
			readonly token: undefined;
			readonly error: RegrantError;
			readonly rotated: {readonly refresh_token: string} | undefined;
	  };

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
	const {token, error} = await askForToken(
		settings,
		await prepare(settings, readRequest(AuthTokenRequest, request, 'request')),
	);
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
	if (!revocationEndpoint) throw new ConfigError('revocationEndpoint is needed to revoke a token');
	const {answer, refusal} = await post(settings, revocationEndpoint, await prepare(settings, request));
	// RFC 7009 §2.2: 200, with a body that tells nothing. The seed's API answers 204.
	if (answer.isRedirect || (answer.status !== 200 && answer.status !== 204)) throw refusal;
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
	const {answer, refusal, context} = await post(settings, settings.tokenEndpoint, prepared, previous?.access_token);
	if (refusal) return {token: undefined, error: refusal, rotated: undefined};
	const outcome = readToken(answer.record, {
		...settings,
		issued_at,
		refresh_token: parameters.get('refresh_token'),
		scope: parameters.get('scope') ?? previous?.scope,
	});
	if (!('problem' in outcome)) return {token: outcome, error: undefined, rotated: undefined};
	const refresh_token = answer.record?.['refresh_token'];
	const rotated = typeof refresh_token === 'string' && vschars.test(refresh_token) ? {refresh_token} : undefined;
	return {
		token: undefined,
		error: new TokenResponseError(outcome.code, {...factsOf(answer, context), retryable: false}, outcome.problem),
		rotated,
	};
}

/** One POST and its answer, with one deadline for both, up to the last byte. */
async function post(
	settings: Settings,
	url: string,
	{parameters, headers}: PreparedRequest,
	accessToken?: string,
): Promise<{readonly answer: Answer; readonly refusal: RegrantError | undefined; readonly context: RefusalContext}> {
	const {fetch = globalThis.fetch, encoding, timeout} = settings;
	const isJson = encoding === 'json';
	headers.set('content-type', isJson ? 'application/json' : 'application/x-www-form-urlencoded');
	const controller = new AbortController();
	const init = own<RequestInit>({
		method: 'POST',
		headers,
		body: isJson ? JSON.stringify(Object.fromEntries(parameters)) : parameters.toString(),
		// Followed, a 307 would carry the credentials to wherever it points.
		redirect: 'manual',
		signal: controller.signal,
	});
	try {
		const exchange = async (): Promise<Answer> => readAnswer(await fetch(url, init));
		const answer = await within(exchange(), timeout, () => new TokenNetworkError('timeout'));
		const secrets = (): string[] =>
			secretsOf(settings, {parameters, headers}, [answer.record, {access_token: accessToken}]);
		const context = {parameters, secrets, now: settings.now()};
		return {answer, refusal: refusalOf(answer, context), context};
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

/**
How all begins that the server was told, or tells, and could repeat where it would show: as it is, and in the ways that bodies
and URLs spell it.
*/
function secretsOf(
	{clientAuthentication}: Settings,
	{parameters, headers}: PreparedRequest,
	records: readonly (Readonly<Record<string, unknown>> | undefined)[],
): string[] {
	const secrets = records.flatMap(record => [record?.['access_token'], record?.['refresh_token']]);
	secrets.push(headers.get('authorization')?.split(' ').pop());
	for (const [name, value] of parameters) {
		if (/(?:token|secret|assertion)$/.test(name)) secrets.push(value);
	}
	clientAuthentication.checkSecret?.(secret => secrets.push(secret));
	return secrets
		.filter((secret): secret is string => typeof secret === 'string' && secret !== '')
		.map(secret => secret.slice(0, 16))
		.flatMap(start => [
			start,
			JSON.stringify(start).slice(1, -1),
			formEncode(start),
			// Which fails for half a character.
			vschars.test(start) ? encodeURIComponent(start) : start,
		]);
}
