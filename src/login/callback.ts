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

/** Reads what the URL that ends a login says. */
export function readCallback(url: URL): Callback {
	return ownProperties(Object.fromEntries(url.searchParams));
}

/** Whether a URL, or the address of the page, ends a login. */
export function isCallback(given: string | URL | undefined, redirectUri: string): boolean {
	const url = readUrl(given, redirectUri);
	const {state, code, error} = readCallback(url);
	return !!(state && (code || error)) && url.pathname === new URL(redirectUri).pathname;
}

/**
Whether a text is a path of this origin. No segment is empty, and no backslash is a slash: `//evil.example`, `/\evil.example` and
`/.//evil.example` lead elsewhere in one browser or another, or when they are read twice. URLs lose their tabs and line breaks.
*/
export const isLocalPath: (path: unknown) => path is string = matches(
	/^(?:\/(?!\/)[^/\\?#\t\n\r]*)+(?:[?#][^\t\n\r]*)?$/,
);
