import type {RegrantError} from '../errors.ts';
import type {ReadToken} from './token-response.ts';
import type {TokenSet} from './token-set.ts';

/** A way to get a token: with the refresh token of the present one, or with a grant. */
export interface TokenSource {
	/** The `cause` in events. */
	readonly cause: 'refresh' | 'grant';
	/** The refresh token that it uses, if that is known before it is prepared. */
	readonly refreshToken?: string | undefined;
}

/** A token. */
export interface SuccessfulRenewal {
	readonly token: TokenSet;
	readonly error?: undefined;
	readonly refreshToken?: undefined;
}

/** The outcome of a request for a token. It has no prototype, or has all members of its own: whatever every object inherits, is not read. */
export type RenewalOutcome =
	| SuccessfulRenewal
	| {
			readonly token?: undefined;
			/** Why there is no token. */
			readonly error: RegrantError;
			/** A new refresh token in an otherwise unusable response: the server has rotated the old one. */
			readonly refreshToken?: string | undefined;
			/** The server will never accept this refresh token again. The session ends, unless there is another way to get a token. */
			readonly isRejected: boolean;
	  };

/** A request for a token, ready to be sent once. */
export interface PreparedRenewal {
	/** The refresh token that sending it uses. */
	readonly refreshToken: string | undefined;
	/**
	Sends it, while the store's lock is held. It has a deadline of its own.

	@throws {RegrantError} if there was no response. Then the session goes on. What the user's scheme throws, the caller gets as it is.
	*/
	send(): Promise<RenewalOutcome>;
}

/**
The interface between a session and the source of its tokens. An authorization server is one (`oauth/`), and the `renew` function of
`createSession` is another.
*/
export interface Renewer {
	/** The name of the client. A store belongs to one client, so two renewers can share a store only if these are equal. */
	readonly client: string;
	/** Whether a session that has ended can start again without a login: true for a client with a grant of its own. */
	readonly canRestart: boolean;
	/** Reads the argument of `setToken`, or the content of a store. Fields that it lacks are taken from the previous token. */
	read(record: unknown, issued_at: number, previous?: TokenSet): ReadToken;
	/** The ways to get a token in place of this one, in the order in which to try them. */
	sources(token: TokenSet | undefined): readonly TokenSource[];
	/**
	Prepares a request. This runs the user's code (a `grant` function, a client authentication), so it happens before the lock is taken.

	@throws {RegrantError} that the caller of the session gets. What the user's code throws, the caller gets as it is. That starts no pause
	and has no event, because nothing was sent.
	*/
	prepare(source: TokenSource, token: TokenSet | undefined): Promise<PreparedRenewal>;
	/** Revokes a refresh token, if there is one, and if the source can do that. */
	revoke(token: {readonly refresh_token?: string | undefined}): Promise<void>;
}
