import {base64url} from './base64url.ts';

/** Returns the SHA-256 of a text, as base64url. Pages without https have no `crypto.subtle`. */
export async function sha256(text: string): Promise<string> {
	return base64url(await crypto.subtle.digest('SHA-256', new TextEncoder().encode(text)));
}
