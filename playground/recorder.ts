/** A `fetch` that records each exchange as a line. Tokens are replaced by numbers, so that no line holds a secret. */
export interface Recorder {
	readonly fetch: typeof fetch;
	/** Adds a line about something that happens elsewhere. */
	note(text: string): void;
	/** The lines, in the order in which the steps were completed. Equal steps are counted in one line. */
	lines(): string[];
}

/** Creates an empty recorder. */
export function createRecorder(): Recorder {
	const steps = new Map<string, number>();
	const nameOf = createNames();
	const add = (line: string): void => void steps.set(line, (steps.get(line) ?? 0) + 1);
	return {
		async fetch(input, init) {
			const request = new Request(input, init);
			const parameters = await readParametersOf(request.clone());
			const isGrant = parameters?.has('grant_type') === true;
			const sent = parameters && isGrant ? describeGrant(parameters, nameOf) : describeCredentials(request, nameOf);
			const response = await fetch(request);
			const received = describeTokens(await readJson(response.clone()), nameOf);
			const who = isGrant ? 'authorization server' : parameters ? 'your backend' : 'API';
			const what = `${request.method} ${new URL(request.url).pathname}`;
			add([who.padEnd(21), what.padEnd(19), sent.padEnd(41), response.status, received].join(' ').trimEnd());
			return response;
		},
		note: text => add(`(${text})`),
		lines: () => [...steps].map(([line, times]) => (times === 1 ? line : `${line}, ${times} times`)),
	};
}

/** Reads the parameters of a token request, in either encoding. */
export function readParameters(contentType: string | null | undefined, body: string): URLSearchParams {
	if (!contentType?.startsWith('application/json')) return new URLSearchParams(body);
	return new URLSearchParams(JSON.parse(body) as Record<string, string>); // the test's servers refuse any other
}

type NameOf = (kind: string, value: unknown) => string;

function createNames(): NameOf {
	const names = new Map<unknown, string>();
	const counts = new Map<string, number>();
	return (kind, value) => {
		const count = (counts.get(kind) ?? 0) + 1;
		if (!names.has(value)) {
			names.set(value, `${kind} ${count}`);
			counts.set(kind, count);
		}
		return names.get(value) ?? kind;
	};
}

async function readParametersOf(request: Request): Promise<URLSearchParams | undefined> {
	if (request.method !== 'POST') return undefined;
	return readParameters(request.headers.get('content-type'), await request.text());
}

function describeCredentials({headers}: Request, nameOf: NameOf): string {
	if (headers.has('cookie')) return 'a cookie';
	const token = /^Bearer (.+)$/.exec(headers.get('authorization') ?? '')?.[1];
	return token === undefined ? 'no token' : nameOf('access token', token);
}

function describeGrant(parameters: URLSearchParams, nameOf: NameOf): string {
	const refreshToken = parameters.get('refresh_token');
	const proof = refreshToken === null ? '' : `, ${nameOf('refresh token', refreshToken)}`;
	const audience = parameters.has('audience') ? ', an audience' : '';
	const scope = audience && !parameters.has('scope') ? ', no scope' : '';
	return `${parameters.get('grant_type')}${proof}${audience}${scope}`;
}

function describeTokens(answer: unknown, nameOf: NameOf): string {
	const {access_token, refresh_token} = (answer ?? {}) as Record<string, unknown>; // a string has none of these either
	return [
		access_token === undefined ? '' : nameOf('access token', access_token),
		refresh_token === undefined ? '' : nameOf('refresh token', refresh_token),
	]
		.filter(name => name !== '')
		.join(', ');
}

async function readJson(response: Response): Promise<unknown> {
	try {
		return await response.json();
	} catch {
		return undefined;
	}
}
