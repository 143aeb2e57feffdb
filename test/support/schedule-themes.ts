import * as fc from 'fast-check';
import type {OperationFate, PlaceKind} from './schedule-place.ts';
import type {Fate} from './schedule-server.ts';

/** What a holder does, or what happens to it. */
export type Act =
	| 'call'
	| 'getToken'
	| 'refresh'
	/** Signs in with a new login. */
	| 'signIn'
	/** Calls `setToken` with the stored token, which may be in the middle of a renewal. */
	| 'signInAgain'
	/** Signs in with the first token of an earlier login that nobody has used since. */
	| 'restore'
	| 'signOut'
	/** The API rejects all tokens that were issued so far. */
	| 'expire'
	/** The next write of the holder fails. */
	| 'trouble'
	/** The process or the page of the holder is stopped. */
	| 'stop';

/** One step of a schedule. */
export interface Step {
	readonly act: Act;
	readonly holder: number;
	/** Milliseconds after the previous step. */
	readonly pause: number;
	/** Whether the caller aborts soon. */
	readonly leaves: boolean;
}

/** A complete schedule. */
export interface Script {
	readonly kind: PlaceKind | 'memory';
	readonly steps: readonly Step[];
	/** What happens to the first token requests. */
	readonly fates: readonly Fate[];
	/** How the failing writes fail, in order. */
	readonly troubles: readonly OperationFate[];
	/** The seed for all durations. */
	readonly seed: number;
}

/** What the schedules of one theme consist of. */
export interface Theme {
	readonly title: string;
	readonly kinds: ReadonlyArray<Script['kind']>;
	readonly acts: readonly Act[];
	readonly fates?: readonly Fate[];
	readonly troubles?: readonly OperationFate[];
	/** Whether all holders but the first use a second copy of the package. */
	readonly isOfCopies?: boolean;
}

const usual = ['call', 'call', 'getToken', 'refresh', 'refresh', 'expire'] as const;
const shared = ['lock', 'lock, compared', 'lease'] as const;
const compared = ['lock, compared', 'lease'] as const;
const all = ['memory', 'realm', 'realm, compared', ...shared] as const;

/** All themes, by the faults that they contain. */
export const themes: readonly Theme[] = [
	{
		title: 'logins and sign-outs: the last login stays, and no call is sent as another user [F-139, F-140, F-144]',
		kinds: all,
		acts: [...usual, 'signIn', 'signIn', 'signOut', 'signOut', 'restore'],
		fates: ['answered', 'answered', '503', 'reset'],
	},
	{
		title: 'logins during renewals: one token request at a time, and no refresh token is used twice [F-159, F-160]',
		kinds: all,
		acts: ['refresh', 'refresh', 'call', 'signIn', 'signIn', 'signInAgain', 'signInAgain'],
	},
	{
		title: 'writes that fail: no used refresh token is sent, and the session lives [F-141]',
		kinds: shared,
		acts: [...usual, 'trouble', 'trouble', 'signIn', 'signOut'],
		fates: ['answered', 'answered', '503', 'reset'],
		troubles: ['refused', 'unanswered'],
	},
	{
		title: 'writes that come late: a newer record stays [F-161]',
		kinds: ['realm', 'realm, compared', ...compared],
		acts: [...usual, 'trouble', 'trouble', 'signIn', 'signOut'],
		troubles: ['late'],
	},
	{
		title: 'holders that are stopped for up to 11 seconds: the session lives [F-138]',
		kinds: shared,
		acts: [...usual, 'stop', 'signIn', 'signOut'],
		fates: ['answered', 'answered', '503', 'reset'],
	},
	{
		title: 'copies of the package, each with a store of its own for one record: one session [F-147]',
		kinds: shared,
		acts: [...usual, 'signIn', 'signOut'],
		fates: ['answered', 'answered', '503', 'reset'],
		isOfCopies: true,
	},
];

/** A theme that must fail, because its holders have no lock. It shows that the referee notices faults. */
export const unlocked: Theme = {title: 'holders without a lock', kinds: ['no lock'], acts: [...usual]};

/** Generates the schedules of a theme. */
export function scriptsOf({kinds, acts, fates = [], troubles = []}: Theme): fc.Arbitrary<Script> {
	const step = fc.record({
		act: fc.constantFrom(...acts),
		holder: fc.nat({max: 2}),
		pause: fc.oneof(fc.constant(0), fc.nat({max: 30}), fc.nat({max: 2_000})),
		leaves: fc.boolean(),
	});
	const some = <T>(values: readonly T[]): fc.Arbitrary<T[]> =>
		values.length > 0 ? fc.array(fc.constantFrom(...values), {minLength: 1, maxLength: 6}) : fc.constant([]);
	const scripts = fc.record({
		kind: fc.constantFrom(...kinds),
		steps: fc.array(step, {minLength: 1, maxLength: 14}),
		fates: some(fates),
		troubles: some(troubles),
		seed: fc.nat(),
	});
	// Without compare-and-set, a login and a concurrent renewal can overwrite each other.
	const withoutLogins = ({steps}: Script): Step[] => steps.filter(({act}) => !/^(?:sign|restore)/.test(act));
	return scripts.map(script => (script.kind === 'lock' ? {...script, steps: withoutLogins(script)} : script));
}
