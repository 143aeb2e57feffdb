import {randomBytes} from 'node:crypto';

/** What a code or a token was issued for. */
export interface Issued {
	readonly clientId: string;
	readonly subject: string;
	readonly codeChallenge?: string;
}

/** A pair of tokens. */
export interface TokenPair {
	readonly access_token: string;
	readonly refresh_token: string;
}

/** The tables of codes and tokens that packages without storage leave to their users. */
export interface TokenTable {
	issueCode(entry: Issued): string;
	/** What a code was issued for, which leaves the code as it is. */
	codeOf(code: string): Issued | undefined;
	/** The same for once: the code is used then. */
	useCode(code: string): Issued | undefined;
	issuePair(entry: Issued): TokenPair;
	/** What a refresh token was issued for, for once: it is rotated. */
	useRefreshToken(token: string): Issued | undefined;
	/** What an access token was issued for. */
	accessOf(token: string): Issued | undefined;
	expire(accessToken: string): void;
	/** Ends a refresh token and the access tokens of its client. */
	revoke(refreshToken: string): void;
}

const random = (): string => randomBytes(24).toString('base64url');

/** Empty tables, in memory. */
export function createTokenTable(): TokenTable {
	const [codes, access, refresh] = [new Map<string, Issued>(), new Map<string, Issued>(), new Map<string, Issued>()];
	const add = (table: Map<string, Issued>, entry: Issued): string => {
		const key = random();
		table.set(key, entry);
		return key;
	};
	const use = (table: Map<string, Issued>, key: string): Issued | undefined => {
		const entry = table.get(key);
		table.delete(key);
		return entry;
	};
	return {
		issueCode: entry => add(codes, entry),
		codeOf: code => codes.get(code),
		useCode: code => use(codes, code),
		issuePair: entry => ({access_token: add(access, entry), refresh_token: add(refresh, entry)}),
		useRefreshToken: token => use(refresh, token),
		accessOf: token => access.get(token),
		expire: accessToken => void access.delete(accessToken),
		revoke(refreshToken) {
			const entry = use(refresh, refreshToken);
			for (const [token, {subject}] of access) if (subject === entry?.subject) access.delete(token);
		},
	};
}
