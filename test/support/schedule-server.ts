import type {TokenSet} from '../../src/index.ts';
import type {VirtualTime} from './virtual-time.ts';

/** A login at the server, with all tokens that were issued for it. */
export interface Login {
	readonly name: string;
	isAlive: boolean;
	/** Why the login may be lost: a response was lost, or the user did something that no client can repair. */
	excuse?: string;
	/** The only valid refresh token. */
	refresh: string;
	/** The valid access tokens. */
	readonly access: Set<string>;
}

/** What happens to a token request. */
export type Fate = 'answered' | '503' | 'reset' | 'lost';

/** A server with rotation and reuse detection. It records requests that must not arrive, so it is the referee. */
export interface ScheduleServer {
	/** The requests that arrived and must not have arrived. */
	readonly faults: string[];
	/** What happens to the next token requests. All later ones are answered. */
	fates: Fate[];
	/** How many of the next API calls are answered with 503. */
	busy: number;
	/** Returns the first tokens of a new login. */
	readonly mint: () => {readonly login: Login; readonly token: TokenSet};
	/** The refresh tokens of the requests that are not answered yet. */
	readonly asked: ReadonlySet<string>;
	/** Returns the login that a token belongs to. */
	readonly loginOf: (token: string | undefined) => Login | undefined;
	/** Makes the API reject all access tokens that were issued so far. */
	readonly expireAll: () => void;
	/** Answers token and revocation requests. */
	readonly tokenFetch: typeof fetch;
	readonly api: typeof fetch;
}

/** Creates the server. A request and its response each take as long as `latency` says. */
export function createScheduleServer(time: VirtualTime, latency: () => number): ScheduleServer {
	const logins: Login[] = [];
	const loginsByToken = new Map<string, Login>();
	const refused = new Set<string>();
	const faults: string[] = [];
	/** The login under which each API call was first sent. */
	const loginsByCall = new Map<string, Login>();
	let count = 0;
	const asked = new Set<string>();

	const issue = (login: Login): TokenSet => {
		login.refresh = `refresh-${++count}`;
		const access_token = `access-${count}`;
		login.access.add(access_token);
		loginsByToken.set(login.refresh, login).set(access_token, login);
		return {access_token, refresh_token: login.refresh, token_type: 'Bearer', expires_in: 3600} as unknown as TokenSet;
	};
	const grant = (refreshToken: string): Response => {
		const login = loginsByToken.get(refreshToken);
		if (refused.has(refreshToken) && !login?.excuse) faults.push(`${refreshToken} was sent again after its refusal`);
		if (login?.isAlive && login.refresh === refreshToken) return Response.json(issue(login));
		if (login?.isAlive && !login.excuse) faults.push(`${refreshToken} of ${login.name} was used twice`);
		if (login) login.isAlive = false;
		refused.add(refreshToken);
		return Response.json({error: 'invalid_grant'}, {status: 400});
	};
	/** Runs a task at the server. It completes even if the holder that sent the request is stopped. */
	const atServer = async <T>(task: () => T): Promise<T> =>
		time.asNobody(async () => {
			await time.sleep(latency());
			return task();
		});

	const exchange = async (refreshToken: string): Promise<Response> => {
		const fate = server.fates.shift() ?? 'answered';
		if (fate === 'reset') throw new TypeError('fetch failed');
		if (fate === '503') return new Response(null, {status: 503});
		if (asked.size > 0) faults.push('two token requests at one time');
		asked.add(refreshToken);
		const answer = await atServer(() => grant(refreshToken));
		await time.sleep(latency());
		asked.delete(refreshToken);
		const login = loginsByToken.get(refreshToken);
		if (fate !== 'lost' || !answer.ok || !login) return answer;
		login.excuse = 'an answer was lost';
		return new Response(null, {status: 502});
	};

	const server: ScheduleServer = {
		faults,
		fates: [],
		busy: 0,
		asked,
		mint: () => {
			const login: Login = {name: `login ${logins.length + 1}`, isAlive: true, refresh: '', access: new Set()};
			logins.push(login);
			return {login, token: issue(login)};
		},
		loginOf: token => loginsByToken.get(token ?? ''),
		expireAll: () => {
			for (const {access} of logins) access.clear();
		},
		tokenFetch: async (url, init) => {
			const parameters = new URLSearchParams(init?.body as string);
			if (!(url as string).endsWith('/revoke')) return exchange(parameters.get('refresh_token') ?? '');
			await atServer(() => {
				const login = loginsByToken.get(parameters.get('token') ?? '');
				// Revoking a used refresh token has no effect, because the token is no longer valid.
				if (login?.refresh === parameters.get('token')) login.isAlive = false;
			});
			return new Response();
		},
		api: async input => {
			const {headers, url} = input as Request;
			const token = headers.get('authorization')?.slice('Bearer '.length);
			const login = loginsByToken.get(token ?? '');
			const first = loginsByCall.get(url) ?? login;
			if (login && first !== login) faults.push(`a call of ${first?.name} was sent again as ${login.name}`);
			if (login) loginsByCall.set(url, login);
			const status = await atServer(() => {
				if (server.busy > 0) {
					server.busy--;
					return 503;
				}
				return login?.isAlive && login.access.has(token ?? '') ? 200 : 401;
			});
			await time.sleep(latency());
			return new Response(null, {status});
		},
	};
	return server;
}
