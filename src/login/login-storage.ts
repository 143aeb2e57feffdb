import {LoginError} from '../errors.ts';
import type {Awaitable} from '../lib/awaitable.ts';
import {ownProperties, ownRecordProperties} from '../lib/own-properties.ts';
import type {TokenParameters} from '../oauth/client.ts';

/**
Where a login is kept until the browser comes back: `sessionStorage`, or anything of this shape. On a server, each browser needs its own: a
cookie, or a database with an id from a cookie. Otherwise an attacker could log a user into the attacker's account.
*/
export interface LoginStorage {
	/** Returns what was set, or null. */
	getItem(key: string): Awaitable<string | null | undefined>;
	/** Keeps a text for at least an hour. The key consists of letters, digits, dots, hyphens and underscores. */
	setItem(key: string, value: string): Awaitable<unknown>;
	/** Deletes it. */
	removeItem(key: string): Awaitable<unknown>;
}

/** What is stored about a login that has begun. */
export interface PendingLogin {
	/** The secret that proves that the code is ours: RFC 7636. */
	readonly tokenEndpoint: string;
	/** When it is over: milliseconds since the epoch. */
	readonly due: number;
	/** A path of this origin. */
	readonly returnTo: string;
	readonly code_verifier: string;
	readonly nonce?: string | undefined;
	readonly max_age?: TokenParameters[string];
	readonly resource?: TokenParameters[string];
	readonly scope?: TokenParameters[string];
}

const keyOf = (state: string): string => `regrant.login.${state}`;

/**
Stores a login under its state.

@throws {LoginError} if the storage fails.
*/
export async function keepLogin(storage: LoginStorage | undefined, state: string, login: PendingLogin): Promise<void> {
	try {
		await (storage ?? sessionStorage).setItem(keyOf(state), JSON.stringify(login));
	} catch {
		// The storage's own error is not attached: it may hold what was written.
		throw new LoginError('The storage failed: begin another login');
	}
}

/** The state of the login that was taken last. */
let last: string;

/**
Returns the login of a state, once.

@throws {LoginError} if the storage fails.
*/
export async function takeLogin(storage: LoginStorage | undefined, state: string): Promise<Partial<PendingLogin>> {
	// Any other text could be an unrelated key of the storage.
	if (!/^[\w-]+$/.test(state)) return {};
	try {
		const place = storage ?? sessionStorage;
		const text = await place.getItem(keyOf(state));
		// Of two callers at once, both of which have read the login, one gets it.
		if (!text || state === last) return {};
		last = state;
		await place.removeItem(keyOf(state));
		return ownProperties(ownRecordProperties(JSON.parse(text)));
	} catch {
		throw new LoginError('The storage failed: begin another login');
	}
}
