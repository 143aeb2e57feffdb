import type {Auth, AuthEvent} from 'regrant';
import type {Report} from './report.ts';

/** One who makes requests that are to be seen. */
export interface Lane {
	readonly name: string;
	/** A `fetch` that reports what it does. */
	readonly fetch: typeof fetch;
	/** Reports the events of a session, until the function that it returns is called. */
	watch(auth: Auth): () => void;
	/** Reports anything else. */
	note(text: string): void;
	/** While it is offline, no request leaves. */
	setOffline(isOffline: boolean): void;
}

/** A lane, which reports to whoever draws it. */
export function createLane(name: string, report: (report: Report) => void): Lane {
	let isOffline = false;
	const note = (text: string): void => {
		const now = Date.now();
		report({lane: name, kind: 'event', start: now, end: now, text});
	};
	return {
		name,
		note,
		watch: auth => auth.subscribe(event => note(describeEvent(event))),
		setOffline: value => {
			isOffline = value;
		},
		fetch: async (input, init) => {
			const request = new Request(input, init);
			const parameters = await readForm(request);
			const kind = kindOf(parameters);
			const start = Date.now();
			const sent = await describeSent(request, parameters);
			try {
				// The words of a browser that has no network.
				if (isOffline) throw new TypeError('Failed to fetch');
				const response = await fetch(request);
				const {status} = response;
				report({lane: name, kind, start, end: Date.now(), status, text: `${sent} → ${status}`});
				return response;
			} catch (error) {
				const why = request.signal.aborted ? 'aborted' : 'no answer';
				report({lane: name, kind, start, end: Date.now(), status: 0, text: `${sent} → ${why}`});
				throw error;
			}
		},
	};
}

function describeEvent(event: AuthEvent): string {
	switch (event.type) {
		case 'token':
			return `token (${event.cause})`;
		case 'session-ended':
			return `session-ended (${event.reason})`;
		case 'refresh-failed':
		case 'store-failed':
			return `${event.type} (${event.error.code})`;
		default:
			return event satisfies never;
	}
}

/** The parameters of a token or revocation request. The calls of the playground have no form. */
async function readForm(request: Request): Promise<URLSearchParams | undefined> {
	const isForm = request.headers.get('content-type')?.startsWith('application/x-www-form-urlencoded') === true;
	return isForm ? new URLSearchParams(await request.clone().text()) : undefined;
}

function kindOf(parameters: URLSearchParams | undefined): Report['kind'] {
	if (!parameters) return 'call';
	return parameters.has('grant_type') ? 'grant' : 'revocation';
}

async function describeSent(request: Request, parameters: URLSearchParams | undefined): Promise<string> {
	const {pathname} = new URL(request.url);
	const token = parameters
		? (parameters.get('refresh_token') ?? parameters.get('token'))
		: request.headers.get('authorization')?.replace(/^Bearer /, '');
	const what = parameters?.get('grant_type') ?? (parameters ? 'revocation' : 'access token');
	return `${request.method} ${pathname}, ${token ? `${what} ${await fingerprint(token)}` : `no ${what}`}`;
}

/** By which a token can be known again, and which is worth nothing. */
async function fingerprint(token: string): Promise<string> {
	const digest = await crypto.subtle.digest('SHA-256', new TextEncoder().encode(token));
	return `#${[...new Uint8Array(digest, 0, 2)].map(byte => byte.toString(16).padStart(2, '0')).join('')}`;
}
