import {ConfigError, type RegrantError, type SessionEndedReason, type StoreError} from '../errors.ts';

/** What `subscribe` tells of. No event holds a secret. */
export type AuthEvent =
	| {
			/** There is a new token. */
			readonly type: 'token';
			/** `setToken`, a grant, a refresh, or another holder of the store. */
			readonly cause: 'set' | 'grant' | 'refresh' | 'store';
			/** Unix time in seconds. Undefined where it is not known. */
			readonly expires_at: number | undefined;
	  }
	| {
			/** The session is over. Told once. */
			readonly type: 'session-ended';
			/** Why. */
			readonly reason: SessionEndedReason;
	  }
	| {
			/** A renewal failed for now. The session stays. */
			readonly type: 'refresh-failed';
			/** What the waiting calls failed with. */
			readonly error: RegrantError;
	  }
	| {
			/** The store failed. The session goes on in memory. */
			readonly type: 'store-failed';
			/** What it failed to do. */
			readonly error: StoreError;
	  };

/** Hears of the events of a session. */
export type AuthListener = (event: AuthEvent) => void;

/** Who is told of what, and when. */
export interface SessionEvents {
	/** Tells all listeners. One that throws, or rejects, disturbs nobody. */
	emit(event: AuthEvent): void;
	/** Keeps what happens until `release`: no listener runs under a lock. */
	hold(): void;
	/** Tells what was kept. */
	release(): void;
	/** Adds a listener, until the function that it returns is called. */
	subscribe(listener: AuthListener): () => void;
}

/** The events of one session. */
export function createEvents(): SessionEvents {
	const listeners = new Set<(event: AuthEvent) => Promise<void>>();
	let held: AuthEvent[] | undefined;

	const emit = (event: AuthEvent): void => {
		if (held) held.push(event);
		else for (const listener of listeners) listener(event).catch(() => {});
	};

	return {
		emit,
		hold: () => {
			held ??= [];
		},
		release: () => {
			const events = held ?? [];
			held = undefined;
			events.forEach(emit);
		},
		subscribe: listener => {
			if (typeof listener !== 'function') throw new ConfigError('listener must be a function');
			// Of its own: one function may listen twice.
			const entry: (event: AuthEvent) => Promise<void> = async event => listener(event);
			listeners.add(entry);
			return () => void listeners.delete(entry);
		},
	};
}
