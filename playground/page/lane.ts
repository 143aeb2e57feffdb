import type {LaneName, Report} from './report.ts';

/** One who makes requests that are to be seen. */
export interface Lane {
	readonly who: string;
	/** A `fetch` that reports what it does. */
	readonly fetch: typeof fetch;
	/** The same for one call: after its first request, each is a retry. */
	fetchOfCall(): typeof fetch;
	/** Reports what is no request. */
	note(text: string): void;
	/** While it is offline, no request leaves. */
	setOffline(isOffline: boolean): void;
}

/** A lane, which reports to whoever draws it. */
export function createLane(lane: LaneName, who: string, report: (report: Report) => void): Lane {
	let isOffline = false;

	const send = async (request: Request, call?: string, isRetry = false): Promise<Response> => {
		const parameters = await readForm(request);
		const kind = parameters ? kindOf(parameters) : isRetry ? 'retry' : 'call';
		const sent = await describeSent(request, parameters);
		const begun = {id: crypto.randomUUID(), lane, who, kind, call, start: Date.now()} as const;
		const end = (status: number, outcome: string | number): void =>
			report({...begun, end: Date.now(), status, text: `${sent} → ${outcome}`});
		report({...begun, text: sent});
		try {
			// The words of a browser that has no network.
			if (isOffline) throw new TypeError('Failed to fetch');
			const response = await fetch(request);
			end(response.status, response.status);
			return response;
		} catch (error) {
			end(0, request.signal.aborted ? 'aborted' : 'no answer');
			throw error;
		}
	};

	return {
		who,
		note(text) {
			const now = Date.now();
			report({id: crypto.randomUUID(), lane, who, kind: 'event', start: now, end: now, text});
		},
		setOffline: value => {
			isOffline = value;
		},
		fetch: async (input, init) => send(new Request(input, init)),
		fetchOfCall() {
			const call = crypto.randomUUID();
			let count = 0;
			return async (input, init) => send(new Request(input, init), call, count++ > 0);
		},
	};
}

/** The parameters of a token or revocation request. The calls of the playground have no form. */
async function readForm(request: Request): Promise<URLSearchParams | undefined> {
	const isForm = request.headers.get('content-type')?.startsWith('application/x-www-form-urlencoded') === true;
	return isForm ? new URLSearchParams(await request.clone().text()) : undefined;
}

const kindOf = (parameters: URLSearchParams): Report['kind'] => (parameters.has('grant_type') ? 'grant' : 'revocation');

async function describeSent(request: Request, parameters: URLSearchParams | undefined): Promise<string> {
	const {pathname} = new URL(request.url);
	const sent = `${request.method} ${pathname}, `;
	if (!parameters) {
		const token = request.headers.get('authorization')?.replace(/^Bearer /, '');
		return sent + (token ? `access token ${await fingerprint(token)}` : 'no access token');
	}
	const token = parameters.get('refresh_token') ?? parameters.get('token');
	return `${sent}${parameters.get('grant_type') ?? 'revocation'}${token ? ` ${await fingerprint(token)}` : ''}`;
}

/** By which a token can be known again, and which is worth nothing. */
async function fingerprint(token: string): Promise<string> {
	const digest = await crypto.subtle.digest('SHA-256', new TextEncoder().encode(token));
	return `#${[...new Uint8Array(digest, 0, 2)].map(byte => byte.toString(16).padStart(2, '0')).join('')}`;
}
