export {createAuth} from './create-auth.ts';
export {createSession} from './create-session.ts';
export {endpoint} from './endpoint/endpoint.ts';
export {
	ConfigError,
	isRegrantError,
	isSignedOut,
	LockError,
	LoginError,
	OAuthError,
	RegrantError,
	RenewalError,
	RequestValidationError,
	ResponseValidationError,
	SessionEndedError,
	StoreError,
	TokenNetworkError,
	TokenResponseError,
} from './errors.ts';
export {tokenHeader} from './fetch/bearer.ts';
export {clientSecretBasic, clientSecretPost, none} from './oauth/client-authentication.ts';
export {AuthToken, AuthTokenRequest, RevokeTokenRequest} from './oauth/models.ts';
export {requestToken, revokeToken} from './oauth/token-endpoint.ts';
export {customStore} from './stores/custom.ts';
export {memoryStore} from './stores/memory.ts';

export type {Auth, SessionOptions} from './auth.ts';
export type {AuthOptions} from './create-auth.ts';
export type {CreateSessionOptions} from './create-session.ts';
export type {CheckedDefinition, EndpointDefinition, EndpointMethod} from './endpoint/definition.ts';
export type {Endpoint, EndpointArguments, EndpointError, EndpointResult} from './endpoint/endpoint.ts';
export type {EndpointOptions} from './endpoint/request.ts';
export type {ResponseKind} from './endpoint/response.ts';
export type {StandardSchema} from './endpoint/standard-schema.ts';
export type {
	AnyRegrantError,
	RegrantErrorCode,
	SessionEndedReason,
	StoreErrorCode,
	TokenResponseErrorCode,
	ValidationIssue,
} from './errors.ts';
export type {Origins} from './fetch/origins.ts';
export type {Awaitable} from './lib/awaitable.ts';
export type {Waiter} from './lib/with-timeout.ts';
export type {ClientAuthentication, ClientAuthenticationContext} from './oauth/client-authentication.ts';
export type {TokenClient, TokenParameters} from './oauth/client.ts';
export type {GrantOptions} from './oauth/renewer.ts';
export type {
	ClientCredentialsRequest,
	ExtensionTokenRequest,
	GrantContext,
	RefreshTokenRequest,
	TokenRequest,
} from './oauth/token-request.ts';
export type {AuthEvent, AuthListener} from './session/events.ts';
export type {RenewContext, RenewFunction} from './session/function-renewer.ts';
export type {RefreshOptions, TokenOptions} from './session/session.ts';
export type {StoreDriver} from './stores/shared/store-driver.ts';
export type {
	CellChange,
	CellUse,
	LockedCell,
	Overwritten,
	Replacement,
	TokenCell,
	TokenStore,
} from './stores/token-cell.ts';
export type {ExpiresIn} from './token/token-response.ts';
export type {SchemeRequest, SchemeResponse, TokenScheme} from './token/token-scheme.ts';
export type {AccessToken, TokenSet} from './token/token-set.ts';
