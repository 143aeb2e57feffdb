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

/**
Stores a login under its state.

@throws {LoginError} if the storage fails.
*/
export async function keepLogin(storage: LoginStorage | undefined, state: string, login: PendingLogin): Promise<void> {
	try {
		await (storage ?? sessionStorage).setItem(`regrant.login.${state}`, JSON.stringify(login));
	} catch {
		// The storage's own error is not attached: it may hold what was written.
		throw new LoginError('The storage failed: begin another login');
	}
}

/** The states of the logins that are being taken. */
const taking = new Set<string>();

/**
Returns the login of a state, once.

@throws {LoginError} if the storage fails.
*/
export async function takeLogin(storage: LoginStorage | undefined, state: string): Promise<Partial<PendingLogin>> {
	// Any other text could be an unrelated key of the storage. And of several callers at once, only the first one gets the login: until the
	// storage has deleted it, the others could read it, too.
	if (!/^[\w-]+$/.test(state) || taking.has(state)) return {};
	taking.add(state);
	try {
		const place = storage ?? sessionStorage;
		const key = `regrant.login.${state}`;
		const text = await place.getItem(key);
		if (text) await place.removeItem(key);
		// JSON.parse() reads null as the text `null`, which is no login.
		return ownProperties(ownRecordProperties(JSON.parse((text || null) as string)));
	} catch {
		throw new LoginError('The storage failed: begin another login');
	} finally {
		taking.delete(state);
	}
}
