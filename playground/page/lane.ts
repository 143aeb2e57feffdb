import type {LaneName, Report} from './report.ts';

/** Somebody whose requests are drawn. */
export interface Lane {
	readonly who: string;
	/** A `fetch` that reports what it does. */
	readonly fetch: typeof fetch;
	/** Begins a call, whose requests are reported as belonging together. */
	startCall(): Call;
	/** Reports something that is not a request. */
	note(text: string): void;
	/** While the lane is offline, no request leaves. */
	setOffline(isOffline: boolean): void;
}

/** One call of the app: a request, and perhaps a retry. */
export interface Call {
	/** A `fetch` for this call alone. Every request after the first is a retry. */
	readonly fetch: typeof fetch;
	/** Says what the caller got in the end. The last request of the call is drawn accordingly. */
	settle(caller: 'response' | 'error'): void;
}

/** How a lane differs from the ordinary one. */
export interface LaneOptions {
	/** Milliseconds by which each request is delayed, so that people can watch it. Default: 0. */
	readonly latency?: number;
}

/** Creates a lane that passes its reports to a function, which draws them. */
export function createLane(
	lane: LaneName,
	who: string,
	report: (report: Report) => void,
	{latency = 0}: LaneOptions = {},
): Lane {
	let isOffline = false;

	const send = async (
		request: Request,
		sent: string,
		facts: Pick<Report, 'kind' | 'call'>,
		tell: (report: Report) => void,
	): Promise<Response> => {
		const begun = {id: crypto.randomUUID(), lane, who, ...facts, start: Date.now()};
		const end = (status: number, outcome: string | number): void =>
			tell({...begun, end: Date.now(), status, text: `${sent} → ${outcome}`});
		tell({...begun, text: sent});
		try {
			if (latency > 0) await new Promise(resolve => setTimeout(resolve, latency));
			// A browser without a network throws this error.
			if (isOffline) throw new TypeError('Failed to fetch');
			const response = await fetch(request);
			end(response.status, response.status);
			return response;
		} catch (error) {
			end(0, request.signal.aborted ? 'aborted' : 'no answer');
			throw error;
		}
	};

	const sendAs = async (
		request: Request,
		kind: 'call' | 'retry',
		call: string | undefined,
		tell: (report: Report) => void,
	): Promise<Response> => {
		const parameters = await readForm(request);
		const sent = await describeSent(request, parameters);
		return send(request, sent, {kind: parameters ? kindOf(parameters) : kind, call}, tell);
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
		fetch: async (input, init) => sendAs(new Request(input, init), 'call', undefined, report),
		startCall() {
			const call = crypto.randomUUID();
			const start = Date.now();
			let last: Report | undefined;
			const tell = (next: Report): void => {
				last = next;
				report(next);
			};
			return {
				fetch: async (input, init) => sendAs(new Request(input, init), last ? 'retry' : 'call', call, tell),
				settle(caller) {
					// The client rejected the call before it sent anything.
					last ??= {id: call, lane, who, kind: 'call', call, start, status: 0, text: 'not sent'};
					report({...last, end: last.end ?? Date.now(), caller});
				},
			};
		},
	};
}

/** Reads the parameters of a token or revocation request. The calls of the playground have no form. */
async function readForm(request: Request): Promise<URLSearchParams | undefined> {
	const isForm = request.headers.get('content-type')?.startsWith('application/x-www-form-urlencoded') === true;
	return isForm ? new URLSearchParams(await request.clone().text()) : undefined;
}

const kindOf = (parameters: URLSearchParams): 'grant' | 'revocation' =>
	parameters.has('grant_type') ? 'grant' : 'revocation';

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

/** Returns a fingerprint of a token, by which the token can be recognised but not used. */
async function fingerprint(token: string): Promise<string> {
	const digest = await crypto.subtle.digest('SHA-256', new TextEncoder().encode(token));
	return `#${[...new Uint8Array(digest, 0, 2)].map(byte => byte.toString(16).padStart(2, '0')).join('')}`;
}
