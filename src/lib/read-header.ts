/** Reads a header. Gives an empty text where there is none, and where the `fetch` of a framework lets nobody read it: SvelteKit's throws then. */
export function readHeader(headers: Headers, name: string): string {
	try {
		// Node leaves the space behind a value where it is.
		return headers.get(name)?.trim() ?? '';
	} catch {
		return '';
	}
}
