const escapes = /%([\da-f]{2})|\\u([\da-f]{4})|&#x([\da-f]{1,6});|&#(\d{1,7});|\\(.)|&(amp);|&\w{2,9};/gi;

/** Undoes the escapes of URLs, JSON and HTML, all layers of them. */
function unescape(text: string): string {
	const plain = text.replace(escapes, (_, percent, json, hex, decimal, character?: string, ampersand?: string) => {
		const code = parseInt(percent ?? json ?? hex, 16) || Number(decimal);
		// Which one HTML's other names stand for does not matter here.
		return code ? String.fromCharCode(code) : (character ?? (ampersand ? '&' : '?'));
	});
	return plain === text ? text : unescape(plain);
}

/** For comparisons, in which all characters that may be escaped are the same. */
const wordsOf = (text: string): string => text.replace(/\W/g, '?');

/**
Gives a text without secrets, for display: it ends where a secret begins. A server may repeat a secret with the escapes of URLs, JSON or
HTML, so both are compared as they are and without them. Eight characters are enough to be taken for a secret, since a part of one must
not show either. Shorter secrets must stand alone: they are in many a word by chance.
*/
export function maskSecrets(text: string, secrets: readonly unknown[]): string {
	let shown = text;
	for (const decode of [String, unescape]) {
		for (const secret of secrets) {
			if (typeof secret !== 'string' || !secret) continue;
			const plain = decode(shown);
			const start = wordsOf(decode(secret.slice(0, 99))).slice(0, 8);
			const index = `?${wordsOf(plain)}?`.indexOf(start.length < 8 ? `?${start}?` : start);
			if (index >= 0) shown = `${plain.slice(0, Math.max(0, index - 1))}[masked]`;
		}
	}
	return shown;
}
