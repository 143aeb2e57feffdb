import {ConfigError} from '../errors.ts';
import {ownProperties} from '../lib/own-properties.ts';
import {matches} from '../lib/read-options.ts';

/**
What a server says in the URL that ends a login. Either `code` or `error` is there.

@see https://www.rfc-editor.org/rfc/rfc6749#section-4.1.2
*/
export interface Callback {
	readonly state?: string;
	readonly code?: string;
	readonly error?: string;
	/** Who says it: RFC 9207. */
	readonly iss?: string;
}

/**
Reads a URL, or the address of the page.

@throws {ConfigError} for what is no URL, and on a server for none. The platform's own error would quote it, and with it the code.
*/
export function readUrl(url: string | URL | undefined, base: string): URL {
	try {
		return new URL(url ?? location.href, base);
	} catch {
		throw new ConfigError('url must be a URL');
	}
}

/**
Reads what the URL that ends a login says. It is no answer without a state, with neither a code nor an error, or with a parameter twice,
of which one would have to be chosen.

@see https://www.rfc-editor.org/rfc/rfc6749#section-3.1
*/
export function readCallback({searchParams}: URL): Callback {
	const answer = ownProperties<Callback>(Object.fromEntries(searchParams));
	const isRepeated = Object.keys(answer).length < [...searchParams].length;
	const isAnswer = answer.state && (answer.code || answer.error) && !isRepeated;
	return isAnswer ? answer : ownProperties({});
}

/** Whether a URL, or the address of the page, ends a login. The query of the redirect URI is in it, in whatever order. */
export function isCallback(given: string | URL | undefined, redirectUri: string): boolean {
	const url = readUrl(given, redirectUri);
	const {pathname, searchParams} = new URL(redirectUri);
	const isThere = (parameter: [string, string]): boolean => url.searchParams.has(...parameter);
	return !!readCallback(url).state && url.pathname === pathname && [...searchParams].every(isThere);
}

/**
Whether a text is a path of this origin. No segment is empty, and no backslash is a slash: `//evil.example`, `/\evil.example` and
`/.//evil.example` lead elsewhere in one browser or another, or when they are read twice. URLs lose their tabs and line breaks.
*/
export const isLocalPath: (path: unknown) => path is string = matches(/^(?:\/(?!\/)[^/\\?#\t\n\r]*)+(?:[?#].*)?$/);
