import type {Awaitable} from '../lib/awaitable.ts';

/** A request that is about to be sent, as much as a scheme needs to know of it. */
export interface SchemeRequest {
	/** The URL, absolute. */
	readonly url: string;
	/** The method, as it is sent. */
	readonly method: string;
	/** The headers, which the scheme adds to. */
	readonly headers: Headers;
}

/** An answer, as much as a scheme needs to know of it. */
export interface SchemeResponse {
	/** The HTTP status. */
	readonly status: number;
	/** The headers. */
	readonly headers: Headers;
	/** The OAuth error code in the body of an answer of the token endpoint. Left out for other answers: their body is not read. */
	readonly error?: string | undefined;
}

/**
How a token travels: the seam between `fetch` and a token. `bearer()` and `tokenHeader()` are two schemes, `dpop()` of `regrant/dpop` is a
third one.
*/
export interface TokenScheme {
	/**
	The name of the header that carries the token, in lower case. A request that has this header already is the caller's own affair: it is
	sent as it is.
	*/
	readonly header: string;
	/**
	The token type that this scheme sends, in lower case, if it is another than `bearer`. A token of another type is refused.

	@default 'bearer'
	*/
	readonly tokenType?: string | undefined;
	/**
	Whether what it puts on a request is good for that URL alone. Redirects are followed by hand then, if the runtime allows it.

	@default false
	*/
	readonly isBoundToUrl?: boolean | undefined;
	/**
	Puts the token on a request. It runs once for each request that is sent, also for each hop of a redirect within the origin. Without a
	token the request is one to the token endpoint or the revocation endpoint.
	*/
	apply(request: SchemeRequest, accessToken: string | undefined): Awaitable<void>;
	/**
	Reads an answer, also one on the way of a redirect, and perhaps twice. `renew` says that the token was refused, `resend` that the same
	request should be sent again, once, in another way (with a nonce). Undefined leaves the decision to the session.
	*/
	review?(
		response: SchemeResponse,
		request: SchemeRequest,
		accessToken: string | undefined,
	): Awaitable<'renew' | 'resend' | undefined>;
}
