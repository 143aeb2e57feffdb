import type {RegrantError, SessionEndedReason, StoreError} from '../errors.ts';

/** The events that `subscribe` reports. No event holds a secret. */
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
			/** The session is over: show the login. This event is sent once. */
			readonly type: 'session-ended';
			/** Why. */
			readonly reason: SessionEndedReason;
	  }
	| {
			/** A renewal failed. The session goes on, and no other renewal is tried for a while. */
			readonly type: 'refresh-failed';
			/** The error that the waiting calls got. */
			readonly error: RegrantError;
	  }
	| {
			/** The store failed. The session goes on in memory. */
			readonly type: 'store-failed';
			/** The error of the store. */
			readonly error: StoreError;
	  }
	| {
			/** The store was read for the first time, after somebody had read `status` as `unknown`. Read `status` again. */
			readonly type: 'status';
			/** The status now. */
			readonly status: 'signed-in' | 'signed-out';
	  };

/** Gets the events of a session. */
export type AuthListener = (event: AuthEvent) => void;

/** The listeners of a session, and the events that wait for them. */
export interface SessionEvents {
	/** Each with the session for whose sake the store is listened to. Undefined if that session was closed. */
	readonly listeners: Map<(event: AuthEvent) => Promise<void>, object | undefined>;
	/** The events that are held back until `release`, so that no listener runs under a lock. Undefined if none have to be. */
	held: AuthEvent[] | undefined;
}

/** Sends an event to all listeners. A listener that throws or rejects does not affect the others. */
export function emit({held, listeners}: SessionEvents, event: AuthEvent): void {
	if (held) held.push(event);
	else for (const [listener] of new Map(listeners)) listener(event).catch(() => {});
}

/** Sends the events that were held back. */
export function release(events: SessionEvents): void {
	const {held = []} = events;
	events.held = undefined;
	for (const event of held) emit(events, event);
}
