import {createHash, randomBytes} from 'node:crypto';
import {createServer, type RequestListener} from 'node:http';
import type {AuthOptions, ClientAuthentication} from 'regrant';
import {listen, serve, shut} from '../../support/serve.ts';

/** What a login brings back to the application: the parameters of the token request that follows. */
export type CodeRequest = Readonly<Record<'code' | 'code_verifier' | 'redirect_uri', string>> & {
	readonly grant_type: 'authorization_code';
};

/** A client as the server has it registered. */
export interface RegisteredClient {
	readonly clientId: string;
	/** Left out for a public client. */
	readonly clientAuthentication?: ClientAuthentication;
	/** The same with a wrong secret. */
	readonly wrongAuthentication?: ClientAuthentication;
	/** How it gets a token of its own, where it can. */
	readonly grant?: AuthOptions['grant'];
	/** What the server wants to have in every token request. */
	readonly parameters?: Readonly<Record<string, string>>;
	/** How it tells a dead refresh token, where it says so in words of its own. */
	readonly endsSession?: AuthOptions['endsSession'];
}

/** A real authorization server and an API that takes its tokens, both on one origin. */
export interface RealServer {
	/** Path below the origin. */
	readonly tokenPath: string;
	/** Path below the origin. Left out where the server revokes nothing. */
	readonly revocationPath?: string;
	/** Path of a resource that answers 200 to everybody whose access token is good. */
	readonly resourcePath: string;
	/** The client that users sign in with. */
	readonly app: RegisteredClient;
	/** The client that acts for itself. Left out where the server has no such grant. */
	readonly service?: RegisteredClient;
	/** Answers every request to the origin. */
	handle(request: Request): Promise<Response>;
	/** Signs a user in at the authorization endpoint, up to the redirect that carries the code. */
	signIn(): Promise<CodeRequest>;
	/** How its metadata is found, and what a browser does there. Left out where the server has no metadata. */
	readonly login?: ServerLogin;
	/** Makes the API refuse an access token from now on. Its refresh token stays good. */
	expire(accessToken: string): Promise<void>;
	/** Makes the token endpoint refuse a refresh token from now on. */
	kill(refreshToken: string): Promise<void>;
	close?(): Promise<void>;
}

/** A login that begins with the server's metadata. */
export interface ServerLogin {
	/** The path of the issuer. Empty where it is the origin. */
	readonly issuerPath: string;
	/** The scope to ask for. */
	readonly scope?: string;
	/** Opens a URL of the authorization endpoint as a browser whose user is signed in and agrees. Gives where it leads. */
	visit(url: string): Promise<string | null>;
}

/** A request to the token endpoint. */
export interface TokenRequest {
	readonly grant_type: string;
	/** Whether the server answered it with a token. */
	readonly isGranted: boolean;
}

/** A call of the API. */
export interface ApiCall {
	readonly method: string;
	readonly body: string;
	/** What the API answered. */
	readonly status: number;
}

/** A running server, and what came to it. */
export interface Front extends RealServer {
	readonly origin: string;
	readonly tokenRequests: TokenRequest[];
	/** Whether each request to the revocation endpoint was answered with a success. */
	readonly revocations: boolean[];
	readonly calls: ApiCall[];
	/** Every token that was issued, by what it is. Survives `reset`. */
	readonly issued: ReadonlyMap<string, string>;
	/** Forgets what came so far. */
	reset(): void;
	close(): Promise<void>;
}

/** Puts a recording front on loopback before a server, which is told the origin that clients see. */
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

/** A server of Node's, such as Express, behind the front. */
export interface NodeServer {
	handle(request: Request): Promise<Response>;
	close(): Promise<void>;
}

/** What belongs to one connection, and not to the next one. */
const hopByHop = ['connection', 'content-length', 'content-encoding', 'keep-alive', 'transfer-encoding'];

/** Opens a server of Node's on a port of its own, to which requests are handed on. */
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

/** Where the application is called back: the redirect is read, and nobody follows it. */
export const redirect_uri = 'https://app.example.com/callback';

/** The parameters of an authorization request, and how it is gone through with. */
export interface SignIn {
	readonly parameters: Readonly<Record<string, string>>;
	/** Reads the code from the redirect to the application. */
	finish(location: string | null): CodeRequest;
}

/** A login with PKCE, as the application begins it. */
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

/** The access token of a request, or nothing. */
export function bearerOf(request: Request): string {
	return /^Bearer (.*)$/i.exec(request.headers.get('authorization') ?? '')?.[1] ?? '';
}

/** The cookies that an answer sets, as a browser sends them back. */
export function cookiesOf({headers}: Response): string {
	const pairs = headers.getSetCookie().map(line => line.split(';')[0]);
	return pairs.join('; ');
}
