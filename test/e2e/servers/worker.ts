import {type OAuthHelpers, OAuthProvider} from '@cloudflare/workers-oauth-provider';

/** The bindings that the platform and the package add to `env`. */
interface Env {
	readonly OAUTH_PROVIDER: OAuthHelpers;
}

const redirectUris = ['https://app.example.com/callback'];

const routes: Readonly<Record<string, (request: Request, env: Env) => Promise<Response>>> = {
	/** A login page whose user consents at once. */
	async '/authorize'(request, {OAUTH_PROVIDER}) {
		const authorization = await OAUTH_PROVIDER.parseAuthRequest(request);
		const {redirectTo} = await OAUTH_PROVIDER.completeAuthorization({
			request: authorization,
			userId: crypto.randomUUID(),
			metadata: {},
			scope: authorization.scope,
			props: {subject: 'ann'},
		});
		return Response.redirect(redirectTo, 302);
	},
	/** Only for the test: registers a client with a secret. */
	async '/register'(_, {OAUTH_PROVIDER}) {
		const tokenEndpointAuthMethod = 'client_secret_basic';
		return Response.json(await OAUTH_PROVIDER.createClient({redirectUris, tokenEndpointAuthMethod}));
	},
};

const provider = (origin: string): OAuthProvider<Env> =>
	new OAuthProvider<Env>({
		apiRoute: '/api',
		apiHandler: {fetch: async () => Response.json({})},
		defaultHandler: {
			fetch: async (request: Request, env: Env) =>
				(await routes[new URL(request.url).pathname]?.(request, env)) ?? new Response(null, {status: 404}),
		},
		authorizeEndpoint: '/authorize',
		tokenEndpoint: '/token',
		scopesSupported: ['read', 'offline_access'],
		resourceMetadata: {resource: `${origin}/api`},
	});

let running: OAuthProvider<Env> | undefined;

export default {
	fetch(request: Request, env: Env, context: object): Promise<Response> {
		// The provider is created at the first request, because the port is not known before.
		running ??= provider(new URL(request.url).origin);
		return running.fetch(request, env, context);
	},
};
