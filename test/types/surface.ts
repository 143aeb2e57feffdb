// Checks what the types of the public surface promise to users. test/meta/types.test.ts compiles this file as a user would.
// Below each comment that expects an error is a mistake that must not compile. After its colon is a part of the compiler's message.
import ky, {type Hooks} from 'ky';
import type * as regrant from 'regrant';
import {
	type AccessToken,
	type AnyRegrantError,
	type Auth,
	type AuthEvent,
	type AuthOptions,
	type AuthToken,
	type AuthTokenRequest,
	type Awaitable,
	type ClientAuthentication,
	type ClientCredentialsRequest,
	clientSecretBasic,
	clientSecretPost,
	ConfigError,
	createAuth,
	createSession,
	customStore,
	isRegrantError,
	isSignedOut,
	memoryStore,
	none,
	type OAuthError,
	type RefreshTokenRequest,
	type RegrantError,
	type RegrantErrorCode,
	type RenewFunction,
	requestToken,
	revokeToken,
	type RevokeTokenRequest,
	type SessionEndedError,
	type SessionEndedReason,
	type StoreDriver,
	type StoreError,
	tokenHeader,
	type TokenClient,
	type TokenNetworkError,
	type TokenOptions,
	type TokenResponseError,
	type TokenSet,
	type TokenStore,
	type ValidationIssue,
} from 'regrant';
import type {InferInput, InferOutput} from 'valibot';

// oxlint-disable-next-line typescript/no-unnecessary-type-parameters -- it is how two types are compared
type Equal<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;
type IsAny<T> = 0 extends 1 & T ? true : false;
type AnyMember<T> = {[Key in keyof T]-?: IsAny<T[Key]> extends true ? Key : never}[keyof T];

// oxlint-disable-next-line typescript/no-unnecessary-type-parameters -- the parameter is all there is to check
declare function holds<Fact extends true>(): Fact;
declare function never(value: never): void;

const endpoint = {tokenEndpoint: 'https://login.example.com/token', clientId: 'app'};

export function notAny(): void {
	holds<Equal<AnyMember<typeof regrant>, never>>();
	holds<Equal<AnyMember<Auth>, never>>();
	holds<Equal<AnyMember<AuthOptions>, never>>();
	holds<Equal<AnyMember<TokenSet & AuthToken & ClientCredentialsRequest & RefreshTokenRequest>, never>>();
	holds<Equal<AnyMember<RegrantError & OAuthError & TokenResponseError>, never>>();
	holds<Equal<AnyMember<Parameters<ClientAuthentication>[0]>, never>>();
	holds<Equal<IsAny<Awaited<ReturnType<TokenStore['read']>>>, false>>();
	holds<Equal<IsAny<InferOutput<typeof AuthTokenRequest>>, false>>();
}

export function schemasAndTypes(): void {
	holds<Equal<InferInput<typeof AuthTokenRequest>, AuthTokenRequest>>();
	holds<Equal<InferOutput<typeof AuthTokenRequest>, AuthTokenRequest>>();
	holds<Equal<InferOutput<typeof RevokeTokenRequest>, RevokeTokenRequest>>();
	holds<Equal<InferOutput<typeof AuthToken>, AuthToken>>();
	holds<Equal<AuthTokenRequest, ClientCredentialsRequest | RefreshTokenRequest>>();
	holds<Equal<AuthTokenRequest['grant_type'], 'client_credentials' | 'refresh_token'>>();
}

export async function grants(): Promise<void> {
	createAuth({...endpoint, grant: {grant_type: 'client_credentials', scope: '/accounts.read'}});
	createAuth({...endpoint, grant: {grant_type: 'refresh_token', refresh_token: 'r'}});
	createAuth({...endpoint, grant: () => ({grant_type: 'client_credentials', scope: '/accounts.read'})});
	createAuth({
		...endpoint,
		grant: async () => ({grant_type: 'refresh_token', refresh_token: 'r', client_id: undefined}),
	});
	holds<Equal<ReturnType<typeof requestToken>, Promise<TokenSet>>>();
	holds<Equal<ReturnType<typeof revokeToken>, Promise<void>>>();
	await requestToken(endpoint, {grant_type: 'client_credentials', scope: 'a', client_id: 'i', client_secret: 's'});
	await revokeToken(
		{...endpoint, revocationEndpoint: new URL('https://a')},
		{token: 't', token_type_hint: 'access_token'},
	);

	// @ts-expect-error: Property 'scope' is missing
	createAuth({...endpoint, grant: {grant_type: 'client_credentials'}});
	// @ts-expect-error: Property 'refresh_token' is missing
	createAuth({...endpoint, grant: {grant_type: 'refresh_token'}});
	// @ts-expect-error: Type '"password"' is not assignable to type '"authorization_code" | "client_credentials" | "refresh_token"
	createAuth({...endpoint, grant: {grant_type: 'password', scope: 'a'}});
	// @ts-expect-error: Property 'scope' is missing
	await requestToken(endpoint, {grant_type: 'client_credentials'});
	// @ts-expect-error: Type 'string[]' is not assignable to type 'string'
	await requestToken(endpoint, {grant_type: 'client_credentials', scope: ['a']});
	// @ts-expect-error: Object literal may only specify known properties
	await requestToken(endpoint, {grant_type: 'client_credentials', scope: 'a', refresh_token: 'r'});
	// @ts-expect-error: Type '"id_token"' is not assignable
	await revokeToken(endpoint, {token: 't', token_type_hint: 'id_token'});
	// @ts-expect-error: 'store' does not exist in type 'TokenClient'
	await requestToken({...endpoint, store: memoryStore()}, {grant_type: 'client_credentials', scope: 'a'});
}

export function options(): void {
	createAuth({
		tokenEndpoint: new URL('https://login.example.com/token'),
		clientId: 'app',
		clientAuthentication: clientSecretBasic('s', {encoding: 'raw'}),
		allowSecretInBrowser: false,
		encoding: 'json',
		expiresIn: 'timestamp',
		tokenTypes: ['opaque'],
		origins: ['https://api.example.com', new URL('https://other.example.com')],
		store: memoryStore(),
		leeway: 30,
		timeout: 10_000,
		fetch,
		waitUntil: (promise: Promise<unknown>) => void promise,
		now: Date.now,
	});
	createAuth({...endpoint, revocationEndpoint: undefined, grant: undefined, store: undefined});
	holds<Equal<Parameters<typeof createAuth>, [options: AuthOptions]>>();
	const client: TokenClient = endpoint;

	// @ts-expect-error: Property 'tokenEndpoint' is missing
	createAuth({clientId: 'app'});
	// @ts-expect-error: Property 'clientId' is missing
	createAuth({tokenEndpoint: 'https://login.example.com/token'});
	// @ts-expect-error: 'clientID' does not exist
	createAuth({...endpoint, clientID: 'app'});
	// @ts-expect-error: Type '"xml"' is not assignable to type '"form" | "json" | undefined'
	createAuth({...endpoint, encoding: 'xml'});
	// @ts-expect-error: Type 'string' is not assignable to type 'Origins | undefined'
	createAuth({...endpoint, origins: 'https://api.example.com'});
	// @ts-expect-error: Type 'string' is not assignable to type 'number'
	createAuth({...endpoint, leeway: '30'});
	// @ts-expect-error: does not exist in type 'TokenCell'
	createAuth({...endpoint, store: {get: () => undefined, set: () => {}}});
	// @ts-expect-error: is not assignable to parameter of type 'AuthOptions'
	createAuth(client.tokenEndpoint);
}

export async function session(auth: Auth): Promise<void> {
	holds<Equal<Auth['fetch'], typeof fetch>>();
	holds<Equal<Auth['hooks'], Hooks>>();
	holds<Equal<ReturnType<typeof createAuth>, Auth>>();
	const api = ky.extend({baseUrl: 'https://api.example.com', hooks: auth.hooks});
	api.extend({hooks: {beforeRequest: []}, fetch: auth.fetch});
	const token = await auth.getToken({signal: AbortSignal.timeout(1), minimumLifetime: 60});
	holds<Equal<typeof token, AccessToken>>();
	holds<Equal<(typeof token)['id_token'], unknown>>();
	holds<Equal<Parameters<Auth['getToken']>, [options?: TokenOptions | undefined]>>();
	holds<Equal<Awaited<ReturnType<Auth['refresh']>>, AccessToken>>();
	holds<Equal<ReturnType<Auth['signOut']>, Promise<void>>>();
	holds<Equal<ReturnType<Auth['subscribe']>, () => void>>();
	await auth.setToken({access_token: 'a', token_type: 'Bearer'});
	await auth.setToken({access_token: 'a', token_type: 'Bearer', issued_at: 1, expires_at: 2});

	// @ts-expect-error: Cannot assign to 'access_token' because it is a read-only property
	token.access_token = '';
	// @ts-expect-error: Cannot assign to 'hooks' because it is a read-only property
	auth.hooks = {};
	// @ts-expect-error: Argument of type '{}' is not assignable
	await auth.setToken({});
	// @ts-expect-error: 'minimumLifetime' does not exist
	await auth.refresh({minimumLifetime: 60});
	// @ts-expect-error: Type 'AbortController' is missing
	await auth.getToken({signal: new AbortController()});
}

export function events(auth: Auth): void {
	auth.subscribe(event => {
		holds<Equal<typeof event, AuthEvent>>();
		// @ts-expect-error: Property 'reason' does not exist on type
		void event.reason;
		switch (event.type) {
			case 'token':
				holds<Equal<typeof event.cause, 'set' | 'grant' | 'refresh' | 'store'>>();
				return holds<Equal<typeof event.expires_at, number | undefined>>();
			case 'session-ended':
				return holds<Equal<typeof event.reason, SessionEndedReason>>();
			case 'refresh-failed':
				return holds<Equal<typeof event.error, RegrantError>>();
			case 'store-failed':
				return holds<Equal<typeof event.error, StoreError>>();
			case 'status':
				return holds<Equal<typeof event.status, 'signed-in' | 'signed-out'>>();
			default:
				return never(event);
		}
	});
}

export function clientAuthentication(): void {
	const methods: ClientAuthentication[] = [
		none(),
		clientSecretPost('s'),
		async ({clientId, tokenEndpoint, parameters, headers}) => {
			holds<Equal<[typeof clientId, typeof tokenEndpoint], [string, string]>>();
			parameters.set('client_assertion', await Promise.resolve('…'));
			headers.set('x-key', 'v');
		},
	];
	methods.push(({parameters}) => parameters.delete('scope'));

	// @ts-expect-error: Expected 1-2 arguments
	clientSecretBasic();
	// @ts-expect-error: Type '"base64"' is not assignable to type '"raw"'
	clientSecretBasic('s', {encoding: 'base64'});
	// @ts-expect-error: Argument of type 'string' is not assignable to parameter of type 'ClientAuthentication'
	methods.push('client_secret_basic');
}

export function stores(): void {
	holds<Equal<ReturnType<typeof memoryStore>, TokenStore>>();
	holds<Equal<Awaitable<string>, string | PromiseLike<string>>>();
	const direct: StoreDriver = {get: () => '{}', set: token => void token.refresh_token, delete: () => {}};
	const shared: StoreDriver = {
		get: async () => undefined,
		set: async () => {},
		delete: async () => {},
		lock: async task => await task(),
		subscribe: onChange => () => onChange(),
	};
	for (const driver of [direct, shared]) createAuth({...endpoint, store: customStore(driver)});

	// @ts-expect-error: is not assignable to type
	const lockless: StoreDriver = {...direct, lock: () => Promise.resolve()};
	customStore(lockless);
	// @ts-expect-error: is missing the following properties from type 'TokenCell'
	createAuth({...endpoint, store: direct});
}

export function errors(error: unknown): void {
	// @ts-expect-error: 'error' is of type 'unknown'
	void error.code;
	if (!isRegrantError(error)) return;
	holds<Equal<typeof error, AnyRegrantError>>();
	if (error.code === 'session_ended') holds<Equal<typeof error.reason, SessionEndedReason>>();
	holds<Equal<typeof error.code, RegrantErrorCode>>();
	holds<Equal<typeof error.retryable, boolean>>();
	holds<Equal<OAuthError['code'], 'oauth_error'>>();
	holds<Equal<OAuthError['retryAfter'], number | undefined>>();
	holds<Equal<SessionEndedError['reason'], 'invalid_grant' | 'no_refresh_token' | 'no_session' | 'signed_out'>>();
	holds<Equal<TokenNetworkError['code'], 'network' | 'timeout'>>();
	holds<Equal<keyof ValidationIssue, 'path' | 'message'>>();
	if (error instanceof ConfigError) holds<Equal<typeof error.code, 'invalid_options'>>();

	// @ts-expect-error: have no overlap
	if (error.code === 'expired') return;
	// @ts-expect-error: Property 'response' does not exist on type
	void error.response;
}

/** Checking the code of an error narrows its type. */
export function narrowing(error: unknown): void {
	if (isSignedOut(error)) holds<Equal<typeof error, SessionEndedError>>();
	if (!isRegrantError(error)) return;
	// @ts-expect-error: Property 'reason' does not exist on type
	void error.reason;
	switch (error.code) {
		case 'session_ended':
			holds<Equal<typeof error.reason, SessionEndedReason>>();
			break;
		case 'oauth_error':
			holds<Equal<[typeof error.error, typeof error.status], [string, number]>>();
			// @ts-expect-error: Property 'reason' does not exist on type
			void error.reason;
			holds<Equal<typeof error.retryAfter, number | undefined>>();
			break;
		case 'not_json':
		case 'invalid_response':
		case 'unsupported_token_type':
		case 'unexpected_status':
		case 'unexpected_redirect':
		case 'body_too_large':
			holds<Equal<typeof error, TokenResponseError>>();
			holds<Equal<[typeof error.status, typeof error.retryAfter], [number, number | undefined]>>();
			break;
		case 'network':
		case 'timeout':
			holds<Equal<typeof error, TokenNetworkError>>();
			holds<Equal<typeof error.platformCode, string | undefined>>();
			break;
		case 'renewal_failed':
			holds<Equal<typeof error.cause, unknown>>();
			break;
		case 'invalid_request':
		case 'invalid_api_response':
			holds<Equal<typeof error.issues, readonly ValidationIssue[]>>();
			break;
		case 'store_read':
		case 'store_write':
		case 'store_corrupt':
			holds<Equal<typeof error, StoreError>>();
			break;
		case 'lock_timeout':
		case 'login_failed':
		case 'invalid_options':
			holds<Equal<typeof error.retryable, boolean>>();
			break;
		default:
			return never(error);
	}
}

/** What `createSession` accepts, and what it has in common with `createAuth`. */
export async function sessions(auth: Auth): Promise<void> {
	holds<Equal<ReturnType<typeof createSession>, Auth>>();
	holds<Equal<Auth['status'], 'unknown' | 'signed-in' | 'signed-out'>>();
	holds<Equal<ReturnType<Auth['peek']>, Promise<AccessToken | undefined>>>();
	holds<Equal<ReturnType<Auth['close']>, void>>();
	const renew: RenewFunction = ({token, signal}) => {
		holds<Equal<[typeof token, typeof signal], [TokenSet | undefined, AbortSignal]>>();
		return null;
	};
	createSession({
		renew,
		origins: url => url.hostname.endsWith('.example.com'),
		allowInsecureOrigins: ['http://keycloak:8080', new URL('http://api')],
		scheme: tokenHeader('authorization', 'Token'),
		isUnauthorized: async response => (await response.text()) === 'expired',
		requireToken: true,
		keep: ['id_token'],
		leeway: 10,
	});
	createSession({renew: () => ky.post('https://app.example.com/refresh').json<AuthToken>()});
	createSession({renew: () => undefined, isUnauthorized: ({status}) => status === 419});
	createAuth({
		...endpoint,
		parameters: {audience: 'a', resource: ['b', 'c']},
		headers: {'x-moov-version': 'v2024.01.00'},
		grant: {grant_type: 'client_credentials', scope: null},
		endsSession: error => error.status === 400,
	});
	createAuth({
		...endpoint,
		parameters: async () => ({nonce: 'n'}),
		grant: () => ({grant_type: 'urn:x', assertion: 'a'}),
	});
	createAuth({...endpoint, grant: {grant_type: 'http://example.com/grant', resource: ['a', 'b'], scope: null}});
	await requestToken(endpoint, {
		grant_type: 'authorization_code',
		code: 'c',
		code_verifier: 'v',
		redirect_uri: undefined,
	});
	await auth.refresh({instead: 'a', signal: AbortSignal.timeout(1)});
	await auth.setToken({access_token: 'a', scope: ['b'], expires_at: 1}, {renews: true});
	{
		using session = createSession({renew});
		session.close();
	}

	// @ts-expect-error: Property 'renew' is missing
	createSession({});
	// @ts-expect-error: 'tokenEndpoint' does not exist
	createSession({renew, tokenEndpoint: 'https://login.example.com/token'});
	// @ts-expect-error: Type 'string' is not assignable to type
	createSession({renew: () => 'token'});
	// @ts-expect-error: Type 'Promise<boolean>' is not assignable to type 'boolean'
	createSession({renew, origins: async () => true});
	// @ts-expect-error: Type '"password"' is not assignable to type
	await requestToken(endpoint, {grant_type: 'password', username: 'a', password: 'b'});
	// @ts-expect-error: Type 'URLSearchParams' is not assignable to type
	createAuth({...endpoint, parameters: new URLSearchParams()});
	// @ts-expect-error: Type 'number' is not assignable to type 'string | readonly string[] | undefined'
	createAuth({...endpoint, parameters: {audience: 1}});
	// @ts-expect-error: Cannot assign to 'status' because it is a read-only property
	auth.status = 'signed-in';
}
