import type {Carried} from '../support/two-servers.ts';
import type {Servers} from './whereabouts.ts';

/** Where the servers of a test run are, and which clients they know. */
export interface LabFacts {
	readonly door: string;
	readonly tokenEndpoint: string;
	readonly revocationEndpoint: string;
	/** The origin of the API. The query of a call can choose the answer: `status`, `times`, `held`, `location`, `www-authenticate`. */
	readonly api: string;
	/** The origin of an API that accepts only DPoP tokens and asks for nonces. The query can choose the answer in the same way. */
	readonly proofApi: string;
	/** Clients that authenticate with a key, one for each algorithm. */
	readonly provers: readonly Prover[];
	/** The origin that must not get a token. It rejects everything. */
	readonly elsewhere: string;
	/** Two servers that redirect as the URL says. Only one of them may get the token. */
	readonly places: Servers;
	/** The URL at which the fault server opens rooms. */
	readonly faults: string;
	/** The id of the public client. */
	readonly app: string;
	readonly service: {readonly clientId: string; readonly secret: string};
	/** A client whose id and secret contain every character with a special meaning. */
	readonly awkward: {readonly clientId: string; readonly secret: string};
}

/** A client and its private key, in each common format. */
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

/** The requests to the servers since the last reset. */
export interface LabLog {
	readonly grants: ReadonlyArray<Seen & {readonly status: number; readonly type: string}>;
	readonly revocations: ReadonlyArray<Seen & {readonly status: number}>;
	readonly calls: ReadonlyArray<
		Seen & {
			readonly path: string;
			readonly method: string;
			readonly status: number;
			readonly type: string;
			/** The value of the header `x-access-token`. */
			readonly ownHeader: string;
		}
	>;
	/** The requests to the API that accepts only DPoP tokens. */
	readonly proven: ReadonlyArray<Seen & {readonly path: string; readonly status: number}>;
	readonly elsewhere: ReadonlyArray<
		Seen & {readonly path: string; readonly method: string; readonly hasProof: boolean; readonly ownHeader: string}
	>;
}

/** A token response. */
export interface Minted {
	readonly access_token: string;
	readonly token_type: string;
	readonly expires_in: number;
	readonly refresh_token: string;
}

/** Controls the servers, from whichever runtime runs the tests. */
export interface LabClient extends LabFacts {
	reset(): Promise<void>;
	/** Sends the answers that are held back, as the query of their requests asks for. */
	release(): Promise<void>;
	/** Returns the tokens of a new login. If the thumbprint of a DPoP key is given, they are bound to that key. */
	mint(jkt?: string): Promise<Minted>;
	/** Makes the API reject this access token from now on. */
	expire(accessToken: string): Promise<void>;
	isActive(token: string): Promise<boolean>;
	/** Returns which of the two redirecting servers got this access token. */
	carried(accessToken: string): Promise<Carried>;
	log(): Promise<LabLog>;
}

/** Creates the controls. They use only `fetch`, so they work in every runtime. */
export function createLabClient(facts: LabFacts): LabClient {
	const ask = async <T>(method: string, path: string, body?: string): Promise<T> => {
		const response = await fetch(facts.door + path, {method, ...(body !== undefined && {body})});
		if (!response.ok) throw new Error(`The door answered ${response.status} to ${method} ${path}`);
		return (await response.json()) as T; // the lab writes it
	};
	return {
		...facts,
		reset: () => ask('POST', '/reset'),
		release: () => ask('POST', '/release'),
		mint: jkt => ask('POST', '/mint', jkt ?? ''),
		expire: token => ask('POST', '/expire', token),
		isActive: token => ask('POST', '/is-active', token),
		carried: token => ask('POST', '/carried', token),
		log: () => ask('GET', '/log'),
	};
}
