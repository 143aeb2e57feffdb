import {isServer} from '../lib/runtime.ts';

/** Notifies the other realms of this origin when a token has changed, and listens to them. */
export interface WebNews {
	/** Notifies the others. The message does not hold the token. */
	tell(): void;
	/**
	Calls back when another realm reports a change, and when the page returns from the back/forward cache, because it hears nothing there.
	Returns a function that stops that.
	*/
	subscribe(onChange: () => void): () => void;
}

/** Creates the news of this name, over a BroadcastChannel. */
export function createWebNews(name: () => string): WebNews {
	const channels = new Set<BroadcastChannel>();
	return {
		tell: () => {
			// A channel does not receive its own messages, so a realm does not hear of its own changes.
			if (channels.size === 0) openChannel(name, post)?.close();
			else channels.forEach(post);
		},
		subscribe: onChange => {
			const wake = ({persisted}: PageTransitionEvent): void => {
				if (persisted) onChange();
			};
			const channel = canListen() && openChannel(name, opened => opened.addEventListener('message', onChange));
			if (channel) channels.add(channel);
			// Only browsers have events of the realm.
			const realm = globalThis as unknown as Partial<Window>;
			realm.addEventListener?.('pageshow', wake);
			return () => {
				realm.removeEventListener?.('pageshow', wake);
				if (!channel) return;
				channel.close();
				channels.delete(channel);
			};
		},
	};
}

function post(channel: BroadcastChannel): void {
	// oxlint-disable-next-line unicorn/require-post-message-target-origin -- a channel belongs to one origin
	channel.postMessage(null);
}

/** Deno keeps running while a channel listens, and cannot be told otherwise. There, a store is read again at the next call. */
function canListen(): boolean {
	return !isServer() || 'unref' in Object(globalThis.BroadcastChannel?.prototype);
}

/** Opens a channel, if the runtime has channels and this origin may use them. */
function openChannel(name: () => string, use: (channel: BroadcastChannel) => void): BroadcastChannel | undefined {
	try {
		const channel = new BroadcastChannel(name());
		// Otherwise Node and Bun would keep running while it listens.
		(channel as {unref?: () => void}).unref?.();
		use(channel);
		return channel;
	} catch {
		return undefined;
	}
}
