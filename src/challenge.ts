/** One challenge of a `WWW-Authenticate` header. */
export interface Challenge {
	/** In lower case, such as `bearer`. */
	readonly scheme: string;
	/** By their names in lower case. Where a name is repeated, the last one counts. */
	readonly parameters: Readonly<Record<string, string>>;
}

// Sticky, and never with two ways to match one text: the time is linear in the length of the header.
const token = "[!#$%&'*+.^`|~\\w-]+";
const end = '[ \\t]*(?:,|$)';
const auth = `(${token})[ \\t]*=[ \\t]*(?:"([^"\\\\]*(?:\\\\.[^"\\\\]*)*)"|(${token}))${end}`;
const separators = /[ \t,]*/y;
const parameter = new RegExp(auth, 'y');
// Alone, with a token68, or with a first parameter.
const scheme = new RegExp(`(${token})(?:${end}|[ \\t]+(?:[\\w.~+/-]+=*${end}|(?=${auth})))`, 'y');

/**
Parses a `WWW-Authenticate` header, which may be several lines joined by commas. It ends at the first text that is not in
the grammar; what was complete before that counts.

@see https://www.rfc-editor.org/rfc/rfc9110#section-11.6.1
*/
export function parseChallenges(header: string): Challenge[] {
	const challenges: {scheme: string; parameters: Record<string, string>}[] = [];
	let position = 0;
	const take = (pattern: RegExp): string[] | null => {
		pattern.lastIndex = position;
		const match = pattern.exec(header);
		if (match) position = pattern.lastIndex;
		return match;
	};
	for (;;) {
		take(separators);
		const last = challenges.at(-1);
		const [, name = '', quoted, plain = ''] = (last && take(parameter)) ?? [];
		const [, next] = (!name && take(scheme)) || [];
		if (last && name) last.parameters[name.toLowerCase()] = quoted?.replace(/\\(.)/g, '$1') ?? plain;
		else if (next)
			challenges.push({scheme: next.toLowerCase(), parameters: Object.create(null) as Record<string, string>});
		else return challenges;
	}
}
