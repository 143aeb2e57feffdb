import ky, {type KyInstance} from 'ky';
import {type Auth, type AuthOptions, createAuth} from 'regrant';
import type {AuthorizationServer} from 'regrant/login';
import {describeEvent} from './event-text.ts';
import type {Lane} from './lane.ts';

/** Where the servers are. */
export interface Place {
	readonly tokenEndpoint: string;
	readonly revocationEndpoint: string;
	/** The origin of the API. */
	readonly api: string;
	/** The metadata of the authorization server. */
	readonly server: AuthorizationServer;
	/** How the token endpoint behaves at present. */
	readonly mood: string;
}

/** A session, as a single-page app has one. */
export interface Session {
	readonly auth: Auth;
	readonly api: KyInstance;
	/** Stops reporting the events of the session. */
	close(): void;
}

/** Opens a session whose requests and events are reported in a lane. */
export function openSession(
	{tokenEndpoint, revocationEndpoint, api: baseUrl}: Place,
	lane: Lane,
	options: Pick<AuthOptions, 'store' | 'timeout'>,
): Session {
	const auth = createAuth({
		tokenEndpoint,
		revocationEndpoint,
		clientId: 'app',
		origins: [baseUrl],
		fetch: lane.fetch,
		...options,
	});
	const stop = auth.subscribe(event => lane.note(describeEvent(event)));
	return {
		auth,
		// A busy machine needs minutes for a thousand calls.
		api: ky.extend({baseUrl, hooks: auth.hooks, retry: 0, timeout: 600_000}),
		close: () => {
			stop();
			auth.close();
		},
	};
}
