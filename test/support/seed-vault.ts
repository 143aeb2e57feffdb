/** The client in the samples of Moov's documentation. */
export const seedClient = {clientId: '5clTR_MdVrrkgxw2', secret: 'dNC-hg7sVm22jc3g_Eogtyu0_1Mqh_4-'} as const;

/** The kind of a secret, by which a canary scan reports it. */
export type SeedSecretKind = 'access token' | 'refresh token' | 'client secret' | 'Basic credentials';

/** A pair of tokens. */
export interface SeedTokens {
	readonly access: string;
	readonly refresh: string;
	readonly scope: string;
	/** The expiry in Unix seconds. */
	readonly expiresAt: number;
}

/** The tokens of Moov’s API: who has which access token, and which refresh token of a login is valid. */
export interface SeedVault {
	/** Every secret that was issued, with its kind. */
	readonly issued: ReadonlyMap<string, SeedSecretKind>;
	/** Issues the first tokens of a login. */
	start(scope: string): SeedTokens;
	/** Issues the next tokens. Returns undefined for an expired refresh token. A used one ends all tokens of its login, and is reported. */
	rotate(refreshToken: string): SeedTokens | undefined;
	/** Revokes all tokens of a refresh token's login, or a single access token. */
	revoke(token: string): void;
	/** Returns the scope of an access token. Undefined if it is not valid. */
	find(accessToken: string): string | undefined;
	/** Expires a refresh token. */
	kill(refreshToken: string): void;
}

interface Family {
	readonly scope: string;
	/** The valid refresh token. */
	refresh: string;
	/** The used refresh tokens. Sending one of them again is a reuse. */
	readonly spent: Set<string>;
}

/** Creates an empty vault. It calls `report` at each reuse. */
export function createSeedVault(accessTokenSeconds: number, report: (loss: string) => void): SeedVault {
	const families = new Set<Family>();
	const access = new Map<string, {readonly family: Family; readonly expiresAt: number}>();
	const issued = new Map<string, SeedSecretKind>([
		[seedClient.secret, 'client secret'],
		[btoa(`${seedClient.clientId}:${seedClient.secret}`), 'Basic credentials'],
	]);
	const familyOf = (token: string): Family | undefined =>
		[...families].find(({refresh, spent}) => refresh === token || spent.has(token));
	const issue = (family: Family): SeedTokens => {
		const tokens = {
			access: createToken(),
			refresh: createToken(),
			scope: family.scope,
			expiresAt: now() + accessTokenSeconds,
		};
		issued.set(tokens.access, 'access token').set(tokens.refresh, 'refresh token');
		access.set(tokens.access, {family, expiresAt: tokens.expiresAt});
		if (family.refresh !== '') family.spent.add(family.refresh);
		family.refresh = tokens.refresh;
		return tokens;
	};
	return {
		issued,
		start(scope) {
			const family: Family = {scope, refresh: '', spent: new Set()};
			families.add(family);
			return issue(family);
		},
		rotate(refreshToken) {
			const family = familyOf(refreshToken);
			if (family?.refresh === refreshToken) return issue(family);
			if (family && families.delete(family)) report('a refresh token of the seed API was used twice');
			return undefined;
		},
		revoke(token) {
			access.delete(token);
			const family = familyOf(token);
			if (family) families.delete(family);
		},
		find(accessToken) {
			const {family, expiresAt = 0} = access.get(accessToken) ?? {};
			return family && families.has(family) && expiresAt > now() ? family.scope : undefined;
		},
		kill(refreshToken) {
			const family = familyOf(refreshToken);
			if (!family) throw new Error('No such refresh token is alive');
			family.refresh = '';
		},
	};
}

const now = (): number => Math.floor(Date.now() / 1000);

const createToken = (): string => crypto.randomUUID().replaceAll('-', '');
