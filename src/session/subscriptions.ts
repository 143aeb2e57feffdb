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
	const own = new Set<object>();
	let isClosed = false;

	const unwatch = (watchers: Iterable<object>): void => {
		for (const watcher of watchers) {
			own.delete(watcher);
			core.watchers.delete(watcher);
		}
		if (core.watchers.size > 0) return;
		core.stopWatching?.();
		core.stopWatching = undefined;
	};

	return {
		subscribe: listener => {
			const stop = core.subscribe(listener);
			// To notice a change, one must know what was.
			void readToken(session).catch(() => {});
			if (!isClosed) {
				own.add(stop);
				core.watchers.add(stop);
				core.stopWatching ??= store.watch?.(session);
			}
			return () => {
				stop();
				unwatch([stop]);
			};
		},
		close: () => {
			isClosed = true;
			unwatch(own);
		},
	};
}
