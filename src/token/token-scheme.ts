import type {Awaitable} from '../lib/awaitable.ts';

/** A request that is about to be sent: the part that a scheme needs. */
export interface SchemeRequest {
	/** The URL, absolute. */
	readonly url: string;
	/** The method, as it is sent. */
	readonly method: string;
	/** The headers. The scheme adds to them. */
	readonly headers: Headers;
}

/** A response: the part that a scheme needs. */
export interface SchemeResponse {
	/** The HTTP status. */
	readonly status: number;
	/** The headers. */
	readonly headers: Headers;
	/** The OAuth error code in the body of a token endpoint's response. Left out for other responses, whose body is not read. */
	readonly error?: string | undefined;
}

/**
How a token is sent: the interface between `fetch` and a token. `tokenHeader()` and `dpop()` of `regrant/dpop` are schemes, and so is the
default, `Authorization: Bearer`.
*/
export interface TokenScheme {
	/**
	The name of the header that has the token, in lower case. A request that already has this header is sent as it is.
	*/
	readonly header: string;
	/**
	The token type that this scheme sends, in lower case. A token of another type is refused.

	@default 'bearer'
	*/
	readonly tokenType?: string | undefined;
	/**
	Whether what it adds to a request is valid only for that URL. Then redirects are followed by hand, if the runtime allows it. Say true as
	well if it adds a secret beside `Authorization`: a platform that follows a redirect to another origin drops that header alone.

	@default false
	*/
	readonly isBoundToUrl?: boolean | undefined;
	/**
	Adds the token to a request. It runs for each request that is sent, including each hop of a redirect within the origin. Without a token,
	the request goes to the token endpoint or the revocation endpoint.
	*/
	apply(request: SchemeRequest, accessToken: string | undefined): Awaitable<void>;
	/**
	Reads an answer from the origin that the token was sent to. `renew` says that the token was refused, `resend` that the same request
	should be sent again, once, in another way (with a nonce). Undefined leaves the decision to the session.

	Where redirects are followed by hand, it also reads the answer of each hop within the origin, with the request of that hop. Its verdict
	about a hop changes nothing. It then reads the last answer once more. For that verdict, as for a call without redirects, `request` has
	the URL and the method of the call, and its headers need not have what `apply` added.
	*/
	review?(
		response: SchemeResponse,
		request: SchemeRequest,
		accessToken: string | undefined,
	): Awaitable<'renew' | 'resend' | undefined>;
}
