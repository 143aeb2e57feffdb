import {base64url} from '../lib/base64url.ts';
import {randomId} from '../lib/random-id.ts';

/**
Makes a code verifier of 256 random bits. It has more than 43 characters and less than 128, as the RFC asks.

@see https://www.rfc-editor.org/rfc/rfc7636#section-4.1
*/
export function codeVerifier(): string {
	return `${randomId()}-${randomId()}`;
}

/**
Gives the code challenge of a code verifier, by the method `S256`.

@see https://www.rfc-editor.org/rfc/rfc7636#section-4.2
*/
export async function codeChallenge(verifier: string): Promise<string> {
	return base64url(new Uint8Array(await crypto.subtle.digest('SHA-256', new TextEncoder().encode(verifier))));
}
