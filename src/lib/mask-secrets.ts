/** Characters that URLs, JSON and HTML may write in another way, with any number of layers: one match for each. */
const escapes = /(?:%|&#37;|&#x25;)(?:25)*[\da-f]{2}|\\+(?:u[\da-f]{4}|["/])?|&(?:amp;)*#?\w{2,9};|[^]/gi;

/**
Gives a text for display, or `[masked]` if a secret is in it. A server may repeat a secret with the escapes of URLs, JSON or HTML, so both
are compared as they are and without them, and all characters that may be escaped are the same then. Eight characters are enough to be
taken for a secret, since a part of one must not show either. Shorter secrets must stand alone: they are in many a word by chance.
*/
export function maskSecrets(text: string, secrets: readonly unknown[]): string {
	for (const pattern of [/[^]/g, escapes]) {
		const read = (given: unknown): string =>
			typeof given === 'string' ? given.replace(pattern, character => (/^\w$/.test(character) ? character : '?')) : '';
		const shown = `?${read(text)}?`;
		for (const secret of secrets) {
			const start = read(secret).slice(0, 8);
			if (start && shown.includes(start[7] ? start : `?${start}?`)) return '[masked]';
		}
	}
	return text;
}
