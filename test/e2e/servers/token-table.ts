import {randomBytes} from 'node:crypto';

/** The user, client and scope that a code or a token was issued for. */
export interface Issued {
	readonly clientId: string;
	readonly subject: string;
	readonly codeChallenge?: string;
}

/** An access token and a refresh token. */
export interface TokenPair {
	readonly access_token: string;
	readonly refresh_token: string;
}

/** The tables of codes and tokens, which some packages leave to their users. */
export interface TokenTable {
	issueCode(entry: Issued): string;
	/** Returns what a code was issued for. The code stays valid. */
	codeOf(code: string): Issued | undefined;
	/** Returns the same, and invalidates the code. */
	useCode(code: string): Issued | undefined;
	issuePair(entry: Issued): TokenPair;
	/** Returns what a refresh token was issued for, and invalidates the token. */
	useRefreshToken(token: string): Issued | undefined;
	/** Returns what an access token was issued for. */
	accessOf(token: string): Issued | undefined;
	expire(accessToken: string): void;
	/** Revokes a refresh token and the access tokens of its client. */
	revoke(refreshToken: string): void;
}

const random = (): string => randomBytes(24).toString('base64url');

/** Creates empty tables in memory. */
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
