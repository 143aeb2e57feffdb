import {ownProperties} from './own-properties.ts';
import {readHeader} from './read-header.ts';

/** One challenge of a `WWW-Authenticate` header. */
export interface Challenge {
	/** The scheme, in lower case, such as `bearer`. */
	readonly scheme: string;
	/** The parameters, by their names in lower case. If a name is repeated, the last one counts. */
	readonly parameters: Readonly<Record<string, string>>;
}

const token = "[!#$%&'*+.^`|~\\w-]+";
const end = '[ \\t]*(?:,|$)';
const parameter = `(${token})[ \\t]*=[ \\t]*(?:"([^"\\\\]*(?:\\\\.[^"\\\\]*)*)"|(${token}))${end}`;
// A scheme is followed by nothing, by a token68, or by a first parameter.
const scheme = `(${token})(?:${end}|[ \\t]+(?:[\\w.~+/-]+=*${end}|(?=${parameter})))`;
// The expressions are sticky and unambiguous, so the time is linear in the length of the header.
const part = new RegExp(`[ \\t,]*(?:${parameter}|${scheme})`, 'gy');

/** The challenges of a response. */
export function challengesOf(headers: Headers): Challenge[] {
	return parseChallenges(readHeader(headers, 'www-authenticate'));
}

/**
Parses a `WWW-Authenticate` header, which may be several lines joined by commas. Parsing stops at the first invalid text, and everything
complete before it counts.

@see https://www.rfc-editor.org/rfc/rfc9110#section-11.6.1
*/
export function parseChallenges(header: string): Challenge[] {
	const challenges: {scheme: string; parameters: Record<string, string>}[] = [];
	for (const [, name, quoted, plain = '', next] of header.matchAll(part)) {
		const last = challenges.at(-1);
		if (next)
			challenges.push({
				scheme: next.toLowerCase(),
				parameters: ownProperties({}),
			});
		else if (last && name) last.parameters[name.toLowerCase()] = quoted?.replace(/\\(.)/g, '$1') ?? plain;
		else break;
	}
	return challenges;
}
