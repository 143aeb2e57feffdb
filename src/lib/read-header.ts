/** Reads a header. Returns an empty text if there is none, and if a framework does not allow it: the `fetch` of SvelteKit throws then. */
export function readHeader(headers: Headers, name: string): string {
	try {
		// Node does not remove the space after a value.
		return headers.get(name)?.trim() ?? '';
	} catch {
		return '';
	}
}
