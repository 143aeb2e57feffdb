import {base64url} from './base64url.ts';

/** Creates 256 random bits, as 43 letters, digits, hyphens and underscores. */
export function randomText(): string {
	return base64url(crypto.getRandomValues(new Uint8Array(32)));
}
