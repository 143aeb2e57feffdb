import {base64url} from '../../src/lib/base64url.ts';
import {createLogin, type Login, type LoginOptions, type LoginStorage} from '../../src/login/login.ts';

/** A fake authorization server that records its token requests. */
export interface FakeServer {
	/** The bodies of the requests, in order. */
	readonly requests: URLSearchParams[];
	/** The headers of the same requests. */
	readonly headers: Headers[];
	/** Returns the token response. A test can replace it. */
	answer: () => unknown;
	/** For the option `fetch`. */
	readonly fetch: typeof fetch;
}

/** The URLs of the fake login. */
export const place = {
	issuer: 'https://as.example',
	tokenEndpoint: 'https://as.example/token',
	authorizationEndpoint: 'https://as.example/authorize',
	endSessionEndpoint: 'https://as.example/logout',
	clientId: 'app',
	redirectUri: 'https://app.example/callback',
};

/** Creates a fake server that answers token requests in memory. The answer has only a token. */
export function createFakeServer(): FakeServer {
	const server: FakeServer = {
		requests: [],
		headers: [],
		answer: () => ({access_token: 'access-token-of-ann', token_type: 'Bearer', expires_in: 60}),
		async fetch(_url, init) {
			server.requests.push(new URLSearchParams(init?.body as string));
			server.headers.push(new Headers(init?.headers));
			const answer = await server.answer();
			return answer instanceof Response ? answer : Response.json(answer);
		},
	};
	return server;
}

/** The storage of one tab or of one user. */
export interface FakeStorage extends LoginStorage {
	readonly entries: Map<string, string>;
	/** The operations on the storage, in order. */
	readonly log: string[];
}

/** Creates an empty storage. */
export function createFakeStorage(): FakeStorage {
	const entries = new Map<string, string>();
	const log: string[] = [];
	return {
		entries,
		log,
		getItem(key) {
			log.push('get');
			return entries.get(key) ?? null;
		},
		setItem(key, value) {
			log.push('set');
			entries.set(key, value);
		},
		removeItem(key) {
			log.push('remove');
			entries.delete(key);
		},
	};
}

/** Creates a JSON Web Token with these claims. Its signature is not valid, because nobody checks it. */
export function idTokenOf(claims: unknown): string {
	const encode = (part: unknown): string => base64url(new TextEncoder().encode(JSON.stringify(part)));
	return `${encode({alg: 'ES256'})}.${encode(claims)}.c2lnbmF0dXJl`;
}

/** A login at the fake server, and the parts that a test needs. */
export interface FakeLogin {
	readonly login: Login;
	readonly server: FakeServer;
	readonly storage: FakeStorage;
	/** Begins a login. Returns the parameters of the authorization request. */
	begin(options?: Parameters<Login['start']>[0]): Promise<URLSearchParams>;
	/** Begins a login. Returns the URL at which the browser would come back. */
	callback(change?: Readonly<Record<string, string | undefined>>): Promise<string>;
}

/** Creates a login at a fake server. */
export function createFakeLogin(
	options: Partial<LoginOptions> = {},
	storage: FakeStorage = createFakeStorage(),
): FakeLogin {
	const server = createFakeServer();
	const login = createLogin({...place, storage, fetch: server.fetch, ...options});
	const begin: FakeLogin['begin'] = async given => new URL(await login.start(given)).searchParams;
	return {
		login,
		server,
		storage,
		begin,
		async callback(change = {}) {
			const state = (await begin()).get('state');
			const answer = {code: 'code-of-ann-4711', state, iss: place.issuer, ...change};
			const given = Object.entries(answer).filter(([, value]) => value !== undefined);
			return `${place.redirectUri}?${new URLSearchParams(given as [string, string][])}`;
		},
	};
}
