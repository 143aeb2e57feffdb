/**
Encodes bytes for URLs and JSON Web Tokens, without padding.

@see https://www.rfc-editor.org/rfc/rfc4648#section-5
*/
export function base64url(bytes: Uint8Array): string {
	const text = btoa(String.fromCharCode(...bytes));
	return text.replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', '');
}
