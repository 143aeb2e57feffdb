import * as fc from 'fast-check';
import type {OperationFate, PlaceKind} from './schedule-place.ts';
import type {Fate} from './schedule-server.ts';

/** What a holder does, or what is done to it. */
export type Act =
	| 'call'
	| 'getToken'
	| 'refresh'
	/** A new login. */
	| 'signIn'
	/** `setToken` with the token that is there, and that may be being renewed. */
	| 'signInAgain'
	/** A login with the token of a login before, which nobody has used since. */
	| 'restore'
	| 'signOut'
	/** The API refuses all tokens. */
	| 'expire'
	/** The next write of the holder goes wrong. */
	| 'trouble'
	/** The process or the page is stopped. */
	| 'stop';

/** One thing that happens. */
export interface Step {
	readonly act: Act;
	readonly holder: number;
	/** Milliseconds after the step before. */
	readonly pause: number;
	/** Whether who asked leaves soon. */
	readonly leaves: boolean;
}

/** One schedule. */
export interface Script {
	readonly kind: PlaceKind | 'memory';
	readonly steps: readonly Step[];
	/** What becomes of the first token requests. */
	readonly fates: readonly Fate[];
	/** What becomes of the writes that go wrong, in turn. */
	readonly troubles: readonly OperationFate[];
	/** Decides how long everything takes. */
	readonly seed: number;
}

/** What a kind of schedule consists of. */
export interface Theme {
	readonly title: string;
	readonly kinds: ReadonlyArray<Script['kind']>;
	readonly acts: readonly Act[];
	readonly fates?: readonly Fate[];
	readonly troubles?: readonly OperationFate[];
	/** Whether all holders but the first one use another copy of the package. */
	readonly isOfCopies?: boolean;
}

const usual = ['call', 'call', 'getToken', 'refresh', 'refresh', 'expire'] as const;
const shared = ['lock', 'lock, compared', 'lease'] as const;
const compared = ['lock, compared', 'lease'] as const;
const all = ['memory', 'realm', 'realm, compared', ...shared] as const;

/** Every theme, by its faults. */
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

/** What goes wrong where holders have no lock: it shows that the referee looks. */
export const unlocked: Theme = {title: 'holders without a lock', kinds: ['no lock'], acts: [...usual]};

/** The schedules of a theme. */
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
	// Without compare and set, nothing keeps a login from writing over what is renewed meanwhile, nor the other way round.
	const withoutLogins = ({steps}: Script): Step[] => steps.filter(({act}) => !/^(?:sign|restore)/.test(act));
	return scripts.map(script => (script.kind === 'lock' ? {...script, steps: withoutLogins(script)} : script));
}
