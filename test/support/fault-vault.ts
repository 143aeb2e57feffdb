import {randomBytes} from 'node:crypto';

/** The tokens of one room, with rotation and reuse detection. */
export interface FaultVault {
	readonly accessTokens: string[];
	readonly refreshTokens: string[];
	readonly uselessTokens: string[];
	/** Whether a used refresh token was sent again. */
	isReused(): boolean;
	issueAccess(): string;
	issueUseless(): string;
	/** Issues a refresh token, which replaces the previous one. */
	issueRefresh(): string;
	/** Marks a refresh token as used. Returns false if it was not valid. */
	spend(refreshToken: string): boolean;
	revoke(token: string): void;
	/** Expires all access tokens. */
	expire(): void;
	isGood(accessToken: string): boolean;
}

/** Creates a vault with the tokens of a login. */
export function createFaultVault(isLenient = false): FaultVault {
	const accessTokens: string[] = [];
	const refreshTokens: string[] = [];
	const uselessTokens: string[] = [];
	const good = new Set<string>();
	let current: string | undefined;
	let isReused = false;
	const issue = (list: string[]): string => {
		const token = randomBytes(18).toString('base64url');
		list.push(token);
		good.add(token);
		return token;
	};
	return {
		accessTokens,
		refreshTokens,
		uselessTokens,
		isReused: () => isReused,
		issueAccess: () => issue(accessTokens),
		issueUseless: () => issue(uselessTokens),
		issueRefresh: () => (current = issue(refreshTokens)),
		spend(token) {
			if (isLenient) return refreshTokens.includes(token);
			if (token === current && good.has(token)) {
				current = undefined;
				return true;
			}
			if (refreshTokens.includes(token) && good.has(token)) {
				isReused = true;
				refreshTokens.forEach(issued => good.delete(issued));
			}
			return false;
		},
		revoke: token => void good.delete(token),
		expire: () => accessTokens.forEach(token => good.delete(token)),
		isGood: token => good.has(token),
	};
}
