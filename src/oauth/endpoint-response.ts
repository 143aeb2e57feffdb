import type {TokenResponseErrorCode} from '../errors.ts';
import {ownRecordProperties} from '../lib/own-properties.ts';

/** What a token or revocation endpoint answered. */
export interface EndpointResponse {
	/** The HTTP status; 0 for a redirect that a browser hides. */
	readonly status: number;
	/** The headers. */
	readonly headers: Headers;
	/** The own properties of the body, if it is a record. */
	readonly record?: Readonly<Record<string, unknown>> | undefined;
	/** Why there is no record. */
	readonly parseError?: TokenResponseErrorCode | undefined;
}

/** 1 MiB: hundreds of times the largest token in use. */
const limit = 2 ** 20;

/** Reads an answer. The rest of a body beyond 1 MiB, decoded, is not fetched. */
export async function readEndpointResponse(response: Response): Promise<EndpointResponse> {
	const {status, headers, type, redirected} = response;
	// A `fetch` of the user's own may give anything.
	if (!(status >= 0)) throw new TypeError('no response');
	const read = (parseError: EndpointResponse['parseError'], record?: EndpointResponse['record']): EndpointResponse => ({
		status,
		headers,
		record,
		parseError,
	});
	// A redirect is not followed, and browsers hide what it was. A `fetch` of the user's own may have followed it.
	if (redirected || type === 'opaqueredirect' || (status >= 300 && status < 400)) {
		return read('unexpected_redirect');
	}
	const text = await readText(response.body);
	if (text === undefined) return read('body_too_large');
	try {
		const record = ownRecordProperties(parse(text, headers));
		return read(record ? undefined : 'invalid_response', record);
	} catch {
		// Without the platform's error, which quotes the text.
		return read('not_json');
	}
}

/** Gives undefined for a body that is too large. */
async function readText(body: Response['body']): Promise<string | undefined> {
	const chunks = chunksOf(body);
	const decoder = new TextDecoder();
	let text = '';
	for (let size = 0; ;) {
		const {done, value} = (await chunks?.read()) ?? {done: true, value: undefined};
		if (done || !value) return text + decoder.decode();
		size += value.length;
		if (size > limit) {
			Promise.resolve(chunks?.cancel()).catch(() => {});
			return undefined;
		}
		text += decoder.decode(value, {stream: true});
	}
}

interface Chunks {
	read(): Promise<{readonly done: boolean; readonly value?: Uint8Array | undefined}>;
	cancel(): Promise<unknown> | undefined;
}

/** A body is a web stream, or a stream of Node as the package node-fetch gives it. */
function chunksOf(body: Response['body']): Chunks | undefined {
	if (!body || 'getReader' in body) return body?.getReader();
	const iterator = (body as AsyncIterable<Uint8Array>)[Symbol.asyncIterator]();
	return {read: async () => iterator.next() as ReturnType<Chunks['read']>, cancel: () => iterator.return?.()};
}

/** Throws for a text that is neither JSON nor the form that it says it is. */
function parse(text: string, headers: Headers): unknown {
	if (!/^application\/x-www-form-urlencoded\b/i.test(headers.get('content-type') ?? '')) return JSON.parse(text);
	const entries = [...new URLSearchParams(text)];
	const record = Object.fromEntries(entries);
	// A repeated parameter (RFC 6749 §3.2) makes the whole unusable.
	return Object.keys(record).length === entries.length && record;
}
