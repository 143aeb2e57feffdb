import {isRegrantError, RenewalError, SessionEndedError} from '../errors.ts';
import type {Awaitable} from '../lib/awaitable.ts';
import {withTimeout} from '../lib/with-timeout.ts';
import type {RenewalOutcome, Renewer} from '../token/renewer.ts';
import {type AuthToken, readTokenSet} from '../token/token-response.ts';
import type {TokenScheme} from '../token/token-scheme.ts';
import type {TokenSet} from '../token/token-set.ts';

/** What the `renew` function of `createSession` is told. */
export interface RenewContext {
	/** The token to renew. Undefined if there is none yet. */
	readonly token: TokenSet | undefined;
	/** Aborts at the deadline, `timeout`. */
	readonly signal: AbortSignal;
}

/** Gets a token from your own backend, or from an SDK. Nothing says that the session is over. */
export type RenewFunction = (context: RenewContext) => Awaitable<AuthToken | TokenSet | null | undefined>;

/** What the renewer needs of the options. */
interface FunctionOptions {
	readonly timeout: number;
	readonly now: () => number;
	readonly scheme: TokenScheme;
	readonly keep?: readonly string[] | undefined;
}

/** Whether a failure says that the session is over: HTTP 400, 401 or 403, or one of our own errors that says so. */
function isOver(error: unknown): boolean {
	const {
		response,
		code,
		error: oauthCode,
	} = Object(error) as {
		readonly response?: {readonly status?: unknown};
		readonly code?: unknown;
		readonly error?: unknown;
	};
	return (
		[400, 401, 403].includes(Number(response?.status)) || code === 'session_ended' || oauthCode === 'invalid_grant'
	);
}

/** Gets tokens from a function of the user's. */
export function functionRenewer(renew: RenewFunction, {timeout, now, scheme, keep}: FunctionOptions): Renewer {
	const seconds = (): number => Math.floor(now() / 1000);
	const reading = {expiresIn: 'auto', tokenTypes: [scheme.tokenType ?? 'bearer'], keep} as const;

	const ask = async (token: TokenSet | undefined): Promise<RenewalOutcome> => {
		// Taken before asking, so a slow answer makes the token expire early, never late.
		const issued_at = seconds();
		const controller = new AbortController();
		const over = {
			error: new SessionEndedError('invalid_grant'),
			isRejected: true,
		};
		try {
			const {signal} = controller;
			const answer = await withTimeout(
				() => renew({token, signal}),
				timeout,
				() => controller.abort(),
			);
			if (answer === undefined || answer === null) return over;
			const read = readTokenSet(answer, {
				...reading,
				issued_at,
				previous: token,
			});
			if (read.token) return {token: read.token};
			return {
				error: new RenewalError(new TypeError(`renew must give a token: ${read.problem}`)),
				isRejected: false,
			};
		} catch (error) {
			if (isOver(error))
				return {
					...over,
					error: new SessionEndedError('invalid_grant', {cause: error}),
				};
			// At the deadline it is our own.
			const isTimeout = isRegrantError(error) && error.code === 'timeout' && controller.signal.aborted;
			return {
				error: isTimeout ? error : new RenewalError(error),
				isRejected: false,
			};
		}
	};

	return {
		client: '',
		canRestart: false,
		read: (record, issued_at) => readTokenSet(record, {...reading, issued_at}),
		sources: token => [{cause: token ? 'refresh' : 'grant'}],
		prepare: async (_source, token) => ({
			refreshToken: undefined,
			send: () => ask(token),
		}),
		revoke: async () => {},
	};
}
