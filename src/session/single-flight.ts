import {type Waiter, withTimeout} from '../lib/with-timeout.ts';
import type {TokenSet} from '../token/token-set.ts';
import type {Flight, Outcome, Session, SessionCore} from './core.ts';
import {renew} from './renewal.ts';

/** Makes room for the next renewal. */
function clear(core: SessionCore, flight: Flight): void {
	if (core.flight === flight) core.flight = undefined;
}

function begin(session: Session, stale: TokenSet | undefined): Flight {
	const {core} = session;
	let resolve: (outcome: Outcome) => void = () => {};
	let end = (): void => {};
	// Done first, because it may throw. It gets a promise that ends with the renewal, not with its callers.
	session.waitUntil(
		new Promise<void>(settle => {
			end = settle;
		}),
	);
	const flight: Flight = {
		stale: stale?.access_token,
		outcome: new Promise(settle => {
			resolve = settle;
		}),
		settle: outcome => {
			clear(core, flight);
			resolve(outcome);
		},
		begun: core.state,
		late: undefined,
		steps: 0,
	};
	renew(session, stale, flight)
		.then(
			token => flight.settle(() => token),
			error =>
				flight.settle(() => {
					throw error;
				}),
		)
		.finally(end);
	return flight;
}

/**
Waits for the running renewal, or starts one. Each caller has a deadline and a signal of its own, which only stop its own wait.

@throws the error of the renewal, the signal's reason, or a TokenNetworkError after twice the `timeout`.
*/
export async function renewTogether(session: Session, stale: TokenSet | undefined, waiter: Waiter): Promise<TokenSet> {
	const {core, timeout} = session;
	const refused = stale?.access_token;
	for (;;) {
		const flight = (core.flight ??= begin(session, stale));
		const {steps} = flight;
		const outcome = await withTimeout(
			// A rejection comes from the runtime: the owner is gone.
			() => flight.outcome.catch(() => clear(core, flight)),
			2 * timeout,
			() => {
				if (steps === flight.steps) clear(core, flight);
			},
			waiter,
		);
		const token = outcome?.();
		// A renewal of an older token may have found exactly the token that has to be renewed now.
		if (token && (token.access_token !== refused || flight.stale === refused)) return token;
	}
}
