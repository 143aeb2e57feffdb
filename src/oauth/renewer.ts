import type {OAuthError, TokenResponseError} from '../errors.ts';
import type {Awaitable} from '../lib/awaitable.ts';
import {ownProperties} from '../lib/own-properties.ts';
import {aFunction, type Rules} from '../lib/read-options.ts';
import {withTimeout} from '../lib/with-timeout.ts';
import type {PreparedRenewal, Renewer, TokenSource} from '../token/renewer.ts';
import {readTokenSet} from '../token/token-response.ts';
import {checkClient, type Client, type TokenClient} from './client.ts';
import type {ErrorResponse} from './error-response.ts';
import {prepareTokenRequest, type RequestFields} from './prepared-request.ts';
import {sendRevocation, sendTokenRequest} from './token-endpoint.ts';
import {type GrantContext, readTokenRequest, type TokenRequest} from './token-request.ts';

/** How a session of an OAuth client gets its tokens, in addition to the client itself. */
export interface GrantOptions {
	/**
	How to get the first token, and a new one when the refresh token is rejected: a token request, or a function that returns one. A
	function is called for each grant, has `timeout` milliseconds, and must not use its own session. Without `clientAuthentication`, it is
	also called before a refresh or a sign-out that comes before the first grant, because those need the `client_secret` that it may return.

	@default none: tokens come only from `setToken`
	@example
	```ts
	grant: {grant_type: 'client_credentials', scope: null}
	```
	@see https://www.rfc-editor.org/rfc/rfc6749#section-4.4
	*/
	readonly grant?: TokenRequest | ((context: GrantContext) => Awaitable<TokenRequest>) | undefined;
	/**
	Decides whether an error means that the refresh token is no longer valid, for servers with error codes of their own. It gets every error
	that the server sent to a refresh, and has `timeout` milliseconds. If it fails, the default decides.

	@default `invalid_grant` and its synonyms
	*/
	readonly endsSession?: ((error: OAuthError | TokenResponseError) => Awaitable<boolean>) | undefined;
}

/** The rules of these options. */
export const grantRules: Rules = {
	grant: [
		grant => typeof grant === 'function' || typeof Object(grant).grant_type === 'string',
		'a token request, with its grant_type',
	],
	endsSession: aFunction,
};

/** The error with the code that the server sent, for a decision: a mask may hide it. However this is printed, the mask stays. */
const withCodeAsSent = ({error, code}: ErrorResponse): OAuthError | TokenResponseError =>
	error.code === 'oauth_error'
		? (Object.create(error, {error: {value: code}, toJSON: {value: () => error.toJSON()}}) as OAuthError)
		: error;

/** Error codes for a refresh token that will never work again, in addition to `invalid_grant` of RFC 6749 §5.2. */
const deadToken =
	/^(?:invalid_grant|bad_refresh_token|invalid_refresh_token|expired_token|(?:interaction|login|consent)_required)$/;

/**
Gets tokens from an authorization server, with the refresh token and with the client's grant.

@throws {ConfigError} if the grant cannot be used.
*/
export function oauthRenewer(
	client: Client,
	{grant, endsSession, clientAuthentication}: GrantOptions & Pick<TokenClient, 'clientAuthentication'>,
): Renewer {
	const only = typeof grant === 'object' ? (readTokenRequest(grant, 'grant') as RequestFields) : undefined;
	if (only) checkClient(client, only);
	/** The last request for a grant. */
	let asked = only;

	const askGrant = async (): Promise<RequestFields | undefined> => {
		if (typeof grant === 'function') {
			const {clientId, tokenEndpoint, issuer} = client;
			const request = await withTimeout(() => grant({clientId, tokenEndpoint, issuer}), client.timeout);
			asked = readTokenRequest(request, 'grant') as RequestFields;
		}
		return asked;
	};

	/** Adds the client secret from the body of a grant, because a refresh and a revocation need it too. */
	const withSecret = async <Request extends object>(request: Request): Promise<Request & RequestFields> => {
		// A client with another authentication has none, so its grant function is not called. If it fails, there may be no secret to add.
		const given = asked ?? (clientAuthentication ? undefined : await askGrant().catch(() => undefined));
		const {client_secret} = ownProperties(given);
		return {...request, client_secret};
	};

	const prepare: Renewer['prepare'] = async ({cause, refreshToken: refresh_token = ''}, token) => {
		const isRefresh = cause === 'refresh';
		const request = isRefresh ? await withSecret({grant_type: 'refresh_token', refresh_token}) : await askGrant();
		const prepared = await prepareTokenRequest(client, request);
		const refreshToken = prepared.parameters.get('refresh_token') ?? undefined;
		const send: PreparedRenewal['send'] = async () => {
			const outcome = await sendTokenRequest(client, prepared, isRefresh ? token : undefined);
			if (outcome.token) return outcome;
			const {error} = outcome;
			// If it fails, the default decides: the lock is held, and a new refresh token may be in the outcome.
			const isOver = await withTimeout(() => endsSession?.(withCodeAsSent(outcome)), client.timeout).catch(() => false);
			const isDead = isOver || (!error.retryable && deadToken.test(outcome.code));
			return {...outcome, isRejected: !!refreshToken && isDead};
		};
		return {refreshToken, send};
	};

	return {
		client: `${client.clientId} ${client.tokenEndpoint}`,
		canRestart: true,
		read: (record, issued_at, previous) => readTokenSet(record, {...client, issued_at, previous}),
		sources: token => {
			const refreshToken = ownProperties(token).refresh_token;
			const refresh: TokenSource[] = refreshToken ? [{cause: 'refresh', refreshToken}] : [];
			return grant
				? [...refresh, {cause: 'grant', refreshToken: only?.['refresh_token'] as string | undefined}]
				: refresh;
		},
		prepare,
		revoke: async ({refresh_token: token}) => {
			if (!token || !client.revocationEndpoint) return;
			await sendRevocation(client, await withSecret({token, token_type_hint: 'refresh_token'}));
		},
	};
}
