import {createHash, randomBytes} from 'node:crypto';
import {createServer, type RequestListener} from 'node:http';
import type {AuthOptions, ClientAuthentication} from 'regrant';
import {listen, serve, shut} from '../../support/serve.ts';

/** What a login passes to the application: the parameters of the token request that follows. */
export type CodeRequest = Readonly<Record<'code' | 'code_verifier' | 'redirect_uri', string>> & {
	readonly grant_type: 'authorization_code';
};

/** A client that is registered at the server. */
export interface RegisteredClient {
	readonly clientId: string;
	/** Undefined for a public client. */
	readonly clientAuthentication?: ClientAuthentication;
	/** The same method with a wrong secret. */
	readonly wrongAuthentication?: ClientAuthentication;
	/** The grant by which the client gets a token for itself. Undefined if it has none. */
	readonly grant?: AuthOptions['grant'];
	/** Parameters that the server requires in every token request. */
	readonly parameters?: Readonly<Record<string, string>>;
	/** Recognises the error for a rejected refresh token, if the server does not use `invalid_grant`. */
	readonly endsSession?: AuthOptions['endsSession'];
}

/** A real authorization server and an API that accepts its tokens, both on one origin. */
export interface RealServer {
	/** The path of the token endpoint, below the origin. */
	readonly tokenPath: string;
	/** The path of the revocation endpoint. Undefined if the server has none. */
	readonly revocationPath?: string;
	/** The path of a resource that answers 200 to every valid access token. */
	readonly resourcePath: string;
	/** The client that users sign in with. */
	readonly app: RegisteredClient;
	/** The client that acts for itself. Undefined if the server has no such grant. */
	readonly service?: RegisteredClient;
	/** Answers every request to the origin. */
	handle(request: Request): Promise<Response>;
	/** Signs in a user at the authorization endpoint. Returns what the redirect with the code contains. */
	signIn(): Promise<CodeRequest>;
	/** How to find the server's metadata, and how a browser logs in. Undefined if the server has no metadata. */
	readonly login?: ServerLogin;
	/** Makes the API reject an access token from now on. The refresh token remains valid. */
	expire(accessToken: string): Promise<void>;
	/** Makes the token endpoint reject a refresh token from now on. */
	kill(refreshToken: string): Promise<void>;
	close?(): Promise<void>;
}

/** A login that begins with the server's metadata. */
export interface ServerLogin {
	/** The path of the issuer. Empty if the issuer is the origin. */
	readonly issuerPath: string;
	/** The scope that the login asks for. */
	readonly scope?: string;
	/**
	Opens a URL of the authorization endpoint like a browser whose user is signed in and consents. Returns the target of the redirect.
	*/
	visit(url: string): Promise<string | null>;
}

/** A request to the token endpoint. */
export interface TokenRequest {
	readonly grant_type: string;
	/** True if the server answered with a token. */
	readonly isGranted: boolean;
}

/** A call of the API. */
export interface ApiCall {
	readonly method: string;
	readonly body: string;
	/** The status of the answer. */
	readonly status: number;
}

/** A running server, with a record of its requests. */
export interface Front extends RealServer {
	readonly origin: string;
	readonly tokenRequests: TokenRequest[];
	/** For each request to the revocation endpoint: true if it succeeded. */
	readonly revocations: boolean[];
	readonly calls: ApiCall[];
	/** Every token that was issued, with its kind. `reset` keeps it. */
	readonly issued: ReadonlyMap<string, string>;
	/** Clears the recorded requests. */
	reset(): void;
	close(): Promise<void>;
}

/** Starts a proxy on loopback that records the requests to a server. The server is told the proxy's origin, which the clients see. */
export async function startFront(start: (origin: string) => Promise<RealServer>): Promise<Front> {
	const starting = Promise.withResolvers<RealServer>();
	const tokenRequests: TokenRequest[] = [];
	const revocations: boolean[] = [];
	const calls: ApiCall[] = [];
	const issued = new Map<string, string>();
	const {origin, close} = await serve(async (request, {body}) => {
		const server = await starting.promise;
		const response = await server.handle(request);
		const {method, url} = request;
		const {pathname} = new URL(url);
		const parameters = new URLSearchParams(body);
		const grant_type = parameters.get('grant_type');
		if (pathname === server.resourcePath) calls.push({method, body, status: response.status});
		else if (pathname === server.tokenPath && grant_type) {
			tokenRequests.push({grant_type, isGranted: response.ok});
			await remember(issued, response.clone());
		}
		if (pathname === server.revocationPath && parameters.has('token')) revocations.push(response.ok);
		return response;
	});
	const server = await start(origin);
	starting.resolve(server);
	return {
		...server,
		origin,
		tokenRequests,
		revocations,
		calls,
		issued,
		reset() {
			for (const record of [tokenRequests, revocations, calls]) record.length = 0;
		},
		async close() {
			await Promise.all([close(), server.close?.()]);
		},
	};
}

async function remember(issued: Map<string, string>, response: Response): Promise<void> {
	const answer = ((await response.json().catch(() => ({}))) ?? {}) as Readonly<Record<string, unknown>>;
	for (const kind of ['access_token', 'refresh_token', 'id_token']) {
		const token = answer[kind];
		if (typeof token === 'string') issued.set(token, kind);
	}
}

/** A server on Node's `http`, such as Express, behind the proxy. */
export interface NodeServer {
	handle(request: Request): Promise<Response>;
	close(): Promise<void>;
}

/** Headers that belong to one connection and are not forwarded. */
const hopByHop = ['connection', 'content-length', 'content-encoding', 'keep-alive', 'transfer-encoding'];

/** Starts a Node server on a port of its own, and passes requests on to it. */
export async function startNodeServer(listener: RequestListener): Promise<NodeServer> {
	const server = createServer(listener);
	const origin = await listen(server);
	return {
		async handle(request) {
			const {pathname, search} = new URL(request.url);
			const response = await fetch(origin + pathname + search, {
				method: request.method,
				headers: withoutHops(request.headers),
				body: request.body && (await request.arrayBuffer()),
				redirect: 'manual',
			});
			return new Response(response.body, {status: response.status, headers: withoutHops(response.headers)});
		},
		close: () => shut(server),
	};
}

function withoutHops(headers: Headers): Headers {
	const kept = new Headers(headers);
	for (const name of [...hopByHop, 'host']) kept.delete(name);
	return kept;
}

/** The redirect URI of the application. The tests read the redirect, and never follow it. */
export const redirect_uri = 'https://app.example.com/callback';

/** The parameters of an authorization request, and a function that finishes the login. */
export interface SignIn {
	readonly parameters: Readonly<Record<string, string>>;
	/** Reads the code from the redirect to the application. */
	finish(location: string | null): CodeRequest;
}

/** Begins a login with PKCE, as an application does. */
export function beginSignIn(clientId: string, more: Readonly<Record<string, string>> = {}): SignIn {
	const code_verifier = randomBytes(32).toString('base64url');
	const parameters = {
		response_type: 'code',
		client_id: clientId,
		redirect_uri,
		state: randomBytes(8).toString('base64url'),
		code_challenge: createHash('sha256').update(code_verifier).digest('base64url'),
		code_challenge_method: 'S256',
		...more,
	};
	return {
		parameters,
		finish(location) {
			const {searchParams} = new URL(location ?? 'about:blank');
			const code = searchParams.get('code');
			if (!code || searchParams.get('state') !== parameters.state) throw new Error(`No code came back: ${location}`);
			return {grant_type: 'authorization_code', code, code_verifier, redirect_uri};
		},
	};
}

/** Returns the access token of a request, or an empty string. */
export function bearerOf(request: Request): string {
	return /^Bearer (.*)$/i.exec(request.headers.get('authorization') ?? '')?.[1] ?? '';
}

/** Returns the cookies that a response sets, as the `Cookie` header in which a browser sends them back. */
export function cookiesOf({headers}: Response): string {
	const pairs = headers.getSetCookie().map(line => line.split(';')[0]);
	return pairs.join('; ');
}
