import {ConfigError} from '../errors.ts';
import {ownProperties} from '../lib/own-properties.ts';
import {isText, matches} from '../lib/read-options.ts';
import type {TokenScheme} from '../token/token-scheme.ts';

/**
Sends the token as `Authorization: Bearer …`: the default.

@see https://www.rfc-editor.org/rfc/rfc6750#section-2.1
*/
export function bearer(): TokenScheme {
	return tokenHeader('authorization', 'Bearer');
}

const isName = matches(/^[\w!#$%&'*+.^`|~-]+$/);

/**
Sends the token in a header of another name, or with another word before it.

When a redirect leads to another origin, platforms drop the header `Authorization`, but no other header. So with any other name, regrant
follows redirects itself. Browsers do not allow that: there, a redirect to another origin fails.

@param name The name of the header.
@param prefix The word before the token.
@default prefix none
@throws {ConfigError} if the name is not a valid header name, or the word is not printable ASCII.
@example
```ts
scheme: tokenHeader('x-amz-access-token')
scheme: tokenHeader('authorization', 'Zoho-oauthtoken')
```
*/
export function tokenHeader(name: string, prefix?: string): TokenScheme {
	// The platform's own error for an invalid header would quote the token.
	if (!isName(name) || !isText(prefix || name))
		throw new ConfigError('tokenHeader(name, prefix) must be a header name and printable ASCII');
	const start = prefix ? `${prefix} ` : '';
	return ownProperties<TokenScheme>({
		header: name.toLowerCase(),
		apply: ({headers}, accessToken) => {
			if (accessToken !== undefined) headers.set(name, start + accessToken);
		},
	});
}
