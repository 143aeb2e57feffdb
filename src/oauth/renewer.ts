import {OAuthError, TokenResponseError} from '../errors.ts';
import type {Awaitable} from '../lib/awaitable.ts';
import {ownProperties} from '../lib/own-properties.ts';
import {aFunction, type Rules} from '../lib/read-options.ts';
import {withTimeout} from '../lib/with-timeout.ts';
import type {PreparedRenewal, Renewer, TokenSource} from '../token/renewer.ts';
import {readTokenSet} from '../token/token-response.ts';
import type {TokenSet} from '../token/token-set.ts';
import {checkClient, type Client} from './client.ts';
import {prepareTokenRequest} from './prepared-request.ts';
import {sendRevocation, sendTokenRequest, type TokenOutcome} from './token-endpoint.ts';
import {type GrantContext, readTokenRequest, type TokenRequest} from './token-request.ts';

/** How a session of an OAuth client gets its tokens, beside the client itself. */
export interface GrantOptions {
	/**
	How a first token is got, and a new one when the refresh token has died: the request of a grant, or a function that gives one. A function
	is called for each grant, must answer within `timeout`, and must not use the session that it serves.

	@default none: a token comes from `setToken` alone
	@example
	```ts
	grant: {grant_type: 'client_credentials', scope: null}
	```
	@see https://www.rfc-editor.org/rfc/rfc6749#section-4.4
	*/
	readonly grant?: TokenRequest | ((context: GrantContext) => Awaitable<TokenRequest>) | undefined;
	/**
	Says whether an error means that the refresh token is dead, for servers that say so in words of their own. It sees every error of a
	refresh that the server answered.

	@default `invalid_grant` and its synonyms
	*/
	readonly endsSession?: ((error: OAuthError | TokenResponseError) => boolean) | undefined;
}

/** The rules of these options. */
export const grantRules: Rules = {
	grant: [
		grant => typeof grant === 'function' || typeof Object(grant).grant_type === 'string',
		'a token request, with its grant_type',
	],
	endsSession: aFunction,
};

/** What servers call a refresh token that will never work again, beside `invalid_grant` of RFC 6749 §5.2. */
const deadToken =
	/^(?:invalid_grant|bad_refresh_token|invalid_refresh_token|expired_token|(?:interaction|login|consent)_required)$/;

// A checked request has the fields of its grant type and nothing else, not even what objects inherit.
const fieldOf = (request: TokenRequest | undefined, name: string): string | undefined =>
	(request as Readonly<Record<string, string | undefined>> | undefined)?.[name];

type GrantFunction = (context: GrantContext) => Awaitable<TokenRequest>;

async function callGrant(grant: GrantFunction, client: Client): Promise<TokenRequest> {
	const {clientId, tokenEndpoint, issuer, timeout} = client;
	return readTokenRequest(await withTimeout(() => grant({clientId, tokenEndpoint, issuer}), timeout), 'grant');
}

/**
Gets tokens from an authorization server: with the refresh token, and with the client's grant.

@throws {ConfigError} if the grant is not usable.
*/
export function oauthRenewer(client: Client, options: GrantOptions): Renewer {
	const {grant, endsSession} = options;
	const request = typeof grant === 'object' ? readTokenRequest(grant, 'grant') : undefined;
	if (request) checkClient(client, request);
	/** The client secret that the grant has in its body: a refresh and a revocation need it too. */
	let secret = fieldOf(request, 'client_secret');
	// A function may have one as well. A client that proves itself in another way has none.
	let isSecretKnown = typeof grant !== 'function' || client.hasAuthentication;

	const askGrant = async (): Promise<TokenRequest> => {
		const asked = request ?? (await callGrant(grant as GrantFunction, client));
		secret = fieldOf(asked, 'client_secret');
		isSecretKnown = true;
		return asked;
	};

	const requestOf = async ({cause, refreshToken = ''}: TokenSource): Promise<TokenRequest> => {
		if (cause === 'grant') return askGrant();
		if (!isSecretKnown) await askGrant();
		return {
			grant_type: 'refresh_token',
			refresh_token: refreshToken,
			client_secret: secret,
		};
	};

	/** Whether the server will never accept again the refresh token that was sent. */
	const isRejected = ({error, code}: Exclude<TokenOutcome, {token: TokenSet}>): boolean => {
		const isAnswer = error instanceof OAuthError || error instanceof TokenResponseError;
		return isAnswer && (endsSession?.(error) || (!error.retryable && deadToken.test(code ?? '')));
	};

	const prepare: Renewer['prepare'] = async (source, token) => {
		const prepared = await prepareTokenRequest(client, await requestOf(source));
		const refreshToken = prepared.parameters.get('refresh_token') ?? undefined;
		const previous = source.cause === 'refresh' ? token : undefined;
		const send: PreparedRenewal['send'] = async () => {
			const outcome = ownProperties(await sendTokenRequest(client, prepared, previous));
			return outcome.token
				? outcome
				: ownProperties({
						...outcome,
						isRejected: !!refreshToken && isRejected(outcome),
					});
		};
		return {refreshToken, send};
	};

	return {
		client: `${client.clientId} ${client.tokenEndpoint}`,
		canRestart: true,
		read: (record, issued_at) => readTokenSet(record, {...client, issued_at}),
		sources: token => [
			...(token?.refresh_token ? [{cause: 'refresh', refreshToken: token.refresh_token} as const] : []),
			...(grant
				? [
						{
							cause: 'grant',
							refreshToken: fieldOf(request, 'refresh_token'),
						} as const,
					]
				: []),
		],
		prepare,
		revoke: async ({refresh_token}) => {
			if (!refresh_token || !client.revocationEndpoint) return;
			if (!isSecretKnown) await askGrant();
			const revocation = {
				token: refresh_token,
				token_type_hint: 'refresh_token',
				client_secret: secret,
			} as const;
			await sendRevocation(client, ownProperties(revocation));
		},
	};
}
