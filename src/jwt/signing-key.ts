import {oneOf, type Rule} from '../lib/read-options.ts';
import type {WebCryptoKey} from './sign-jwt.ts';

/**
How a JWT is signed: ECDSA on P-256, RSA with PKCS #1 v1.5 or PSS, each with SHA-256, or Ed25519.

@see https://www.rfc-editor.org/rfc/rfc7518#section-3.1
@see https://www.rfc-editor.org/rfc/rfc8037#section-3.1
*/
export type JwtAlgorithm = 'ES256' | 'RS256' | 'PS256' | 'EdDSA';

/**
A private key as a JSON Web Key: P-256, Ed25519 or RSA. If it has `alg` and `kid`, they are used.

@see https://www.rfc-editor.org/rfc/rfc7517#section-4
*/
export interface PrivateJwk {
	/** The type of the key: `EC`, `OKP` or `RSA`. */
	readonly kty?: string;
	/** The curve of an `EC` or `OKP` key: `P-256` or `Ed25519`. */
	readonly crv?: string;
	/** The private part. A JWK without it is a public key. */
	readonly d?: string;
	/** The algorithm that the key signs with. */
	readonly alg?: string;
	/** The id of the key. */
	readonly kid?: string;
}

/**
A private key that signs: a `CryptoKey`, a JWK, or the text of a PKCS #8 PEM file (`-----BEGIN PRIVATE KEY-----`), which
`openssl pkcs8 -topk8 -nocrypt` makes of others. An RSA key has 2048 bits at least. The line breaks of a PEM may be written as `\n`, as environment variables often have them.
*/
export type PrivateKey = WebCryptoKey | PrivateJwk | string;

/** What JWTs call the algorithms, by what platforms call them. A key is tried with them in this order. */
export const algorithms: Readonly<Record<string, JwtAlgorithm>> = {
	ECDSA: 'ES256',
	'RSASSA-PKCS1-v1_5': 'RS256',
	'RSA-PSS': 'PS256',
	Ed25519: 'EdDSA',
};

/** The rule of an algorithm. */
export const anAlgorithm: Rule = oneOf(...Object.values(algorithms));

/**
Returns the algorithm that a `CryptoKey` signs with. Undefined for anything else, and for RSA keys below 2048 bits.

@see https://www.rfc-editor.org/rfc/rfc7518#section-3.3
*/
export function algorithmOf(key: unknown): JwtAlgorithm | undefined {
	const {algorithm: {name = '', namedCurve, hash, modulusLength = 2048} = {}, type} = Object(key) as {
		readonly algorithm?: Partial<EcKeyAlgorithm & RsaHashedKeyAlgorithm>;
		readonly type?: string;
	};
	// Firefox imports a PEM of another curve as one for ECDSA, and says so in its algorithm alone.
	const isRight = /-256$|^Ed/.test(name + (namedCurve ?? hash?.name)) && modulusLength >= 2048 && type === 'private';
	return isRight ? algorithms[name] : undefined;
}
