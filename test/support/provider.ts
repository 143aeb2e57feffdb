import {generateKeyPairSync, randomBytes} from 'node:crypto';
import Provider, {type AdapterFactory, type ClientMetadata, type Configuration} from 'oidc-provider';
import {accountScopes, clients as knownClients} from './clients.ts';
import {loginConfiguration, type LoginPages} from './login-pages.ts';

/** The paths of the provider's endpoints. */
export const paths = {token: '/token', revocation: '/token/revocation', introspection: '/token/introspection'};

const hour = 3600;

/** Options of a test's provider. */
export interface ProviderOptions {
	/** Additional clients. */
	readonly clients?: readonly ClientMetadata[];
	/** Whether a DPoP proof needs a nonce. Default: true. Requests without a proof are accepted, too. */
	readonly isNonceRequired?: boolean;
	/** The URLs of an app whose users log in at this provider. By default nobody can log in, and tests mint tokens instead. */
	readonly pages?: LoginPages;
}

/**
Creates a real provider. It has explicit keys, lifetimes and policies, because it writes a warning to the console for every default.
*/
export function createProvider(
	issuer: string,
	accessTokenSeconds: number,
	adapter: AdapterFactory,
	{clients = [], isNonceRequired = true, pages}: ProviderOptions = {},
): Provider {
	const login = pages && loginConfiguration(pages);
	const provider = new Provider(issuer, {
		adapter,
		...login,
		clients: [...knownClients, ...clients, ...(login?.clients ?? [])],
		clientDefaults: {id_token_signed_response_alg: 'ES256'},
		clientBasedCORS: () => true,
		clockTolerance: 0,
		cookies: {keys: ['test']},
		features: {
			clientCredentials: {enabled: true},
			devInteractions: {enabled: false},
			dPoP: {enabled: true, nonceSecret: randomBytes(32), requireNonce: () => isNonceRequired},
			introspection: {enabled: true, allowedPolicy: async () => true},
			revocation: {enabled: true, allowedPolicy: async (_ctx, client, token) => token.clientId === client.clientId},
			...login?.features,
		} as Configuration['features'], // each member is one of these features
		findAccount: async (_ctx, accountId) => ({accountId, claims: async () => ({sub: accountId})}),
		jwks: {keys: [generateKeyPairSync('ec', {namedCurve: 'P-256'}).privateKey.export({format: 'jwk'})]},
		renderError: async (ctx, out) => {
			ctx.body = {...out};
		},
		rotateRefreshToken: () => true,
		routes: paths,
		scopes: ['openid', 'offline_access', ...accountScopes.split(' ')],
		ttl: {
			AccessToken: accessTokenSeconds,
			ClientCredentials: accessTokenSeconds,
			DeviceCode: 600,
			Grant: hour,
			IdToken: hour,
			Interaction: hour,
			RefreshToken: hour,
			Session: hour,
		},
	});
	provider.on('error' as 'server_error', () => {}); // the types do not know koa's own event. Without a listener, koa prints the error
	return provider;
}
