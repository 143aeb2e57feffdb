import type {StoreDriver, TokenStore} from 'regrant';
import type {Room, Script, Staged} from './room.ts';
import {openWorld, type Seen, type Where, type World} from './world.ts';

/** Acts out the case, and returns what the callers got. */
export type Act = (world: World) => Promise<readonly unknown[]>;

/** Runtimes in which a case is impossible, as a pattern of their names, and the reason. */
export type Exception = readonly [runtimes: RegExp, because: string];

/** Variants of a case, by their titles. */
export type Variants<T> = Readonly<Record<string, T>>;

/** Stands for a result that may differ from run to run, so it is not compared. */
export const uncounted: unique symbol = Symbol('uncounted');

/** The expected observations. If one is left out, nothing of that kind may happen. The login is always allowed. */
export type Expected = {readonly [Part in keyof Seen]?: Seen[Part] | typeof uncounted};

/** One case of a fault. */
export interface Case {
	readonly title: string;
	/** The staged answers of the servers. A function gets the time at which the case starts. */
	readonly script?: Script | ((now: number) => Script);
	/** The store of the session. Memory by default. */
	readonly store?: (room: Room) => TokenStore | StoreDriver;
	readonly act: Act;
	readonly expected: Expected | ((where: Where) => Expected);
	readonly except?: readonly Exception[];
	/** Set it if the case changes something global, such as `Object.prototype`. */
	readonly isAlone?: boolean;
	/** Set it if the server loses the response to a rotation, and therefore sees the old refresh token again. */
	readonly isReuseDue?: boolean;
}

/** A test in another file, for a fault that needs several tabs, processes or isolates. */
export interface Holder {
	readonly file: string;
	/** The title of the test, exactly as it is in that file. */
	readonly title: string;
}

/** One row of the catalogue: its cases, or the tests elsewhere that cover it and the reason for that. */
export type Fault = {readonly id: string; readonly what: string} & (
	{readonly cases: readonly Case[]} | {readonly because: string; readonly heldBy: readonly Holder[]}
);

/** Creates a fault that runs on every runtime. */
export function fault(id: string, what: string, ...cases: ReadonlyArray<Case | readonly Case[]>): Fault {
	return {id, what, cases: cases.flat()};
}

/** Creates a fault that other tests cover, because it needs more than one realm. */
export function elsewhere(id: string, what: string, because: string, ...heldBy: readonly Holder[]): Fault {
	return {id, what, because, heldBy};
}

/** Returns false if the case is impossible in this runtime. */
export function isDue({except = []}: Case, runtime: string): boolean {
	return !except.some(([runtimes]) => runtimes.test(runtime));
}

const browsers = /^(?:Chromium|Firefox|WebKit)/;

const nothing: Seen = {gets: [], grants: 0, calls: [], foreign: [], session: 'first', events: []};

/** Runs a case. Returns what was observed, and what was expected. */
export async function runCase(
	where: Where,
	{script, store, act, expected, isReuseDue = false}: Case,
): Promise<readonly [Seen, Expected]> {
	const world = await openWorld(where, script, store);
	const gets = await act(world);
	// If a reused connection is reset, browsers resend the request themselves, so requests are not counted.
	const plain = typeof script === 'function' ? script(0) : script;
	const isRepeated = browsers.test(where.runtime) && JSON.stringify(plain ?? {}).includes('"fault":"reset"');
	const due = Object.entries({
		...nothing,
		...(typeof expected === 'function' ? expected(where) : expected),
		...(isRepeated && {grants: uncounted, calls: uncounted}),
	});
	const seen = await world.observe(gets, isReuseDue);
	return [
		seen,
		Object.fromEntries(due.map(([part, value]) => [part, value === uncounted ? seen[part as keyof Seen] : value])),
	];
}

// Answers that many rows use:

type Pair = readonly [name: string, value: string];

/** Creates an answer with this media type. */
export function typed(contentType: string, body: string, ...headers: readonly Pair[]): Staged {
	return {headers: [['content-type', contentType], ...headers], body};
}

/** Creates an answer in JSON. */
export function json(value: unknown, more: Staged = {}): Staged {
	return {
		...more,
		headers: [['content-type', 'application/json'], ...(more.headers ?? [])],
		body: JSON.stringify(value),
	};
}

/** Creates a valid token response, with these fields changed. Undefined removes a field. */
export function token(fields: Readonly<Record<string, unknown>> = {}, more?: Staged): Staged {
	return json({access_token: '<access>', token_type: 'Bearer', expires_in: 600, ...fields}, more);
}

/** Creates an HTML page that repeats a secret of the request. */
export function page(status: number): Staged {
	return {...typed('text/html; charset=utf-8', '<!doctype html><title>Sorry</title><p><sent>'), status};
}

/** Creates an answer without a body. */
export function after(status: number, ...headers: readonly Pair[]): Staged {
	return {status, headers};
}

/** Creates a redirect. */
export function redirect(status: number, location: string): Staged {
	return after(status, ['location', location]);
}

/** Creates a 401 with these challenges, each in a header line of its own. */
export function bearer(...challenges: readonly string[]): Staged {
	const lines = challenges.length > 0 ? challenges : ['Bearer error="invalid_token"'];
	return {
		status: 401,
		headers: lines.map(value => ['www-authenticate', value] as const),
		body: '{"why":"refused"}',
	};
}
