import type {Auth} from 'regrant';

/** Says how long the access token is good for, as far as this tab knows. */
export interface SessionLine {
	/** Follows a session, from its next event on, until the function that it returns is called. */
	follow(auth: Auth): () => void;
}

const unknown = 'access token: none seen yet';

/** A line in an element. It is not announced: it changes every second. */
export function createSessionLine(element: HTMLElement): SessionLine {
	let text = unknown;
	let expiresAt: number | undefined;
	const say = (): void => {
		const left = expiresAt === undefined ? undefined : Math.ceil(expiresAt - Date.now() / 1000);
		element.textContent = left === undefined ? text : left > 0 ? `access token: ${left} s left` : 'access token: over';
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
				if (event.type === 'token') set('access token: good', event.expires_at);
				if (event.type === 'session-ended') set(`no session: ${event.reason}`);
			});
		},
	};
}
