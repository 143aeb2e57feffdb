export {createAuth} from './create-auth.ts';
export {clientSecretBasic, clientSecretPost, none} from './oauth/client-authentication.ts';
export {endpoint} from './endpoint/endpoint.ts';
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
export {requestToken, revokeToken} from './oauth/token-endpoint.ts';
export {RevokeTokenRequest} from './oauth/revocation-request.ts';
export {AuthTokenRequest} from './oauth/token-request.ts';
export {AuthToken} from './token/token-response.ts';
export {memoryStore} from './stores/token-store.ts';

export type {AccessToken, Auth} from './create-auth.ts';
export type {Awaitable, ClientAuthentication, ClientAuthenticationContext} from './oauth/client-authentication.ts';
export type {Endpoint, EndpointArguments, EndpointError, EndpointResult} from './endpoint/endpoint.ts';
export type {CheckedDefinition, EndpointDefinition, EndpointMethod} from './endpoint/definition.ts';
export type {EndpointOptions} from './endpoint/request.ts';
export type {ResponseKind} from './endpoint/response.ts';
export type {
	RegrantErrorCode,
	SessionEndedReason,
	StoreErrorCode,
	TokenResponseErrorCode,
	ValidationIssue,
} from './errors.ts';
export type {AuthOptions, TokenClient} from './oauth/options.ts';
export type {StandardSchema} from './endpoint/standard-schema.ts';
export type {AuthEvent, AuthListener} from './session/events.ts';
export type {TokenOptions} from './session/session.ts';
export type {ClientCredentialsRequest, RefreshTokenRequest} from './oauth/token-request.ts';
export type {ExpiresIn, TokenSet} from './token/token-response.ts';
export type {TokenStore} from './stores/token-store.ts';
