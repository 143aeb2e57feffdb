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
	/** The own properties of the body, if that is a record. */
	readonly record: Readonly<Record<string, unknown>> | undefined;
	/** Why the answer is no success with a record. */
	readonly code: TokenResponseErrorCode | undefined;
}

/** 1 MiB: hundreds of times more than the largest token in use. */
const limit = 2 ** 20;

/** Reads a response. It stops after 1 MiB of the decoded body. */
export async function readEndpointResponse(response: Response): Promise<EndpointResponse> {
	const {status, ok, headers} = response;
	// Redirects are not followed, and browsers hide their status. The user's own `fetch` may have followed one.
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

/** Returns the record in a body, or the reason why there is none. */
async function readRecord(
	body: Response['body'],
	headers: Headers,
): Promise<Readonly<Record<string, unknown>> | TokenResponseErrorCode> {
	// The package node-fetch has streams of Node, which become web streams here.
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
		// The platform's error is dropped, because it quotes the text.
		return 'not_json';
	}
}

/** Throws if the text is neither JSON, nor the form that its media type announces. */
function parse(text: string, headers: Headers): unknown {
	if (!/^application\/x-www-form-urlencoded\b/i.test(readHeader(headers, 'content-type'))) return JSON.parse(text);
	const entries = [...new URLSearchParams(text)];
	const record = Object.fromEntries(entries);
	// A repeated parameter makes the whole form unusable: RFC 6749 §3.2.
	return Object.keys(record).length === entries.length && record;
}
