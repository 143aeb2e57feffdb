import {ConfigError, type RegrantError, type SessionEndedReason, type StoreError} from '../errors.ts';

/** What `subscribe` tells of. No event holds a secret. */
export type AuthEvent =
	| {
			/** There is a new token. */
			readonly type: 'token';
			/** Where it came from: `setToken`, a grant, a refresh, or another holder of the store. */
			readonly cause: 'set' | 'grant' | 'refresh' | 'store';
			/** When it expires: Unix time in seconds. Undefined if that is not known. */
			readonly expires_at: number | undefined;
	  }
	| {
			/** The session is over: show the login. Told once. */
			readonly type: 'session-ended';
			/** Why. */
			readonly reason: SessionEndedReason;
	  }
	| {
			/** A renewal failed. The session stays, and no other renewal is tried for a while. */
			readonly type: 'refresh-failed';
			/** What the waiting calls failed with. */
			readonly error: RegrantError;
	  }
	| {
			/** The store failed. The session goes on in memory. */
			readonly type: 'store-failed';
			/** What it failed to do. */
			readonly error: StoreError;
	  }
	| {
			/** The store was read for the first time, after `status` was found to be `unknown`: look at `status` again. */
			readonly type: 'status';
			/** What it is now. */
			readonly status: 'signed-in' | 'signed-out';
	  };

/** Hears of the events of a session. */
export type AuthListener = (event: AuthEvent) => void;

/** Who is told of what, and when. */
export interface SessionEvents {
	/** Tells all listeners. One that throws, or rejects, does not disturb the others. */
	emit(event: AuthEvent): void;
	/** Keeps events until `releaseEvents`: no listener runs under a lock. */
	holdEvents(): void;
	/** Tells what was kept. */
	releaseEvents(): void;
	/**
	Adds a listener, until the function that it returns is called.

	@throws {ConfigError} if the listener is no function.
	*/
	subscribe(listener: AuthListener): () => void;
}

/** Creates the events of one session. */
export function createEvents(): SessionEvents {
	const listeners = new Set<(event: AuthEvent) => Promise<void>>();
	let held: AuthEvent[] | undefined;

	const emit = (event: AuthEvent): void => {
		if (held) held.push(event);
		else for (const listener of listeners) listener(event).catch(() => {});
	};

	return {
		emit,
		holdEvents: () => {
			held ??= [];
		},
		releaseEvents: () => {
			const events = held ?? [];
			held = undefined;
			events.forEach(emit);
		},
		subscribe: listener => {
			if (typeof listener !== 'function') throw new ConfigError('listener must be a function');
			// A function of its own: the same listener may be added twice.
			const entry: (event: AuthEvent) => Promise<void> = async event => listener(event);
			listeners.add(entry);
			return () => void listeners.delete(entry);
		},
	};
}
