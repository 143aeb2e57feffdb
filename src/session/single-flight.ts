import {type Waiter, withTimeout} from '../lib/with-timeout.ts';
import type {Settings} from '../oauth/options.ts';
import type {TokenSet} from '../token/token-response.ts';

/** A renewal of a stale token. It calls `step` before each of its steps, none of which takes longer than a deadline. */
export type Renew = (settings: Settings, stale: TokenSet | undefined, step: () => void) => Promise<TokenSet>;

/** The one renewal of a session that is under way, for all who wait for it. */
export interface SingleFlight {
	/**
	Waits for the renewal under way, or begins one: each caller with a deadline and a signal of its own, which are nothing to the
	others and nothing to the renewal.

	@throws what the renewal failed with, the signal's reason, or a TokenNetworkError at twice `timeout`.
	*/
	join(settings: Settings, stale: TokenSet | undefined, waiter: Waiter): Promise<TokenSet>;
	/** Lets all who wait fail. */
	abort(error: Error): void;
}

/** Gives the token, or throws what the renewal failed with. */
type Outcome = () => TokenSet;

interface Flight {
	/** The access token that is renewed. */
	readonly stale: string | undefined;
	/** Fulfils whatever the renewal does. On Workers it may not, or reject, once the request that began it is gone. */
	readonly outcome: Promise<Outcome>;
	readonly land: (outcome: Outcome) => void;
	/** One that no longer counts on has lost its owner. */
	steps: number;
}

const fail = (error: unknown) => (): never => {
	throw error;
};

/** A single flight that nobody has begun. */
export function createSingleFlight(renew: Renew): SingleFlight {
	let current: Flight | undefined;

	const leave = (flight: Flight): void => {
		if (current === flight) current = undefined;
	};

	const begin = (settings: Settings, stale: TokenSet | undefined): Flight => {
		let resolve: (outcome: Outcome) => void;
		const outcome = new Promise<Outcome>(fulfil => {
			resolve = fulfil;
		});
		const land = (result: Outcome): void => {
			// First, so that whoever comes from now on begins anew.
			leave(flight);
			resolve(result);
		};
		const flight: Flight = {stale: stale?.access_token, outcome, land, steps: 0};
		settings.waitUntil(
			renew(settings, stale, () => flight.steps++).then(
				token => land(() => token),
				error => land(fail(error)),
			),
		);
		return flight;
	};

	const join: SingleFlight['join'] = async (settings, stale, waiter) => {
		const refused = stale?.access_token;
		for (;;) {
			const flight = (current ??= begin(settings, stale));
			const {steps} = flight;
			const outcome = await withTimeout(
				// A rejection is the runtime's: the owner is gone.
				() => flight.outcome.catch(() => leave(flight)),
				2 * settings.timeout,
				() => {
					if (steps === flight.steps) leave(flight);
				},
				waiter,
			);
			const token = outcome?.();
			// One that began for an older token may have found the very one that is to be renewed.
			if (token && (token.access_token !== refused || flight.stale === refused)) return token;
		}
	};

	return {join, abort: error => current?.land(fail(error))};
}
