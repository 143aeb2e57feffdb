import type {TokenSet} from '../../src/index.ts';

/** What happens to a token request. */
export type Fate = 'answered' | '503' | 'reset' | 'lost';

/** A login at the server, with all tokens that were issued for it. */
export interface Family {
	isAlive: boolean;
	/** Set if a response was lost, or if the session was replaced. Then a second use of its refresh token is allowed. */
	isExcused: boolean;
	/** The only valid refresh token. */
	refresh: string;
	/** The valid access tokens. */
	readonly access: Set<string>;
}

/** A server for which a scheduler chooses the time of every step. */
export interface ModelServer {
	/** Requests that must not arrive. */
	readonly faults: string[];
	/** Returns the first tokens of a login. */
	mint(): TokenSet;
	/** Returns the login that a token belongs to. */
	familyOf(token: string | undefined): Family | undefined;
	excuseAll(): void;
	/** Makes the API reject all access tokens that were issued so far. */
	expireAll(): void;
	/** Answers token and revocation requests. */
	readonly tokenFetch: typeof fetch;
	readonly api: typeof fetch;
}

/** Creates a server with rotation and reuse detection. It records requests that must not arrive. */
export function createModelServer(schedule: (label: string) => Promise<void>, fates: Fate[]): ModelServer {
	const families: Family[] = [];
	const familiesByToken = new Map<string, Family>();
	const refused = new Set<string>();
	const faults: string[] = [];
	let count = 0;
	const issue = (family: Family): object => {
		family.refresh = `refresh-${++count}`;
		const access_token = `access-${count}`;
		family.access.add(access_token);
		familiesByToken.set(family.refresh, family).set(access_token, family);
		return {access_token, refresh_token: family.refresh, token_type: 'Bearer', expires_in: 3600};
	};
	const mint = (): TokenSet => {
		const family = {isAlive: true, isExcused: false, refresh: '', access: new Set<string>()};
		families.push(family);
		return issue(family) as TokenSet;
	};
	const grant = (refreshToken: string): Response => {
		if (refused.has(refreshToken)) faults.push(`${refreshToken} was sent again after its refusal`);
		const family = familiesByToken.get(refreshToken);
		if (family?.isAlive && family.refresh === refreshToken) return Response.json(issue(family));
		if (family?.isAlive && !family.isExcused) faults.push(`${refreshToken} was used twice`);
		if (family) family.isAlive = false;
		refused.add(refreshToken);
		return Response.json({error: 'invalid_grant'}, {status: 400});
	};
	return {
		faults,
		mint,
		familyOf: token => familiesByToken.get(token ?? ''),
		excuseAll(): void {
			for (const family of families) family.isExcused = true;
		},
		expireAll(): void {
			for (const {access} of families) access.clear();
		},
		async tokenFetch(...[url, init]: Parameters<typeof fetch>): Promise<Response> {
			const parameters = new URLSearchParams(init?.body as string);
			await schedule('token request');
			if ((url as string).endsWith('/revoke')) {
				const family = familiesByToken.get(parameters.get('token') ?? '');
				if (family) family.isAlive = false;
				return new Response();
			}
			const fate = fates.shift() ?? 'answered';
			if (fate === 'reset') throw new TypeError('fetch failed');
			if (fate === '503') return new Response(null, {status: 503});
			const refreshToken = parameters.get('refresh_token') ?? '';
			const family = familiesByToken.get(refreshToken);
			const answer = grant(refreshToken);
			await schedule('token answer');
			if (fate !== 'lost' || !answer.ok || !family) return answer;
			family.isExcused = true;
			return new Response(null, {status: 502});
		},
		async api(input: string | URL | Request): Promise<Response> {
			const {headers} = input as Request;
			await schedule('call');
			const token = headers.get('authorization')?.slice('Bearer '.length) ?? '';
			const isGood = families.some(({isAlive, access}) => isAlive && access.has(token));
			await schedule('answer');
			return new Response(null, {status: isGood ? 200 : 401});
		},
	};
}
