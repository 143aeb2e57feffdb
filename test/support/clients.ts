import type {ClientMetadata} from 'oidc-provider';

/** The scopes of the API. */
export const accountScopes = '/accounts.read /accounts.write';

/** A client that gets tokens for itself. It authenticates with HTTP Basic. */
export const service = {clientId: 'service', secret: 'dK7vR2_mXw1-Lk9TnB4sYd0q'} as const;

/** The same, registered for credentials in the body. (The provider accepts both methods from both clients.) */
export const servicePost = {clientId: 'service-post', secret: 'Zp3hQ8-uVe6_Jc5WfA2xGt1r'} as const;

/** A client whose id and secret are only correct in HTTP Basic if both are form-encoded first. */
export const awkward = {clientId: "we:ird %&+-_.!~*'()", secret: "s3:cr et%&+=/?#-_.!~*'()"} as const;

/** A public client with refresh tokens. Its page may be on any port of loopback. */
export const app = {clientId: 'app'} as const;

const confidential = (
	{clientId, secret}: typeof service | typeof servicePost | typeof awkward,
	method: 'basic' | 'post',
): ClientMetadata => ({
	client_id: clientId,
	client_secret: secret,
	token_endpoint_auth_method: `client_secret_${method}`,
	grant_types: ['client_credentials'],
	response_types: [],
	redirect_uris: [],
	scope: accountScopes,
});

/** All clients, in the provider's format. */
export const clients: ClientMetadata[] = [
	confidential(service, 'basic'),
	confidential(servicePost, 'post'),
	confidential(awkward, 'basic'),
	{
		client_id: app.clientId,
		token_endpoint_auth_method: 'none',
		grant_types: ['authorization_code', 'refresh_token'],
		response_types: ['code'],
		application_type: 'native',
		redirect_uris: ['http://127.0.0.1/', 'http://localhost/'],
	},
];
