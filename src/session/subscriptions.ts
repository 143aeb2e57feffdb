import {readToken, type Session} from './core.ts';
import type {AuthListener} from './events.ts';

/** Those who hear of a session through one `Auth`. */
export interface Subscriptions {
	/** Hears of events, until the function that it returns is called, and of what other holders of the store do. */
	subscribe(listener: AuthListener): () => void;
	/** Stops listening to the store. */
	close(): void;
}

/** Creates the subscriptions of one `Auth`. The session listens to its store once, for as long as anybody listens to the session. */
export function createSubscriptions(session: Session): Subscriptions {
	const {core, store} = session;
	const {watchers} = core;
	let isClosed = false;

	const unwatch = (watcher: object): void => {
		watchers.delete(watcher);
		if (watchers.size > 0) return;
		core.stopWatching?.();
		core.stopWatching = undefined;
	};

	return {
		subscribe: listener => {
			const stop = core.subscribe(listener);
			// To notice a change, one must know what was.
			void readToken(session).catch(() => {});
			if (!isClosed) {
				watchers.set(stop, session);
				core.stopWatching ??= store.watch?.(session);
			}
			return () => {
				stop();
				unwatch(stop);
			};
		},
		close: () => {
			isClosed = true;
			for (const [watcher, owner] of watchers) if (owner === session) unwatch(watcher);
		},
	};
}
