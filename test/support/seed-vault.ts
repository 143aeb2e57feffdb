/** The client of the API's own samples. */
export const seedClient = {clientId: '5clTR_MdVrrkgxw2', secret: 'dNC-hg7sVm22jc3g_Eogtyu0_1Mqh_4-'} as const;

/** A name that a canary scan reports. */
export type SeedSecretKind = 'access token' | 'refresh token' | 'client secret' | 'Basic credentials';

/** A pair of tokens. */
export interface SeedTokens {
	readonly access: string;
	readonly refresh: string;
	readonly scope: string;
	/** Unix seconds. */
	readonly expiresAt: number;
}

/** The tokens of Moov’s API: who has which, and which refresh token of a family is valid. */
export interface SeedVault {
	/** Every secret that exists, by what it is. */
	readonly issued: ReadonlyMap<string, SeedSecretKind>;
	/** The first tokens of a new family. */
	start(scope: string): SeedTokens;
	/** The next tokens. None for an expired refresh token. A used one ends its family, and is reported. */
	rotate(refreshToken: string): SeedTokens | undefined;
	/** Ends the family of a refresh token, or a single access token. */
	revoke(token: string): void;
	/** The scope of an access token, if it is alive. */
	find(accessToken: string): string | undefined;
	/** Expires a refresh token. */
	kill(refreshToken: string): void;
}

interface Family {
	readonly scope: string;
	/** The refresh token that counts. */
	refresh: string;
	/** The earlier refresh tokens: using one is a reuse. */
	readonly spent: Set<string>;
}

/** An empty vault. `report` is told of reuse. */
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
