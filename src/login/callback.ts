import {ConfigError} from '../errors.ts';
import {ownProperties} from '../lib/own-properties.ts';
import {matches} from '../lib/read-options.ts';

/**
The answer of the server in the URL of the callback. It has either `code` or `error`.

@see https://www.rfc-editor.org/rfc/rfc6749#section-4.1.2
*/
export interface Callback {
	readonly state?: string;
	readonly code?: string;
	readonly error?: string;
	/** The server that sent it: RFC 9207. */
	readonly iss?: string;
}

/**
Reads a URL, or the address of the page.

@throws {ConfigError} if it is not a URL, or if a server passes none. The platform's own error would quote the URL, and with it the code.
*/
export function readUrl(url: string | URL | undefined, base: string): URL {
	try {
		return new URL(url ?? location.href, base);
	} catch {
		throw new ConfigError('url must be a URL');
	}
}

/**
Reads the server's answer from the URL of the callback. It is no answer without a state, with neither a code nor an error, or with one of
its parameters twice, of which one would have to be chosen. Other parameters do not matter: the redirect URI may have the same one twice.

@see https://www.rfc-editor.org/rfc/rfc6749#section-3.1
*/
export function readCallback({searchParams}: URL): Callback {
	const answer = ownProperties<Callback>(Object.fromEntries(searchParams));
	const names = [...searchParams.keys()].filter(name => /^(?:error.*|state|code|iss)$/.test(name));
	const isUnique = new Set(names).size === names.length;
	return isUnique && answer.state && (answer.code || answer.error) ? answer : ownProperties({});
}

/**
Whether a text is a path of this origin. Empty segments and backslashes are refused: `//evil.example`, `/\evil.example` and
`/.//evil.example` lead to another origin in some browsers, or when they are parsed twice. URL parsers remove tabs and line breaks.
*/
export const isLocalPath: (path: unknown) => path is string = matches(/^(?:\/(?!\/)[^/\\?#\t\n\r]*)+(?:[?#].*)?$/);
