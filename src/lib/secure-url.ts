/**
Parses an absolute https URL, or an http URL of loopback or of an origin in `insecureOrigins`. Returns undefined for anything else, because
the platform's own error would quote the text.

@see https://www.rfc-editor.org/rfc/rfc6749#section-3.2
*/
export function secureUrl(
	value: unknown,
	insecureOrigins: readonly string[] = [],
	base?: string | URL,
): URL | undefined {
	try {
		// Other values could also be parsed as a URL: a list with one URL, for example.
		if (typeof value !== 'string' && !(value as URL).href) return undefined;
		const url = new URL(value as string | URL, base);
		const isInsecure = loopback.test(url.hostname) || insecureOrigins.includes(url.origin);
		if (url.protocol === 'https:' || (url.protocol === 'http:' && isInsecure)) return url;
	} catch {}
	return undefined;
}

const loopback = /^(?:(?:.+\.)?localhost|127(?:\.\d+){3}|\[::1\])$/;
