import {base64url} from '../lib/base64url.ts';
import {ownProperties} from '../lib/own-properties.ts';

/** A `CryptoKey`. Not every runtime's types have it as a global. */
export interface WebCryptoKey {
	/** `private` or `public`. */
	readonly type: string;
	/** Whether the key can be exported. */
	readonly extractable: boolean;
	/** The algorithm of the key. */
	readonly algorithm: {
		/** The name in WebCrypto, such as `ECDSA`. */
		readonly name: string;
	};
	/** What it may be used for, such as `sign`. */
	readonly usages: readonly string[];
}

/** Whether a value is a `CryptoKey`, of any realm. At older compatibility dates, those of Workers have no tag. */
export function isCryptoKey(value: unknown): value is WebCryptoKey {
	return Array.isArray((Object(value) as Partial<WebCryptoKey>).usages);
}

const utf8 = (text: string): Uint8Array<ArrayBuffer> => new TextEncoder().encode(text);

/** Encodes a header or claims. Undefined ones are left out. */
function encodePart(part: object): string {
	// Copied first, because JSON would otherwise call a `toJSON` of a polluted prototype.
	return base64url(utf8(JSON.stringify(ownProperties(part))));
}

/**
Signs a JWT: with ECDSA, RSA or Ed25519, as the key is, and with SHA-256.

@see https://www.rfc-editor.org/rfc/rfc7515#section-5.1
*/
export async function signJwt(header: object, claims: object, key: WebCryptoKey): Promise<string> {
	const text = `${encodePart(header)}.${encodePart(claims)}`;
	const signature = await crypto.subtle.sign(
		// Each algorithm reads the fields that it needs. The salt of PSS is as long as the hash: RFC 7518 §3.5.
		{name: key.algorithm.name, hash: 'SHA-256', saltLength: 32},
		key as CryptoKey,
		utf8(text),
	);
	return `${text}.${base64url(signature)}`;
}
