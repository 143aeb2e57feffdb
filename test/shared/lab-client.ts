import type {Carried} from '../support/two-servers.ts';
import type {Servers} from './whereabouts.ts';

/** Where the servers of a run are, and who is known there. */
export interface LabFacts {
	readonly door: string;
	readonly tokenEndpoint: string;
	readonly revocationEndpoint: string;
	/** The origin of the API. What it answers can be asked for in the query: `status`, `times`, `delay`, `location`, `www-authenticate`. */
	readonly api: string;
	/** The origin of the API that takes DPoP tokens alone, of which it wants nonces. What it answers can be asked for in the same way. */
	readonly proofApi: string;
	/** Clients that prove who they are with a key, one for each algorithm. */
	readonly provers: readonly Prover[];
	/** The origin that must get nothing. It refuses everything. */
	readonly elsewhere: string;
	/** Two servers that redirect as they are asked to, of which one may get a token. */
	readonly places: Servers;
	/** The door of the fault server. */
	readonly faults: string;
	/** The public client. */
	readonly app: string;
	readonly service: {readonly clientId: string; readonly secret: string};
	/** A client whose id and secret are made of all that has a meaning somewhere. */
	readonly awkward: {readonly clientId: string; readonly secret: string};
}

/** A client and its private key, in the forms in which people have one. */
export interface Prover {
	readonly clientId: string;
	readonly algorithm: 'ES256' | 'RS256' | 'PS256' | 'EdDSA';
	readonly pem: string;
	readonly jwk: {readonly kty?: string};
}

interface Seen {
	readonly body: string;
	readonly authorization: string;
}

/** What has come to the servers since the last reset. */
export interface LabLog {
	readonly grants: ReadonlyArray<Seen & {readonly status: number; readonly type: string}>;
	readonly revocations: ReadonlyArray<Seen & {readonly status: number}>;
	readonly calls: ReadonlyArray<
		Seen & {
			readonly path: string;
			readonly method: string;
			readonly status: number;
			readonly type: string;
			/** The header `x-access-token`. */
			readonly ownHeader: string;
		}
	>;
	/** Of the API that takes DPoP tokens alone. */
	readonly proven: ReadonlyArray<Seen & {readonly path: string; readonly status: number}>;
	readonly elsewhere: ReadonlyArray<
		Seen & {readonly path: string; readonly method: string; readonly hasProof: boolean; readonly ownHeader: string}
	>;
}

/** An answer of the token endpoint. */
export interface Minted {
	readonly access_token: string;
	readonly token_type: string;
	readonly expires_in: number;
	readonly refresh_token: string;
}

/** The servers, seen from wherever the specification runs. */
export interface LabClient extends LabFacts {
	reset(): Promise<void>;
	/** Tokens of a session of its own, bound to a DPoP key if its thumbprint is given. */
	mint(jkt?: string): Promise<Minted>;
	/** The API refuses this access token from now on. */
	expire(accessToken: string): Promise<void>;
	isActive(token: string): Promise<boolean>;
	/** Where an access token went, of the two servers. */
	carried(accessToken: string): Promise<Carried>;
	log(): Promise<LabLog>;
}

/** The way to the servers: nothing but `fetch`. */
export function createLabClient(facts: LabFacts): LabClient {
	const ask = async <T>(method: string, path: string, body?: string): Promise<T> => {
		const response = await fetch(facts.door + path, {method, ...(body !== undefined && {body})});
		if (!response.ok) throw new Error(`The door answered ${response.status} to ${method} ${path}`);
		return (await response.json()) as T; // as the lab made it
	};
	return {
		...facts,
		reset: () => ask('POST', '/reset'),
		mint: jkt => ask('POST', '/mint', jkt ?? ''),
		expire: token => ask('POST', '/expire', token),
		isActive: token => ask('POST', '/is-active', token),
		carried: token => ask('POST', '/carried', token),
		log: () => ask('GET', '/log'),
	};
}
