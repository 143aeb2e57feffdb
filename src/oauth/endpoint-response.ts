import type {TokenResponseErrorCode} from '../errors.ts';
import {ownRecordProperties} from '../lib/own-properties.ts';
import {readHeader} from '../lib/read-header.ts';

/** What an endpoint of an authorization server answered. */
export interface EndpointResponse {
	/** The HTTP status; 0 for a redirect that a browser hides. */
	readonly status: number;
	/** Whether the status is one of 200 to 299, and nobody followed a redirect to get it. */
	readonly ok: boolean;
	/** The headers. */
	readonly headers: Headers;
	/** The own properties of the body, if it is a record. */
	readonly record: Readonly<Record<string, unknown>> | undefined;
	/** Why the answer is no success with a record. */
	readonly code: TokenResponseErrorCode | undefined;
}

/** 1 MiB: hundreds of times the largest token in use. */
const limit = 2 ** 20;

/** Reads an answer. The rest of a body beyond 1 MiB, decoded, is not fetched. */
export async function readEndpointResponse(response: Response): Promise<EndpointResponse> {
	const {status, ok, headers} = response;
	// A redirect is not followed, and browsers hide what it was. A `fetch` of the user's own may have followed it.
	const isRedirect = response.redirected || response.type === 'opaqueredirect' || (status >= 300 && status < 400);
	const read = isRedirect ? 'unexpected_redirect' : await readRecord(response.body, headers);
	const [record, parseError] = typeof read === 'string' ? [undefined, read] : [read];
	return {
		status,
		ok: ok && !isRedirect,
		headers,
		record,
		code: ok || isRedirect ? parseError : 'unexpected_status',
	};
}

/** Gives the record that a body has, or why it has none. */
async function readRecord(
	body: Response['body'],
	headers: Headers,
): Promise<Readonly<Record<string, unknown>> | TokenResponseErrorCode> {
	// A stream of Node, as the package node-fetch gives it, becomes one of the web.
	const chunks = body && ('getReader' in body ? body : new Response(body).body)?.getReader();
	const decoder = new TextDecoder();
	let text = '';
	for (let size = 0; chunks;) {
		const {value} = await chunks.read();
		if (!value) break;
		size += value.length;
		if (size > limit) {
			chunks.cancel().catch(() => {});
			return 'body_too_large';
		}
		text += decoder.decode(value, {stream: true});
	}
	try {
		return ownRecordProperties(parse(text + decoder.decode(), headers)) ?? 'invalid_response';
	} catch {
		// Without the platform's error, which quotes the text.
		return 'not_json';
	}
}

/** Throws for a text that is neither JSON nor the form that it says it is. */
function parse(text: string, headers: Headers): unknown {
	if (!/^application\/x-www-form-urlencoded\b/i.test(readHeader(headers, 'content-type'))) return JSON.parse(text);
	const entries = [...new URLSearchParams(text)];
	const record = Object.fromEntries(entries);
	// A repeated parameter (RFC 6749 §3.2) makes the whole unusable.
	return Object.keys(record).length === entries.length && record;
}
