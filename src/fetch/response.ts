/** Whether an answer came from the origin that was asked. A `fetch` of the user's own may give an answer without a URL. */
export function isFrom(url: string, {url: answered}: Response): boolean {
	return !answered || new URL(answered).origin === new URL(url).origin;
}

/** Ends a body that nobody reads: it would keep its connection. */
export function discard({body}: Response): void {
	body?.cancel().catch(() => {});
}
