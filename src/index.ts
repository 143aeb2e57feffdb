export {createAuth} from './auth.ts';
export {clientSecretBasic, clientSecretPost, none} from './client-authentication.ts';
export {endpoint} from './endpoint.ts';
export {
	ConfigError,
	isRegrantError,
	LockError,
	OAuthError,
	RegrantError,
	RequestValidationError,
	ResponseValidationError,
	SessionEndedError,
	StoreError,
	TokenNetworkError,
	TokenResponseError,
} from './errors.ts';
export {requestToken, revokeToken} from './token-endpoint.ts';
export {RevokeTokenRequest} from './revocation-request.ts';
export {AuthTokenRequest} from './token-request.ts';
export {AuthToken} from './token-response.ts';
export {memoryStore} from './token-store.ts';

export type {AccessToken, Auth} from './auth.ts';
export type {Awaitable, ClientAuthentication, ClientAuthenticationContext} from './client-authentication.ts';
export type {Endpoint, EndpointArguments, EndpointError} from './endpoint.ts';
export type {EndpointDefinition, EndpointMethod, ResponseKind} from './endpoint-definition.ts';
export type {EndpointOptions} from './endpoint-request.ts';
export type {
	RegrantErrorCode,
	SessionEndedReason,
	StoreErrorCode,
	TokenResponseErrorCode,
	ValidationIssue,
} from './errors.ts';
export type {AuthOptions, TokenClient} from './options.ts';
export type {StandardSchema} from './standard-schema.ts';
export type {AuthEvent, AuthListener} from './session-events.ts';
export type {TokenOptions} from './session.ts';
export type {ClientCredentialsRequest, RefreshTokenRequest} from './token-request.ts';
export type {ExpiresIn, TokenSet} from './token-response.ts';
export type {TokenStore} from './token-store.ts';
