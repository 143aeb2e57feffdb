import {base64url} from './base64url.ts';

/** Makes 43 characters of letters, digits, hyphens and underscores, which nobody can guess: 256 random bits. */
export function randomText(): string {
	return base64url(crypto.getRandomValues(new Uint8Array(32)));
}
