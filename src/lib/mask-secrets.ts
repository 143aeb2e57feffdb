/** Matches one character that URLs, JSON or HTML have escaped, with any number of layers. */
const escapes = /(?:%|&#37;|&#x25;)(?:25)*[\da-f]{2}|\\+(?:u[\da-f]{4}|["/])?|&(?:amp;)*#?\w{2,9};|[^]/gi;

/** Prepares a text for comparison: all characters that may be escaped become the same one. */
const wordsOf = (characters: readonly string[]): string =>
	characters.map(character => (/^\w$/.test(character) ? character : '?')).join('');

/**
Returns a text without secrets, for display: it is cut where a secret begins. A server may repeat a secret with the escapes of URLs, JSON or
HTML, so the comparison is made with and without them. Eight characters of a secret are enough to count, because a part of it must not show
either. A shorter secret counts only if it stands alone, since it occurs in other words by chance.
*/
export function maskSecrets(text: string, secrets: readonly unknown[]): string {
	let shown = text;
	for (const pattern of [/[^]/g, escapes]) {
		const read = (given: unknown): string[] => (typeof given === 'string' && given.match(pattern)) || [];
		for (const secret of secrets) {
			const characters = read(shown);
			const start = wordsOf(read(secret).slice(0, 8));
			const index = `?${wordsOf(characters)}?`.indexOf(start[7] ? start : `?${start}?`);
			if (start && index >= 0) shown = `${characters.slice(0, Math.max(0, index - 1)).join('')}[masked]`;
		}
	}
	return shown;
}
