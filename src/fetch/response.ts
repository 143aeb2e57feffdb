import {slashed} from './origins.ts';

/** Responses that a redirect to another origin has led to, whatever URL they have. */
export const foreign: WeakSet<object> = new WeakSet();

/** Whether a response came from the origin that was asked. The user's own `fetch` may return a response without a URL, or with a `URL`. */
export function isFrom(url: string, response: {readonly url: string | URL}): boolean {
	return !foreign.has(response) && (!response.url || String(response.url).startsWith(slashed(url)));
}

/** Cancels a body that nobody reads, because it would keep its connection open, or stay in memory. */
export function discard({body}: Pick<Response, 'body'>): void {
	body?.cancel().catch(() => {});
}
