import {oauthProvider} from '@better-auth/oauth-provider';
import {betterAuth, type BetterAuthPlugin} from 'better-auth';
import {memoryAdapter} from 'better-auth/adapters/memory';
import {jwt} from 'better-auth/plugins';
import {clientSecretBasic} from 'regrant';
import {expect} from 'vitest';
import {beginSignIn, bearerOf, cookiesOf, type RealServer, redirect_uri, type RegisteredClient} from './front.ts';
import {createSession, specify} from './specification.ts';

/** The names of better-auth's models. Each needs a table. */
const tables = [
	'user',
	'session',
	'account',
	'verification',
	'jwks',
	'oauthClient',
	'oauthAccessToken',
	'oauthRefreshToken',
	'oauthConsent',
	'oauthResource',
	'oauthClientResource',
	'oauthClientAssertion',
];

/** The response to a client registration. */
interface Registered {
	readonly client_id: string;
	readonly client_secret?: string;
}

/** The part of better-auth that this test uses. */
interface BetterAuth {
	handler(request: Request): Promise<Response>;
	readonly api: {
		signUpEmail(options: {readonly body: object; readonly asResponse: true}): Promise<Response>;
		adminCreateOAuthClient(options: {readonly headers: Headers; readonly body: object}): Promise<Registered>;
	};
}

const scope = 'openid offline_access read';

function createBetterAuth(origin: string): BetterAuth {
	const provider = oauthProvider({
		loginPage: '/login',
		consentPage: '/consent',
		scopes: scope.split(' '),
		clientPrivileges: () => true,
	});
	const auth: unknown = betterAuth({
		baseURL: origin,
		secret: 'better-auth-signing-secret-of-a-test',
		database: memoryAdapter(Object.fromEntries(tables.map(table => [table, []]))),
		emailAndPassword: {enabled: true},
		logger: {disabled: true},
		telemetry: {enabled: false},
		plugins: [
			jwt({disableSettingJwtHeader: true}),
			provider as unknown as BetterAuthPlugin, // its types do not allow `exactOptionalPropertyTypes`
		],
	});
	return auth as BetterAuth; // the plug-ins add these members
}

/** Signs up a user. Returns the cookie of a browser in which this user is signed in. */
async function signUp({api}: BetterAuth): Promise<string> {
	const body = {name: 'Ann', email: 'ann@example.com', password: 'correct horse battery staple'};
	return cookiesOf(await api.signUpEmail({body, asResponse: true}));
}

/** Sends a request to an endpoint that clients authenticate at. */
async function post(
	{handler}: BetterAuth,
	url: string,
	{client_id, client_secret}: Registered,
	parameters: Record<string, string>,
): Promise<Response> {
	const headers = {authorization: `Basic ${btoa(`${client_id}:${client_secret}`)}`};
	return handler(new Request(url, {method: 'POST', headers, body: new URLSearchParams(parameters)}));
}

const optionsOf = ({client_id, client_secret = ''}: Registered): RegisteredClient => ({
	clientId: client_id,
	clientAuthentication: clientSecretBasic(client_secret),
	wrongAuthentication: clientSecretBasic('wrong'),
});

/**
better-auth in memory, with its OAuth provider. Its token responses have `expires_at` besides `expires_in`. Using a refresh token twice ends
the session. The revocation of an unknown token is answered with status 400.
*/
async function start(origin: string): Promise<RealServer> {
	const auth = createBetterAuth(origin);
	const headers = new Headers({cookie: await signUp(auth)});
	const register = (body: object): Promise<Registered> => auth.api.adminCreateOAuthClient({headers, body});
	const [app, service] = await Promise.all([
		register({
			redirect_uris: [redirect_uri],
			grant_types: ['authorization_code', 'refresh_token'],
			scope,
			skip_consent: true,
		}),
		register({grant_types: ['client_credentials'], client_credentials_scopes: ['read']}),
	]);
	// The server answers a client only about the client's own tokens, so both clients ask.
	const askAll = (path: string, parameters: Record<string, string>): Promise<Response[]> =>
		Promise.all([app, service].map(client => post(auth, `${origin}/api/auth/oauth2/${path}`, client, parameters)));
	const isActive = async (token: string): Promise<boolean> => {
		const answers = (await askAll('introspect', {token})).map(answer => answer.json() as Promise<{active?: boolean}>);
		return (await Promise.all(answers)).some(({active}) => active === true);
	};
	const visit = async (url: string): Promise<string | null> =>
		(await auth.handler(new Request(url, {headers}))).headers.get('location');
	const refusal = {status: 401, headers: {'www-authenticate': 'Bearer error="invalid_token"'}};
	return {
		tokenPath: '/api/auth/oauth2/token',
		revocationPath: '/api/auth/oauth2/revoke',
		resourcePath: '/me',
		app: optionsOf(app),
		service: {...optionsOf(service), grant: {grant_type: 'client_credentials', scope: 'read'}},
		async handle(request) {
			if (new URL(request.url).pathname !== '/me') return auth.handler(request);
			return new Response(null, (await isActive(bearerOf(request))) ? {} : refusal);
		},
		async signIn() {
			const {parameters, finish} = beginSignIn(app.client_id, {scope});
			return finish(await visit(`${origin}/api/auth/oauth2/authorize?${new URLSearchParams(parameters)}`));
		},
		login: {issuerPath: '/api/auth', scope, visit},
		expire: async token => void (await askAll('revoke', {token, token_type_hint: 'access_token'})),
		kill: async token => void (await askAll('revoke', {token, token_type_hint: 'refresh_token'})),
	};
}

const test = specify({
	name: 'better-auth',
	start,
	hasMetadata: true,
	hasSecret: true,
	hasRevocation: true,
	hasService: true,
});

test('a sign-out whose refresh token better-auth does not know rejects, and forgets the session [R106]', async ({
	server,
	canaries,
}) => {
	const {auth} = createSession(server, server.app, canaries);
	await auth.setToken({access_token: 'forgotten-access-token', refresh_token: 'forgotten-refresh-token'});
	const error = await canaries.rejection(auth.signOut());
	expect(error).toMatchObject({name: 'OAuthError', error: 'invalid_request', status: 400});
	expect(auth.status).toBe('signed-out');
	expect(await auth.peek()).toBeUndefined();
});
