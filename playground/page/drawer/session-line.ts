import type {Auth} from 'regrant';

/** Says how long the access token is still valid, as far as this tab knows. */
export interface SessionLine {
	/** Follows a session from its next event on. Returns a function that ends this. */
	follow(auth: Auth): () => void;
}

const unknown = 'Access token: none seen yet';

/** Creates the line in an element. Screen readers do not announce it, since it changes every second. */
export function createSessionLine(element: HTMLElement): SessionLine {
	let text = unknown;
	let expiresAt: number | undefined;
	const say = (): void => {
		const left = expiresAt === undefined ? undefined : Math.ceil(expiresAt - Date.now() / 1000);
		element.textContent =
			left === undefined ? text : left > 0 ? `Access token: ${left} s left` : 'Access token: expired';
	};
	const set = (next: string, expires_at?: number): void => {
		text = next;
		expiresAt = expires_at;
		say();
	};
	setInterval(say, 500);
	return {
		follow(auth) {
			set(unknown);
			return auth.subscribe(event => {
				if (event.type === 'token') set('Access token: valid', event.expires_at);
				if (event.type === 'session-ended') set(`No session: ${event.reason}`);
			});
		},
	};
}
