import {ownRecord} from './own.ts';

/** What a token or revocation endpoint answered. */
export interface Answer {
	/** The HTTP status; 0 for a redirect that a browser hides. */
	readonly status: number;
	/** The headers. */
	readonly headers: Headers;
	/** Whether it is a redirect, or came by way of one. */
	readonly isRedirect: boolean;
	/** Whether the body was cut. */
	readonly isTooLarge: boolean;
	/** Whether the body was JSON, or the form that it said it was. */
	readonly isParsed: boolean;
	/** The own properties of the body, where that is a record. */
	readonly record: Readonly<Record<string, unknown>> | undefined;
}

/** 1 MiB: hundreds of times the largest token in use. */
const limit = 2 ** 20;

/** Reads an answer. Of a body beyond 1 MiB, decoded, the rest is not fetched. */
export async function readAnswer(response: Response): Promise<Answer> {
	const {status, headers, type, redirected} = response;
	// A redirect is not followed, and browsers hide what it was. A `fetch` of the client's own may have followed it.
	const isRedirect = redirected || type === 'opaqueredirect' || (status >= 300 && status < 400);
	const text = isRedirect ? '' : await readText(response);
	const body = parse(text ?? '', headers);
	return {
		status,
		headers,
		isRedirect,
		isTooLarge: text === undefined,
		isParsed: body !== undefined,
		record: ownRecord(body),
	};
}

async function readText({body}: Response): Promise<string | undefined> {
	const reader = body?.getReader();
	const decoder = new TextDecoder();
	let text = '';
	for (let size = 0; ;) {
		const {done, value} = (await reader?.read()) ?? {done: true};
		if (done) return text + decoder.decode();
		size += value.length;
		if (size > limit) {
			reader?.cancel().catch(() => {});
			return undefined;
		}
		text += decoder.decode(value, {stream: true});
	}
}

function parse(text: string, headers: Headers): unknown {
	if (/^application\/x-www-form-urlencoded\b/i.test(headers.get('content-type') ?? '')) {
		const entries = [...new URLSearchParams(text)];
		const record: Record<string, unknown> = Object.fromEntries(entries);
		// A repeated parameter (RFC 6749 §3.2) makes the whole unusable.
		return Object.keys(record).length < entries.length ? null : record;
	}
	try {
		return JSON.parse(text);
	} catch {
		// Without the platform's error, which quotes the text.
		return undefined;
	}
}
