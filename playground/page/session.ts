import ky, {type KyInstance} from 'ky';
import {type Auth, createAuth, memoryStore, type TokenStore} from 'regrant';
import {webStorage} from 'regrant/web';
import {describeEvent} from './event-text.ts';
import type {Lane} from './lane.ts';
import type {SessionLine} from './session-line.ts';

/** Where the servers are. */
export interface Place {
	readonly tokenEndpoint: string;
	readonly revocationEndpoint: string;
	readonly api: string;
	/** How the token endpoint behaves at present. */
	readonly mood: string;
}

/** A session, the way a single-page app has one. */
export interface Session {
	readonly auth: Auth;
	readonly api: KyInstance;
	/** No longer tells anybody what happens. */
	close(): void;
}

/** Where a session may live, by the names of the select. */
export const stores: Readonly<Record<string, () => TokenStore>> = {
	localStorage: () => webStorage('playground-session', localStorage),
	sessionStorage: () => webStorage('playground-session', sessionStorage),
	memory: memoryStore,
};

/** A session in a store, whose requests and events are seen in a lane, and whose token in a line. */
export function connect(
	{tokenEndpoint, revocationEndpoint, api: baseUrl}: Place,
	lane: Lane,
	line: SessionLine,
	store: string,
): Session {
	const auth = createAuth({
		tokenEndpoint,
		revocationEndpoint,
		clientId: 'app',
		store: (stores[store] ?? memoryStore)(),
		fetch: lane.fetch,
		origins: [baseUrl],
	});
	const closings = [auth.subscribe(event => lane.note(describeEvent(event))), line.follow(auth)];
	return {
		auth,
		api: ky.extend({baseUrl, hooks: auth.hooks, retry: 0, timeout: 60_000}),
		close: () => closings.forEach(close => close()),
	};
}
