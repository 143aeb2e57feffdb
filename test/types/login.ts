// Checks what the types of regrant/login promise to users. test/meta/types.test.ts compiles this file as a user would.
// Below each comment that expects an error is a mistake that must not compile. After its colon is a part of the compiler's message.
import {clientSecretBasic, createAuth, tokenHeader, type TokenSet} from 'regrant';
import {
	type AuthorizationServer,
	createLogin,
	deviceLogin,
	type DeviceLoginOptions,
	type DevicePrompt,
	discover,
	type DiscoveryOptions,
	type FinishedLogin,
	type IdTokenClaims,
	type Login,
	type LoginClient,
	LoginError,
	type LoginOptions,
	type LoginStorage,
	type LogoutOptions,
	type ServerMetadata,
	type StartOptions,
} from 'regrant/login';

// oxlint-disable-next-line typescript/no-unnecessary-type-parameters -- it is how two types are compared
type Equal<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;
const holds = <T extends true>(value?: T): T | undefined => value;

// The metadata of a server can be spread into every options object, even if it lacks an endpoint.
const server: AuthorizationServer = await discover('https://login.example.com', {
	timeout: 3000,
} satisfies DiscoveryOptions);
const client = {...server, clientId: 'app'};
const redirectUri = 'https://app.example.com/callback';
const storage: LoginStorage = new Map<string, string>() as unknown as LoginStorage;
createAuth({...client, origins: ['https://api.example.com']});
const login: Login = createLogin({...client, redirectUri, scope: 'openid'});
const token: TokenSet = await deviceLogin({...client, scope: 'openid'}, ({user_code}: DevicePrompt) => void user_code);
await (createAuth(client).setToken(token) satisfies Promise<void>);

// A login accepts every option of a token client.
const full: LoginOptions = {
	...client,
	redirectUri,
	storage,
	clientAuthentication: clientSecretBasic('secret'),
	scheme: tokenHeader('x-token'),
	parameters: {resource: ['https://a.example.com', 'urn:b'], prompt: 'consent', audience: undefined},
	keep: ['instance_url'],
};
full satisfies LoginClient;
({...client, parameters: {audience: 'a'}}) satisfies DeviceLoginOptions;

// A storage may be synchronous, like those of browsers, or asynchronous.
({getItem: () => null, setItem: () => {}, removeItem: () => {}}) satisfies LoginStorage;
({getItem: async () => undefined, setItem: async () => 'OK', removeItem: async () => 1}) satisfies LoginStorage;

// The result of a login.
const finished: FinishedLogin = await login.finish(new URL(redirectUri));
holds<Equal<typeof finished.token, TokenSet>>();
holds<Equal<typeof finished.returnTo, string>>();
holds<Equal<FinishedLogin['claims'], IdTokenClaims | undefined>>();
holds<Equal<IdTokenClaims['sub'], string>>();
holds<Equal<IdTokenClaims['email'], unknown>>();
holds<Equal<ServerMetadata['token_endpoint_auth_methods_supported'], readonly string[] | undefined>>();
holds<Equal<ReturnType<Login['isCallback']>, boolean>>();
holds<Equal<LoginError['code'], 'login_failed'>>();
const begun: StartOptions = {returnTo: undefined, parameters: {login_hint: 'ann'}};
(await login.start(begun)) satisfies string;
const logout: LogoutOptions = {idToken: undefined, returnTo: '/'};
login.logoutUrl(logout) satisfies string;
new LoginError('over') satisfies Error;

// @ts-expect-error: Property 'redirectUri' is missing
createLogin({...client, scope: 'openid'});
// @ts-expect-error: Property 'tokenEndpoint' is missing
createLogin({clientId: 'app', redirectUri});
// @ts-expect-error: 'clientSecret' does not exist in type 'LoginOptions'
createLogin({...client, redirectUri, clientSecret: 'secret'});
// @ts-expect-error: Index signature for type 'string' is missing
createLogin({...client, redirectUri, parameters: () => ({audience: 'a'})});
// @ts-expect-error: Type 'number' is not assignable to type 'string'
await login.start({returnTo: 42});
// @ts-expect-error: 'prompt' does not exist in type 'StartOptions'
await login.start({prompt: 'none'});
// @ts-expect-error: is not assignable to parameter of type 'string'
await discover(new URL('https://login.example.com'));
// @ts-expect-error: Expected 2-3 arguments, but got 1
await deviceLogin(client);
// @ts-expect-error: 'redirectUri' does not exist in type 'DeviceLoginOptions'
await deviceLogin({...client, redirectUri}, () => {});
// @ts-expect-error: Cannot assign to 'tokenEndpoint' because it is a read-only property
server.tokenEndpoint = 'https://evil.example.com';
