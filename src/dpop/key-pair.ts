import {ConfigError} from '../errors.ts';
import {isCryptoKey, type WebCryptoKey} from '../jwt/sign-jwt.ts';
import {ownProperties, ownRecordProperties} from '../lib/own-properties.ts';

/** How proofs are signed. RSA is not among them: every request carries a proof, and those of RSA are long and slow. */
export type DpopAlgorithm = 'ES256' | 'EdDSA';

/** A key pair, as `crypto.subtle.generateKey` returns it. The private key should not be extractable. */
export interface DpopKeyPair {
	/** Signs the proofs. */
	readonly privateKey: WebCryptoKey;
	/** Is part of every proof, so it must be extractable. */
	readonly publicKey: WebCryptoKey;
}

/** A key that is ready to sign proofs. */
export interface ProofKey {
	/** Signs the proofs. */
	readonly key: WebCryptoKey;
	/** The header of every proof. */
	readonly header: object;
}

function algorithmOf({algorithm}: WebCryptoKey): DpopAlgorithm | undefined {
	const {name, namedCurve} = algorithm as EcKeyAlgorithm;
	if (name === 'Ed25519') return 'EdDSA';
	return namedCurve === 'P-256' ? 'ES256' : undefined;
}

/** Whether a value is a key pair that can sign proofs. */
export function isKeyPair(value: unknown): value is DpopKeyPair {
	const {privateKey, publicKey} = ownProperties(ownRecordProperties(value));
	return (
		isCryptoKey(privateKey) &&
		isCryptoKey(publicKey) &&
		privateKey.usages.includes('sign') &&
		publicKey.type === 'public' &&
		publicKey.extractable &&
		!!algorithmOf(privateKey) &&
		algorithmOf(privateKey) === algorithmOf(publicKey)
	);
}

/**
Generates a key pair. The private key cannot be exported.

@throws {ConfigError} if the platform cannot make such keys. Pages without https have no WebCrypto, and older browsers have no Ed25519.
*/
export async function generateKeyPair(algorithm: DpopAlgorithm): Promise<DpopKeyPair> {
	const parameters = algorithm === 'ES256' ? {name: 'ECDSA', namedCurve: 'P-256'} : {name: 'Ed25519'};
	try {
		// Both algorithms generate a pair.
		return (await crypto.subtle.generateKey(parameters, false, ['sign', 'verify'])) as CryptoKeyPair;
	} catch {
		throw new ConfigError(`dpop() needs WebCrypto with ${algorithm}, which is not here: does the page have https?`);
	}
}

/**
Prepares a key pair for signing.

@see https://www.rfc-editor.org/rfc/rfc9449#section-4.2
*/
export async function toProofKey({privateKey, publicKey}: DpopKeyPair): Promise<ProofKey> {
	const {kty, crv, x, y} = await crypto.subtle.exportKey('jwk', publicKey as CryptoKey);
	const jwk = ownProperties({kty, crv, x, y});
	return {
		key: privateKey,
		header: {typ: 'dpop+jwt', alg: algorithmOf(privateKey), jwk},
	};
}
