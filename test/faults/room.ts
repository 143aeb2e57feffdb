/** How an answer can go wrong below HTTP, or in the headers that describe its body. */
export type TransportFault =
	/** The connection is reset before any byte arrives. */
	| 'reset'
	/** Nothing is ever sent. */
	| 'hang'
	/** Nothing is sent until `release()`. Then the answer is sent. */
	| 'held'
	/** The headers and half of the body are sent, and then nothing more. */
	| 'stall'
	/** The body is sent byte by byte, which takes longer than any caller waits. */
	| 'drip'
	/** The connection closes in the middle of the body. */
	| 'cut'
	/** Content-Length is smaller than the body. */
	| 'understated'
	/** Content-Length is larger than the body. */
	| 'overstated'
	/** The body never ends. */
	| 'flood'
	/** The body is small when it is sent, and 32 MiB when it is decompressed. */
	| 'bomb'
	/** The body is declared as gzip, but is not. */
	| 'no-gzip'
	/** The bytes are not HTTP. */
	| 'garbage';

/**
One staged answer, as JSON. In header values and in the body, placeholders stand for values that only the server knows. `<access>` and
`<refresh>` are new tokens, and a new refresh token replaces the old one. `<useless>` is an access token that nobody may use. `<sent>`,
`<body>` and `<authorization>` repeat what the request contained. `<token>`, `<api>` and `<elsewhere>` are the URLs of the servers, and
`<beside>` is the last one without its scheme.
*/
export interface Staged {
	/** 200 by default. */
	readonly status?: number;
	readonly headers?: ReadonlyArray<readonly [name: string, value: string]>;
	readonly body?: string;
	readonly fault?: TransportFault;
	readonly encoding?: 'gzip' | 'deflate' | 'br';
	/** How many spaces are sent before the body. */
	readonly padding?: number;
	/** Makes the server rotate the refresh token although the answer contains no new one. */
	readonly rotates?: boolean;
}

/** The staged answers of a server, one for each request. After them, the server answers normally. */
export type Stage = readonly Staged[] | {readonly untilMended: Staged};

/** What the servers of a room do. */
export interface Script {
	readonly token?: Stage;
	readonly revocation?: Stage;
	readonly api?: Stage;
	/** Answers of the foreign origin. It rejects every call after them. */
	readonly elsewhere?: Stage;
	/** Makes the API reject the first access token. */
	readonly isDead?: boolean;
	/** Accepts every refresh token that was ever issued, like a server whose storage is not atomic. */
	readonly isLenient?: boolean;
}

/** A recorded request. */
export interface SeenRequest {
	readonly method: string;
	/** The path, relative to the room. */
	readonly path: string;
	readonly headers: Readonly<Record<string, string>>;
	readonly body: string;
	/** The body as hexadecimal digits. */
	readonly bytes: string;
	/** The status of the answer; 0 if there was none. */
	readonly status: number;
}

/** The recorded requests of a room. */
export interface RoomLog {
	readonly token: readonly SeenRequest[];
	readonly revocation: readonly SeenRequest[];
	readonly api: readonly SeenRequest[];
	readonly elsewhere: readonly SeenRequest[];
	/** The access tokens, in the order in which they were issued. */
	readonly accessTokens: readonly string[];
	/** The refresh tokens, in the order in which they were issued. */
	readonly refreshTokens: readonly string[];
	/** The access tokens that nobody may use. */
	readonly uselessTokens: readonly string[];
	/** True if a used refresh token was sent again. */
	readonly isReused: boolean;
	/** How many response bodies the client stopped reading before their end. */
	readonly abandoned: number;
}

/** Where the servers of a room are, and the tokens of its login. */
export interface RoomFacts {
	readonly tokenEndpoint: string;
	readonly revocationEndpoint: string;
	/** The URL of the API. It ends with a slash, like the next two. */
	readonly api: string;
	/** The URL of the foreign origin, which must not get a token. */
	readonly elsewhere: string;
	/** A URL at whose port no server listens. */
	readonly nowhere: string;
	readonly access_token: string;
	readonly refresh_token: string;
}

/** The servers of one test, with their own scripts, tokens and logs. */
export interface Room extends RoomFacts {
	/** Ends the script: from now on the servers answer normally. */
	mend(): Promise<void>;
	/** Sends the answers that are held back. */
	release(): Promise<void>;
	/** Makes the API reject every access token that was issued so far. */
	expire(): Promise<void>;
	log(): Promise<RoomLog>;
	/** Resolves when this number of requests of a kind has arrived. */
	arrivals(kind: 'token' | 'api' | 'elsewhere', count: number): Promise<void>;
}

/** Opens a room at the fault server. It uses only `fetch`, so it works in every runtime. */
export async function openRoom(door: string, script: Script): Promise<Room> {
	const ask = async <T>(method: string, path: string, body?: string): Promise<T> => {
		const response = await fetch(door + path, {method, ...(body !== undefined && {body})});
		if (!response.ok) throw new Error(`The door answered ${response.status} to ${method} ${path}`);
		return (await response.json()) as T; // the fault server writes it
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
