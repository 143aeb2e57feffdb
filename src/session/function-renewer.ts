import {isSignedOut, RenewalError, SessionEndedError, TokenNetworkError} from '../errors.ts';
import type {Awaitable} from '../lib/awaitable.ts';
import {memberOf} from '../lib/own-properties.ts';
import {retryDelay} from '../lib/retry-delay.ts';
import {withTimeout} from '../lib/with-timeout.ts';
import type {RenewalOutcome, Renewer} from '../token/renewer.ts';
import {type AuthToken, readTokenSet, type ReadToken} from '../token/token-response.ts';
import type {TokenScheme} from '../token/token-scheme.ts';
import type {TokenSet} from '../token/token-set.ts';

/** What the `renew` function of `createSession` gets. */
export interface RenewContext {
	/** The token to renew. Undefined if there is none yet. */
	readonly token: TokenSet | undefined;
	/** Aborts at the deadline, `timeout`. */
	readonly signal: AbortSignal;
}

/** Gets a token from your own backend or from an SDK. Returning nothing ends the session. */
export type RenewFunction = (context: RenewContext) => Awaitable<AuthToken | TokenSet | null | undefined>;

/** The options that the renewer needs. */
interface FunctionOptions {
	readonly renew: RenewFunction;
	readonly timeout: number;
	readonly now: () => number;
	readonly scheme: TokenScheme;
	readonly keep?: readonly string[] | undefined;
}

/** Reads the headers of the response of an error, as ky's `HTTPError` has it. Another error may have anything in their place. */
function headersOf(error: unknown): Headers {
	try {
		return memberOf(memberOf(error, 'response'), 'headers') as Headers;
	} catch {
		return new Headers();
	}
}

/** Whether a failure means that the session is over: HTTP 400, 401 or 403, or one of our own errors that says so. */
function isOver(error: unknown): boolean {
	const isRefused = [400, 401, 403].includes(memberOf(memberOf(error, 'response'), 'status') as number);
	return isRefused || isSignedOut(error) || memberOf(error, 'error') === 'invalid_grant';
}

/** What failures have in common. They say so, because `Object.prototype` may have been polluted. */
const failed = {token: undefined, refreshToken: undefined};

/** Gets tokens from the user's function. */
export function functionRenewer({renew, timeout, now, scheme, keep}: FunctionOptions): Renewer {
	const read = (record: unknown, issued_at: number, previous?: TokenSet): ReadToken =>
		readTokenSet(record, {expiresIn: 'auto', tokenTypes: [scheme.tokenType ?? 'bearer'], keep, issued_at, previous});

	const send = async (previous: TokenSet | undefined): Promise<RenewalOutcome> => {
		// Taken before the call, so that a slow response makes the token expire early, and never late.
		const issued_at = Math.floor(now() / 1000);
		const controller = new AbortController();
		const {signal} = controller;
		try {
			const answer = await withTimeout(
				() => renew({token: previous && {...previous}, signal}),
				timeout,
				() => controller.abort(),
			);
			if (answer === undefined || answer === null)
				return {...failed, error: new SessionEndedError('invalid_grant'), isRejected: true};
			const given = read(answer, issued_at, previous);
			if (given.token) return given;
			throw new TypeError(`renew must give a token: ${given.problem}`);
		} catch (error) {
			const late = 'renew gave nothing in time. It must not use its own session';
			return {
				...failed,
				error: signal.aborted
					? new TokenNetworkError('timeout', late)
					: new RenewalError(error, retryDelay(headersOf(error), now())),
				isRejected: isOver(error),
			};
		}
	};

	return {
		client: '',
		canRestart: false,
		read,
		sources: token => [{cause: token ? 'refresh' : 'grant'}],
		prepare: async (_source, token) => ({refreshToken: undefined, send: () => send(token)}),
		revoke: async () => {},
	};
}
