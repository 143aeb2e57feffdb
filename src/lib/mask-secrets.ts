const named: Readonly<Record<string, string>> = {
	amp: '&',
	lt: '<',
	gt: '>',
	quot: '"',
	apos: "'",
	sol: '/',
	plus: '+',
	equals: '=',
};

const escape = /%([\da-f]{2})|\\u([\da-f]{4})|\\(.)|&#x([\da-f]{1,6});|&#(\d{1,7});|&([a-z]+);|\+/gi;

/** Undoes the escapes of URLs, JSON and HTML, one layer of each. A plus sign becomes a space, which it may stand for. */
function unescape(text: string): string {
	return text.replace(escape, (all: string, percent, unicode, json, hex, decimal, name: string | undefined) => {
		const code = parseInt(percent ?? unicode ?? hex, 16) || Number(decimal);
		if (code) return code < 0x110000 ? String.fromCodePoint(code) : all;
		return json ?? (name ? (named[name.toLowerCase()] ?? all) : ' ');
	});
}

/**
Gives a text without secrets, for display: it ends where a secret begins. A server may repeat a secret with the escapes of URLs, JSON or
HTML, so both are compared without them. Eight characters are enough to be taken for a secret, since a part of one must not show either.

@param shortest Shorter secrets are not looked for: they are in many a word by chance.
*/
export function maskSecrets(text: string, secrets: readonly unknown[], shortest = 1): string {
	const plain = unescape(unescape(text));
	const starts = secrets.flatMap(secret =>
		typeof secret === 'string' && secret.length >= shortest ? unescape(unescape(secret)).slice(0, 8) : [],
	);
	const ends = starts.map(start => plain.indexOf(start)).filter(end => end >= 0);
	return ends.length > 0 ? `${plain.slice(0, Math.min(...ends))}[masked]` : text;
}
