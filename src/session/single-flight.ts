import {type Waiter, withTimeout} from '../lib/with-timeout.ts';
import type {TokenSet} from '../token/token-set.ts';
import type {SessionSettings} from './settings.ts';

/** A renewal of a stale token. It calls `progress` before each of its steps, none of which takes longer than a deadline. */
export type Renew<Session extends SessionSettings> = (
	session: Session,
	stale: TokenSet | undefined,
	progress: () => void,
) => Promise<TokenSet>;

/** The one renewal of a session that is under way, shared by all who wait for it. */
export interface SingleFlight<Session extends SessionSettings> {
	/**
	Waits for the renewal under way, or begins one. Each caller has a deadline and a signal of its own, which end its wait and nothing else.

	@throws what the renewal failed with, the signal's reason, or a TokenNetworkError at twice `timeout`.
	*/
	renew(session: Session, stale: TokenSet | undefined, waiter: Waiter): Promise<TokenSet>;
	/** Lets all who wait fail. Who comes next begins another renewal. */
	interrupt(error: Error): void;
}

/** Gives the token, or throws what the renewal failed with. */
type Outcome = () => TokenSet;

interface Flight {
	/** The access token that is renewed. */
	readonly stale: string | undefined;
	/** Fulfils whatever the renewal does. On Workers it may hang, or reject, once the request that began it is gone. */
	readonly outcome: Promise<Outcome>;
	readonly settle: (outcome: Outcome) => void;
	/** Counts the steps. A renewal that makes none for a while has lost its owner. */
	steps: number;
}

const fail = (error: unknown) => (): never => {
	throw error;
};

/** Creates a single flight that nobody has begun. */
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
				// First, so that whoever comes from now on begins anew.
				clear(flight);
				settle(outcome);
			},
			steps: 0,
		};
		// First, since it may throw. It gets what ends with the renewal, and not with those who wait for it.
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

	const join: SingleFlight<Session>['renew'] = async (session, stale, waiter) => {
		const refused = stale?.access_token;
		for (;;) {
			const flight = (current ??= begin(session, stale));
			const {steps} = flight;
			const outcome = await withTimeout(
				// A rejection is the runtime's: the owner is gone.
				() => flight.outcome.catch(() => clear(flight)),
				2 * session.timeout,
				() => {
					if (steps === flight.steps) clear(flight);
				},
				waiter,
			);
			const token = outcome?.();
			// A renewal that began for an older token may have found the very one that is to be renewed.
			if (token && (token.access_token !== refused || flight.stale === refused)) return token;
		}
	};

	return {renew: join, interrupt: error => current?.settle(fail(error))};
}
