import {createServer, IncomingMessage} from 'node:http';
import type {KoaContextWithOIDC, Provider} from 'oidc-provider';
import {app, awkward, service, servicePost} from './clients.ts';
import {withCors} from './cors.ts';
import type {BoundToken} from './dpop-api.ts';
import {interact, isInteraction} from './login-pages.ts';
import {createMemoryAdapter} from './memory-adapter.ts';
import {createProvider, paths, type ProviderOptions} from './provider.ts';
import {createReferee, type Referee, type Whistle} from './referee.ts';
import {type ApiCall, type Bearer, startResourceServer} from './resource-server.ts';
import {type Answer, type CapturedRequest, capture, listen, send, shut, toReply} from './serve.ts';
import {createStage, type Hook, type Stage} from './stage.ts';

export {app, awkward, service, servicePost};

/** The kinds of secrets that a canary scan looks for. */
export type SecretKind = 'access token' | 'refresh token' | 'id token' | 'client secret' | 'Basic credentials';

/** Options of a test's authorization server. */
export interface AuthorizationServerOptions extends ProviderOptions {
	/** The lifetime of an access token, in seconds. Default: 60, which is longer than a busy machine needs for a test's calls. */
	readonly accessTokenSeconds?: number;
	/** How many milliseconds each access to the server's storage takes. Default: 0. */
	readonly latency?: number;
}

/** A request to the token or the revocation endpoint, as it arrived. */
export interface EndpointRequest extends CapturedRequest {
	/** The body, read as a form. */
	readonly parameters: URLSearchParams;
	/** The status of the answer; 0 until it is known. */
	status: number;
}

/** The answer that the provider is about to send. */
export interface ProviderAnswer {
	readonly status: number;
	readonly body: unknown;
}

/** A token response, RFC 6749 §5.1. */
export interface TokenResponse {
	readonly access_token: string;
	readonly token_type: 'Bearer' | 'DPoP';
	readonly expires_in: number;
	readonly refresh_token: string;
	readonly scope: string;
}

/** Options for the first tokens of a login. */
export interface MintOptions {
	/** Default: `app`. */
	readonly clientId?: string;
	readonly scope?: string;
	/** The thumbprint of the DPoP key that both tokens are bound to. Default: none. */
	readonly jkt?: string;
}

/** A real authorization server, and an API on another origin that accepts its tokens. */
export interface AuthorizationServer {
	readonly issuer: string;
	/** oidc-provider itself. */
	readonly provider: Provider;
	readonly tokenEndpoint: string;
	readonly revocationEndpoint: string;
	readonly introspectionEndpoint: string;
	/** The origin of the API. Its paths are `/accounts` and `/me`. */
	readonly api: string;
	/** Returns the token response of a new login. */
	mint(options?: MintOptions): Promise<TokenResponse>;
	/**
	Returns the redirect of a login that begins at this URL of the authorization endpoint. It has a code for a new user. There is no login
	page: the code is stored directly.
	*/
	authorize(url: string): Promise<string>;
	/** Expires an access token at the server, and nothing else. The API then answers `invalid_token`. */
	expire(accessToken: string): Promise<void>;
	/** Whether the server would still accept a token, of any kind. */
	isActive(token: string): Promise<boolean>;
	/** The user of a valid access token, and the DPoP key that it is bound to. */
	findBound(accessToken: string): Promise<BoundToken | undefined>;
	/** The token requests in the order of their arrival, including those that a hook answered. */
	readonly tokenRequests: EndpointRequest[];
	readonly revocationRequests: EndpointRequest[];
	readonly calls: ApiCall[];
	/** Every secret that exists, with its name. Survives `reset`. */
	readonly issued: ReadonlyMap<string, SecretKind>;
	/** The names of the provider's events, in order. */
	readonly events: string[];
	/**
	Adds a hook that runs before the provider gets a token request. It can delay or answer the request. Returns a function that removes the
	hook.
	*/
	onToken(hook: Hook<[EndpointRequest]>): () => void;
	/** Adds a hook that runs when the provider has answered a token request. It can replace the answer, which is then lost. */
	onTokenAnswer(hook: Hook<[EndpointRequest, ProviderAnswer]>): () => void;
	/** Adds a hook that runs before the provider gets a revocation request. */
	onRevocation(hook: Hook<[EndpointRequest]>): () => void;
	/** Adds a hook that runs before the API processes a call. */
	onCall(hook: Hook<[ApiCall]>): () => void;
	/** Clears hooks, requests, events and what the referee has recorded. Tokens and grants remain. */
	reset(): void;
	/** Reports a lost grant: one that the server revoked by itself, without a request to the revocation endpoint. */
	readonly referee: Referee;
	close(): Promise<void>;
}

interface Endpoint {
	readonly requests: EndpointRequest[];
	readonly before: Stage<[EndpointRequest]>;
	readonly after: Stage<[EndpointRequest, ProviderAnswer]>;
	reset(): void;
}

/**
Starts oidc-provider with rotation and reuse detection. If a refresh token is used twice, the server notices it and revokes the whole grant.
The server uses the clock of this process.
*/
export async function startAuthorizationServer(options: AuthorizationServerOptions = {}): Promise<AuthorizationServer> {
	const {accessTokenSeconds = 60, latency = 0, pages} = options;
	const referee = createReferee();
	const server = createServer();
	const issuer = await listen(server);
	const onSecondConsumption = (): void => referee.report('two requests at once consumed one refresh token');
	const adapter = createMemoryAdapter({latency, onSecondConsumption});
	const provider = createProvider(issuer, accessTokenSeconds, adapter, options);
	const events = recordEvents(provider, referee);
	const issued = knownSecrets();
	const [token, revocation] = [createEndpoint(), createEndpoint()];
	stageRequests(
		provider,
		new Map([
			[paths.token, token],
			[paths.revocation, revocation],
		]),
		issued,
	);
	const api = await startResourceServer(async accessToken => toBearer(await findAccess(provider, accessToken)));
	const handle = provider.callback();
	server.on('request', (request, response) => {
		if (pages && isInteraction(request)) void interact(provider, request, response);
		else void handle(request, response);
	});
	return {
		issuer,
		provider,
		tokenEndpoint: issuer + paths.token,
		revocationEndpoint: issuer + paths.revocation,
		introspectionEndpoint: issuer + paths.introspection,
		api: api.origin,
		async mint(options) {
			const response = await mint(provider, accessTokenSeconds, options);
			remember(issued, response);
			return response;
		},
		authorize: url => authorize(provider, new URL(url)),
		async expire(accessToken) {
			const found = await findAccess(provider, accessToken);
			if (!found) throw new Error('No such access token is alive');
			await found.destroy();
		},
		async isActive(value) {
			const found = (await findAccess(provider, value)) ?? (await provider.RefreshToken.find(value));
			return found?.isValid ?? false;
		},
		async findBound(accessToken) {
			const found = await findAccess(provider, accessToken);
			const bearer = toBearer(found);
			return bearer && {subject: bearer.subject, jkt: found?.jkt};
		},
		tokenRequests: token.requests,
		revocationRequests: revocation.requests,
		calls: api.calls,
		issued,
		events,
		onToken: token.before.add,
		onTokenAnswer: token.after.add,
		onRevocation: revocation.before.add,
		onCall: api.onCall,
		reset() {
			for (const part of [token, revocation, api]) part.reset();
			events.length = 0;
			referee.clear();
		},
		referee,
		async close() {
			await Promise.all([shut(server), api.close()]);
		},
	};
}

function recordEvents(provider: Provider, referee: Whistle): string[] {
	const events: string[] = [];
	const names = ['access_token', 'client_credentials', 'refresh_token'].flatMap(kind => [
		`${kind}.saved`,
		`${kind}.destroyed`,
	]);
	for (const name of [
		...names,
		'refresh_token.consumed',
		'grant.success',
		'grant.error',
		'grant.revoked',
		'revocation.error',
		'server_error',
	]) {
		provider.on(name as 'server_error', () => void events.push(name)); // the types only know single names
	}
	provider.on('grant.revoked', ctx => {
		if (ctx.path !== paths.revocation)
			referee.report('the server revoked a grant, since its refresh token was used twice');
	});
	provider.on('server_error', (_ctx, error) => referee.report(`the provider failed: ${error}`));
	return events;
}

function createEndpoint(): Endpoint {
	const requests: EndpointRequest[] = [];
	const before = createStage<[EndpointRequest]>();
	const after = createStage<[EndpointRequest, ProviderAnswer]>();
	return {
		requests,
		before,
		after,
		reset() {
			requests.length = 0;
			before.clear();
			after.clear();
		},
	};
}

function stageRequests(
	provider: Provider,
	endpoints: ReadonlyMap<string, Endpoint>,
	issued: Map<string, SecretKind>,
): void {
	provider.use(async (ctx, next) => {
		const endpoint = ctx.method === 'POST' ? endpoints.get(ctx.path) : undefined;
		if (!endpoint) {
			await next();
			return;
		}
		const request = await readAhead(ctx, provider.issuer);
		endpoint.requests.push(request);
		const staged = await endpoint.before.run(request);
		if (staged) {
			await replace(ctx, request, staged);
			return;
		}
		await next();
		remember(issued, ctx.body);
		const replaced = await endpoint.after.run(request, {status: ctx.status, body: ctx.body});
		if (replaced) await replace(ctx, request, replaced);
		else request.status = ctx.status;
	});
}

type Context = Pick<KoaContextWithOIDC, 'req' | 'res' | 'respond'>;

/** Reads the body of a request, and passes the provider a copy of the request with the same body. */
async function readAhead(ctx: Context, origin: string): Promise<EndpointRequest> {
	const {headers, method, socket, url} = ctx.req;
	const captured = await capture(ctx.req, origin);
	ctx.req = Object.assign(new IncomingMessage(socket), {headers, method, url, complete: true}); // an incomplete message would destroy the socket
	ctx.req.push(captured.bytes);
	ctx.req.push(null);
	return {...captured, parameters: new URLSearchParams(captured.body), status: 0};
}

function replace(ctx: Context, request: EndpointRequest, answer: Answer): Promise<void> {
	const reply = withCors(toReply(answer));
	request.status = reply.status ?? 200;
	for (const name of ctx.res.getHeaderNames()) ctx.res.removeHeader(name);
	ctx.res.statusMessage = ''; // koa has set the text of the replaced status
	ctx.respond = false;
	return send(reply, ctx.res);
}

const formEncode = (text: string): string => new URLSearchParams({'': text}).toString().slice(1);

function knownSecrets(): Map<string, SecretKind> {
	const secrets = new Map<string, SecretKind>();
	for (const {clientId, secret} of [service, servicePost, awkward]) {
		secrets.set(secret, 'client secret');
		for (const encode of [String, formEncode])
			secrets.set(btoa(`${encode(clientId)}:${encode(secret)}`), 'Basic credentials');
	}
	return secrets;
}

function remember(issued: Map<string, SecretKind>, body: unknown): void {
	const response = (body ?? {}) as Record<string, unknown>; // a string has none of these properties
	for (const kind of ['access token', 'refresh token', 'id token'] as const) {
		const value = response[kind.replace(' ', '_')];
		if (typeof value === 'string') issued.set(value, kind);
	}
}

type Claims = ConstructorParameters<Provider['RefreshToken']>[0];

type Access = InstanceType<Provider['AccessToken']> | InstanceType<Provider['ClientCredentials']>;

async function findAccess(provider: Provider, value: string): Promise<Access | undefined> {
	return (await provider.AccessToken.find(value)) ?? provider.ClientCredentials.find(value);
}

function toBearer(token: Access | undefined): Bearer | undefined {
	if (!token?.isValid) return undefined;
	const subject = token.kind === 'AccessToken' ? token.accountId : token.clientId;
	return {subject: subject ?? '', scopes: token.scopes};
}

async function authorize(provider: Provider, {searchParams}: URL): Promise<string> {
	const parameters = Object.fromEntries(searchParams);
	const {client_id = '', redirect_uri = '', scope = '', state = '', nonce} = parameters;
	const code = new provider.AuthorizationCode({
		...(await createClaims(provider, client_id, scope)),
		redirectUri: redirect_uri,
		...(nonce !== undefined && {nonce}),
		codeChallenge: parameters['code_challenge'] ?? '',
		codeChallengeMethod: parameters['code_challenge_method'] ?? '',
	});
	const answer = {code: await code.save(), state, iss: provider.issuer};
	return `${redirect_uri}?${new URLSearchParams(answer)}`;
}

// Writes the models directly, as they would be written after a login page.
async function mint(
	provider: Provider,
	lifetime: number,
	{clientId = app.clientId, scope = 'openid offline_access /accounts.read', jkt}: MintOptions = {},
): Promise<TokenResponse> {
	const claims = {...(await createClaims(provider, clientId, scope)), ...(jkt !== undefined && {jkt})};
	return {
		access_token: await new provider.AccessToken(claims).save(),
		token_type: jkt === undefined ? 'Bearer' : 'DPoP',
		expires_in: lifetime,
		refresh_token: await new provider.RefreshToken(claims).save(),
		scope,
	};
}

/** Creates what all tokens of a new login have in common. */
async function createClaims(provider: Provider, clientId: string, scope: string): Promise<Claims> {
	const client = await provider.Client.find(clientId);
	if (!client) throw new Error(`No client is called ${clientId}`);
	const accountId = `user-${crypto.randomUUID()}`;
	const grant = new provider.Grant({clientId, accountId});
	grant.addOIDCScope(scope);
	return {
		client,
		accountId,
		scope,
		grantId: await grant.save(),
		gty: 'authorization_code',
		expiresWithSession: false,
	};
}
