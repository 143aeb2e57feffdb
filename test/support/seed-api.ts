import {allowEveryOrigin} from './cors.ts';
import {createReferee, type Referee} from './referee.ts';
import {type ApiCall, startResourceServer} from './resource-server.ts';
import {createSeedVault, seedClient, type SeedSecretKind, type SeedTokens, type SeedVault} from './seed-vault.ts';
import {type CapturedRequest, type Reply, serve, toReply} from './serve.ts';
import {createStage, type Hook, type Stage} from './stage.ts';

/** Details that differ between the versions of the API's documentation. */
export interface SeedApiOptions {
	/** Whether `expires_in` is a Unix timestamp (the default) or a number of seconds. */
	readonly expiresIn?: 'timestamp' | 'seconds';
	/** The `token_type` of a token response. Default: `Bearer`. */
	readonly tokenType?: 'Bearer' | 'opaque';
	/** The lifetime of an access token, in seconds. Default: 900. */
	readonly accessTokenSeconds?: number;
}

/** A request to the token or the revocation endpoint, as it arrived. */
export interface SeedRequest extends CapturedRequest {
	/** The body, decoded by its content type. */
	readonly parameters: Readonly<Record<string, string | undefined>>;
	/** The status of the answer; 0 until it is known. */
	status: number;
}

/** A fake of Moov’s API, whose peculiarities oidc-provider cannot imitate. */
export interface SeedApi {
	readonly tokenEndpoint: string;
	readonly revocationEndpoint: string;
	/** The origin of the API, with the path `/accounts`. */
	readonly api: string;
	readonly tokenRequests: SeedRequest[];
	readonly revocationRequests: SeedRequest[];
	readonly calls: ApiCall[];
	/** Every secret that exists, with its name. */
	readonly issued: ReadonlyMap<string, SeedSecretKind>;
	/** Expires an access token, and nothing else. */
	expire(accessToken: string): void;
	/** Expires a refresh token. Its next use is answered with 422. This does not count as a loss by the client. */
	kill(refreshToken: string): void;
	/** Answers the next token request with 429: `Retry-After` in seconds, `X-Retry-In` in milliseconds, or both. */
	throttle(headers: {readonly 'Retry-After'?: string; readonly 'X-Retry-In'?: string}): void;
	/** Adds a hook that runs before a token request is processed. */
	onToken(hook: Hook<[SeedRequest]>): () => void;
	/** Adds a hook that runs before a revocation request is processed. */
	onRevocation(hook: Hook<[SeedRequest]>): () => void;
	/** Adds a hook that runs before the API processes a call. */
	onCall(hook: Hook<[ApiCall]>): () => void;
	/** Reports a refresh token that was used twice. That ends all tokens of its login. */
	readonly referee: Referee;
	/** Closes the API. Rejects if it got a request that it does not know. */
	close(): Promise<void>;
}

const knownScopes = ['/accounts.read', '/accounts.write'];

/** Starts the API. Several of them are independent of each other. */
export async function startSeedApi(options: SeedApiOptions = {}): Promise<SeedApi> {
	const referee = createReferee();
	const vault = createSeedVault(options.accessTokenSeconds ?? 900, referee.report);
	const token = createRoute(request => grant(vault, request, options));
	const revocation = createRoute(request => revoke(vault, request));
	const routes: Readonly<Record<string, Route | undefined>> = {
		'POST /oauth2/token': token,
		'POST /oauth2/revoke': revocation,
	};
	const endpoints = await serve(
		allowEveryOrigin((_request, captured) => {
			const route = routes[`${captured.method} ${captured.path}`];
			if (!route) throw new Error(`The API has no ${captured.method} ${captured.path}`);
			return route.answer(captured);
		}),
	);
	const api = await startResourceServer(async accessToken => {
		const scope = vault.find(accessToken);
		return scope === undefined ? undefined : {subject: seedClient.clientId, scopes: new Set(scope.split(' '))};
	});
	return {
		tokenEndpoint: `${endpoints.origin}/oauth2/token`,
		revocationEndpoint: `${endpoints.origin}/oauth2/revoke`,
		api: api.origin,
		tokenRequests: token.requests,
		revocationRequests: revocation.requests,
		calls: api.calls,
		issued: vault.issued,
		expire: vault.revoke,
		kill: vault.kill,
		throttle(headers) {
			const remove = token.stage.add(() => {
				remove();
				return {status: 429, headers: Object.entries(headers)};
			});
		},
		onToken: token.stage.add,
		onRevocation: revocation.stage.add,
		onCall: api.onCall,
		referee,
		async close() {
			await Promise.all([endpoints.close(), api.close()]);
		},
	};
}

interface Route {
	readonly requests: SeedRequest[];
	readonly stage: Stage<[SeedRequest]>;
	answer(captured: CapturedRequest): Promise<Reply>;
}

function createRoute(respond: (request: SeedRequest) => Reply): Route {
	const requests: SeedRequest[] = [];
	const stage = createStage<[SeedRequest]>();
	return {
		requests,
		stage,
		async answer(captured) {
			const request: SeedRequest = {...captured, parameters: readParameters(captured), status: 0};
			requests.push(request);
			const staged = await stage.run(request);
			const reply = staged ? toReply(staged) : respond(request);
			request.status = reply.status ?? 200;
			return reply;
		},
	};
}

function isForm({headers}: CapturedRequest): boolean {
	return /^application\/x-www-form-urlencoded\b/i.test(headers['content-type'] ?? '');
}

function readParameters(request: CapturedRequest): Record<string, string> {
	if (isForm(request)) return Object.fromEntries(new URLSearchParams(request.body));
	if (!/^application\/json\b/i.test(request.headers['content-type'] ?? ''))
		throw new Error('Neither JSON nor a form was sent');
	const parameters = JSON.parse(request.body) as Record<string, string>; // the next line checks this
	if (!Object.values(parameters).every(value => typeof value === 'string'))
		throw new Error('Not all values are strings');
	return parameters;
}

/** Answers in the content type of the request, as the API's documentation says. */
function mirror(request: CapturedRequest, body: Readonly<Record<string, string | number>>, status = 200): Reply {
	if (!isForm(request)) return {status, headers: [['content-type', 'application/json']], body: JSON.stringify(body)};
	const form = new URLSearchParams(Object.entries(body).map(([name, value]) => [name, String(value)]));
	return {status, headers: [['content-type', 'application/x-www-form-urlencoded']], body: form.toString()};
}

/** Returns why the client is rejected. Undefined if it is accepted. */
function refuseClient({headers, parameters}: SeedRequest): string | undefined {
	const basic = /^basic (.*)$/i.exec(headers['authorization'] ?? '')?.[1];
	const {client_id, client_secret} = parameters;
	if (basic !== undefined && client_secret !== undefined) return 'invalid_request';
	const [id, secret] =
		basic === undefined ? [client_id, client_secret] : atob(basic).split(':').map(decodeURIComponent);
	return id === seedClient.clientId && secret === seedClient.secret ? undefined : 'invalid_client';
}

function grant(vault: SeedVault, request: SeedRequest, options: SeedApiOptions): Reply {
	const refusal = refuseClient(request);
	if (refusal !== undefined) return mirror(request, {error: refusal}, 400);
	const {grant_type, scope = '', refresh_token = ''} = request.parameters;
	if (grant_type === 'client_credentials') {
		const isKnown = scope.split(' ').every(name => knownScopes.includes(name));
		return isKnown
			? grantTokens(request, vault.start(scope), options)
			: mirror(request, {scope: `${scope} is not a valid scope`}, 422);
	}
	if (grant_type !== 'refresh_token') return mirror(request, {error: 'unsupported_grant_type'}, 400);
	const tokens = vault.rotate(refresh_token);
	if (tokens) return grantTokens(request, tokens, options);
	// The answer repeats the token, so that the test notices a client which shows it.
	return mirror(request, {refresh_token: `${refresh_token} is not a valid refresh token`}, 422);
}

function grantTokens(
	request: SeedRequest,
	tokens: SeedTokens,
	{expiresIn, tokenType = 'Bearer', accessTokenSeconds = 900}: SeedApiOptions,
): Reply {
	return mirror(request, {
		access_token: tokens.access,
		refresh_token: tokens.refresh,
		expires_in: expiresIn === 'seconds' ? accessTokenSeconds : tokens.expiresAt,
		scope: tokens.scope,
		token_type: tokenType,
	});
}

function revoke(vault: SeedVault, request: SeedRequest): Reply {
	const refusal = refuseClient(request);
	if (refusal !== undefined) return mirror(request, {error: refusal}, 400);
	const {token, token_type_hint = 'refresh_token'} = request.parameters;
	if (token === undefined) return mirror(request, {token: 'is required'}, 422);
	if (!/^(access|refresh)_token$/.test(token_type_hint)) return mirror(request, {token_type_hint: 'is not known'}, 422);
	vault.revoke(token);
	return {status: 204};
}
