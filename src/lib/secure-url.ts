/**
An absolute URL of https, or of http on loopback, where nobody else listens. Anything else is undefined: the platform's own
error would quote the text.

@see https://www.rfc-editor.org/rfc/rfc6749#section-3.2
*/
export function secureUrl(value: unknown, base?: string | URL): URL | undefined {
	try {
		// Nothing else that could be read as one: a list of one URL, say.
		if (typeof value !== 'string' && Object.prototype.toString.call(value) !== '[object URL]') return undefined;
		const url = new URL(value as string | URL, base);
		if (url.protocol === 'https:' || (url.protocol === 'http:' && loopback.test(url.hostname))) return url;
	} catch {}
	return undefined;
}

const loopback = /^(?:localhost|127(?:\.\d+){3}|\[::1\])$/;
