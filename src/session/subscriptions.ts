import {readToken, type Session} from './core.ts';
import {addListener, type AuthListener} from './events.ts';

/** The listeners of one `Auth`. */
export interface Subscriptions {
	/** Listens to events, including those of other holders of the store. Returns a function that stops that. */
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
			const stop = addListener(core, listener);
			// A change can be noticed only if the present token is known. The first listener has it read for all.
			if (watchers.size === 0) void readToken(session).catch(() => {});
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
