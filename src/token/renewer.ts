import type {RegrantError} from '../errors.ts';
import type {ReadToken} from './token-response.ts';
import type {TokenSet} from './token-set.ts';

/** A way to get a token: with the refresh token of the present one, or with a grant. */
export interface TokenSource {
	/** How events name it. */
	readonly cause: 'refresh' | 'grant';
	/** The refresh token that it uses up, if that is known before it is prepared. */
	readonly refreshToken?: string | undefined;
}

/** What came of a request for a token. */
export type RenewalOutcome =
	| {readonly token: TokenSet; readonly error?: undefined}
	| {
			readonly token?: undefined;
			/** Why there is no token. */
			readonly error: RegrantError;
			/** A new refresh token, which came with an answer that is of no use otherwise: the server has rotated the old one. */
			readonly refreshToken?: string | undefined;
			/** The server will never accept again what was sent. The session ends, unless there is another source. */
			readonly isRejected: boolean;
	  };

/** A request for a token, ready to be sent once. */
export interface PreparedRenewal {
	/** The refresh token that sending it uses up. */
	readonly refreshToken: string | undefined;
	/**
	Sends it. The store's lock is held meanwhile. It has a deadline of its own.

	@throws {RegrantError} if there was no answer: the session stays.
	*/
	send(): Promise<RenewalOutcome>;
}

/**
Where the tokens of a session come from: the seam between a session and a protocol. An authorization server is one such place
(`oauth/`), the `renew` function of `createSession` is another.
*/
export interface Renewer {
	/** Names the client. A store serves one client: two renewers may share a store if these are equal. */
	readonly client: string;
	/** Whether a session that has ended may begin again without a login: true for a client with a grant of its own. */
	readonly canRestart: boolean;
	/** Reads what `setToken` is given, or what a store holds. */
	read(record: unknown, issued_at: number): ReadToken;
	/** The ways to get a token in place of this one, in the order in which to try them. */
	sources(token: TokenSet | undefined): readonly TokenSource[];
	/**
	Prepares a request. This runs the user's own code (a `grant` function, a client authentication), so it comes before the lock.

	@throws {RegrantError} what the caller of the session gets.
	*/
	prepare(source: TokenSource, token: TokenSet | undefined): Promise<PreparedRenewal>;
	/** Gives a token back to where it came from, if that is possible. */
	revoke(token: Partial<TokenSet>): Promise<void>;
}
