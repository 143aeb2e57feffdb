/** How an answer can go wrong below HTTP, or in the headers that describe its body. */
export type TransportFault =
	/** The connection is reset before any byte. */
	| 'reset'
	/** Nothing comes, ever. */
	| 'hang'
	/** Nothing comes until the room is released. Then the answer comes. */
	| 'held'
	/** The headers and half of the body come, and then nothing. */
	| 'stall'
	/** The body comes byte by byte, and takes longer than anybody waits. */
	| 'drip'
	/** The connection closes in the middle of the body. */
	| 'cut'
	/** Less is announced than comes. */
	| 'understated'
	/** More is announced than comes. */
	| 'overstated'
	/** The body never ends. */
	| 'flood'
	/** The body is small on the wire, and 32 MiB when it is decompressed. */
	| 'bomb'
	/** The body is declared as gzip, but is not. */
	| 'no-gzip'
	/** What comes is not HTTP. */
	| 'garbage';

/**
One answer, as JSON. In header values and in the body, these words stand for values that the room knows: `<access>` and `<refresh>` for new
tokens (a new refresh token takes the place of the old one), `<useless>` for an access token that nobody is to use, `<sent>`, `<body>` and
`<authorization>` for what the request had in it, `<token>`, `<api>` and `<elsewhere>` for the URLs of the servers, `<beside>` for the last
one without its scheme.
*/
export interface Staged {
	/** 200 by default. */
	readonly status?: number;
	readonly headers?: ReadonlyArray<readonly [name: string, value: string]>;
	readonly body?: string;
	readonly fault?: TransportFault;
	readonly encoding?: 'gzip' | 'deflate' | 'br';
	/** Spaces that are sent before the body. */
	readonly padding?: number;
	/** The refresh token is used up, even though the answer does not say so. */
	readonly rotates?: boolean;
}

/** The staged answers of a server, one for each request. After that, the server answers by itself. */
export type Stage = readonly Staged[] | {readonly untilMended: Staged};

/** What the servers of a room do. */
export interface Script {
	readonly token?: Stage;
	readonly revocation?: Stage;
	readonly api?: Stage;
	/** By itself, it refuses every call. */
	readonly elsewhere?: Stage;
	/** The API refuses the first access token. */
	readonly isDead?: boolean;
	/** Every refresh token that was ever issued is valid, as with a server whose storage is not atomic. */
	readonly isLenient?: boolean;
}

/** A request, as it arrived. */
export interface SeenRequest {
	readonly method: string;
	/** Below the room. */
	readonly path: string;
	readonly headers: Readonly<Record<string, string>>;
	readonly body: string;
	/** The body in hexadecimal digits. */
	readonly bytes: string;
	/** What was answered; 0 for none. */
	readonly status: number;
}

/** The requests that the servers of a room got. */
export interface RoomLog {
	readonly token: readonly SeenRequest[];
	readonly revocation: readonly SeenRequest[];
	readonly api: readonly SeenRequest[];
	readonly elsewhere: readonly SeenRequest[];
	/** The access tokens, in the order in which they were issued. */
	readonly accessTokens: readonly string[];
	/** The refresh tokens, in the order in which they were issued. */
	readonly refreshTokens: readonly string[];
	/** The access tokens that nobody is to use. */
	readonly uselessTokens: readonly string[];
	/** Whether a used refresh token has come again. */
	readonly isReused: boolean;
	/** How many bodies were not read to their end. */
	readonly abandoned: number;
}

/** Where a room is, and what its login gave. */
export interface RoomFacts {
	readonly tokenEndpoint: string;
	readonly revocationEndpoint: string;
	/** The API: a URL with a slash at its end, as the next two. */
	readonly api: string;
	/** The origin that must get nothing. */
	readonly elsewhere: string;
	/** A port at which nobody listens. */
	readonly nowhere: string;
	readonly access_token: string;
	readonly refresh_token: string;
}

/** Servers of one test, with their own scripts, tokens and logs. */
export interface Room extends RoomFacts {
	/** Ends the script: from now on the servers answer by themselves. */
	mend(): Promise<void>;
	/** Sends the answers that are held back. */
	release(): Promise<void>;
	/** The API refuses every access token that was issued so far. */
	expire(): Promise<void>;
	log(): Promise<RoomLog>;
	/** Waits for so many requests of a kind. */
	arrivals(kind: 'token' | 'api' | 'elsewhere', count: number): Promise<void>;
}

/** Opens a room at the fault server. It needs nothing but `fetch`. */
export async function openRoom(door: string, script: Script): Promise<Room> {
	const ask = async <T>(method: string, path: string, body?: string): Promise<T> => {
		const response = await fetch(door + path, {method, ...(body !== undefined && {body})});
		if (!response.ok) throw new Error(`The door answered ${response.status} to ${method} ${path}`);
		return (await response.json()) as T; // as the server made it
	};
	const {id, ...facts} = await ask<RoomFacts & {readonly id: string}>('POST', '/open', JSON.stringify(script));
	const log = (): Promise<RoomLog> => ask('GET', `/${id}/log`);
	return {
		...facts,
		mend: () => ask('POST', `/${id}/mend`),
		release: () => ask('POST', `/${id}/release`),
		expire: () => ask('POST', `/${id}/expire`),
		log,
		arrivals: async (kind, count) => {
			while ((await log())[kind].length < count) await new Promise(resolve => setTimeout(resolve, 10));
		},
	};
}
