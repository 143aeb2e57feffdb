import {challengesOf} from '../lib/www-authenticate.ts';
import {ConfigError} from '../errors.ts';
import type {Settings} from '../oauth/options.ts';
import {ownProperties} from '../lib/own-properties.ts';
import {followRedirects} from './redirect.ts';
import {dropsAuthorization} from '../lib/runtime.ts';
import {secureUrl} from '../lib/secure-url.ts';
import type {Session} from '../session/session.ts';
import type {TokenSet} from '../token/token-response.ts';

/** A `fetch` that is given a `Request`, and the options that are not the platform's, such as `cf` or `next`. */
export type Fetch = (request: Request, extra?: RequestInit) => Promise<Response>;

/**
Makes the `fetch` of one call.

@param fetch Sends the requests.
@param origins The origins that may receive the token, each with a slash behind it.
@param body Of the call.
*/
export type Authorizer = (fetch: Fetch, origins: readonly string[] | undefined, body: unknown) => Fetch;

/**
Each attempt of a call, also a repeated one of ky's, goes out with the token of that moment; after a 401 that a new token can
help, one attempt of the call is sent again with it.
*/
export function createAuthorizer(session: Session, settings: Settings): Authorizer {
	const followsSafely = dropsAuthorization();
	return (fetch, origins, body) => {
		const isStream = isReadOnce(body);
		const {isAsking} = session.state;
		let isRetried = false;
		return async (request, extra) => {
			if (request.headers.has('authorization')) return fetch(request, extra);
			if (!origins) throw new ConfigError('origins, baseUrl or prefix is required');
			const origin = listedOrigin(request.url, origins);
			if (!origin) return fetch(request, extra);
			if (isAsking) throw new ConfigError('grant must not use the session that it serves');
			const {signOuts} = session.state;
			const token = session.peek(settings) ?? (await session.find(settings, request));
			if (!token) return fetch(request, extra);

			// On a request of its own: what ky holds, and puts into its errors, never has the token.
			const send = ({access_token}: TokenSet): Promise<Response> => {
				const authorized = isStream ? new Request(request) : request.clone();
				authorized.headers.set('authorization', `Bearer ${access_token}`);
				const {signal, referrer, referrerPolicy} = request;
				// In Node a copy hears of an abort no more once it was collected, and nothing holds it. Options at all would reset the referrer.
				const options = ownProperties<RequestInit>({signal, referrer, referrerPolicy, ...extra});
				if (followsSafely) return fetch(authorized, options);
				return followRedirects(hop => fetch(hop, options), authorized, isStream);
			};
			const judge = (response: Response, carried: TokenSet, isLast: boolean): Response => {
				const isJudged = response.ok || (isLast && isRefused(response, origin));
				if (isJudged) session.judge(settings, carried, !response.ok);
				return response;
			};

			const response = judge(await send(token), token, isRetried);
			if (isRetried || !isRefused(response, origin)) return response;
			let renewed: TokenSet | undefined;
			try {
				renewed = await session.replace(settings, token, signOuts, request);
			} catch (error) {
				discard(response);
				throw error;
			}
			if (!renewed) return response;
			isRetried = true;
			if (isStream) return response;
			discard(response);
			return judge(await send(renewed), renewed, true);
		};
	};
}

/** The origin of a URL, if it is listed. At some compatibility dates Workers give a URL as it was written: it is read then. */
function listedOrigin(url: string, origins: readonly string[]): string | undefined {
	const startOf = (text?: string): string | undefined => origins.find(origin => text?.startsWith(origin));
	return startOf(url) ?? startOf(secureUrl(url)?.href);
}

/** A body that can be read once. All others can be sent again. */
function isReadOnce(body: unknown): boolean {
	const object = Object(body) as object;
	return 'getReader' in object || Symbol.asyncIterator in object;
}

/** An unread body keeps its connection. */
function discard({body}: Response): void {
	body?.cancel().catch(() => {});
}

/**
Whether a new token can help: a 401 of the origin that was asked, not of one it redirected to, with a Bearer challenge that says
nothing against it, or without a challenge that can be read, as browsers hide it unless CORS exposes it.

@see https://www.rfc-editor.org/rfc/rfc6750#section-3.1
*/
function isRefused(response: Response, origin: string): boolean {
	if (response.status !== 401 || (response.url && !listedOrigin(response.url, [origin]))) return false;
	const challenges = challengesOf(response.headers);
	const bearers = challenges.filter(({scheme}) => scheme === 'bearer');
	const errors = bearers.flatMap(({parameters}) => parameters['error'] ?? []);
	if (errors.length > 0) return errors.includes('invalid_token');
	return bearers.length > 0 || challenges.length === 0;
}
