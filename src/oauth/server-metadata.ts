/**
What an authorization server says of itself: its metadata document, by the registered names.

@see https://www.rfc-editor.org/rfc/rfc8414#section-2
*/
export interface ServerMetadata {
	/** How clients may prove who they are at the token endpoint, such as `client_secret_basic` or `private_key_jwt`. */
	readonly token_endpoint_auth_methods_supported?: readonly string[] | undefined;
	/** The methods of PKCE, such as `S256`. Many servers support PKCE and do not say so. */
	readonly code_challenge_methods_supported?: readonly string[] | undefined;
	/** The algorithms of DPoP proofs, such as `ES256`. Left out by a server that has no DPoP. */
	readonly dpop_signing_alg_values_supported?: readonly string[] | undefined;
	/** Whether the server says in the answer to a login who it is (RFC 9207). If so, an answer that does not say it is refused. */
	readonly authorization_response_iss_parameter_supported?: boolean | undefined;
	/** The rest, as the server wrote it. */
	readonly [name: string]: unknown;
}
