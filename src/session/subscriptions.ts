import {ConfigError} from '../errors.ts';
import {readToken, type Session} from './core.ts';
import type {AuthEvent, AuthListener} from './events.ts';

/** The listeners of one `Auth`. */
export interface Subscriptions {
	/**
	Listens to events, including those of other holders of the store. Returns a function that stops that.

	@throws {ConfigError} if the listener is not a function.
	*/
	subscribe(listener: AuthListener): () => void;
	/** Stops listening to the store. */
	close(): void;
}

/** Creates the subscriptions of one `Auth`. The session listens to its store once, for as long as anybody listens to the session. */
export function createSubscriptions(session: Session): Subscriptions {
	const {core, store} = session;
	const {listeners} = core;
	let isClosed = false;

	const unwatch = (): void => {
		if ([...listeners.values()].some(Boolean)) return;
		core.stopWatching?.();
		core.stopWatching = undefined;
	};

	return {
		subscribe: listener => {
			if (typeof listener !== 'function') throw new ConfigError('listener must be a function');
			// A new function each time, because the same listener may be added twice.
			const entry = async (event: AuthEvent): Promise<void> => listener(event);
			listeners.set(entry, isClosed ? undefined : session);
			if (!core.stopWatching) {
				// A change can be noticed only if the present token is known. The first listener has it read for all.
				void readToken(session).catch(() => {});
				if (!isClosed) core.stopWatching = store.watch?.(session);
			}
			return () => {
				listeners.delete(entry);
				unwatch();
			};
		},
		close: () => {
			isClosed = true;
			for (const [listener, owner] of listeners) if (owner === session) listeners.set(listener, undefined);
			unwatch();
		},
	};
}
