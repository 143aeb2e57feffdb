/** Characters that URLs, JSON and HTML may write in another way, with any number of layers: one match for each. */
const escapes = /(?:%|&#37;|&#x25;)(?:25)*[\da-f]{2}|\\+(?:u[\da-f]{4}|["/])?|&(?:amp;)*#?\w{2,9};|[^]/gi;

/** For comparisons, in which all characters that may be escaped are the same. */
const wordsOf = (characters: readonly string[]): string =>
	characters.map(character => (/^\w$/.test(character) ? character : '?')).join('');

/**
Gives a text without secrets, for display: it ends where a secret begins. A server may repeat a secret with the escapes of URLs, JSON or
HTML, so both are compared as they are and without them. Eight characters are enough to be taken for a secret, since a part of one must
not show either. Shorter secrets must stand alone: they are in many a word by chance.
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
