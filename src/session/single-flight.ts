import {type Waiter, withTimeout} from '../lib/with-timeout.ts';
import type {TokenSet} from '../token/token-set.ts';
import type {SessionSettings} from './settings.ts';

/** Renews a stale token. It calls `progress` before each of its steps. Each step has a deadline. */
export type Renew<Session extends SessionSettings> = (
	session: Session,
	stale: TokenSet | undefined,
	progress: () => void,
) => Promise<TokenSet>;

/** The running renewal of a session, which all waiting callers share. */
export interface SingleFlight<Session extends SessionSettings> {
	/**
	Waits for the running renewal, or starts one. Each caller has a deadline and a signal of its own, which only stop its own wait.

	@throws the error of the renewal, the signal's reason, or a TokenNetworkError after twice the `timeout`.
	*/
	run(session: Session, stale: TokenSet | undefined, waiter: Waiter): Promise<TokenSet>;
	/** Rejects all waiting callers. Without an error, they start another renewal, as the next caller does. */
	cancel(error: Error | undefined): void;
}

/** Returns the token, or throws the error of the renewal. Nothing means that another renewal is needed. */
type Outcome = () => TokenSet | undefined;

interface Flight {
	/** The access token that is being renewed. */
	readonly stale: string | undefined;
	/** Fulfils whatever the renewal does. On Workers, it may hang or reject once the request that started it is gone. */
	readonly outcome: Promise<Outcome>;
	readonly settle: (outcome: Outcome) => void;
	/** Counts the steps. A renewal without a step for a while has lost its owner. */
	steps: number;
}

const fail = (error: unknown) => (): never => {
	throw error;
};

/** Creates a single flight without a renewal. */
export function createSingleFlight<Session extends SessionSettings>(renew: Renew<Session>): SingleFlight<Session> {
	let current: Flight | undefined;

	const clear = (flight: Flight): void => {
		if (current === flight) current = undefined;
	};

	const begin = (session: Session, stale: TokenSet | undefined): Flight => {
		let settle: (outcome: Outcome) => void = () => {};
		let end = (): void => {};
		const flight: Flight = {
			stale: stale?.access_token,
			outcome: new Promise(resolve => {
				settle = resolve;
			}),
			settle: outcome => {
				// Done first, so that the next caller starts another renewal.
				clear(flight);
				settle(outcome);
			},
			steps: 0,
		};
		// Done first, because it may throw. It gets a promise that ends with the renewal, not with its callers.
		session.waitUntil(
			new Promise<void>(resolve => {
				end = resolve;
			}),
		);
		renew(session, stale, () => flight.steps++)
			.then(
				token => flight.settle(() => token),
				error => flight.settle(fail(error)),
			)
			.finally(end);
		return flight;
	};

	const run: SingleFlight<Session>['run'] = async (session, stale, waiter) => {
		const refused = stale?.access_token;
		for (;;) {
			const flight = (current ??= begin(session, stale));
			const {steps} = flight;
			const outcome = await withTimeout(
				// A rejection comes from the runtime: the owner is gone.
				() => flight.outcome.catch(() => clear(flight)),
				2 * session.timeout,
				() => {
					if (steps === flight.steps) clear(flight);
				},
				waiter,
			);
			const token = outcome?.();
			// A renewal of an older token may have found exactly the token that has to be renewed now.
			if (token && (token.access_token !== refused || flight.stale === refused)) return token;
		}
	};

	return {run, cancel: error => current?.settle(error ? fail(error) : () => undefined)};
}
