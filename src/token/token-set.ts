/**
An access token, and what is known about it: the result of `getToken`. The refresh token stays in the session.

@see https://www.rfc-editor.org/rfc/rfc6749#section-5.1
*/
export interface AccessToken {
	/** The token that is sent to the API. */
	readonly access_token: string;
	/** The type that the server sent, or `Bearer` if it sent none. */
	readonly token_type: string;
	/** The granted scopes, separated by spaces. Left out if there are none, or if they are not known. */
	readonly scope?: string;
	/** When the token expires: Unix time in seconds. Left out if that is not known. */
	readonly expires_at?: number;
	/** When the token was requested: Unix time in seconds. */
	readonly issued_at: number;
	/** Further fields of the response, which the option `keep` names. */
	readonly [field: string]: unknown;
}

/** The token of a session, as a store keeps it: a plain JSON record. */
export interface TokenSet extends AccessToken {
	/** The refresh token. It is sent only to the token endpoint and the revocation endpoint. */
	readonly refresh_token?: string;
}

/** Whether two tokens are the same, or both are missing. */
export function isSameToken(a: TokenSet | undefined, b: TokenSet | undefined): boolean {
	return a?.access_token === b?.access_token && a?.refresh_token === b?.refresh_token;
}

/** Returns the token without its refresh token. */
export const withoutRefreshToken = ({refresh_token: _, ...token}: TokenSet): AccessToken => token;
