import type {TokenSet} from '../../src/index.ts';
import type {VirtualTime} from './virtual-time.ts';

/** A login at the server, with all tokens that came of it. */
export interface Login {
	readonly name: string;
	isAlive: boolean;
	/** Why it may be lost: an answer was lost, or the user did what no client can mend. */
	excuse?: string;
	/** The refresh token that is good. No other one is. */
	refresh: string;
	/** The access tokens that are good. */
	readonly access: Set<string>;
}

/** What becomes of a token request. */
export type Fate = 'answered' | '503' | 'reset' | 'lost';

/** A server with rotation and reuse detection that knows what must not come to it: the referee. */
export interface ScheduleServer {
	/** What came to it and must not have come. */
	readonly faults: string[];
	/** What becomes of the next token requests. All others are answered. */
	fates: Fate[];
	/** How many of the next calls of the API it answers with 503. */
	busy: number;
	/** The first tokens of a login. */
	readonly mint: () => {readonly login: Login; readonly token: TokenSet};
	/** The login of a token of any kind. */
	readonly loginOf: (token: string | undefined) => Login | undefined;
	/** The API refuses all access tokens that were issued so far. */
	readonly expireAll: () => void;
	/** For token and revocation requests. */
	readonly tokenFetch: typeof fetch;
	readonly api: typeof fetch;
}

/** Creates the server. Whoever asks it waits as long as `latency` says, each way. */
export function createScheduleServer(time: VirtualTime, latency: () => number): ScheduleServer {
	const logins: Login[] = [];
	const loginsByToken = new Map<string, Login>();
	const refused = new Set<string>();
	const faults: string[] = [];
	/** Of each call of the API, the login under which it was first sent. */
	const loginsByCall = new Map<string, Login>();
	let count = 0;
	let underWay = 0;

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
	/** What happens at the server happens though who asked is stopped. */
	const atServer = async <T>(task: () => T): Promise<T> =>
		time.asNobody(async () => {
			await time.sleep(latency());
			return task();
		});

	const exchange = async (refreshToken: string): Promise<Response> => {
		const fate = server.fates.shift() ?? 'answered';
		if (fate === 'reset') throw new TypeError('fetch failed');
		if (fate === '503') return new Response(null, {status: 503});
		underWay++;
		if (underWay > 1) faults.push('two token requests at one time');
		const answer = await atServer(() => grant(refreshToken));
		await time.sleep(latency());
		underWay--;
		const login = loginsByToken.get(refreshToken);
		if (fate !== 'lost' || !answer.ok || !login) return answer;
		login.excuse = 'an answer was lost';
		return new Response(null, {status: 502});
	};

	const server: ScheduleServer = {
		faults,
		fates: [],
		busy: 0,
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
				// A token that was used before is no token any more: to revoke it revokes nothing.
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
