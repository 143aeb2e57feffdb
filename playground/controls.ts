import {setTimeout as sleep} from 'node:timers/promises';
import {app, type AuthorizationServer} from './authorization-server.ts';
import type {Mood} from './page/mood.ts';

/** What the page can do to the server. */
export interface Controls {
	/** From now on the API refuses this access token, or every one that was issued so far. */
	expire(accessToken?: string): Promise<void>;
	/** From now on the server refuses every refresh token that was issued so far. */
	revoke(): Promise<void>;
	readonly mood: Mood;
	setMood(mood: Mood): void;
}

const slowness = 2_000;
const busyFor = 3;

/** Creates the controls of a server. */
export function createControls(server: AuthorizationServer): Controls {
	let mood: Mood = 'normal';
	let forget = (): void => {};
	const ofKind = (kind: string): string[] =>
		[...server.issued].filter(([, issued]) => issued === kind).map(([token]) => token);

	return {
		get mood() {
			return mood;
		},
		async expire(accessToken) {
			const tokens = accessToken === undefined ? ofKind('access token') : [accessToken];
			// Most of them have expired already.
			for (const token of tokens) await server.expire(token).catch(() => {});
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
				// By then the server has rotated the refresh token. Its response never arrives.
				server.onTokenAnswer(async () => {
					if (mood === 'late') await sleep(slowness);
					return mood === 'lossy' ? {status: 502} : undefined;
				}),
			];
			forget = () => hooks.forEach(stop => stop());
		},
	};
}
