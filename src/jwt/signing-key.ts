import {ownProperties, ownRecordProperties} from '../lib/own-properties.ts';
import {isCryptoKey, type WebCryptoKey} from './sign-jwt.ts';

/**
How a JWT is signed: ECDSA on P-256, RSA with PKCS #1 v1.5 or PSS, each with SHA-256, or Ed25519.

@see https://www.rfc-editor.org/rfc/rfc7518#section-3.1
@see https://www.rfc-editor.org/rfc/rfc8037#section-3.1
*/
export type JwtAlgorithm = 'ES256' | 'RS256' | 'PS256' | 'EdDSA';

/**
A private key as a JSON Web Key: P-256, Ed25519 or RSA. Its `alg` and its `kid` are used, if they are there.

@see https://www.rfc-editor.org/rfc/rfc7517#section-4
*/
export interface PrivateJwk {
	/** The type of the key: `EC`, `OKP` or `RSA`. */
	readonly kty?: string;
	/** The curve of an `EC` or `OKP` key: `P-256` or `Ed25519`. */
	readonly crv?: string;
	/** The private part. A JWK without it is a public key. */
	readonly d?: string;
	/** What the key signs with. */
	readonly alg?: string;
	/** The id of the key. */
	readonly kid?: string;
}

/**
A private key that signs: a `CryptoKey`, a JWK, or the text of a PKCS #8 PEM file (`-----BEGIN PRIVATE KEY-----`), which
`openssl pkcs8 -topk8 -nocrypt` makes of others. The line breaks of a PEM may be written as `\n`, as environment variables often have them.
*/
export type PrivateKey = WebCryptoKey | PrivateJwk | string;

/** A private key that the platform knows, and what it signs with. */
export interface SigningKey {
	readonly key: WebCryptoKey;
	readonly algorithm: JwtAlgorithm;
}

/** What the platform calls the algorithms, in the order in which a key is tried with them. */
const platformNames: Readonly<Record<JwtAlgorithm, string>> = {
	ES256: 'ECDSA',
	RS256: 'RSASSA-PKCS1-v1_5',
	PS256: 'RSA-PSS',
	EdDSA: 'Ed25519',
};

/** The names of the algorithms. */
export const jwtAlgorithms: readonly JwtAlgorithm[] = Object.keys(platformNames) as JwtAlgorithm[];

/** Whether a value may be a private key for this algorithm, as far as that can be told without the platform. */
export function mayFit(key: unknown, algorithm: JwtAlgorithm): boolean {
	const name = platformNames[algorithm];
	if (isCryptoKey(key)) {
		const {namedCurve, hash} = key.algorithm as Partial<EcKeyAlgorithm & RsaHashedKeyAlgorithm>;
		// A key has a curve, a hash or neither. There is one curve and one hash here.
		const isRight = /^(?:P|SHA)-256$/.test(namedCurve ?? hash?.name ?? 'P-256');
		return isRight && key.algorithm.name === name && key.usages.includes('sign');
	}
	if (typeof key === 'string') return key.includes('BEGIN PRIVATE KEY-----');
	const {d, alg = name} = ownProperties(ownRecordProperties(key));
	// Not every platform looks at `alg` itself. RFC 9864 calls EdDSA as platforms do.
	return typeof d === 'string' && (alg === name || alg === algorithm);
}

/** Gives a key for the first of these algorithms for which the platform takes it. Undefined if there is none. */
export async function loadKey(key: unknown, algorithms: readonly JwtAlgorithm[]): Promise<SigningKey | undefined> {
	for (const algorithm of algorithms) {
		if (isCryptoKey(key)) return {key, algorithm};
		// Each algorithm takes of it what it needs.
		const parameters = {name: platformNames[algorithm], namedCurve: 'P-256', hash: 'SHA-256'};
		try {
			const imported =
				typeof key === 'string'
					? await crypto.subtle.importKey('pkcs8', decodePem(key), parameters, false, ['sign'])
					: await crypto.subtle.importKey('jwk', ownProperties(key as JsonWebKey), parameters, false, ['sign']);
			return {key: imported, algorithm};
		} catch {
			// It is of another kind. The platform's error may quote it.
		}
	}
	return undefined;
}

function decodePem(text: string): Uint8Array<ArrayBuffer> {
	const [, , base64 = ''] = text.split('-----');
	return Uint8Array.from(atob(base64.replaceAll(/\\[nr]|\s/g, '')), character => character.charCodeAt(0));
}
