/**
Encodes bytes for URLs and JSON Web Tokens, without padding.

@see https://www.rfc-editor.org/rfc/rfc4648#section-5
*/
export function base64url(bytes: Uint8Array | ArrayBuffer): string {
	const binary = String.fromCharCode(...new Uint8Array(bytes));
	return btoa(binary).replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', '');
}
