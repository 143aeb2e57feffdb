import type {StoreDriver, TokenStore} from 'regrant';
import type {Room, Script, Staged} from './room.ts';
import {openWorld, type Seen, type Where, type World} from './world.ts';

/** Does something, and gives what the callers got. */
export type Act = (world: World) => Promise<readonly unknown[]>;

/** Runtimes in which a case cannot be, by their names, and the reason. */
export type Exception = readonly [runtimes: RegExp, because: string];

/** Variants of a case, by their titles. */
export type Variants<T> = Readonly<Record<string, T>>;

/** What depends on more than the case can say. */
export const uncounted: unique symbol = Symbol('uncounted');

/** What is to be seen: of what is left out nothing, save for the login. */
export type Expected = {readonly [Part in keyof Seen]?: Seen[Part] | typeof uncounted};

/** One thing that is tried. */
export interface Case {
	readonly title: string;
	/** What the servers do; the function is given the time of the case. */
	readonly script?: Script | ((now: number) => Script);
	/** The store of the session. Memory by default. */
	readonly store?: (room: Room) => TokenStore | StoreDriver;
	readonly act: Act;
	readonly expected: Expected | ((where: Where) => Expected);
	readonly except?: readonly Exception[];
	/** It changes what all have in common, such as `Object.prototype`. */
	readonly isAlone?: boolean;
	/** The server loses the answer to a rotation, and so must see the old refresh token again. */
	readonly isReuseDue?: boolean;
}

/** A test in another file, for what needs several tabs, processes or isolates. */
export interface Holder {
	readonly file: string;
	/** As it stands in the file. */
	readonly title: string;
}

/** One row of the catalogue: its cases, or who holds it and why it is not here. */
export type Fault = {readonly id: string; readonly what: string} & (
	{readonly cases: readonly Case[]} | {readonly because: string; readonly heldBy: readonly Holder[]}
);

/** A fault that is tried on every runtime. */
export function fault(id: string, what: string, ...cases: ReadonlyArray<Case | readonly Case[]>): Fault {
	return {id, what, cases: cases.flat()};
}

/** A fault that needs more than one realm: other tests hold it. */
export function elsewhere(id: string, what: string, because: string, ...heldBy: readonly Holder[]): Fault {
	return {id, what, because, heldBy};
}

/** Whether the case can be in this runtime. */
export function isDue({except = []}: Case, runtime: string): boolean {
	return !except.some(([runtimes]) => runtimes.test(runtime));
}

const browsers = /^(?:Chromium|Firefox|WebKit)/;

const nothing: Seen = {gets: [], grants: 0, calls: [], foreign: [], session: 'first', events: []};

/** Runs a case. Gives what was seen and what was to be seen. */
export async function runCase(
	where: Where,
	{script, store, act, expected, isReuseDue = false}: Case,
): Promise<readonly [Seen, Expected]> {
	const world = await openWorld(where, script, store);
	const gets = await act(world);
	// Browsers send again by themselves what was reset on a connection that they had at hand.
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

// What a table says again and again.

type Pair = readonly [name: string, value: string];

/** An answer of that type. */
export function typed(contentType: string, body: string, ...headers: readonly Pair[]): Staged {
	return {headers: [['content-type', contentType], ...headers], body};
}

/** An answer in JSON. */
export function json(value: unknown, more: Staged = {}): Staged {
	return {
		...more,
		headers: [['content-type', 'application/json'], ...(more.headers ?? [])],
		body: JSON.stringify(value),
	};
}

/** A good answer of the token endpoint but for these fields; undefined leaves one out. */
export function token(fields: Readonly<Record<string, unknown>> = {}, more?: Staged): Staged {
	return json({access_token: '<access>', token_type: 'Bearer', expires_in: 600, ...fields}, more);
}

/** A page, with a secret in it. */
export function page(status: number): Staged {
	return {...typed('text/html; charset=utf-8', '<!doctype html><title>Sorry</title><p><sent>'), status};
}

/** An answer without a body. */
export function after(status: number, ...headers: readonly Pair[]): Staged {
	return {status, headers};
}

/** An answer that leads elsewhere. */
export function redirect(status: number, location: string): Staged {
	return after(status, ['location', location]);
}

/** 401 with these challenges, each in a line of its own. */
export function bearer(...challenges: readonly string[]): Staged {
	const lines = challenges.length > 0 ? challenges : ['Bearer error="invalid_token"'];
	return {
		status: 401,
		headers: lines.map(value => ['www-authenticate', value] as const),
		body: '{"why":"refused"}',
	};
}
