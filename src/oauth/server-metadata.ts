/**
The metadata document of an authorization server, with the registered names.

@see https://www.rfc-editor.org/rfc/rfc8414#section-2
*/
export interface ServerMetadata {
	/** How clients can authenticate at the token endpoint, such as `client_secret_basic` or `private_key_jwt`. */
	readonly token_endpoint_auth_methods_supported?: readonly string[] | undefined;
	/** The methods of PKCE, such as `S256`. Many servers support PKCE and do not say so. */
	readonly code_challenge_methods_supported?: readonly string[] | undefined;
	/** The algorithms of DPoP proofs, such as `ES256`. A server without DPoP leaves it out. */
	readonly dpop_signing_alg_values_supported?: readonly string[] | undefined;
	/** Whether the server names itself in the answer to a login (RFC 9207). If so, an answer without that name is refused. */
	readonly authorization_response_iss_parameter_supported?: boolean | undefined;
	/** Further metadata, as the server sent it. */
	readonly [name: string]: unknown;
}
