import {isServer} from '../lib/runtime.ts';

/** Tells the other realms of this origin that a token has changed, and hears it from them. */
export interface WebNews {
	/** Tells the others. What has changed is not said. */
	tell(): void;
	/**
	Calls back when another realm has told of a change, and when the page comes back from the back/forward cache, since it heard nothing
	there. Until the returned function is called.
	*/
	subscribe(onChange: () => void): () => void;
}

/** Creates the news of this name, over a BroadcastChannel. */
export function createWebNews(name: () => string): WebNews {
	const channels = new Set<BroadcastChannel>();
	return {
		tell: () => {
			// A channel does not hear itself: so the realm that changes something does not hear of it.
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
