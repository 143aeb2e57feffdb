import {setTimeout as sleep} from 'node:timers/promises';
import {app, type AuthorizationServer} from './authorization-server.ts';

/** How the token endpoint behaves. */
export const moods = ['normal', 'slow', 'unavailable', 'busy', 'lossy'] as const;

/** One of them. */
export type Mood = (typeof moods)[number];

/** What the page can do to the server. */
export interface Controls {
	/** The API refuses every access token that was issued so far. */
	expire(): Promise<void>;
	/** The server takes none of the refresh tokens that were issued so far. */
	revoke(): Promise<void>;
	readonly mood: Mood;
	setMood(mood: Mood): void;
}

const slowness = 2_000;
const busyFor = 3;

/** The controls of a server. */
export function createControls(server: AuthorizationServer): Controls {
	let mood: Mood = 'normal';
	let forget = (): void => {};
	const ofKind = (kind: string): string[] =>
		[...server.issued].filter(([, issued]) => issued === kind).map(([token]) => token);

	return {
		get mood() {
			return mood;
		},
		async expire() {
			// Most of them have ended already.
			for (const token of ofKind('access token')) await server.expire(token).catch(() => {});
		},
		async revoke() {
			for (const token of ofKind('refresh token')) {
				if (!(await server.isActive(token))) continue;
				const body = new URLSearchParams({token, token_type_hint: 'refresh_token', client_id: app.clientId});
				await fetch(server.revocationEndpoint, {method: 'POST', body});
			}
		},
		setMood(next) {
			mood = next;
			forget();
			const hooks = [
				server.onToken(async () => {
					if (mood === 'slow') await sleep(slowness);
					if (mood === 'unavailable') return {status: 503};
					if (mood === 'busy') return {status: 429, headers: [['retry-after', String(busyFor)]]};
					return undefined;
				}),
				// The server has rotated by then: nobody will ever know its answer.
				server.onTokenAnswer(() => (mood === 'lossy' ? {status: 502} : undefined)),
			];
			forget = () => hooks.forEach(stop => stop());
		},
	};
}
