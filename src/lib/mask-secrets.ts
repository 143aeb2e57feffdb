/** Matches one character that URLs, JSON or HTML have escaped, with any number of layers. */
const escapes = /(?:%|&#37;|&#x25;)(?:25)*[\da-f]{2}|\\+(?:u[\da-f]{4}|["/])?|&(?:amp;)*#?\w{2,9};|[^]/gi;

/**
Returns a text for display, or `[masked]` if there is a secret in it. A server may repeat a secret with the escapes of URLs, JSON or HTML, so
the comparison is made with and without them, and all characters that may be escaped count as the same one. Any eight characters in a row of
a secret are enough to count, because a part of it must not show either. A shorter secret counts only if it stands alone, since it occurs in
other words by chance.
*/
export function maskSecrets(text: string, secrets: readonly unknown[]): string {
	for (const pattern of [/[^]/g, escapes]) {
		const read = (given: unknown): string =>
			typeof given === 'string' ? given.replace(pattern, character => (/^\w$/.test(character) ? character : '?')) : '';
		const shown = `?${read(text)}?`;
		// A set, because a server's token may be long, and the time must only grow as its length does.
		const runs = new Set(Array.from(shown, (_, index) => shown.slice(index, index + 8)));
		for (const given of secrets) {
			let secret = read(given);
			if (secret && shown.includes(`?${secret}?`)) return '[masked]';
			for (; secret[7]; secret = secret.slice(1)) if (runs.has(secret.slice(0, 8))) return '[masked]';
		}
	}
	return text;
}
