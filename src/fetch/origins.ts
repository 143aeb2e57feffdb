import {ConfigError} from '../errors.ts';
import {secureUrl} from '../lib/secure-url.ts';

/** The origins that may get a token: a list, or a function that decides for each URL. */
export type Origins = readonly (string | URL)[] | ((url: URL) => boolean);

/**
Decides whether a request may get the token. If so, it returns the checked URL, and the request is sent exactly there. Otherwise it returns
undefined.
*/
export type OriginCheck = (url: string) => string | undefined;

/** Returns the check of a call's targets. */
export type CallCheck = (baseUrl?: string | URL, prefix?: string | URL) => OriginCheck;

/**
Creates the checks of calls: by the option `origins`, or else by the origin of ky's `baseUrl` and `prefix`.

@throws {ConfigError} for an origin that could never match.
*/
export function readOrigins(origins: Origins | undefined, insecureOrigins: readonly string[]): CallCheck {
	if (origins === undefined) return createOriginResolver(insecureOrigins);
	const check = checkOrigins(origins, insecureOrigins);
	return () => check;
}

const expected = 'origins must be a list of origins, or a function (url: URL) => boolean';

function checkOrigins(origins: Origins, insecureOrigins: readonly string[]): OriginCheck {
	if (typeof origins === 'function') {
		return text => {
			const url = secureUrl(text, insecureOrigins);
			const verdict: unknown = url && origins(new URL(url));
			// A promise is truthy, and would let every URL pass.
			if (verdict && verdict !== true) throw new ConfigError(expected);
			return verdict ? url?.href : undefined;
		};
	}
	if (!Array.isArray(origins)) throw new ConfigError(expected);
	if (origins.length === 0) throw new ConfigError('origins is empty: name an origin, as in https://api.example.com');
	return checkOf(
		origins.map((origin: unknown, index) => {
			const url = secureUrl(origin, insecureOrigins);
			if (url && !/[*,]/.test(url.hostname)) return slashed(url);
			let fault = /:\/\//.test(String(origin))
				? ' must be an https origin, or be in allowInsecureOrigins'
				: ' needs a scheme, as in https://api.example.com';
			if (url) fault = ' has a wildcard or a comma: list each origin, or use a function (url: URL) => boolean';
			throw new ConfigError(`origins[${index}]${fault}`);
		}),
	);
}

/** Returns the origin with a slash at its end. A URL that begins with it has that origin, however it is parsed. */
export const slashed = (url: string | URL): string => `${new URL(url).origin}/`;

function checkOf(allowed: readonly string[]): OriginCheck {
	const isAllowed = (url: string | undefined): boolean => allowed.some(origin => url?.startsWith(origin));
	return text => {
		if (isAllowed(text)) return text;
		// At some compatibility dates, Workers return a URL as it was written, and parse it differently when they send it.
		const href = secureUrl(text)?.href;
		return isAllowed(href) ? href : undefined;
	};
}

/** The origin is cached, because most calls repeat them. */
function createOriginResolver(insecureOrigins: readonly string[]): CallCheck {
	let known: string | undefined;
	let check: OriginCheck;
	return (baseUrl = '', prefix = '') => {
		const key = `${baseUrl} ${prefix}`;
		if (key !== known) {
			// Resolved against the address of the page, and not against a `<base>` in it, which may point anywhere.
			const here = (globalThis as {location?: Location}).location?.href;
			const base = baseUrl ? secureUrl(baseUrl, insecureOrigins, here) : here;
			const target = prefix ? secureUrl(prefix, insecureOrigins, base) : base;
			known = key;
			if (!baseUrl && !prefix)
				check = fail("origins is required, as in ['https://api.example.com'], unless ky has a baseUrl or prefix");
			else
				check = target
					? checkOf([slashed(target)])
					: fail('baseUrl or prefix must be https, or be in allowInsecureOrigins');
		}
		return check;
	};
}

const fail = (message: string) => (): never => {
	throw new ConfigError(message);
};
