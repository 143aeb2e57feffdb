import type {TokenResponseErrorCode} from '../errors.ts';
import {ownRecordProperties} from '../lib/own-properties.ts';

/** What a token or revocation endpoint answered. */
export interface EndpointResponse {
	/** The HTTP status; 0 for a redirect that a browser hides. */
	readonly status: number;
	/** The headers. */
	readonly headers: Headers;
	/** The own properties of the body, where that is a record. */
	readonly record?: Readonly<Record<string, unknown>> | undefined;
	/** Why there is no record. */
	readonly parseError?: TokenResponseErrorCode | undefined;
}

/** 1 MiB: hundreds of times the largest token in use. */
const limit = 2 ** 20;

/** Reads an answer. Of a body beyond 1 MiB, decoded, the rest is not fetched. */
export async function readEndpointResponse(response: Response): Promise<EndpointResponse> {
	const {status, headers, type, redirected} = response;
	const answer = (
		parseError: EndpointResponse['parseError'],
		record?: EndpointResponse['record'],
	): EndpointResponse => ({status, headers, record, parseError});
	// A redirect is not followed, and browsers hide what it was. A `fetch` of the client's own may have followed it.
	if (redirected || type === 'opaqueredirect' || (status >= 300 && status < 400)) {
		return answer('unexpected_redirect');
	}
	const text = await readText(response);
	if (text === undefined) return answer('body_too_large');
	try {
		const record = ownRecordProperties(parse(text, headers));
		return answer(record ? undefined : 'invalid_response', record);
	} catch {
		// Without the platform's error, which quotes the text.
		return answer('not_json');
	}
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

/** Throws for what is neither JSON nor the form that it says it is. */
function parse(text: string, headers: Headers): unknown {
	if (!/^application\/x-www-form-urlencoded\b/i.test(headers.get('content-type') ?? '')) return JSON.parse(text);
	const entries = [...new URLSearchParams(text)];
	const record = Object.fromEntries(entries);
	// A repeated parameter (RFC 6749 §3.2) makes the whole unusable.
	return Object.keys(record).length === entries.length && record;
}
